-- The fare of a segment of a service, for each seat: one row. It is that of segment_fares, or else the difference of the fares
-- of its two stops, which the caller has read. It returns a set so that PostgreSQL merges it into the statement that calls it.
CREATE OR REPLACE FUNCTION api.segment_fare(bus_id bigint, from_stop int, to_stop int, difference numeric) RETURNS SETOF numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(f.fare, difference)
    FROM (SELECT) AS one LEFT JOIN segment_fares f
        ON f.bus_id = segment_fare.bus_id AND f.from_stop = segment_fare.from_stop AND f.to_stop = segment_fare.to_stop
$$;
