-- Exchange the vehicle of a trip for another one, which may have other seats. All live tickets get new seats at once; the bookings for which there
-- are none are displaced and get an offer. Going back to the first vehicle is an exchange, too.

-- seats: the new seat of each ticket (reference, ticket_no, seat_no), as planned from api.exchange_basis with this version.
-- left_over: the references of the others. plan: return what would be done, and undo it. Refused with plan_changed if the basis
-- of the plan has changed.
CREATE OR REPLACE FUNCTION api.exchange_vehicle(
    account text, bus_id bigint, travel_date date, vehicle text, version text, seats jsonb, left_over text[], reason text, plan boolean
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    BEGIN
        answer := api.apply_exchange(account, bus_id, travel_date, vehicle, version, seats, left_over, reason);
        IF plan OR answer ? 'reason' THEN
            RAISE SQLSTATE 'BW001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- the changes of the plan are rolled back
    END;
    RETURN answer;
END $$;

-- Locks the service, the trip and the vehicle in the order of api.assign, which assigns the vehicle in the end.
CREATE OR REPLACE FUNCTION api.apply_exchange(
    account text, bus_id bigint, travel_date date, vehicle text, version text, seats jsonb, left_over text[], reason text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service  bus_info;   -- with the new seats of the trip
    trip     trips;
    basis    jsonb;
    shown    jsonb;      -- the tickets that get another seat or class
    changed  record;
    ref      text;
    assigned jsonb;
BEGIN
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = apply_exchange.bus_id FOR SHARE;
    SELECT * INTO trip FROM trips t
    WHERE t.bus_id = apply_exchange.bus_id AND t.travel_date = apply_exchange.travel_date FOR UPDATE;
    PERFORM FROM vehicles v
    WHERE v.operator = service.operator AND v.registration = api.registration(vehicle) FOR NO KEY UPDATE;
    IF trip.settle_at <= api.now() THEN
        PERFORM api.settle(bus_id, travel_date);
    END IF;
    basis := api.exchange_basis(account, bus_id, travel_date, vehicle);
    IF basis ? 'reason' THEN
        RETURN basis;
    ELSIF version IS DISTINCT FROM basis ->> 'version' THEN
        RETURN api.refusal('plan_changed', 'The trip has changed since the plan was made. Nothing was done: make a new plan.');
    END IF;
    PERFORM api.check_planned_seats(basis, seats, left_over);
    trip.own_seats := nullif(basis -> 'own_seats', 'null');
    service := api.service_of(trip);
    left_over := api.displace(bus_id, travel_date, left_over);
    shown := api.move_tickets(trip, service, seats);
    PERFORM api.promote(bus_id, travel_date);
    FOREACH ref IN ARRAY left_over LOOP
        PERFORM api.make_offer(bus_id, ref, concat_ws(' ', format('The %s was exchanged for another one, which has no %s left for this booking.',
            service.nouns ->> 'service', service.nouns ->> 'seat'), reason), 'refund', 'vehicle');
    END LOOP;
    FOR changed IN
        SELECT m ->> 'reference' AS reference, sum((m ->> 'refund')::numeric) AS refund FROM jsonb_array_elements(shown) AS m
        WHERE m -> 'seat_no' <> m -> 'from_seat_no' OR (m ->> 'refund')::numeric > 0 GROUP BY 1 ORDER BY 1
    LOOP
        PERFORM api.tell_booking(bus_id, changed.reference, api.new_seats_in_words(service, travel_date, changed.reference, changed.refund, reason));
    END LOOP;
    assigned := api.assign(account, bus_id, travel_date, NULL, jsonb_build_object('vehicle', vehicle));
    IF assigned ? 'reason' THEN
        RETURN assigned;
    END IF;
    PERFORM api.record_trip_event('trip.vehicle_exchanged', bus_id, travel_date, api.because('vehicle', reason));
    PERFORM api.record_events('booking.changed', ARRAY[apply_exchange.bus_id], ARRAY[moved.reference], api.because('vehicle', reason))
    FROM (SELECT DISTINCT m ->> 'reference' AS reference FROM jsonb_array_elements(shown) AS m) AS moved;
    PERFORM api.notify_trip(bus_id, travel_date);
    RETURN jsonb_build_object('version', version, 'moves', shown,
        'currency', service.currency, 'left_over', (SELECT coalesce(jsonb_agg(jsonb_build_object('reference', p -> 'reference', 'tickets', jsonb_array_length(p -> 'tickets'))
                ORDER BY p ->> 'reference'), '[]')
            FROM jsonb_array_elements(basis -> 'parties') AS p
            WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(seats) AS s WHERE s -> 'reference' = p -> 'reference')),
        'refund', (SELECT api.amount_text(coalesce(sum((m ->> 'refund')::numeric), 0), service.currency) FROM jsonb_array_elements(shown) AS m),
        'trip', assigned -> 'trip');
END $$;

-- Raise an exception if the new seats do not follow the rules of the basis. That no two tickets overlap on a seat is a constraint
-- of the table.
CREATE OR REPLACE FUNCTION api.check_planned_seats(basis jsonb, seats jsonb, left_over text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM (
        SELECT p ->> 'reference' AS reference, t.ticket_no, t.allowed
        FROM jsonb_array_elements(basis -> 'parties') AS p, jsonb_to_recordset(p -> 'tickets') AS t (ticket_no int, allowed int[])
    ) AS t
    FULL JOIN jsonb_to_recordset(seats) AS s (reference text, ticket_no int, seat_no int) USING (reference, ticket_no)
    WHERE (s.seat_no IS NULL) <> (reference = ANY (left_over)) OR s.seat_no <> ALL (t.allowed)
       OR NOT EXISTS (SELECT FROM jsonb_array_elements(basis -> 'parties') AS p WHERE p ->> 'reference' = reference);
    IF FOUND THEN
        RAISE EXCEPTION 'The planned seats do not follow the rules: %, left over: %', seats, left_over;
    END IF;
END $$;

-- Give a trip its new seats, and its tickets theirs. trip, service: with the new seats. Tickets that get
-- no new seat, because they have ended or need none any more, keep the old one as former_seat. A ticket whose new class costs
-- less gets the difference back. Returns the tickets that have another seat number, or another class than was paid. The
-- caller has locked the trip.
CREATE OR REPLACE FUNCTION api.move_tickets(trip trips, service bus_info, seats jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    count CONSTANT int := api.seat_count(service.layout);
    shown jsonb;
BEGIN
    UPDATE passengers p SET former_seat = p.seat_no, seat_no = NULL
    WHERE p.bus_id = trip.bus_id AND p.travel_date = trip.travel_date AND p.seat_no IS NOT NULL;
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT trip.bus_id, trip.travel_date, n FROM generate_series(1, count) AS n ON CONFLICT DO NOTHING;
    DELETE FROM seats s WHERE s.bus_id = trip.bus_id AND s.travel_date = trip.travel_date AND s.seat_no > count;
    UPDATE trips t SET own_seats = trip.own_seats WHERE t.bus_id = trip.bus_id AND t.travel_date = trip.travel_date;
    SELECT jsonb_agg(jsonb_build_object('reference', p.reference, 'ticket_no', p.ticket_no, 'name', p.name, 'status', p.status,
            'from_seat_no', p.former_seat, 'seat_no', n.seat_no, 'from_class', class.paid, 'seat_class', class.new,
            'refund', api.amount_text(CASE WHEN class.paid IS DISTINCT FROM class.new THEN api.lower_fare(service, p, class.new) ELSE 0 END, service.currency))
            ORDER BY n.seat_no, lower(p.segment)) FILTER (WHERE n.seat_no <> p.former_seat OR class.paid IS DISTINCT FROM class.new)
    INTO shown
    FROM jsonb_to_recordset(seats) AS n (reference text, ticket_no int, seat_no int)
    JOIN passengers p ON p.bus_id = trip.bus_id AND p.reference = n.reference AND p.ticket_no = n.ticket_no
    CROSS JOIN LATERAL (SELECT api.name_in(p.fare_parts, 'class') AS paid, api.class_of_seat(service, n.seat_no) AS new) AS class;
    UPDATE passengers p
    SET seat_no = n.seat_no, former_seat = NULL, moved_at = CASE WHEN n.seat_no = p.former_seat THEN p.moved_at ELSE api.now() END
    FROM jsonb_to_recordset(move_tickets.seats) AS n (reference text, ticket_no int, seat_no int)
    WHERE p.bus_id = trip.bus_id AND p.reference = n.reference AND p.ticket_no = n.ticket_no;
    PERFORM api.recount(trip.bus_id, trip.travel_date, ARRAY(SELECT generate_series(1, count)));
    PERFORM api.block_on_trips(service, ARRAY[trip.travel_date]);
    RETURN coalesce(shown, '[]');
END $$;

-- The price of a ticket on a seat of another class (NULL: a seat without a class). The part for the class is that of today. The
-- parts of later steps and the earlier refunds change in proportion. fare is NULL if the class does not cost less than the old
-- one.
CREATE OR REPLACE FUNCTION api.price_in_class(service bus_info, ticket passengers, seat_class text) RETURNS api.ticket_price
LANGUAGE plpgsql STABLE AS $$
DECLARE
    parts   CONSTANT jsonb := coalesce(ticket.fare_parts, jsonb_build_array(jsonb_build_object('part', 'segment', 'amount', ticket.fare)));
    segment CONSTANT numeric := (parts #>> '{0,amount}')::numeric;
    before  CONSTANT numeric := coalesce((SELECT sum((p ->> 'amount')::numeric) FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = 'class'), 0);
    class   record;
    paid    numeric;   -- the share of the fare that was not refunded
    later   numeric;   -- the share that is left of the parts of later steps
    price   api.ticket_price;
BEGIN
    SELECT r.name, greatest(segment * coalesce(r.percent, 0) / 100 + coalesce(r.amount, 0), -segment) AS amount
    INTO class FROM api.applying_rules(service, ticket.travel_date, seat_class, NULL, NULL) AS r WHERE r.part = 'class';
    IF coalesce(class.amount, 0) >= before OR ticket.fare <= ticket.refund THEN
        RETURN price;
    END IF;
    paid := (ticket.fare - ticket.refund) / ticket.fare;
    later := (segment + coalesce(class.amount, 0)) / (segment + before);
    WITH part AS (
        SELECT 1 AS step, 0 AS n, p.*, p.amount * paid AS new FROM jsonb_to_record(parts -> 0) AS p (part text, name text, amount numeric)
        UNION ALL
        SELECT 2, 0, 'class', class.name, NULL, class.amount * paid WHERE class.name IS NOT NULL
        UNION ALL
        SELECT 3, e.n, p.*, p.amount * paid * later
        FROM jsonb_array_elements(parts) WITH ORDINALITY AS e (part, n), jsonb_to_record(e.part) AS p (part text, name text, amount numeric)
        WHERE p.part NOT IN ('segment', 'class')
    )
    SELECT sum(api.round_charge(p.new, service)),
           jsonb_agg(jsonb_strip_nulls(jsonb_build_object('part', p.part, 'name', p.name, 'amount', api.amount_text(api.round_charge(p.new, service), service.currency)))
        ORDER BY p.step, p.n) INTO price.fare, price.parts FROM part p;
    IF ticket.alight_refunds IS NOT NULL THEN
        price.alight_refunds := ARRAY(SELECT api.round_charge((r.refund - ticket.refund) * price.fare / (ticket.fare - ticket.refund), service)
            FROM unnest(ticket.alight_refunds) WITH ORDINALITY AS r (refund, n) ORDER BY r.n);
    END IF;
    RETURN price;
END $$;

-- Give a ticket the fare of a seat of another class, if that costs less than was paid. Returns the difference, which a booked
-- ticket gets back.
CREATE OR REPLACE FUNCTION api.lower_fare(service bus_info, ticket passengers, seat_class text) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
    price      api.ticket_price := api.price_in_class(service, ticket, seat_class);
    difference numeric := ticket.fare - ticket.refund - price.fare;
BEGIN
    IF price.fare IS NULL THEN
        RETURN 0;
    ELSIF ticket.status = 'booked' THEN
        PERFORM api.record_exchange(ROW(ticket.bus_id, ticket.reference, ticket.travel_date, NULL), ARRAY[ticket.ticket_no], ARRAY[price], ARRAY[0]);
    END IF;
    UPDATE passengers p SET fare = price.fare, fare_parts = price.parts, alight_refunds = price.alight_refunds, refund = 0
    WHERE p.bus_id = ticket.bus_id AND p.reference = ticket.reference AND p.ticket_no = ticket.ticket_no;
    RETURN CASE WHEN ticket.status = 'booked' THEN difference ELSE 0 END;
END $$;

-- The message to a booking whose seats have changed.
CREATE OR REPLACE FUNCTION api.new_seats_in_words(service bus_info, travel_date date, reference text, refunded numeric, reason text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT concat_ws(' ', format('The %s was exchanged. You now have %s.', service.nouns ->> 'service',
            lower(api.format_numbers(array_agg(p.seat_no ORDER BY p.ticket_no), service.nouns ->> 'seat'))),
        CASE WHEN refunded > 0 THEN format('%s is refunded, because the class costs less.', api.format_amount(refunded, service.currency)) END, reason)
    FROM passengers p
    WHERE p.bus_id = service.bus_id AND p.travel_date = new_seats_in_words.travel_date AND p.reference = new_seats_in_words.reference
      AND p.status IN ('held', 'booked') AND p.seat_no IS NOT NULL
$$;
