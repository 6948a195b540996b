-- Offers to bookings whose journey the operator has changed: sql/1r_offers.sql.
--
-- An offer is decided under the lock of the booking's trip. `refund`: the tickets are displaced, and another trip is
-- offered; without an answer the whole fare is refunded. `keep`: the tickets stay booked, on the journey as it is now.
-- The seats of the other trip are held by an ordinary hold without phone number and account, so its expiry, the waitlist
-- and the audit work as for any hold. A transaction never waits for the lock of the other trip.

-- The open offer of a booking; all columns are NULL if it has none.
CREATE OR REPLACE FUNCTION api.open_offer(bus_id bigint, reference text) RETURNS offers
LANGUAGE sql STABLE AS $$
    SELECT o FROM offers o
    WHERE o.bus_id = open_offer.bus_id AND o.reference = open_offer.reference AND o.state = 'open'
$$;

-- Whether an offer can be answered at a time: it is open and valid, and the seats of the other trip are held.
CREATE OR REPLACE FUNCTION api.can_be_answered(offer offers, at timestamptz DEFAULT api.now()) RETURNS boolean
LANGUAGE sql STABLE
RETURN offer.state = 'open' AND offer.valid_until > at AND (offer.hold IS NULL OR EXISTS (
    SELECT FROM passengers h
    WHERE h.bus_id = offer.hold_bus_id AND h.reference = offer.hold AND h.status = 'held' AND h.expires_at > at));

-- Until when an offer can be answered: until the hold on the other trip ends, if that is earlier because the trip leaves earlier.
CREATE OR REPLACE FUNCTION api.answered_until(offer offers) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN least(offer.valid_until, (SELECT min(h.expires_at) FROM passengers h
    WHERE h.bus_id = offer.hold_bus_id AND h.reference = offer.hold AND h.status = 'held'));

-- The seats of the other trip, in the order of the tickets; of an open offer, those for tickets that are not cancelled.
CREATE OR REPLACE FUNCTION api.seats_offered(offer offers) RETURNS int[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(h.seat_no ORDER BY t.n)
    FROM unnest(offer.tickets) WITH ORDINALITY AS t (ticket_no, n)
    JOIN passengers h ON h.bus_id = offer.hold_bus_id AND h.reference = offer.hold AND h.ticket_no = t.n
    WHERE offer.state <> 'open' OR EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = offer.bus_id AND p.reference = offer.reference AND p.ticket_no = t.ticket_no AND p.status = 'displaced')
$$;

-- When the first open offer of a trip expires; NULL: it has none.
CREATE OR REPLACE FUNCTION api.offers_end_at(bus_id bigint, travel_date date) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT min(o.valid_until) FROM offers o
    WHERE o.bus_id = offers_end_at.bus_id AND o.travel_date = offers_end_at.travel_date AND o.state = 'open');

-- Whether a live ticket needs a seat on its trip from now on: it has one, and its passenger did not miss the trip and has not
-- arrived yet. service: that of the trip.
CREATE OR REPLACE FUNCTION api.needs_seat(service bus_info, trip trips, ticket passengers) RETURNS boolean
LANGUAGE sql STABLE
RETURN ticket.seat_no IS NOT NULL AND ticket.no_show_at IS NULL AND EXISTS (
    SELECT FROM route_table r
    WHERE r.bus_id = ticket.bus_id AND r.stop_no = upper(ticket.segment)
      AND api.expected(trip, r.stop_no, r.arrives, service.time_zone) > api.now());

-- The amount that is refunded if an offer is declined: what is paid for its tickets and not refunded yet.
CREATE OR REPLACE FUNCTION api.whole_refund(offer offers) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT api.amount_text(coalesce(sum(p.fare - p.refund), 0), api.currency_of(offer.bus_id)) FROM passengers p
    WHERE p.bus_id = offer.bus_id AND p.reference = offer.reference AND p.ticket_no = ANY (offer.tickets)
      AND p.status IN ('booked', 'displaced'));

-- Notify the servers of a changed trip that is not the trip of the call.
CREATE OR REPLACE FUNCTION api.notify_trip(bus_id bigint, travel_date date) RETURNS void
LANGUAGE sql
RETURN pg_notify('busware', jsonb_build_object('trips', jsonb_build_array(jsonb_build_array(bus_id, travel_date)))::text);
