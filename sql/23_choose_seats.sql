-- Choose n seats that are free over a segment, for those who said only how many; NULL when too few are.
--
-- Two wishes are weighed. The seats whose free gap fits the segment most tightly leave the long gaps
-- whole for long journeys; and a party wants to sit together: side by side (0 apart), across the aisle
-- (1), in two rows that follow each other (2), or anywhere (3). A step apart weighs as much as a fifth
-- of a stop of gap for each passenger: nearly four parties in five then share a row, and the seats sold are
-- within a thousandth of what the tightest choice would sell (scripts/bench seats). Among equals those
-- that leave no single seat alone between others; then the first.
--
-- Reads seats.taken as it stands: the caller holds the lock, and settled the trip.
CREATE OR REPLACE FUNCTION api.choose_seats(bus_id bigint, travel_date date, segment int4range, n int) RETURNS int[]
LANGUAGE sql STABLE AS $$
    WITH road AS (   -- the stops before the segment, and those after it
        SELECT int4multirange(int4range(1, lower(segment))) AS before,
               int4multirange(int4range(upper(segment), max(r.stop_no))) AS after, max(r.stop_no) AS last
        FROM route_table r WHERE r.bus_id = choose_seats.bus_id
    ), free AS MATERIALIZED (   -- side by side are two whose places differ by one
        SELECT p.seat_no, p.deck, 1000 * p.row_no + p.column_no AS place,
               -- the stops between which the seat is free around the segment, beyond the segment itself
               coalesce(lower(s.taken * road.after), road.last) - coalesce(upper(s.taken * road.before), 1) AS slack
        FROM road, seats s JOIN seat_plan p ON p.bus_id = s.bus_id AND p.seat_no = s.seat_no
        WHERE s.bus_id = choose_seats.bus_id AND s.travel_date = choose_seats.travel_date
          AND NOT s.taken && segment
    ), party AS (   -- n free seats that follow each other in reading order, and what is free around them
        SELECT array_agg(seat_no) OVER w AS seats, sum(slack) OVER w AS slack,
               place AS first, lead(place, choose_seats.n - 1) OVER w AS last,
               lag(place, 2) OVER w AS second_before, lag(place) OVER w AS before,
               lead(place, choose_seats.n) OVER w AS after, lead(place, choose_seats.n + 1) OVER w AS second_after
        FROM free
        WINDOW w AS (PARTITION BY deck ORDER BY place ROWS BETWEEN CURRENT ROW AND choose_seats.n - 1 FOLLOWING)
    ), choice AS (
        SELECT seats, slack,
               CASE WHEN last = first + choose_seats.n - 1 THEN 0 ELSE least(last / 1000 - first / 1000 + 1, 3) END AS apart,
               (before IS NOT DISTINCT FROM first - 1 AND second_before IS DISTINCT FROM first - 2)::int
               + (after IS NOT DISTINCT FROM last + 1 AND second_after IS DISTINCT FROM last + 2)::int AS left_alone
        FROM party WHERE last IS NOT NULL
        UNION ALL
        SELECT array_agg(t.seat_no ORDER BY t.seat_no), sum(t.slack), 3, 0
        FROM (SELECT f.seat_no, f.slack FROM free f ORDER BY f.slack, f.seat_no LIMIT choose_seats.n) AS t
        HAVING count(*) = choose_seats.n
    )
    SELECT seats FROM choice ORDER BY 5 * slack + apart * choose_seats.n, apart, left_alone, seats LIMIT 1
$$;
