-- For operators: the trips of a date, or under way on it, that have tickets or a waitlist, and the number of the other
-- open trips.
CREATE OR REPLACE FUNCTION api.trips_in_use(date date) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH shown AS MATERIALIZED (
        SELECT api.show_trip(t.bus_id, t.travel_date) AS trip
        FROM bus_info b JOIN trips t ON t.bus_id = b.bus_id AND t.travel_date = api.travel_date_on(b.bus_id, trips_in_use.date)
    ), used AS (
        SELECT trip FROM shown
        WHERE (trip ->> 'booked')::int + (trip ->> 'held')::int + (trip ->> 'pending')::int > 0
    )
    SELECT jsonb_build_object(
        'trips', coalesce((SELECT jsonb_agg(trip ORDER BY trip ->> 'departs_at', trip -> 'bus_id') FROM used), '[]'),
        'others', (SELECT count(*) FROM shown WHERE trip ->> 'state' = 'open' AND trip NOT IN (SELECT trip FROM used)))
$$;
