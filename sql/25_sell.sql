-- Sell a segment of a trip to a party: all its seats or none. hold_for: hold the seats for that time; NULL: book
-- them. limits: see 25_hold_limits.sql. A request without seat numbers (with r.count) that accepts the waitlist becomes
-- pending if too few seats are free.
CREATE OR REPLACE FUNCTION api.sell(r api.request, trip trips, hold_for interval, limits jsonb) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    service   bus_info;
    s         api.found_segment;
    o         api.outcome;
    wanted    int := coalesce(cardinality(r.seats), r.count);
    chosen    int[] := r.seats;
    status    text := CASE WHEN hold_for IS NULL THEN 'booked' ELSE 'held' END;
    expires   timestamptz;
BEGIN
    IF trip.bus_id IS NULL THEN
        o.refusal := api.refusal_unknown_trip(r.bus_id, r.travel_date, r.boarding_date, r.origin, r.destination,
                                               r.from_stop, r.to_stop);
        RETURN o;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = trip.bus_id;
    s := api.find_segment(service, trip.travel_date, r.origin, r.destination, r.from_stop, r.to_stop, r.boarding_date);
    o.refusal := coalesce(s.refusal, api.check_on_sale(service, trip, s),
                          api.check_party(service, r.seats, wanted, coalesce(r.phone, r.account), r.passengers),
                          CASE WHEN limits IS NOT NULL AND hold_for IS NOT NULL THEN
                              api.check_hold_limits(limits, service, trip.travel_date, wanted) END);
    IF o.refusal IS NULL AND r.seats IS NOT NULL THEN
        o.refusal := api.check_seats(service, trip.travel_date, s, r.seats);
    ELSIF o.refusal IS NULL THEN
        chosen := api.choose_seats(trip.bus_id, trip.travel_date, s.segment, wanted);
        IF chosen IS NULL THEN
            o.refusal := api.check_waitlist(service, trip.travel_date, s, wanted, coalesce(r.waitlist, false), limits);
            status := 'pending';
        END IF;
    END IF;
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;

    o.reference := api.new_reference(trip.bus_id);
    expires := CASE status WHEN 'held' THEN least(api.now() + hold_for, s.sells_until)
                           WHEN 'pending' THEN s.sells_until END;
    IF chosen IS NOT NULL THEN
        PERFORM api.take_seats(trip.bus_id, trip.travel_date, chosen, s.segment);
    END IF;
    o.sale := ROW(trip.bus_id, trip.travel_date, o.reference, chosen, wanted, s.segment, r.passengers,
                  r.phone, r.account, s.fare, service.refund_percent, s.alight_refunds, status, expires);
    IF expires IS NOT NULL THEN
        PERFORM api.settle_by(trip.bus_id, trip.travel_date, expires);
        PERFORM api.record_holders(limits, o.sale);
    END IF;
    RETURN o;
END $$;

-- Insert the tickets of some sales. Ticket n of a party has its nth seat.
CREATE OR REPLACE FUNCTION api.insert_tickets(sales api.sale[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, seat_no, segment, name, phone, account, fare,
                            refund_percent, alight_refunds, status, queue_no, created_at, expires_at, booked_at)
    SELECT s.bus_id, s.reference, n, s.travel_date, s.seat_nos[n], s.segment, s.names -> (n - 1) ->> 'name',
           s.phone, s.account, s.fare, s.refund_percent, s.alight_refunds, s.status,
           CASE WHEN s.status = 'pending' THEN nextval('queue_no_seq') END,
           api.now(), s.expires_at, CASE WHEN s.status = 'booked' THEN api.now() END
    FROM unnest(sales) AS s, generate_series(1, s.party) AS n;
END $$;
