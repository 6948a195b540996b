-- Exchange a booking: for another trip of the same operator, another segment, class or seats. All its booked tickets move, or
-- none. They cost the fares of today.
--
-- The refund terms of a ticket limit what an exchange can refund. If the fare is lower afterwards, the difference is refunded as a
-- cancellation would refund it at this time; and a later cancellation never refunds a higher percentage than one at this time. So an
-- exchange with a cancellation refunds no more than the cancellation alone would have. If a passenger alights early after the
-- exchange, the refund is at most what a cancellation, or alighting, would have refunded at this time.

-- A request for an exchange, completed with what it does not name: the present trip and stops or, on another service, the
-- present places and boarding date. On a route that calls at the place on several dates, the boarding stop is that of the wanted
-- boarding date, and the segment has as many legs as before. travel_date: NULL, if no trip leaves the boarding stop on the date.
CREATE OR REPLACE FUNCTION api.exchange_target(b api.opened_booking, a api.request) RETURNS api.request
LANGUAGE plpgsql STABLE AS $$
DECLARE
    journey record;
    same    boolean := coalesce(a.bus_id, b.bus_id) = b.bus_id;
BEGIN
    SELECT j.from_stop, j.to_stop, o.place AS origin, d.place AS destination, api.boarding_date(s, b.travel_date, j.from_stop) AS boarding_date
    INTO journey
    FROM (SELECT min(lower(p.segment)) AS from_stop, max(upper(p.segment)) AS to_stop FROM passengers p
          WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status IN ('booked', 'displaced')) AS j
    JOIN bus_info s ON s.bus_id = b.bus_id
    JOIN route_table o ON o.bus_id = s.bus_id AND o.stop_no = j.from_stop
    JOIN route_table d ON d.bus_id = s.bus_id AND d.stop_no = j.to_stop;
    a.bus_id := coalesce(a.bus_id, b.bus_id);
    IF same AND a.boarding_date IS NOT NULL AND num_nonnulls(a.travel_date::text, a.origin, a.from_stop::text) = 0 THEN
        SELECT r.stop_no, coalesce(a.to_stop, CASE WHEN a.destination IS NULL THEN r.stop_no + journey.to_stop - journey.from_stop END)
        INTO a.from_stop, a.to_stop
        FROM route_table r
        JOIN places p ON p.code = r.place
        JOIN bus_info s ON s.bus_id = r.bus_id
        WHERE r.bus_id = b.bus_id AND r.place = journey.origin
          AND EXISTS (SELECT FROM api.trips_boarding(b.bus_id, r.departs, s.time_zone, a.boarding_date, p.time_zone))
        ORDER BY r.stop_no <> journey.from_stop, r.stop_no LIMIT 1;
    END IF;
    IF same AND a.origin IS NULL THEN
        a.from_stop := coalesce(a.from_stop, journey.from_stop);
    END IF;
    IF same AND a.destination IS NULL THEN
        a.to_stop := coalesce(a.to_stop, journey.to_stop);
    END IF;
    IF a.from_stop IS NULL OR a.to_stop IS NULL THEN
        a.origin := coalesce(a.origin, (SELECT r.place FROM route_table r WHERE r.bus_id = a.bus_id AND r.stop_no = a.from_stop), journey.origin);
        a.destination := coalesce(a.destination, (SELECT r.place FROM route_table r WHERE r.bus_id = a.bus_id AND r.stop_no = a.to_stop), journey.destination);
        a.from_stop := NULL;
        a.to_stop := NULL;
    END IF;
    IF a.travel_date IS NULL AND a.boarding_date IS NULL AND same THEN
        a.travel_date := b.travel_date;
    ELSIF a.travel_date IS NULL THEN
        a.boarding_date := coalesce(a.boarding_date, journey.boarding_date);
        a.travel_date := api.travel_date_of(a.bus_id, a.boarding_date, a.origin, a.destination, a.from_stop);
    END IF;
    RETURN a;
END $$;

-- The tickets that an exchange moves, each with its fee, and with the percentage of its fare that a cancellation would refund
-- now. A ticket that is refunded as a whole, because the operator has changed its journey, has no fee.
CREATE OR REPLACE FUNCTION api.exchanged_tickets(b api.opened_booking)
RETURNS TABLE (ticket passengers, percent numeric, fee numeric)
LANGUAGE sql STABLE AS $$
    SELECT p, CASE WHEN w.whole THEN 100 ELSE api.refund_percent_at(p, api.now()) END, CASE WHEN w.whole THEN 0 ELSE s.exchange_fee END
    FROM passengers p
    JOIN bus_info s ON s.bus_id = p.bus_id
    CROSS JOIN LATERAL (SELECT api.refunded_whole(p) AS whole) AS w
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status IN ('booked', 'displaced')
    ORDER BY p.ticket_no
$$;

-- The time until which a booking can be exchanged: until its boarding stop is no longer on sale, or earlier if its service
-- says so. NULL: its tickets cannot be exchanged.
CREATE OR REPLACE FUNCTION api.exchanges_until(b api.opened_booking) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p.status = 'displaced' THEN api.booking_sells_until(b)
                WHEN s.exchange_until IS NOT NULL THEN least(api.departs_at(p) - s.exchange_until, api.booking_sells_until(b)) END
    FROM passengers p JOIN bus_info s ON s.bus_id = p.bus_id
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status IN ('booked', 'displaced') LIMIT 1
$$;

-- Check that a booking can be exchanged now: it is booked, nobody is checked in, and its service exchanges tickets.
CREATE OR REPLACE FUNCTION api.check_exchangeable(b api.opened_booking) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service bus_info;
    until   timestamptz := api.exchanges_until(b);
BEGIN
    IF NOT EXISTS (SELECT FROM api.exchanged_tickets(b)) THEN
        RETURN coalesce(api.check_not_ended(b, NULL), api.refusal('not_held', format('Booking %s is not booked yet: only a booked ticket '
            'can be exchanged.', b.reference)));
    ELSIF EXISTS (SELECT FROM api.exchanged_tickets(b) AS e WHERE (e.ticket).checked_in_at IS NOT NULL) THEN
        RETURN api.refusal('checked_in', format('A passenger of booking %s is checked in; it cannot be exchanged any more.', b.reference));
    ELSIF until > api.now() THEN
        RETURN NULL;
    END IF;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = b.bus_id;
    RETURN api.refusal('not_exchangeable', CASE WHEN until IS NULL THEN format('Tickets of %s (%s %s) cannot be exchanged.', service.name,
            service.nouns ->> 'service', service.bus_id)
        ELSE format('Tickets of %s (%s %s) can be exchanged until %s before the departure.', service.name, service.nouns ->> 'service',
            service.bus_id, api.format_duration(service.exchange_until)) END);
END $$;

-- Check that a booking may move to another service: one of the same operator, with fares in the same currency.
CREATE OR REPLACE FUNCTION api.check_exchange_for(b api.opened_booking, service bus_info) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN NOT api.is_together(b.bus_id, service.bus_id) THEN api.refusal_unsupported('An exchange for this service')
        ELSE api.refusal('not_exchangeable', CASE WHEN s.operator <> service.operator
        THEN format('Tickets of %s cannot be exchanged for %s (%s %s), which %s runs.', s.operator, service.name,
            service.nouns ->> 'service', service.bus_id, service.operator)
        ELSE format('%s (%s %s) is paid in %s; this booking was paid in %s.', service.name, service.nouns ->> 'service',
            service.bus_id, service.currency, s.currency) END) END
    FROM bus_info s WHERE s.bus_id = b.bus_id
      AND (NOT api.is_together(b.bus_id, service.bus_id) OR (s.operator, s.currency) <> (service.operator, service.currency))
$$;

-- The seats of an exchange, as a booking chooses them. On a trip with the same layout, the tickets keep their seats if
-- these are free on the new segment and of the wanted class. The class stays, if the trip has it; else it is the one with the lowest fare. seats:
-- NULL if too few are free. among: the seats of that class that are open to the party; NULL: all. The caller has set the
-- tickets aside. tickets: as they were before.
CREATE OR REPLACE FUNCTION api.choose_for_exchange(
    service bus_info, trip trips, s api.found_segment, tickets passengers[], passengers jsonb, seat_class text,
    OUT seats int[], OUT among int[]
) RETURNS record
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ticket CONSTANT passengers := tickets[1];
    own    CONSTANT int[] := ARRAY(SELECT t.seat_no FROM unnest(tickets) AS t ORDER BY t.ticket_no);
BEGIN
    IF service.seat_classes IS NOT NULL THEN
        seat_class := coalesce(seat_class, api.name_in(ticket.fare_parts, 'class'));
        IF api.seats_of_class(service, seat_class) = '{}' OR seat_class IS NULL AND ticket.bus_id <> service.bus_id THEN
            seat_class := api.cheapest_class(service, trip.travel_date, s);
        END IF;
        among := api.seats_of_class(service, seat_class);
    END IF;
    among := api.seats_open_to(service, cardinality(tickets), passengers, among);
    seats := CASE WHEN ((ticket.bus_id, ticket.travel_date) = (trip.bus_id, trip.travel_date)
                  OR EXISTS (SELECT FROM bus_info b WHERE b.bus_id = ticket.bus_id AND b.layout = service.layout))
            AND coalesce(own <@ among, true) AND api.check_seats(service, trip.travel_date, s, own) IS NULL THEN own
        ELSE api.choose_for_party(service, trip, s.segment, cardinality(tickets), passengers, among) END;
END $$;

-- The seats and the prices of an exchange, or the refusal. a: the request, completed by api.exchange_target. tickets: as they
-- were before the caller set them aside.
CREATE OR REPLACE FUNCTION api.exchange_terms(
    b api.opened_booking, a api.request, service bus_info, trip trips, s api.found_segment, tickets passengers[],
    OUT seats int[], OUT prices api.ticket_price[], OUT refusal jsonb
) RETURNS record
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ticket CONSTANT passengers := tickets[1];
    party  CONSTANT int := cardinality(tickets);
    chosen record;
    promo  promo_codes;
    passengers CONSTANT jsonb := (SELECT jsonb_agg(api.passenger_of(t) || jsonb_build_object('gender', t.gender, 'accessible', t.accessible)
        ORDER BY t.ticket_no) FROM unnest(tickets) AS t);
BEGIN
    refusal := coalesce(api.check_exchange_for(b, service), s.refusal, api.check_on_sale(service, trip, s),
        api.check_party(service, a.seats, coalesce(cardinality(a.seats), party), coalesce(ticket.phone, ticket.account), NULL),
        CASE WHEN cardinality(a.seats) <> party THEN api.refusal_bad_request('seats', 'a seat number for each ticket',
            format('Booking %s has %s. Name %s.', b.reference, api.format_count(party, 'ticket'),
                api.format_count(party, service.nouns ->> 'seat'))) END,
        api.check_concessions(service, passengers),
        CASE WHEN a.seat_class IS NOT NULL THEN api.check_class(service, a.seat_class, a.seats) END,
        CASE WHEN service.shortest_segment_km IS NOT NULL THEN api.check_length(service, s) END,
        CASE WHEN service.max_seats_per_account IS NOT NULL THEN
            api.check_seats_of_account(service, trip.travel_date, party, ticket.account, ticket.phone) END,
        CASE WHEN a.seats IS NOT NULL THEN api.check_seats(service, trip.travel_date, s, a.seats) END,
        CASE WHEN a.seats IS NOT NULL THEN api.check_reserved(service, trip.travel_date, s.segment, a.seats, passengers) END);
    seats := a.seats;
    IF refusal IS NULL AND seats IS NULL THEN
        chosen := api.choose_for_exchange(service, trip, s, tickets, passengers, a.seat_class);
        seats := chosen.seats;
        IF seats IS NULL THEN
            refusal := api.check_waitlist(service, trip.travel_date, s, party, false, NULL, chosen.among);
        END IF;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN;
    END IF;
    -- The use of a promo code was counted when the ticket was sold. A code that is not valid on this service is not used any more.
    SELECT * INTO promo FROM promo_codes c
    WHERE c.promo_no = ticket.promo_no AND c.operator = service.operator AND (c.services IS NULL OR service.bus_id = ANY (c.services));
    prices := api.prices(service, trip.travel_date, s, party, seats, NULL, passengers, promo);
END $$;

-- Refund tiers in which no percentage is higher than `percent`.
CREATE OR REPLACE FUNCTION api.capped_tiers(tiers jsonb, percent numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT
RETURN (SELECT jsonb_agg(CASE WHEN (t ->> 'percent')::numeric <= capped_tiers.percent THEN t
        ELSE t || jsonb_build_object('percent', trim_scale(capped_tiers.percent)::text) END ORDER BY n)
    FROM jsonb_array_elements(tiers) WITH ORDINALITY AS e (t, n));

-- Check that the tickets of an agent may be exchanged: on another trip they use its quota; and only the agent takes cash. The
-- caller has locked the agent.
CREATE OR REPLACE FUNCTION api.check_exchange_at_counter(
    b api.opened_booking, a api.request, service bus_info, trip trips, tickets passengers[], due numeric
) RETURNS jsonb
LANGUAGE sql AS $$
    SELECT CASE WHEN due > 0 THEN coalesce(api.check_counter(t.sold_by, a.account),
                    (api.check_agent(service, trip.travel_date, t.sold_by, t.more, due)).refusal)
                ELSE api.check_quota(service, trip.travel_date, t.sold_by, t.more) END
    FROM (SELECT tickets[1].sold_by, CASE WHEN (b.bus_id, b.travel_date) <> (trip.bus_id, trip.travel_date)
        THEN cardinality(tickets) END AS more) AS t
$$;

-- The quote of an exchange. kept: what the operator keeps of each ticket. withheld: the part of that which is not the fee.
-- due and refund: what the exchange charges or refunds in all.
CREATE OR REPLACE FUNCTION api.show_exchange(
    service bus_info, trip trips, s api.found_segment, tickets passengers[], seats int[], prices api.ticket_price[],
    kept numeric[], fee numeric, valid_until timestamptz
) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('currency', service.currency, 'fare', api.amount_text(sum(n.fare), service.currency),
        'paid', api.amount_text(sum(t.fare - t.refund), service.currency),
        'fee', api.amount_text(fee, service.currency), 'withheld', api.amount_text(sum(n.kept) - fee, service.currency),
        'due', api.amount_text(greatest(sum(m.amount), 0), service.currency),
        'refund', api.amount_text(greatest(-sum(m.amount), 0), service.currency),
        'tickets', jsonb_agg(jsonb_build_object('ticket_no', t.ticket_no, 'seat_no', n.seat_no, 'fare', api.amount_text(n.fare, service.currency))
            ORDER BY t.ticket_no))
        || (SELECT jsonb_build_object('valid_until', api.rfc3339(valid_until, pa.time_zone), 'journey', jsonb_build_object(
                'kind', service.kind, 'name', service.name, 'operator', service.operator, 'bus_id', service.bus_id,
                'travel_date', trip.travel_date, 'boarding_date', api.boarding_date(service, trip.travel_date, s.from_stop),
                'origin', pa.name, 'destination', pb.name, 'from_stop', s.from_stop, 'to_stop', s.to_stop,
                'departs_at', api.rfc3339(s.departs_at, pa.time_zone),
                'arrives_at', api.rfc3339(api.expected(trip, b.stop_no, b.arrives, service.time_zone), pb.time_zone)))
            FROM route_table a
            JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no = s.to_stop
            JOIN places pa ON pa.code = a.place
            JOIN places pb ON pb.code = b.place
            WHERE a.bus_id = service.bus_id AND a.stop_no = s.from_stop)
    FROM unnest(tickets) WITH ORDINALITY AS t
    JOIN ROWS FROM (unnest(seats), unnest(prices), unnest(kept)) WITH ORDINALITY
        AS n (seat_no, fare, parts, alight_refunds, kept, ordinality) USING (ordinality)
    CROSS JOIN LATERAL (SELECT n.fare - (t.fare - t.refund) + n.kept AS amount) AS m
$$;

-- Exchange a booking, or show what that would cost (plan). paid: what was paid to a provider for this exchange. The caller has
-- locked and settled the trip of the booking. This function locks the other trip; it is deferred if another transaction has
-- locked that. The tickets are set aside before seats are chosen, so that their own seats are free for them. If the exchange is
-- refused or only planned, this is undone.
CREATE OR REPLACE FUNCTION api.exchange(b api.opened_booking, a api.request, plan boolean, paid numeric DEFAULT NULL) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o        api.outcome;
    trip     trips;
    service  bus_info;
    s        api.found_segment;
    tickets  passengers[];
    numbers  int[];
    percents numeric[];
    fees     numeric[];
    until    timestamptz;
    terms    record;      -- of api.exchange_terms
    kept     numeric[];   -- what the operator keeps of each ticket
BEGIN
    o.reference := b.reference;
    o.refusal := api.check_exchangeable(b);
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    a := api.exchange_target(b, a);
    SELECT * INTO trip FROM trips t WHERE t.bus_id = a.bus_id AND t.travel_date = a.travel_date FOR UPDATE SKIP LOCKED;
    IF trip.bus_id IS NULL THEN
        o.deferred := api.trip_exists(a.bus_id, a.travel_date);
        o.refusal := CASE WHEN NOT o.deferred THEN api.refusal_unknown_trip(a.bus_id, a.travel_date, a.boarding_date, a.origin,
                                                                            a.destination, a.from_stop, a.to_stop) END;
        RETURN o;
    ELSIF NOT api.lock_agent_of(b) THEN
        o.deferred := true;
        RETURN o;
    ELSIF trip.settle_at <= api.now() THEN
        PERFORM api.settle(trip.bus_id, trip.travel_date);
    END IF;
    service := api.service_of(trip);
    s := api.find_segment(service, trip, a.origin, a.destination, a.from_stop, a.to_stop, a.boarding_date);
    SELECT array_agg(e.ticket), array_agg((e.ticket).ticket_no), array_agg(e.percent), array_agg(e.fee),
           least(api.exchanges_until(b), s.sells_until, min(tier.until), (api.open_offer(b.bus_id, b.reference)).valid_until)
    INTO tickets, numbers, percents, fees, until
    FROM api.exchanged_tickets(b) AS e
    LEFT JOIN LATERAL (SELECT min(t.until) AS until
        FROM api.tiers_ahead((e.ticket).refund_tiers, api.departs_at(e.ticket)) AS t) AS tier ON true;
    BEGIN
        PERFORM api.set_aside(b, numbers), api.withdraw_offer(b.bus_id, b.reference);
        terms := api.exchange_terms(b, a, service, trip, s, tickets);
        o.refusal := terms.refusal;
        IF o.refusal IS NULL THEN
            kept := ARRAY(SELECT n.fee + n.lower - api.round_charge(n.lower * n.percent / 100, service) FROM (
                SELECT m.fee, m.percent, greatest(t.fare - t.refund - m.fare, 0) AS lower, t.ticket_no
                FROM unnest(tickets) WITH ORDINALITY AS t
                JOIN ROWS FROM (unnest(terms.prices::api.ticket_price[]), unnest(percents), unnest(fees)) WITH ORDINALITY
                    AS m (fare, parts, alight_refunds, percent, fee, ordinality) USING (ordinality)) AS n ORDER BY n.ticket_no);
            o.reply := api.show_exchange(service, trip, s, tickets, terms.seats, terms.prices, kept,
                                         (SELECT sum(fee) FROM unnest(fees) AS fee), until);
            o.refusal := api.check_paid_online(b, service, tickets[1].sold_by, o.reply);
            o.reply := o.reply || api.paid_before_exchange(b, o.reply);
            IF NOT plan AND o.refusal IS NULL THEN
                o.refusal := coalesce(api.check_due_is_paid(b, o.reply, paid), api.check_amount(o.reply, a.due, a.refund), CASE WHEN tickets[1].sold_by IS NOT NULL THEN
                    api.check_exchange_at_counter(b, a, service, trip, tickets, (o.reply ->> 'due')::numeric) END);
            END IF;
        END IF;
        IF plan OR o.refusal IS NOT NULL THEN
            RAISE SQLSTATE 'BW001';
        END IF;
        PERFORM api.move_booking(b, numbers, trip.bus_id, trip.travel_date, s.segment, terms.seats, terms.prices, kept);
        UPDATE passengers p
        SET refund_percent = least(service.refund_percent, t.percent),
            refund_tiers = api.capped_tiers(service.refund_tiers, t.percent),
            alight_refunds = ARRAY(SELECT least(r, greatest(api.round_charge(p.fare * t.percent / 100, service), t.alight_refund))
                FROM unnest(p.alight_refunds) WITH ORDINALITY AS r (r, n) ORDER BY n)
        FROM (SELECT n.ticket_no, n.percent, (SELECT max(r) FROM unnest(before.alight_refunds) AS r) AS alight_refund
            FROM unnest(numbers, percents) AS n (ticket_no, percent)
            JOIN unnest(tickets) AS before ON before.ticket_no = n.ticket_no) AS t
        WHERE p.bus_id = trip.bus_id AND p.reference = b.reference AND p.ticket_no = t.ticket_no;
        PERFORM api.promote(b.bus_id, b.travel_date);
        o.reply := jsonb_build_object('exchange', o.reply - '{tickets,journey,valid_until,payment}'::text[]);
        o.bus_id := trip.bus_id;
    EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- what a plan or a refused exchange has changed is rolled back
    END;
    IF plan THEN
        o.reference := NULL;   -- the reply is not the booking
    END IF;
    RETURN o;
END $$;

-- Check that the caller has accepted what an exchange costs: it charges at most `due`, and refunds at least `refund`. Both have the
-- decimals of the currency.
CREATE OR REPLACE FUNCTION api.check_amount(quote jsonb, due numeric, refund numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN coalesce(api.check_amount_given('due', check_amount.due, quote ->> 'currency'),
    api.check_amount_given('refund', check_amount.refund, quote ->> 'currency'),
    CASE WHEN (quote ->> 'due')::numeric > coalesce(check_amount.due, 0) OR (quote ->> 'refund')::numeric < check_amount.refund THEN
    api.refusal('other_amount', CASE WHEN (quote ->> 'due')::numeric > 0
        THEN format('The exchange costs %s. To exchange, accept this amount: give it as `due`.', quote ->> 'due')
        ELSE format('The exchange refunds %s, not %s.', quote ->> 'refund', check_amount.refund) END,
        jsonb_build_object('currency', quote -> 'currency', 'due', quote -> 'due', 'refund', quote -> 'refund')) END);

-- Check an exchange for a service that is paid to a provider before it is booked. A booking that was paid to a provider may be
-- exchanged for it. So may a booking that an agent has sold, one that costs nothing on that service, and one whose fare was charged
-- on this same service before the service was paid to a provider: then the traveller pays the fare and the difference on board.
CREATE OR REPLACE FUNCTION api.check_paid_online(b api.opened_booking, service bus_info, sold_by text, quote jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN sold_by IS NULL AND (api.payment_of(b.reference)).payment_id IS NULL
                AND service.payment <> 'none' AND (quote ->> 'fare')::numeric + (quote ->> 'due')::numeric > 0
                AND NOT (service.bus_id = b.bus_id AND api.is_paid_on_board(b)) THEN
            api.refusal('not_exchangeable', format('%s (%s %s) is paid before it is booked, and booking %s was not paid online. For this '
                'trip, cancel the booking and make a new one.', service.name, service.nouns ->> 'service', service.bus_id, b.reference)) END;
END $$;

-- The provider to which the amount of a quote is paid before the exchange, as a field of the quote: that to which the booking was paid.
CREATE OR REPLACE FUNCTION api.paid_before_exchange(b api.opened_booking, quote jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN (quote ->> 'due')::numeric > 0
    THEN jsonb_strip_nulls(jsonb_build_object('payment', (api.payment_of(b.reference)).provider)) ELSE '{}' END;

-- Check that what an exchange charges is paid, if it is paid to a provider. paid: what was paid for it; NULL: nothing.
CREATE OR REPLACE FUNCTION api.check_due_is_paid(b api.opened_booking, quote jsonb, paid numeric) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE
    WHEN paid <> (quote ->> 'due')::numeric THEN api.refusal('other_amount', format('The exchange costs %s, and %s was paid for it.',
        quote ->> 'due', api.amount_text(paid, quote ->> 'currency')),
        jsonb_build_object('currency', quote -> 'currency', 'due', quote -> 'due', 'refund', quote -> 'refund'))
    WHEN paid IS NULL AND quote ? 'payment' THEN api.refusal('payment_required', format('The exchange costs %s more, and booking %s was paid '
        'online. Pay the difference: the booking is exchanged when it has arrived.', quote ->> 'due', b.reference),
        jsonb_build_object('amount', quote -> 'due', 'currency', quote -> 'currency')) END;

-- Whether a booking that was not paid to a provider has a fare, which the traveller pays on board. The ledger has the charge, or
-- gets it at the end of the batch.
CREATE OR REPLACE FUNCTION api.is_paid_on_board(b api.opened_booking) RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT bool_or(p.fare > p.refund) FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.booked_at IS NOT NULL);
