-- Check that the classes, the fare rules and the concessions in the document of a service agree with each other and with its
-- layout.
CREATE OR REPLACE FUNCTION api.check_fares(document jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
    WITH layout AS (   -- NULL: not known, because it has a fault
        SELECT array_agg(s.seat_no) AS seats
        FROM (SELECT coalesce((SELECT l.drawing FROM layouts l WHERE l.name = document ->> 'layout'), document ->> 'layout')) AS d (drawing),
             api.layout_seats(api.plain_spaces(d.drawing)) AS s
        WHERE d.drawing IS NOT NULL
    ), rule AS (   -- the elements of the three lists
        SELECT l.list, e.n, format('%s[%s]', l.list, e.n - 1) AS path, r.*,
               count(*) OVER (PARTITION BY l.list, fold_name(r.name) ORDER BY e.n) AS times,
               count(*) FILTER (WHERE r.seat = false) OVER (PARTITION BY l.list ORDER BY e.n) AS infants
        FROM unnest('{seat_classes,fare_rules,concessions}'::text[]) AS l (list),
             jsonb_array_elements(document -> l.list) WITH ORDINALITY AS e (value, n),
             jsonb_to_record(e.value) AS r (name text, percent numeric, amount numeric, seats int[], first_date date,
                                            last_date date, min_age int, max_age int, seat boolean)
    ), class_seat AS (
        SELECT r.path, s.seat_no, s.n, count(*) OVER (PARTITION BY s.seat_no ORDER BY r.n, s.n) AS times
        FROM rule r, unnest(r.seats) WITH ORDINALITY AS s (seat_no, n) WHERE r.list = 'seat_classes'
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', field, 'message', message)), '[]') FROM (
        SELECT path || '.name', format('An earlier entry of the list has the name %s. Give each entry a name of its own.', api.quoted(name)) FROM rule
        WHERE times > 1 AND list <> 'fare_rules'
        UNION ALL
        SELECT path || '.percent', 'It changes no fare. Give percent, amount or both.' FROM rule
        WHERE coalesce(percent, 0) = 0 AND coalesce(amount, 0) = 0 AND list <> 'seat_classes'
          AND NOT (list = 'concessions' AND seat IS NOT DISTINCT FROM false)
        UNION ALL
        SELECT path || '.percent', 'It takes more than the fare off. Give a percentage of at least -100.' FROM rule
        WHERE percent < -100 AND list <> 'concessions'
        UNION ALL
        SELECT path || '.percent', 'A concession takes off from 0 to 100 percent.' FROM rule
        WHERE list = 'concessions' AND NOT percent BETWEEN 0 AND 100
        UNION ALL
        SELECT path || '.amount', 'A concession takes off an amount of at least 0.' FROM rule WHERE list = 'concessions' AND amount < 0
        UNION ALL
        SELECT path || '.amount', 'An infant without a seat pays a part of the fare: give percent, and no amount.' FROM rule
        WHERE seat = false AND amount IS NOT NULL
        UNION ALL
        SELECT path || '.seat', 'A service has at most one concession for infants without a seat.' FROM rule WHERE seat = false AND infants > 1
        UNION ALL
        SELECT path || '.max_age', format('It is below min_age, %s.', min_age) FROM rule WHERE max_age < min_age
        UNION ALL
        SELECT path || '.last_date', format('It is before first_date, %s.', first_date) FROM rule WHERE last_date < first_date
        UNION ALL
        SELECT format('%s.seats[%s]', path, n - 1), format('The layout has no seat %s.', seat_no) FROM class_seat, layout
        WHERE seat_no <> ALL (layout.seats)
        UNION ALL
        SELECT format('%s.seats[%s]', path, n - 1), format('Seat %s is in a class already.', seat_no) FROM class_seat WHERE times > 1
    ) AS wrong (field, message));
END $$;
