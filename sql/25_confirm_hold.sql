-- Confirm a hold. fare: the fare that the caller accepts if the hold has expired. account: of the caller. paid: the hold was paid to
-- a provider. A booking that its payment has confirmed may be confirmed again, which changes nothing.
CREATE OR REPLACE FUNCTION api.confirm_hold(b api.opened_booking, fare numeric, account text, paid boolean DEFAULT false) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    service bus_info;
    hold    record;
    tickets int[];
BEGIN
    o.reference := b.reference;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    SELECT min(lower(p.segment)) AS from_stop, min(p.sold_by) AS sold_by INTO hold
    FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference;
    o.refusal := api.check_hold(b);
    IF o.refusal ->> 'reason' = 'already_booked' AND (api.payment_of(b.reference)).payment_id IS NOT NULL THEN
        o.refusal := NULL;
        o.reference := NULL;   -- nothing happens to the booking, so there is no event
        o.reply := (api.show_bookings(ARRAY[b.bus_id], ARRAY[b.reference]))[1];
        RETURN o;
    END IF;
    o.refusal := coalesce(o.refusal, api.check_amount_given('fare', fare, service.currency),
                          api.check_trip_runs(service, b.travel_date, hold.from_stop),
                          CASE WHEN hold.sold_by IS NOT NULL THEN api.check_counter(hold.sold_by, account)
                               WHEN service.payment <> 'none' AND NOT paid THEN api.check_paid(service, b) END);
    IF o.refusal IS NULL THEN
        SELECT * INTO o.refusal, o.deferred FROM api.renew_hold(service, b, fare);
    END IF;
    IF o.refusal IS NOT NULL OR o.deferred THEN
        RETURN o;
    END IF;
    WITH confirmed AS (
        UPDATE passengers p SET status = 'booked', booked_at = api.now(), expires_at = NULL, ended_at = NULL
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status IN ('held', 'expired')
        RETURNING p.ticket_no
    )
    SELECT array_agg(ticket_no) INTO tickets FROM confirmed;
    DELETE FROM holders h WHERE h.bus_id = b.bus_id AND h.reference = b.reference;
    PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
    IF hold.sold_by IS NOT NULL THEN
        PERFORM api.record_payments(ARRAY[b.bus_id], ARRAY[b.reference]);   -- the credit limit counts them at the agent's next sale
    END IF;
    RETURN o;
END $$;

-- Give the tickets of an expired hold the fares and the terms of today. fare: the fare that the caller accepts; like the fare of
-- a booking, it is the sum of all tickets, including the cancelled ones. Refuses if
--   a seat is taken
--   the tickets could not be sold now (api.check_rules, api.check_reserved)
--   the promo code is no longer valid
--   the agent may not sell so much
--   the sum of today is not `fare`, or `fare` is NULL and the fares or the terms have changed
-- deferred: another transaction has locked the promo code or the agent.
CREATE OR REPLACE FUNCTION api.renew_hold(
    service bus_info, b api.opened_booking, fare numeric, OUT refusal jsonb, OUT deferred boolean
) RETURNS record
LANGUAGE plpgsql AS $$
DECLARE
    hold     record;   -- of its expired tickets
    today    api.found_segment;
    promo    promo_codes;
    prices   api.ticket_price[];
    fare_now numeric;
    changed  boolean;
BEGIN
    SELECT (array_agg(p.segment))[1] AS segment, array_agg(p.ticket_no ORDER BY p.ticket_no) AS tickets,
           array_agg(p.seat_no ORDER BY p.ticket_no) AS seats, min(p.promo_no) AS promo_no, min(p.sold_by) AS sold_by, min(p.account) AS account,
           min(p.phone) AS phone, jsonb_agg(api.passenger_of(p) ORDER BY p.ticket_no) AS passengers
    INTO hold FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'expired';
    IF hold.segment IS NULL THEN   -- it has not expired
        RETURN;
    ELSIF EXISTS (
        SELECT FROM seats s WHERE s.bus_id = b.bus_id AND s.travel_date = b.travel_date
          AND s.seat_no = ANY (hold.seats) AND s.taken && hold.segment
    ) THEN
        refusal := api.refusal('hold_expired',
            format('The hold has expired, and at least one %s of it is taken.', service.nouns ->> 'seat'));
        RETURN;
    END IF;
    today := api.find_segment(service, api.trip(b), NULL, NULL, lower(hold.segment), upper(hold.segment));
    SELECT s.* INTO service FROM trips t, api.service_of(t) AS s WHERE t.bus_id = b.bus_id AND t.travel_date = b.travel_date;
    refusal := coalesce(today.refusal,
        api.check_rules(service, b.travel_date, today, cardinality(hold.tickets), hold.passengers, hold.account, hold.phone),
        api.check_reserved(service, b.travel_date, hold.segment, hold.seats, hold.passengers));
    IF refusal IS NULL AND hold.promo_no IS NOT NULL THEN
        deferred := NOT api.lock_promo_code(hold.promo_no);
        SELECT * INTO promo FROM promo_codes c WHERE c.promo_no = hold.promo_no;
        refusal := api.check_promo_code(promo, service, promo.code, cardinality(hold.tickets), hold.account, hold.phone);
    END IF;
    IF refusal IS NOT NULL OR deferred THEN
        RETURN;
    END IF;
    prices := api.prices(service, b.travel_date, today, cardinality(hold.tickets), hold.seats, NULL, hold.passengers, promo);
    -- a comparison with NULL, of a ticket that was sold before the column was added, is no change
    SELECT sum(coalesce(n.fare, p.fare)),
           bool_or((p.fare, p.refund_percent, p.alight_refunds) <> (n.fare, service.refund_percent, n.alight_refunds)
                   OR n.fare IS NOT NULL AND p.refund_tiers IS DISTINCT FROM service.refund_tiers)
    INTO fare_now, changed
    FROM passengers p
    LEFT JOIN (SELECT t.ticket_no, t.fare, t.alight_refunds
               FROM ROWS FROM (unnest(hold.tickets), unnest(prices)) AS t (ticket_no, fare, parts, alight_refunds)
    ) AS n ON n.ticket_no = p.ticket_no
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference;
    IF fare_now <> renew_hold.fare OR renew_hold.fare IS NULL AND changed THEN
        refusal := api.refusal('hold_expired', format('The hold has expired, and its fare or its terms have changed. '
                'The fare is now %s. To book, confirm this fare.', api.format_amount(fare_now, service.currency)),
            jsonb_build_object('currency', service.currency, 'fare', api.amount_text(fare_now, service.currency)));
        RETURN;
    END IF;
    IF hold.sold_by IS NOT NULL THEN
        SELECT * INTO refusal, deferred FROM api.check_agent(service, b.travel_date, hold.sold_by, cardinality(hold.tickets),
            (SELECT sum(t.fare) FROM unnest(prices) AS t));
        IF refusal IS NOT NULL OR deferred THEN
            RETURN;
        END IF;
    END IF;
    UPDATE passengers p
    SET fare = n.fare, fare_parts = n.parts, refund_percent = service.refund_percent,
        refund_tiers = service.refund_tiers, alight_refunds = n.alight_refunds
    FROM ROWS FROM (unnest(hold.tickets), unnest(prices)) AS n (ticket_no, fare, parts, alight_refunds)
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = n.ticket_no;
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
        WHEN bool_or(p.status = 'displaced') THEN api.check_seated(b, NULL)
        WHEN bool_or(p.status = 'booked') THEN
            api.refusal('already_booked', format('Booking %s is already confirmed.', b.reference))
        WHEN bool_or(p.status = 'held' OR p.status = 'expired' AND p.seat_no IS NOT NULL) THEN NULL
        WHEN bool_or(p.status = 'expired' AND p.former_seat IS NOT NULL) THEN
            api.refusal('hold_expired', 'The hold has expired, and the seats of the trip have changed. Book again.')
        WHEN bool_or(p.status = 'pending') THEN
            api.refusal('not_held', format('Booking %s is on the waitlist. It is booked when seats are free.', b.reference))
        WHEN bool_or(p.status = 'expired') THEN
            api.refusal('not_held', format('Booking %s expired on the waitlist. It has no seats.', b.reference))
        ELSE
            api.refusal('already_cancelled', format('Booking %s is already cancelled.', b.reference))
        END
    FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
$$;
