-- Choose n seats that are free over a segment, for those who said only how many; NULL when too few are.
--
-- Two wishes are weighed. The seats whose free gap fits the segment most tightly leave the long gaps
-- whole for long journeys; and a party wants to sit together: side by side (0 apart), across the aisle
-- (1), in two rows that follow each other (2), or anywhere (3). A step apart weighs as much as half a
-- stop of gap for each passenger: four parties in five then share a row, at half a percent of the
-- seat-kilometres that the tightest choice would sell. Among equals those that leave no single seat
-- alone between others; then the first.
--
-- Reads seats.taken as it stands: the caller holds the lock, and settled the trip.
CREATE FUNCTION api.choose_seats(bus_id bigint, travel_date date, segment int4range, n int) RETURNS int[]
LANGUAGE sql STABLE AS $$
    WITH free AS MATERIALIZED (
        SELECT p.seat_no, p.deck, p.row_no, p.column_no, gap.slack
        FROM seats s
        JOIN seat_plan p ON p.bus_id = s.bus_id AND p.seat_no = s.seat_no
        CROSS JOIN (SELECT max(r.stop_no) AS stop_no FROM route_table r WHERE r.bus_id = choose_seats.bus_id) AS last
        CROSS JOIN LATERAL (
            -- the stops between which the seat is free around the segment, beyond the segment itself
            SELECT coalesce(min(lower(t.range)) FILTER (WHERE lower(t.range) >= upper(segment)), last.stop_no)
                 - coalesce(max(upper(t.range)) FILTER (WHERE upper(t.range) <= lower(segment)), 1) AS slack
            FROM unnest(s.taken) AS t (range)
        ) AS gap
        WHERE s.bus_id = choose_seats.bus_id AND s.travel_date = choose_seats.travel_date
          AND NOT s.taken && segment
    ), block AS (   -- an unbroken run of free seats side by side
        SELECT *, column_no - row_number() OVER (PARTITION BY deck, row_no ORDER BY column_no) AS block_no FROM free
    ), placed AS (
        SELECT *, row_number() OVER run AS before, row_number() OVER run_back AS after
        FROM block
        WINDOW run AS (PARTITION BY deck, row_no, block_no ORDER BY column_no),
               run_back AS (PARTITION BY deck, row_no, block_no ORDER BY column_no DESC)
    ), party AS (   -- n free seats that follow each other in reading order
        SELECT array_agg(seat_no) OVER w AS seats, count(*) OVER w AS size, sum(slack) OVER w AS slack,
               CASE WHEN last_value(row_no) OVER w = row_no THEN
                        CASE WHEN last_value(column_no) OVER w = column_no + choose_seats.n - 1 THEN 0 ELSE 1 END
                    WHEN last_value(row_no) OVER w = row_no + 1 THEN 2
                    ELSE 3 END AS apart,
               (before = 2)::int + (last_value(after) OVER w = 2)::int AS left_alone
        FROM placed
        WINDOW w AS (PARTITION BY deck ORDER BY row_no, column_no ROWS BETWEEN CURRENT ROW AND choose_seats.n - 1 FOLLOWING)
    ), choice AS (
        SELECT seats, slack, apart, left_alone FROM party WHERE size = choose_seats.n AND apart < 3
        UNION ALL
        SELECT array_agg(t.seat_no ORDER BY t.seat_no), sum(t.slack), 3, 0
        FROM (SELECT f.seat_no, f.slack FROM free f ORDER BY f.slack, f.seat_no LIMIT choose_seats.n) AS t
        HAVING count(*) = choose_seats.n
    )
    SELECT seats FROM choice ORDER BY slack + apart * choose_seats.n / 2.0, apart, left_alone, seats LIMIT 1
$$;
