-- The lists of seats in the document of a service.

-- Check that the seats of each list are in the layout, and that none is listed twice, or for women and as accessible.
CREATE OR REPLACE FUNCTION api.check_seat_lists(document jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH listed AS (
        SELECT format('%s[%s]', list.field, e.n - 1) AS path, e.seat_no::int,
               count(*) OVER (PARTITION BY e.seat_no, list.field = 'blocked_seats' ORDER BY list.place, e.n) AS times
        FROM unnest('{blocked_seats,women_seats,accessible_seats}'::text[]) WITH ORDINALITY AS list (field, place),
             jsonb_array_elements_text(document -> list.field) WITH ORDINALITY AS e (seat_no, n)
    ), layout AS (
        SELECT CASE WHEN document ->> 'layout' IS NOT NULL THEN (SELECT count(*) FROM api.layout_seats(
            coalesce((SELECT l.drawing FROM layouts l WHERE l.name = document ->> 'layout'), document ->> 'layout'))) END AS seats
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', field, 'message', message)), '[]') FROM (
        SELECT path, format('The layout has no seat %s: its seats are 1 to %s.', seat_no, seats) FROM listed, layout
        WHERE seat_no > seats
        UNION ALL
        SELECT path, format('Seat %s is listed already.', seat_no) FROM listed WHERE times > 1
    ) AS wrong (field, message)
$$;
