-- Sell a segment of a trip to a party: all its seats or none. hold_for: hold the seats for that time; NULL: book
-- them. limits: see 25_hold_limits.sql. A request without seat numbers (with r.count) gets seats of one class: of
-- r.seat_class, or of the class with the lowest fare. If it accepts the waitlist, it becomes pending if too few are free.
-- r.sold_by: the agent who sells for cash, and not on the waitlist (23_agent.sql).
CREATE OR REPLACE FUNCTION api.sell(r api.request, trip trips, hold_for interval, limits jsonb) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    service   bus_info;
    s         api.found_segment;
    o         api.outcome;
    wanted    int := coalesce(cardinality(r.seats), r.count);
    chosen    int[] := r.seats;
    seat_class text := r.seat_class;
    among     int[];           -- the seats of that class that are open to the party; NULL: all
    promo     promo_codes;
    status    text := CASE WHEN hold_for IS NULL THEN 'booked' ELSE 'held' END;
    expires   timestamptz;
BEGIN
    IF trip.bus_id IS NULL THEN
        o.refusal := api.refusal_unknown_trip(r.bus_id, r.travel_date, r.boarding_date, r.origin, r.destination,
                                               r.from_stop, r.to_stop);
        RETURN o;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = trip.bus_id;   -- api.service_of, without a call of a function
    IF trip.own_seats IS NOT NULL THEN
        service := api.with_own_seats(service, trip.own_seats);
    END IF;
    s := api.find_segment(service, trip, r.origin, r.destination, r.from_stop, r.to_stop, r.boarding_date);
    o.refusal := coalesce(s.refusal, api.check_on_sale(service, trip, s),
                          api.check_party(service, r.seats, wanted, coalesce(r.phone, r.account), r.passengers),
                          CASE WHEN num_nonnulls(r.passengers, service.shortest_segment_km, service.max_seats_per_account) > 0 THEN
                              api.check_rules(service, trip.travel_date, s, wanted, r.passengers, r.account, r.phone) END,
                          CASE WHEN seat_class IS NOT NULL THEN api.check_class(service, seat_class, r.seats) END,
                          CASE WHEN limits IS NOT NULL AND hold_for IS NOT NULL THEN
                              api.check_hold_limits(limits, service, trip.travel_date, wanted) END);
    IF o.refusal IS NULL AND r.promo_code IS NOT NULL THEN
        promo := api.promo_code(service, r.promo_code);
        IF NOT api.lock_promo_code(promo.promo_no) THEN
            o.deferred := true;
            RETURN o;
        END IF;
        promo := api.promo_code(service, r.promo_code);   -- its limits may have changed before the lock
        o.refusal := api.check_promo_code(promo, service, r.promo_code, wanted, r.account, r.phone);
    END IF;
    IF o.refusal IS NULL AND r.seats IS NOT NULL THEN
        o.refusal := coalesce(api.check_seats(service, trip.travel_date, s, r.seats),
                              CASE WHEN num_nonnulls(service.women_seats, service.accessible_seats) > 0 THEN
                                  api.check_reserved(service, trip.travel_date, s.segment, r.seats, r.passengers) END);
    ELSIF o.refusal IS NULL THEN
        IF service.seat_classes IS NOT NULL THEN
            seat_class := coalesce(seat_class, api.cheapest_class(service, trip.travel_date, s));
            among := api.seats_of_class(service, seat_class);
        END IF;
        IF service.women_seats IS NOT NULL THEN
            among := api.seats_open_to(service, wanted, r.passengers, among);
        END IF;
        chosen := api.choose_for_party(service, trip, s.segment, wanted, r.passengers, among);
        IF chosen IS NULL THEN
            o.refusal := api.check_waitlist(service, trip.travel_date, s, wanted, coalesce(r.waitlist, false) AND r.sold_by IS NULL, limits, among);
            status := 'pending';
        END IF;
    END IF;
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;

    o.reference := api.new_reference(trip.bus_id);
    expires := CASE status WHEN 'held' THEN least(api.now() + hold_for, s.sells_until)
                           WHEN 'pending' THEN s.sells_until END;
    o.sale := ROW(trip.bus_id, trip.travel_date, o.reference, chosen, wanted, s.segment, r.passengers,
                  r.phone, r.account,
                  CASE WHEN num_nonnulls(service.seat_classes, service.fare_rules, service.concessions, promo.promo_no) = 0
                      THEN array_fill(ROW(s.fare, NULL, s.alight_refunds)::api.ticket_price, ARRAY[wanted])
                      ELSE api.prices(service, trip.travel_date, s, wanted, chosen, seat_class, r.passengers, promo) END,
                  promo.promo_no, service.refund_percent, service.refund_tiers, status, expires,
                  num_nonnulls(service.max_seats_per_account, r.passengers) > 0);
    IF service.payment <> 'none' AND status = 'booked' AND r.sold_by IS NULL THEN
        o.refusal := api.check_unpaid_sale(service, o.sale);
        IF o.refusal IS NOT NULL THEN
            RETURN o;
        END IF;
    END IF;
    IF r.sold_by IS NOT NULL THEN
        SELECT * INTO o.refusal, o.deferred FROM api.check_agent(service, trip.travel_date, r.sold_by, wanted,
            (SELECT sum(t.fare) FROM unnest((o.sale).prices) AS t));
        IF o.refusal IS NOT NULL OR o.deferred THEN
            RETURN o;
        END IF;
    END IF;
    IF chosen IS NOT NULL THEN
        PERFORM api.take_seats(trip.bus_id, trip.travel_date, chosen, s.segment);
    END IF;
    IF num_nonnulls(r.email, r.sms, r.account) > 0 THEN
        PERFORM api.add_contact(o.reference, r);
    END IF;
    IF expires IS NOT NULL THEN
        PERFORM api.settle_by(trip.bus_id, trip.travel_date, expires);
        PERFORM api.record_holders(limits, o.sale);
    END IF;
    IF r.passengers IS NOT NULL AND num_nonnulls(r.phone, r.account) > 0 THEN
        o.reply := api.warnings_about(o.sale);
    END IF;
    IF r.sold_by IS NOT NULL THEN
        PERFORM api.insert_counter_sale(o.sale, r.sold_by);
        o.sale := NULL;
    END IF;
    RETURN o;
END $$;

-- Insert the tickets of some sales. Ticket n of a party has its nth seat.
CREATE OR REPLACE FUNCTION api.insert_tickets(sales api.sale[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, seat_no, segment, name, phone, account, fare,
                            gender, accessible, fare_parts, infant, promo_no, refund_percent, refund_tiers, alight_refunds, status, queue_no, created_at,
                            expires_at, booked_at)
    SELECT s.bus_id, s.reference, t.n, s.travel_date, s.seat_nos[t.n], s.segment, s.names -> (t.n::int - 1) ->> 'name',
           s.phone, s.account, t.fare, s.names -> (t.n::int - 1) ->> 'gender',
           (s.names -> (t.n::int - 1) ->> 'accessible')::boolean, t.parts, s.names -> (t.n::int - 1) ->> 'infant', s.promo_no, s.refund_percent,
           s.refund_tiers, t.alight_refunds, s.status,
           CASE WHEN s.status = 'pending' THEN nextval('queue_no_seq') END,
           api.now(), s.expires_at, CASE WHEN s.status = 'booked' THEN api.now() END
    FROM unnest(sales) AS s, unnest(s.prices) WITH ORDINALITY AS t (fare, parts, alight_refunds, n);
END $$;
