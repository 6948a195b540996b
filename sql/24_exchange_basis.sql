-- The input of the plan of seats when the vehicle of a trip is exchanged: server/booking/reseating.py.

-- The seats that a trip of a service gets with a vehicle, as trips.own_seats; NULL: those of the service. If the vehicle has the
-- seats of the service, the classes and reserved seats of the service apply, unless the vehicle has some of its own.
CREATE OR REPLACE FUNCTION api.seats_with_vehicle(service bus_info, v vehicles) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    plain trips;   -- a trip with the seats of the service
    fits  boolean;
BEGIN
    plain.bus_id := service.bus_id;
    fits := api.missing_seats(plain, v.layout) IS NULL;
    IF fits AND api.seat_count(v.layout) = api.seat_count(service.layout)
            AND num_nonnulls(v.seat_classes, v.women_seats, v.accessible_seats) = 0 THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('layout', v.layout,
        'seat_classes', coalesce(v.seat_classes, CASE WHEN fits THEN (
            SELECT jsonb_agg(jsonb_build_object('name', c.seat_class, 'seats', c.seats) ORDER BY c.ordinal)
            FROM api.seats_by_class(service) AS c WHERE c.seat_class IS NOT NULL) END),
        'women_seats', coalesce(v.women_seats, CASE WHEN fits THEN service.women_seats END),
        'accessible_seats', coalesce(v.accessible_seats, CASE WHEN fits THEN service.accessible_seats END));
END $$;

-- The seats of a trip as Seat of reseating_problem.py. service: that of the trip, with the seats of the trip.
CREATE OR REPLACE FUNCTION api.seats_to_plan(service bus_info, trip trips) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(jsonb_build_object('seat_no', l.seat_no, 'deck', l.deck, 'row_no', l.row_no,
        'seat_class', api.class_of_seat(service, l.seat_no),
        'accessible', coalesce(l.seat_no = ANY (service.accessible_seats), false)) ORDER BY l.seat_no)
    FROM api.positions_of_seats(trip.bus_id, trip.own_seats ->> 'layout') AS l
$$;

-- The live tickets of a trip that need a seat, as Ticket of reseating_problem.py, with their references. trip, service:
-- as they are now. after, new: as they are with the other vehicle. allowed: NULL for all seats, else those that are not
-- blocked on the segment, and for women only if the passenger is a woman, or has such a seat already.
CREATE OR REPLACE FUNCTION api.tickets_to_plan(trip trips, service bus_info, after trips, new bus_info)
RETURNS TABLE (reference text, ticket_no int, seat_no int, from_stop int, to_stop int, seat_class text, allowed int[], priority boolean,
              accessible boolean)
LANGUAGE sql STABLE AS $$
    WITH blocked AS MATERIALIZED (   -- blocks of the trip, and those of the service if the trip has the seats of the service
        SELECT s.seat_no, s.blocked AS segments FROM seats s
        WHERE s.bus_id = trip.bus_id AND s.travel_date = trip.travel_date AND s.blocked IS NOT NULL
        UNION ALL
        SELECT n, '{[1,)}' FROM unnest(new.blocked_seats) AS n WHERE after.own_seats IS NULL
    ), ticket AS (
        SELECT p.* FROM passengers p
        WHERE p.bus_id = trip.bus_id AND p.travel_date = trip.travel_date AND p.status IN ('held', 'booked')
          AND api.status_now(p.status, p.expires_at) <> 'expired' AND api.needs_seat(service, trip, p)
    )
    SELECT p.reference, p.ticket_no, p.seat_no, lower(p.segment), upper(p.segment), api.name_in(p.fare_parts, 'class'),
           CASE WHEN new.women_seats IS NOT NULL AND p.gender IS DISTINCT FROM 'female' OR EXISTS (SELECT FROM blocked) THEN ARRAY(
               SELECT n FROM generate_series(1, api.seat_count(new.layout)) AS n
               WHERE (coalesce(n <> ALL (new.women_seats), true) OR p.gender = 'female' OR n = p.seat_no AND n = ANY (service.women_seats))
                 AND NOT EXISTS (SELECT FROM blocked b WHERE b.seat_no = n AND b.segments && p.segment)
               ORDER BY n) END,
           p.checked_in_at IS NOT NULL OR api.expected(trip, a.stop_no, a.departs, service.time_zone) <= api.now(),
           coalesce(p.accessible, false)
    FROM ticket p
    JOIN route_table a ON a.bus_id = p.bus_id AND a.stop_no = lower(p.segment)
$$;

-- The old and new seats and the parties of a trip whose vehicle is exchanged, with a version that changes when one of them does.
CREATE OR REPLACE FUNCTION api.exchange_basis(account text, bus_id bigint, travel_date date, vehicle text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    trip    trips;
    after   trips;
    service bus_info;
    new     bus_info;
    v       vehicles;
    plate   CONSTANT text := api.registration(vehicle);
    basis   jsonb;
BEGIN
    SELECT * INTO trip FROM trips t WHERE t.bus_id = exchange_basis.bus_id AND t.travel_date = exchange_basis.travel_date;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = exchange_basis.bus_id;
    SELECT * INTO v FROM vehicles f WHERE f.operator = service.operator AND f.registration = plate;
    basis := coalesce(api.check_operator(account, bus_id), CASE
        WHEN trip.bus_id IS NULL THEN api.refusal_unknown_trip(bus_id, travel_date)
        WHEN trip.state = 'cancelled' THEN api.check_trip_runs(service, travel_date, 1)
        WHEN api.trip_ends_at(bus_id, travel_date) <= api.now() THEN api.refusal('departed', 'The trip has ended.')
        WHEN v.in_service IS NOT TRUE THEN api.check_vehicle(service, ARRAY[travel_date], plate) END);
    IF basis IS NOT NULL THEN
        RETURN basis;
    END IF;
    after := trip;
    after.own_seats := api.seats_with_vehicle(service, v);
    new := api.service_of(after);
    service := api.service_of(trip);
    basis := jsonb_build_object(
        'old_seats', api.seats_to_plan(service, trip), 'new_seats', api.seats_to_plan(new, after), 'own_seats', after.own_seats,
        'parties', coalesce((
            SELECT jsonb_agg(p.party ORDER BY p.party ->> 'reference') FROM (
                SELECT jsonb_build_object('reference', t.reference, 'tickets',
                    jsonb_agg(to_jsonb(t) - 'reference' ORDER BY t.ticket_no)) AS party
                FROM api.tickets_to_plan(trip, service, after, new) AS t GROUP BY t.reference
            ) AS p), '[]'));
    RETURN basis || jsonb_build_object('version', md5(basis::text));
END $$;
