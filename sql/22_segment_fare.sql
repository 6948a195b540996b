-- The fare of a segment of a service, for each seat: one row. It is that of segment_fares, or else the difference of the fares
-- of its two stops. It returns a set so that PostgreSQL merges it into the statement that calls it.
CREATE OR REPLACE FUNCTION api.segment_fare(bus_id bigint, from_stop int, to_stop int) RETURNS SETOF numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(f.fare, b.fare - a.fare)
    FROM route_table a
    JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no = segment_fare.to_stop
    LEFT JOIN segment_fares f ON f.bus_id = a.bus_id AND f.from_stop = a.stop_no AND f.to_stop = b.stop_no
    WHERE a.bus_id = segment_fare.bus_id AND a.stop_no = segment_fare.from_stop
$$;
