-- Confirm a hold. fare: the fare that the caller accepts if the hold has expired.
CREATE OR REPLACE FUNCTION api.confirm_hold(b api.opened_booking, fare numeric) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    refusal jsonb := api.check_hold(b);
    service bus_info;
    tickets int[];
BEGIN
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    refusal := coalesce(refusal, api.check_trip_runs(service, b.travel_date, (
        SELECT min(lower(p.segment)) FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference)));
    IF refusal IS NULL THEN
        refusal := api.renew_hold(service, b, fare);
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    WITH confirmed AS (
        UPDATE passengers p SET status = 'booked', booked_at = api.now(), expires_at = NULL, ended_at = NULL
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status IN ('held', 'expired')
        RETURNING p.ticket_no
    )
    SELECT array_agg(ticket_no) INTO tickets FROM confirmed;
    DELETE FROM holders h WHERE h.bus_id = b.bus_id AND h.reference = b.reference;
    PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
    RETURN NULL;
END $$;

-- Give the tickets of an expired hold the fare and the terms of today. Refuses if a seat is taken, or if the caller has
-- not accepted the fare: `fare` is another one, or it is NULL and the fare or the terms have changed. Like the fare of a
-- booking, it is the sum of all tickets, with the cancelled ones.
CREATE OR REPLACE FUNCTION api.renew_hold(service bus_info, b api.opened_booking, fare numeric) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    segment  int4range := (SELECT p.segment FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'expired' LIMIT 1);
    today    api.found_segment;
    fare_now numeric;
    changed  boolean;
BEGIN
    IF segment IS NULL THEN   -- it has not expired
        RETURN NULL;
    ELSIF EXISTS (
        SELECT FROM passengers p JOIN seats s USING (bus_id, travel_date, seat_no)
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'expired' AND s.taken && p.segment
    ) THEN
        RETURN api.refusal('hold_expired',
            format('The hold has expired, and at least one %s of it is taken.', service.nouns ->> 'seat'));
    END IF;
    today := api.find_segment(service, b.travel_date, NULL, NULL, lower(segment), upper(segment));
    IF today.refusal IS NOT NULL THEN
        RETURN today.refusal;
    END IF;
    -- a comparison with NULL, of a ticket that was sold before the column was added, is no change
    SELECT sum(CASE p.status WHEN 'expired' THEN today.fare ELSE p.fare END),
           bool_or(p.status = 'expired' AND (p.fare, p.refund_percent, p.alight_refunds)
                   <> (today.fare, service.refund_percent, today.alight_refunds))
    INTO fare_now, changed
    FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference;
    IF fare_now <> renew_hold.fare OR renew_hold.fare IS NULL AND changed THEN
        RETURN api.refusal('hold_expired', format('The hold has expired, and its fare or its terms have changed. '
                'The fare is now %s. To book, confirm this fare.', to_char(fare_now, 'FM999,999,999,990.00')),
            jsonb_build_object('fare', fare_now::text));
    END IF;
    UPDATE passengers p
    SET fare = today.fare, refund_percent = service.refund_percent, alight_refunds = today.alight_refunds
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'expired';
    RETURN NULL;
END $$;

-- Release a hold.
CREATE OR REPLACE FUNCTION api.release_hold(b api.opened_booking) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    refusal jsonb := api.check_hold(b);
    tickets int[] := ARRAY(SELECT p.ticket_no FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'held');
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    ELSIF tickets = '{}' THEN
        RETURN api.refusal('hold_expired', 'The hold has expired; there is nothing to release.');
    END IF;
    PERFORM api.end_tickets(b, tickets);
    RETURN NULL;
END $$;

-- Check that a booking is a hold, live or expired.
CREATE OR REPLACE FUNCTION api.check_hold(b api.opened_booking) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN bool_or(p.status = 'booked') THEN
            api.refusal('already_booked', format('Booking %s is already confirmed.', b.reference))
        WHEN bool_or(p.status = 'held' OR p.status = 'expired' AND p.seat_no IS NOT NULL) THEN NULL
        WHEN bool_or(p.status = 'pending') THEN
            api.refusal('not_held', format('Booking %s is on the waitlist. It is booked when seats are free.', b.reference))
        WHEN bool_or(p.status = 'expired') THEN
            api.refusal('not_held', format('Booking %s expired on the waitlist. It has no seats.', b.reference))
        ELSE
            api.refusal('already_cancelled', format('Booking %s is already cancelled.', b.reference))
        END
    FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
$$;
