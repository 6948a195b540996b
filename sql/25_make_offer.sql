-- Displaced tickets, and offers to their bookings: see 23_offers.sql.

-- Displace bookings of a trip: their booked tickets that need a seat lose it. The other booked tickets of a booking that is
-- displaced, of passengers who have arrived or did not board, end without a refund. Holds are released, with a message, and
-- waitlist entries stay. The caller has locked the trip, makes an offer to each of the bookings, and then promotes the
-- waitlist. Returns the references of the bookings that have displaced tickets.
CREATE OR REPLACE FUNCTION api.displace(bus_id bigint, travel_date date, refs text[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    freed     int[];
    displaced text[];
    released  text[];
BEGIN
    WITH live AS (
        SELECT p.reference, p.ticket_no, p.seat_no, p.status = 'booked' AND api.needs_seat(s, t, p) AS moves,
               bool_or(p.status = 'held' OR api.needs_seat(s, t, p)) OVER (PARTITION BY p.reference) AS leaves
        FROM passengers p
        JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
        JOIN bus_info s ON s.bus_id = p.bus_id
        WHERE p.bus_id = displace.bus_id AND p.travel_date = displace.travel_date AND p.reference = ANY (refs)
          AND p.status IN ('held', 'booked')
    ), changed AS (
        -- alight_refunds: NULL, as in api.move_booking, because a ticket that ends here refunds nothing by its terms
        UPDATE passengers p
        SET status = CASE WHEN live.moves THEN 'displaced' ELSE 'cancelled' END,
            seat_no = CASE WHEN NOT live.moves THEN p.seat_no END,
            alight_refunds = CASE WHEN live.moves OR p.status = 'held' THEN p.alight_refunds END,
            ended_at = CASE WHEN NOT live.moves THEN api.now() END
        FROM live WHERE live.leaves AND p.bus_id = displace.bus_id AND p.reference = live.reference AND p.ticket_no = live.ticket_no
        RETURNING live.seat_no, p.reference, p.status, p.booked_at
    )
    SELECT array_agg(c.seat_no), array_agg(DISTINCT c.reference) FILTER (WHERE c.status = 'displaced'),
           array_agg(DISTINCT c.reference) FILTER (WHERE c.booked_at IS NULL)
    INTO freed, displaced, released FROM changed c;
    PERFORM api.recount(bus_id, travel_date, freed);
    DELETE FROM holders h WHERE h.bus_id = displace.bus_id AND h.reference = ANY (released);
    PERFORM api.tell_booking(bus_id, r, 'The hold has ended, because its seats are not on the trip any more. ' || api.money_of_ended(r))
    FROM unnest(released) AS r;
    IF released IS NOT NULL THEN
        PERFORM api.record_events('booking.released', array_fill(displace.bus_id, ARRAY[cardinality(released)]), released, api.because('vehicle'));
    END IF;
    RETURN coalesce(displaced, '{}');
END $$;

-- Send the passengers of a booking a message. It begins with the journey. If the booking is the hold of an open offer, the
-- message goes to the booking that has the offer. If that hold has ended, nothing is sent: api.expire_offers sends a message.
CREATE OR REPLACE FUNCTION api.tell_booking(bus_id bigint, reference text, body text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    b jsonb := (api.show_bookings(ARRAY[tell_booking.bus_id], ARRAY[tell_booking.reference]))[1];
    m messages;
    o offers := (SELECT f FROM offers f WHERE f.state = 'open' AND f.hold_bus_id = tell_booking.bus_id AND f.hold = tell_booking.reference);
BEGIN
    IF o.state = 'open' AND NOT api.can_be_answered(o) THEN
        RETURN;
    END IF;
    m.sender := 'operator';
    m.audience := 'booking';
    m.bus_id := coalesce(o.bus_id, tell_booking.bus_id);
    m.travel_date := coalesce(o.travel_date::text, b ->> 'travel_date');
    m.reference := coalesce(o.reference, tell_booking.reference);
    m.account := (SELECT p.account FROM passengers p
        WHERE p.bus_id = m.bus_id AND p.reference = m.reference LIMIT 1);
    m.body := format('%s %s, %s (%s) of %s from %s to %s: %s', coalesce('Offer ' || o.offer_no || ' to booking', 'Booking'), m.reference,
        b ->> 'name', tell_booking.bus_id, b ->> 'boarding_date', b ->> 'origin', b ->> 'destination', body);
    PERFORM api.insert_message(m);
END $$;

-- Make an offer to a booking, and tell its passengers. unanswered: `refund`, for the displaced tickets of the booking, or
-- `keep`, for its booked ones. cause: a sentence for the passengers. An earlier open offer is withdrawn. If no other trip
-- has seats for displaced tickets, their whole fare is refunded at once: the offer expires when it is made. The same
-- happens to `keep` once the trip has left the boarding stop: the tickets stay. change: the cause of its event. Returns the number of the offer; NULL if the
-- booking has no such tickets. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.make_offer(bus_id bigint, reference text, cause text, unanswered text, change text DEFAULT 'offer') RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    o       offers := api.open_offer(bus_id, reference);
    service bus_info;
    amount  text;
    held    record;   -- of api.hold_instead
BEGIN
    IF o.state = 'open' THEN
        PERFORM api.close_offer(o, 'withdrawn');
    END IF;
    SELECT make_offer.bus_id, make_offer.reference, (SELECT coalesce(max(e.offer_no), 0) + 1 FROM offers e WHERE e.reference = make_offer.reference),
           min(p.travel_date), make_offer.cause, array_agg(p.ticket_no ORDER BY p.ticket_no), make_offer.unanswered,
           NULL, NULL, api.now(), 'open', api.now(), NULL
    INTO o FROM passengers p
    WHERE p.bus_id = make_offer.bus_id AND p.reference = make_offer.reference
      AND p.status = CASE make_offer.unanswered WHEN 'refund' THEN 'displaced' ELSE 'booked' END;
    IF o.tickets IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = make_offer.bus_id;
    amount := api.whole_refund(o);
    cause := rtrim(cause, ' .') || '.';
    IF unanswered = 'keep' THEN
        o.valid_until := greatest(api.now(), least(api.now() + make_interval(hours => service.offer_hours),
            api.booking_sells_until(ROW(bus_id, reference, o.travel_date, NULL)::api.opened_booking)));
        cause := cause || CASE WHEN o.valid_until > api.now() THEN format(' The booking stays as it is now, unless you decline offer %s until %s: '
            'then %s is refunded.', o.offer_no, to_char(o.valid_until AT TIME ZONE service.time_zone, 'YYYY-MM-DD HH24:MI'), amount) ELSE '' END;
    ELSE
        held := api.hold_instead(service, o);
        IF held.hold IS NULL THEN
            cause := cause || format(' No other trip has seats for the booking, so %s is refunded.', amount);
        ELSE
            o.hold_bus_id := held.hold_bus_id;
            o.hold := held.hold;
            o.valid_until := held.valid_until;
            cause := cause || format(' Offer %s, until %s: %s. Accept it at the fare that is paid, or decline it: then %s is refunded, as without an answer.',
                o.offer_no, to_char(o.valid_until AT TIME ZONE service.time_zone, 'YYYY-MM-DD HH24:MI'), api.name_hold(o), amount);
        END IF;
    END IF;
    INSERT INTO offers SELECT (o).*;
    PERFORM api.tell_booking(bus_id, reference, cause);
    IF o.valid_until > api.now() THEN
        PERFORM api.settle_by(bus_id, o.travel_date, o.valid_until);
        PERFORM api.record_events('booking.offered', ARRAY[make_offer.bus_id], ARRAY[make_offer.reference], api.because(change, make_offer.cause));
    ELSE
        PERFORM api.expire_offer(o, change, make_offer.cause);
    END IF;
    RETURN o.offer_no;
END $$;

-- The trip and the seats of an offer, in words.
CREATE OR REPLACE FUNCTION api.name_hold(offer offers) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT format('%s (%s %s), departs %s, %s', b ->> 'name', s.nouns ->> 'service', s.bus_id,
        translate(left(b ->> 'departs_at', 16), 'T', ' '),
        lower(api.format_numbers(ARRAY(SELECT (t ->> 'seat_no')::int FROM jsonb_array_elements(b -> 'tickets') AS t), s.nouns ->> 'seat')))
    FROM bus_info s, LATERAL (SELECT (api.show_bookings(ARRAY[offer.hold_bus_id], ARRAY[offer.hold]))[1]) AS h (b)
    WHERE s.bus_id = offer.hold_bus_id);

-- The trips that may be offered instead of the journey of a booking, the nearest first: of the same operator, kind and
-- currency, from the same place to the same place, with a departure at most alternative_hours before or after. On a route that
-- stays at one place, such as a hotel's, the journey must also end on the same date.
CREATE OR REPLACE FUNCTION api.trips_instead(service bus_info, offer offers)
RETURNS TABLE (bus_id bigint, travel_date date, from_stop int, to_stop int)
LANGUAGE sql STABLE AS $$
    WITH journey AS MATERIALIZED (
        SELECT a.place AS origin, b.place AS destination, pa.time_zone,
               api.expected(t, a.stop_no, a.departs, service.time_zone) AS departs_at,
               CASE WHEN a.place = b.place THEN api.date_at(t.travel_date, b.arrives, service.time_zone, pb.time_zone) END AS until
        FROM (   -- a ticket may board later or alight earlier than its party
            SELECT min(lower(p.segment)) AS from_stop, max(upper(p.segment)) AS to_stop FROM passengers p
            WHERE p.bus_id = offer.bus_id AND p.reference = offer.reference AND p.ticket_no = ANY (offer.tickets)
        ) AS party
        JOIN trips t ON t.bus_id = offer.bus_id AND t.travel_date = offer.travel_date
        JOIN route_table a ON a.bus_id = t.bus_id AND a.stop_no = party.from_stop
        JOIN route_table b ON b.bus_id = t.bus_id AND b.stop_no = party.to_stop
        JOIN places pa ON pa.code = a.place
        JOIN places pb ON pb.code = b.place
    ), limits AS (
        SELECT j.*, make_interval(hours => service.alternative_hours) AS hours FROM journey j
    )
    SELECT d.bus_id, d.travel_date, d.from_stop, d.to_stop
    FROM limits j
    CROSS JOIN LATERAL generate_series(((j.departs_at - j.hours) AT TIME ZONE j.time_zone)::date,
                                       ((j.departs_at + j.hours) AT TIME ZONE j.time_zone)::date, '1 day') AS day
    CROSS JOIN LATERAL api.departures(ARRAY[j.origin], ARRAY[j.destination], day::date, j.until) AS d
    JOIN bus_info s ON s.bus_id = d.bus_id AND s.currency = service.currency
    WHERE d.operator = service.operator AND d.kind = service.kind AND api.is_together(d.bus_id, offer.bus_id) AND (d.bus_id, d.travel_date) <> (offer.bus_id, offer.travel_date)
      AND d.departs_at BETWEEN j.departs_at - j.hours AND j.departs_at + j.hours
    ORDER BY abs(extract(epoch FROM d.departs_at - j.departs_at)), d.departs_at, d.bus_id
$$;

-- Hold seats of another trip for the tickets of an offer. A trip that another transaction has locked is left out. hold is NULL
-- if no trip has seats for all of them.
CREATE OR REPLACE FUNCTION api.hold_instead(service bus_info, offer offers, OUT hold_bus_id bigint, OUT hold text, OUT valid_until timestamptz) RETURNS record
LANGUAGE plpgsql AS $$
DECLARE
    other  record;
    trip   trips;
    target bus_info;
    s      api.found_segment;
    chosen int[];
BEGIN
    FOR other IN SELECT * FROM api.trips_instead(service, offer) LOOP
        CONTINUE WHEN api.seats_free(other.bus_id, other.travel_date, int4range(other.from_stop, other.to_stop)) < cardinality(offer.tickets);
        SELECT * INTO trip FROM trips t
        WHERE t.bus_id = other.bus_id AND t.travel_date = other.travel_date FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        IF trip.settle_at <= api.now() THEN
            PERFORM api.settle(trip.bus_id, trip.travel_date);
        END IF;
        target := api.service_of(trip);
        s := api.find_segment(target, trip, NULL, NULL, other.from_stop, other.to_stop);
        chosen := api.choose_instead(target, trip, s.segment, offer);
        CONTINUE WHEN chosen IS NULL;
        hold_bus_id := other.bus_id;
        hold := api.new_reference(other.bus_id);
        valid_until := least(api.now() + make_interval(hours => service.offer_hours), s.sells_until);
        PERFORM api.take_seats(other.bus_id, other.travel_date, chosen, s.segment);
        INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, seat_no, segment, fare, refund_percent, alight_refunds,
                                status, created_at, expires_at)
        SELECT other.bus_id, hold, n, other.travel_date, chosen[n], s.segment, p.fare, p.refund_percent, '{}', 'held', api.now(), valid_until
        FROM unnest(offer.tickets) WITH ORDINALITY AS t (ticket_no, n)
        JOIN passengers p ON p.bus_id = offer.bus_id AND p.reference = offer.reference AND p.ticket_no = t.ticket_no;
        PERFORM api.settle_by(other.bus_id, other.travel_date, valid_until);
        PERFORM api.record_events('booking.held', ARRAY[hold_bus_id], ARRAY[hold], api.because('offer'));
        PERFORM api.notify_trip(other.bus_id, other.travel_date);
        RETURN;
    END LOOP;
END $$;

-- Choose seats for the tickets of an offer on another trip, in the classes that they have; NULL: there are too few. Tickets of
-- several classes get seats on a service without classes only.
CREATE OR REPLACE FUNCTION api.choose_instead(target bus_info, trip trips, segment int4range, offer offers) RETURNS int[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    party int := cardinality(offer.tickets);
    p     record;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('gender', t.gender, 'accessible', t.accessible) ORDER BY t.ticket_no) AS passengers,
           min(api.name_in(t.fare_parts, 'class')) AS seat_class,
           count(DISTINCT coalesce(api.name_in(t.fare_parts, 'class'), '')) AS classes
    INTO p FROM passengers t
    WHERE t.bus_id = offer.bus_id AND t.reference = offer.reference AND t.ticket_no = ANY (offer.tickets);
    IF p.classes > 1 AND target.seat_classes IS NOT NULL THEN
        RETURN NULL;
    END IF;
    RETURN api.choose_for_party(target, trip, segment, party, p.passengers,
        api.seats_open_to(target, party, p.passengers, api.seats_of_class(target, p.seat_class)));
END $$;
