-- The occupancy of a trip, for operators: its legs, and for each seat the tickets that have it.

-- A trip with its legs, seats and blocked segments. A seat's tickets are those that are booked or held, in the order of the route.
CREATE OR REPLACE FUNCTION api.trip_occupancy(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    load jsonb := api.trip_load(bus_id, travel_date);
BEGIN
    IF load ? 'reason' THEN
        RETURN load;
    END IF;
    RETURN load || jsonb_build_object('occupancy', (
        WITH seated AS MATERIALIZED (
            SELECT p.seat_no, jsonb_agg(jsonb_build_object('from_stop', lower(p.segment), 'to_stop', upper(p.segment),
                       'reference', p.reference, 'ticket_no', p.ticket_no, 'name', p.name, 'status', p.status)
                       || jsonb_strip_nulls(jsonb_build_object('checked_in_at', api.rfc3339(p.checked_in_at, s.time_zone),
                           'no_show_at', api.rfc3339(p.no_show_at, s.time_zone)))
                       ORDER BY lower(p.segment)) AS tickets
            FROM passengers p JOIN bus_info s USING (bus_id)
            WHERE p.bus_id = trip_occupancy.bus_id AND p.travel_date = trip_occupancy.travel_date
              AND p.status IN ('held', 'booked') AND api.status_now(p.status, p.expires_at) <> 'expired'
            GROUP BY p.seat_no
        )
        SELECT jsonb_agg(jsonb_build_object('seat_no', l.seat_no, 'deck', l.deck, 'tickets', coalesce(seated.tickets, '[]'))
                         ORDER BY l.seat_no)
        FROM trips t
        CROSS JOIN LATERAL api.positions_of_seats(t.bus_id, t.own_seats ->> 'layout') AS l
        LEFT JOIN seated USING (seat_no)
        WHERE t.bus_id = trip_occupancy.bus_id AND t.travel_date = trip_occupancy.travel_date
    )) || api.blocks_if_any(bus_id, travel_date);
END $$;

-- The occupancy of a trip, for an account that may change the service.
CREATE OR REPLACE FUNCTION api.occupancy(account text, bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN coalesce(api.check_operator(account, bus_id), api.trip_occupancy(bus_id, travel_date));
