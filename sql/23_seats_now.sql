-- The seats of a trip, whether it is settled or not.

-- The seats of a trip with their taken segments, without those of expired holds.
CREATE OR REPLACE FUNCTION api.seats_now(bus_id bigint, travel_date date)
RETURNS TABLE (seat_no int, taken int4multirange)
LANGUAGE sql STABLE ROWS 40 AS $$
    SELECT s.seat_no, s.taken - coalesce(due.segments, '{}')
    FROM seats s LEFT JOIN (
        SELECT p.seat_no, range_agg(p.segment) AS segments FROM passengers p
        WHERE p.bus_id = seats_now.bus_id AND p.travel_date = seats_now.travel_date
          AND p.status = 'held' AND p.expires_at <= api.now()
        GROUP BY p.seat_no
    ) AS due ON due.seat_no = s.seat_no
    WHERE s.bus_id = seats_now.bus_id AND s.travel_date = seats_now.travel_date
$$;

-- The number of seats that are free on a segment. among: the seats to count; NULL: all. In PL/pgSQL, because PostgreSQL before 18 plans
-- the statement of an SQL function again in each search.
CREATE OR REPLACE FUNCTION api.seats_free(bus_id bigint, travel_date date, segment int4range, among int[] DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM api.seats_now(bus_id, travel_date) AS s
        WHERE NOT s.taken && segment AND (among IS NULL OR s.seat_no = ANY (among)));
END $$;
