-- Parts of a service as they are in its document (api.service).

-- The shortest route from which api.extend_route makes these stops: it adds the other legs. repeat_legs: NULL if the route does
-- not repeat.
CREATE OR REPLACE FUNCTION api.shortest_route(stops route_table[], repeat_legs int) RETURNS route_table[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n      int := cardinality(stops);
    a      route_table;   -- the stop at which the last leg begins
    b      route_table;   -- the stop at which it ends
    same_a route_table;   -- the stop repeat_legs before a
    same_b route_table;
BEGIN
    LOOP
        a := stops[n - 1];
        b := stops[n];
        same_a := stops[n - 1 - repeat_legs];
        same_b := stops[n - repeat_legs];
        EXIT WHEN (b.place = same_b.place AND b.arrives - a.arrives = same_b.arrives - same_a.arrives
                   AND a.departs - a.arrives = same_a.departs - same_a.arrives
                   AND b.km - a.km = same_b.km - same_a.km AND b.fare - a.fare = same_b.fare - same_a.fare) IS NOT TRUE;
        n := n - 1;
    END LOOP;
    IF repeat_legs IS NOT NULL THEN
        stops := stops[:n];
        stops[n].departs := NULL;   -- follows from the legs that repeat
    END IF;
    RETURN stops;
END $$;

-- A time of a timetable, as api.next_time reads it: 24:30, or 5d 14:00.
CREATE OR REPLACE FUNCTION api.format_time("time" interval) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN extract(day FROM "time") > 0 THEN extract(day FROM "time") || 'd ' ELSE '' END
    || to_char(extract(hour FROM "time"), 'FM999900') || to_char("time", ':MI');

-- A duration in days, hours and minutes: 10 hours, 1 day 30 minutes.
CREATE OR REPLACE FUNCTION api.format_duration(duration interval) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN coalesce((SELECT string_agg(api.format_count(n::bigint, unit), ' ' ORDER BY place) FROM (VALUES
    (1, extract(day FROM duration), 'day'), (2, extract(hour FROM duration), 'hour'), (3, extract(minute FROM duration), 'minute')
) AS part (place, n, unit) WHERE n <> 0), '0 minutes');

-- ISO weekdays as api.parse_weekdays reads them: daily, never, Mon-Fri, Mon Wed Sat Sun. Three days or more in a row are a
-- range, within a week.
CREATE OR REPLACE FUNCTION api.format_weekdays(days int[]) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE count(*) WHEN 0 THEN 'never' WHEN 7 THEN 'daily' ELSE (
        SELECT string_agg(CASE WHEN last - first < 2 THEN array_to_string(names[first:last], ' ') ELSE names[first] || '-' || names[last] END,
                          ' ' ORDER BY first)
        FROM (SELECT min(d) AS first, max(d) AS last FROM (
                  SELECT d, d - row_number() OVER (ORDER BY d) AS gap FROM (SELECT DISTINCT unnest(days) AS d) AS named) AS g
              GROUP BY gap) AS range,
             (VALUES ('{Mon,Tue,Wed,Thu,Fri,Sat,Sun}'::text[])) AS weekday (names)) END
    FROM (SELECT DISTINCT unnest(days)) AS named
$$;

-- A place as a document names it: by its name, or by its code if another place is called the same.
CREATE OR REPLACE FUNCTION api.place_in_document(place places) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN EXISTS (SELECT FROM places p WHERE p.code <> place.code
        AND place_words(p.code, p.name, p.aliases) @> ARRAY[fold_name(place.name)]) THEN place.code ELSE place.name END;
END $$;

-- A drawing as a document has it: the name of the layout with this drawing, if there is one.
CREATE OR REPLACE FUNCTION api.layout_in_document(drawing text) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce((SELECT min(l.name) FROM layouts l WHERE l.drawing = layout_in_document.drawing), drawing);

CREATE OR REPLACE FUNCTION api.format_stops(stops route_table[], currency text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
            'place', api.place_in_document(p),
            'arrives', api.format_time(r.arrives), 'departs', api.format_time(r.departs),
            'km', trim_scale(r.km)::text, 'fare', api.amount_text(r.fare, format_stops.currency)) ORDER BY r.stop_no), '[]')
    FROM unnest(stops) AS r JOIN places p ON p.code = r.place
$$;
