-- The lists in the document of a service as rows of their tables, in the order of the document.

-- The stops of a document. The array `fares` of each stop has the segment fares from it to later stops. The document may not be
-- checked yet, so segment fares with an impossible to_stop are left out.
CREATE OR REPLACE FUNCTION api.stops_in_document(document jsonb) RETURNS SETOF route_table
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH fares AS MATERIALIZED (
        SELECT f.from_stop, jsonb_object_agg(f.to_stop - f.from_stop, f.fare) AS fares, max(f.to_stop - f.from_stop) AS last
        FROM jsonb_to_recordset(document -> 'segment_fares') AS f (from_stop int, to_stop int, fare numeric)
        WHERE f.to_stop > f.from_stop AND f.to_stop <= jsonb_array_length(document -> 'stops') GROUP BY 1
    )
    SELECT (document ->> 'bus_id')::bigint, s.n::int, (SELECT m.code FROM api.places_meant(s.place) AS m WHERE api.is_called(m, s.place)),
           s.arrives, s.departs, s.km, s.fare,
           (SELECT ARRAY(SELECT (f.fares ->> legs::text)::numeric FROM generate_series(1, f.last) AS legs ORDER BY legs)
            FROM fares f WHERE f.from_stop = s.n)
    FROM ROWS FROM (jsonb_to_recordset(document -> 'stops')
            AS (place text, arrives interval, departs interval, km numeric(7,1), fare numeric)) WITH ORDINALITY
        AS s (place, arrives, departs, km, fare, n)
    ORDER BY s.n;
END $$;

CREATE OR REPLACE FUNCTION api.seasons_in_document(document jsonb) RETURNS SETOF seasons
LANGUAGE sql STABLE AS $$
    SELECT (document ->> 'bus_id')::bigint, s.first_date, s.last_date, api.parse_weekdays(s.runs_on)
    FROM jsonb_to_recordset(document -> 'seasons') AS s (first_date date, last_date date, runs_on text)
$$;

CREATE OR REPLACE FUNCTION api.calendar_dates_in_document(document jsonb) RETURNS SETOF calendar_dates
LANGUAGE sql STABLE AS $$
    SELECT (document ->> 'bus_id')::bigint, d::date, false FROM jsonb_array_elements_text(document -> 'days_off') AS d
    UNION ALL
    SELECT (document ->> 'bus_id')::bigint, d::date, true FROM jsonb_array_elements_text(document -> 'extra_days') AS d
$$;

-- The columns of bus_info, from a document.
CREATE OR REPLACE FUNCTION api.columns_in_document(document jsonb) RETURNS bus_info
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_populate_record(NULL::bus_info, document || jsonb_build_object(
        'runs_on', api.parse_weekdays(document ->> 'runs_on'),
        'layout', api.plain_spaces(coalesce((SELECT l.drawing FROM layouts l WHERE l.name = document ->> 'layout'), document ->> 'layout')),
        'seat_classes', nullif(document -> 'seat_classes', '[]'), 'fare_rules', nullif(document -> 'fare_rules', '[]'),
        'concessions', nullif(document -> 'concessions', '[]'), 'refund_tiers', nullif(document -> 'refund_tiers', '[]'),
        'blocked_seats', nullif(document -> 'blocked_seats', '[]'), 'women_seats', nullif(document -> 'women_seats', '[]'),
        'accessible_seats', nullif(document -> 'accessible_seats', '[]')));
END $$;

-- The document with its lists in the form and the order in which api.service shows them.
CREATE OR REPLACE FUNCTION api.sorted_document(document jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT document || jsonb_build_object('stops', api.format_stops(api.shortest_route(
            ARRAY(SELECT s FROM api.stops_in_document(document) AS s), (document ->> 'repeat_legs')::int), document ->> 'currency'))
        || coalesce((
            SELECT jsonb_object_agg(list.field, (
                SELECT coalesce(jsonb_agg(e ORDER BY e ->> 'first_date', (e ->> 'from_stop')::int, (e ->> 'to_stop')::int,
                    (e ->> 'hours')::int DESC, e #>> '{}'), '[]')
                FROM jsonb_array_elements(document -> list.field) AS e))
            FROM unnest('{segment_fares,seasons,days_off,extra_days,refund_tiers}'::text[]) AS list (field) WHERE document ? list.field), '{}')
$$;
