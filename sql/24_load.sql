-- The load of a trip, for operators: how many of its seats are booked, held and free on each leg.

-- The numbers of tickets on each leg of a trip. pending: the tickets on the waitlist whose segment contains the leg.
CREATE OR REPLACE FUNCTION api.leg_loads(bus_id bigint, travel_date date)
RETURNS TABLE (from_stop int, to_stop int, booked bigint, held bigint, pending bigint)
LANGUAGE sql STABLE AS $$
    WITH ticket AS MATERIALIZED (   -- two queries: each uses a partial index of its own
        SELECT p.segment, p.status FROM passengers p
        WHERE p.bus_id = leg_loads.bus_id AND p.travel_date = leg_loads.travel_date AND p.status IN ('held', 'booked')
          AND api.status_now(p.status, p.expires_at) <> 'expired'
        UNION ALL
        SELECT p.segment, p.status FROM passengers p
        WHERE p.bus_id = leg_loads.bus_id AND p.travel_date = leg_loads.travel_date AND p.status = 'pending'
          AND p.expires_at > api.now()
    )
    SELECT a.stop_no, b.stop_no, count(*) FILTER (WHERE t.status = 'booked'),
           count(*) FILTER (WHERE t.status = 'held'), count(*) FILTER (WHERE t.status = 'pending')
    FROM route_table a
    JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no = a.stop_no + 1
    LEFT JOIN ticket t ON t.segment @> a.stop_no
    WHERE a.bus_id = leg_loads.bus_id
    GROUP BY a.stop_no, b.stop_no
$$;

-- A trip with its legs. A seat that is neither free, held nor booked is blocked. bookings: those that a notice reaches.
CREATE OR REPLACE FUNCTION api.trip_load(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    trip jsonb := api.show_trip(bus_id, travel_date);
BEGIN
    IF trip IS NULL THEN
        RETURN api.refusal_unknown_trip(bus_id, travel_date);
    END IF;
    RETURN trip || jsonb_build_object('legs', (
        WITH seat AS MATERIALIZED (
            SELECT * FROM api.seats_now(trip_load.bus_id, trip_load.travel_date)
        )
        SELECT jsonb_agg(jsonb_build_object('from_stop', l.from_stop, 'to_stop', l.to_stop,
                'origin', pa.name, 'destination', pb.name,
                'departs_at', api.rfc3339(api.expected(t, a.stop_no, a.departs, s.time_zone), pa.time_zone),
                'arrives_at', api.rfc3339(api.expected(t, b.stop_no, b.arrives, s.time_zone), pb.time_zone),
                'booked', l.booked, 'held', l.held,
                'free', (SELECT count(*) FROM seat WHERE NOT seat.taken @> l.from_stop),
                'pending', l.pending) || api.scheduled_times(
                    t.delays, a.stop_no, api.instant(t.travel_date, a.departs, s.time_zone), pa.time_zone,
                    b.stop_no, api.instant(t.travel_date, b.arrives, s.time_zone), pb.time_zone) ORDER BY l.from_stop)
        FROM api.leg_loads(trip_load.bus_id, trip_load.travel_date) AS l
        JOIN trips t ON t.bus_id = trip_load.bus_id AND t.travel_date = trip_load.travel_date
        JOIN bus_info s ON s.bus_id = t.bus_id
        JOIN route_table a ON a.bus_id = s.bus_id AND a.stop_no = l.from_stop
        JOIN route_table b ON b.bus_id = s.bus_id AND b.stop_no = l.to_stop
        JOIN places pa ON pa.code = a.place
        JOIN places pb ON pb.code = b.place
    ), 'bookings', api.count_reached(bus_id, travel_date) -> 'bookings');
END $$;

-- The load of a trip, for an account that may change the service.
CREATE OR REPLACE FUNCTION api.load(account text, bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN coalesce(api.check_operator(account, bus_id), api.trip_load(bus_id, travel_date));
