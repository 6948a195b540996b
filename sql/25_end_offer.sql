-- The ways in which an offer ends: see 23_offers.sql. All of them need the lock of the booking's trip, so an offer ends only
-- once.

-- Accept an offer (offer_no; NULL: the open one). The displaced tickets move to the other trip, onto the seats that are held
-- there, at the fare that is paid; booked tickets stay as they are. deferred: another transaction has locked the other trip, or the
-- agent who sold the booking.
CREATE OR REPLACE FUNCTION api.accept_offer(b api.opened_booking, offer_no int) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    offer   offers;
    other   trips;
    moving  record;
BEGIN
    o.reference := b.reference;
    PERFORM api.expire_offers(b.bus_id, b.travel_date);
    offer := api.named_offer(b, offer_no);
    o.refusal := api.check_offer(b, offer, offer_no);
    IF o.refusal IS NULL AND offer.hold IS NOT NULL THEN
        SELECT t.* INTO other FROM trips t JOIN passengers h ON h.bus_id = t.bus_id AND h.travel_date = t.travel_date
        WHERE h.bus_id = offer.hold_bus_id AND h.reference = offer.hold AND h.ticket_no = 1 FOR UPDATE OF t SKIP LOCKED;
        o.deferred := NOT FOUND OR NOT api.lock_agent_of(b);
        IF o.deferred THEN
            RETURN o;
        ELSIF other.settle_at <= api.now() THEN
            PERFORM api.settle(other.bus_id, other.travel_date);
        END IF;
        IF api.can_be_answered(offer) THEN
            SELECT array_agg(p.ticket_no ORDER BY t.n) AS tickets, array_agg(h.seat_no ORDER BY t.n) AS seats, min(h.segment::text)::int4range AS segment
            INTO moving
            FROM unnest(offer.tickets) WITH ORDINALITY AS t (ticket_no, n)
            JOIN passengers p ON p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = t.ticket_no AND p.status = 'displaced'
            JOIN passengers h ON h.bus_id = offer.hold_bus_id AND h.reference = offer.hold AND h.ticket_no = t.n;
            PERFORM api.move_displaced(b, offer, other, moving.tickets, moving.segment, moving.seats);
            o.bus_id := other.bus_id;
        ELSE   -- the hold has ended meanwhile
            PERFORM api.expire_offers(b.bus_id, b.travel_date);
            o.refusal := api.check_offer(b, api.named_offer(b, offer.offer_no), offer_no);
        END IF;
    END IF;
    IF o.refusal IS NULL THEN
        PERFORM api.close_offer(offer, 'accepted');
    END IF;
    RETURN o;
END $$;

-- Move displaced tickets to the seats of a hold, which ends. Both trips are locked.
CREATE OR REPLACE FUNCTION api.move_displaced(
    b api.opened_booking, offer offers, other trips, tickets int[], segment int4range, seats int[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    hold CONSTANT api.opened_booking := ROW(other.bus_id, offer.hold, other.travel_date, NULL);
    s    api.found_segment := api.find_segment(api.service_of(other), other, NULL, NULL, lower(segment), upper(segment));
BEGIN
    UPDATE passengers h SET status = 'cancelled', ended_at = api.now()
    WHERE h.bus_id = other.bus_id AND h.reference = offer.hold AND h.status = 'held';
    PERFORM api.recount(other.bus_id, other.travel_date, api.seats_of(hold, ARRAY(SELECT h.ticket_no FROM passengers h
        WHERE h.bus_id = other.bus_id AND h.reference = offer.hold)));
    PERFORM api.record_events('booking.released', ARRAY[other.bus_id], ARRAY[offer.hold], api.because('offer'));
    PERFORM api.move_booking(b, tickets, other.bus_id, other.travel_date, segment, seats, api.prices_paid(b, tickets, s),
        array_fill(0::numeric, ARRAY[cardinality(tickets)]));
END $$;

-- Decline an offer (offer_no; NULL: the open one): its tickets are cancelled, and their whole fare is refunded.
CREATE OR REPLACE FUNCTION api.decline_offer(b api.opened_booking, offer_no int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    o       offers;
    refusal jsonb;
BEGIN
    PERFORM api.expire_offers(b.bus_id, b.travel_date);
    o := api.named_offer(b, offer_no);
    refusal := coalesce(api.check_offer(b, o, offer_no), api.check_not_checked_in(b, o.tickets));
    IF refusal IS NULL THEN
        PERFORM api.end_tickets(b, ARRAY(SELECT p.ticket_no FROM passengers p
            WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (o.tickets)
              AND p.status IN ('booked', 'displaced')));
    END IF;
    RETURN refusal;
END $$;

-- The offer of a booking with a number; without one, the open offer, else the last one. All columns are NULL if there is none.
CREATE OR REPLACE FUNCTION api.named_offer(b api.opened_booking, offer_no int) RETURNS offers
LANGUAGE sql STABLE AS $$
    SELECT o FROM offers o
    WHERE o.reference = b.reference AND (named_offer.offer_no IS NULL OR o.offer_no = named_offer.offer_no)
    ORDER BY o.state = 'open' DESC, o.offer_no DESC LIMIT 1
$$;

-- Check that an offer can be answered.
CREATE OR REPLACE FUNCTION api.check_offer(b api.opened_booking, offer offers, offer_no int) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN offer.reference IS NULL THEN
                api.refusal('no_offer', format('Booking %s has no offer%s.', b.reference, ' ' || offer_no))
            WHEN offer.state <> 'open' THEN
                api.refusal('offer_ended', format('Offer %s of booking %s is %s.', offer.offer_no, b.reference, offer.state),
                    jsonb_build_object('state', offer.state)) END;

-- Close an open offer, and release its hold. state: accepted, declined, expired or withdrawn. The caller has locked the trip of the
-- booking.
CREATE OR REPLACE FUNCTION api.close_offer(offer offers, state text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE offers o SET state = close_offer.state, decided_at = api.now()
    WHERE o.bus_id = offer.bus_id AND o.reference = offer.reference AND o.offer_no = offer.offer_no;
    PERFORM api.release_offered(offer, offer.tickets);
END $$;

-- Release the seats of the other trip that an offer holds for some of its tickets. If another transaction has locked that trip,
-- they are released when the offer would have expired.
CREATE OR REPLACE FUNCTION api.release_offered(offer offers, tickets int[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    b     api.opened_booking := ROW(offer.hold_bus_id, offer.hold, NULL, NULL);
    ended int[];
BEGIN
    SELECT t.travel_date INTO b.travel_date
    FROM trips t JOIN passengers h ON h.bus_id = t.bus_id AND h.travel_date = t.travel_date
    WHERE h.bus_id = b.bus_id AND h.reference = b.reference AND h.ticket_no = 1 FOR UPDATE OF t SKIP LOCKED;
    IF FOUND THEN
        ended := ARRAY(SELECT h.ticket_no FROM passengers h
            WHERE h.bus_id = b.bus_id AND h.reference = b.reference AND h.status = 'held' AND offer.tickets[h.ticket_no] = ANY (tickets));
        IF ended <> '{}' THEN
            PERFORM api.end_tickets(b, ended);
            PERFORM api.record_events('booking.released', ARRAY[b.bus_id], ARRAY[b.reference], api.because('offer'));
        END IF;
        PERFORM api.notify_trip(b.bus_id, b.travel_date);
    END IF;
END $$;

-- Withdraw the open offer of a booking, if it has one. The caller has locked the trip of the booking, and decides what becomes
-- of displaced tickets.
CREATE OR REPLACE FUNCTION api.withdraw_offer(bus_id bigint, reference text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    o offers := api.open_offer(bus_id, reference);
BEGIN
    IF o.state = 'open' THEN
        PERFORM api.close_offer(o, 'withdrawn');
    END IF;
END $$;

-- End an offer that was not answered: the whole fare of displaced tickets is refunded, booked tickets stay. cause, why: of its event.
CREATE OR REPLACE FUNCTION api.expire_offer(offer offers, cause text, why text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.close_offer(offer, 'expired');
    IF offer.unanswered = 'refund' THEN
        PERFORM api.end_tickets(ROW(offer.bus_id, offer.reference, offer.travel_date, NULL), ARRAY(
            SELECT p.ticket_no FROM passengers p
            WHERE p.bus_id = offer.bus_id AND p.reference = offer.reference AND p.status = 'displaced'));
        PERFORM api.record_payments(ARRAY[offer.bus_id], ARRAY[offer.reference]);
    END IF;
    PERFORM api.record_events(CASE offer.unanswered WHEN 'refund' THEN 'booking.cancelled' ELSE 'booking.changed' END,
                              ARRAY[offer.bus_id], ARRAY[offer.reference], api.because(cause, why) || '{"offer_state": "expired"}');
END $$;

-- End the open offers of a trip that cannot be answered any more. If that is because the seats of the other trip are no longer held,
-- the passengers get a message. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.expire_offers(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    o   offers;
    why text;
BEGIN
    FOR o IN SELECT f.* FROM offers f
             WHERE f.bus_id = expire_offers.bus_id AND f.travel_date = expire_offers.travel_date AND f.state = 'open'
               AND NOT api.can_be_answered(f) LOOP
        why := CASE WHEN o.valid_until > api.now() THEN format('The trip of offer %s is no longer possible, so %s is refunded.',
            o.offer_no, api.whole_refund(o)) END;
        IF why IS NOT NULL THEN
            PERFORM api.tell_booking(o.bus_id, o.reference, why);
        END IF;
        PERFORM api.expire_offer(o, 'offer', why);
    END LOOP;
END $$;
