-- Check the document of a service as a whole. document: has all fields; a field that is not valid by itself is null. named: the
-- fields that the caller gave, which are checked. before: the document before an edit; NULL for a new service.
CREATE OR REPLACE FUNCTION api.check_service(document jsonb, named jsonb, before jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    faults jsonb := '[]';
    first  CONSTANT date := document ->> 'first_date';
    last   CONSTANT date := document ->> 'last_date';
    other  bigint;
BEGIN
    IF named ? 'stops' THEN
        faults := faults || api.check_stops(document -> 'stops');
    END IF;
    IF named ?| '{stops,repeat_legs}' THEN
        faults := faults || api.check_repeat_legs(document);
    END IF;
    IF named ? 'segment_fares' THEN
        faults := faults || api.check_segment_fares(document);
    ELSIF document -> 'segment_fares' <> '[]' AND api.without_fares(document -> 'stops') <> api.without_fares(before -> 'stops') THEN
        faults := faults || api.fault('segment_fares', 'The stops change, and there are fares between them: give segment_fares too.');
    END IF;
    IF last < first THEN
        faults := faults || api.fault(CASE WHEN named ? 'last_date' THEN 'last_date' ELSE 'first_date' END,
            format('The service begins on %s, after %s. Choose a last date that is not before the first date.', first, last));
    END IF;
    IF named ?| '{layout,blocked_seats,women_seats,accessible_seats}' THEN
        faults := faults || api.check_seat_lists(document);
    END IF;
    faults := faults || CASE WHEN named ? 'extra_days' THEN api.check_calendar(document, first, last) ELSE api.check_calendar(document, NULL, NULL) END;
    IF num_nonnulls(document ->> 'repeat_legs') = 1 AND (coalesce(document ->> 'runs_on', 'daily') <> 'never'
            OR document -> 'seasons' <> '[]' OR document -> 'extra_days' <> '[]') THEN
        faults := faults || api.fault('repeat_legs', 'A repeating route has runs_on never, no seasons and no extra days: its one trip is opened by open_trip.');
    END IF;
    faults := faults || api.check_refund_tiers(document -> 'refund_tiers');
    IF named ?| '{seat_classes,fare_rules,concessions,layout}' THEN
        faults := faults || api.check_fares(document);
    END IF;
    SELECT b.bus_id INTO other FROM bus_info b
    WHERE b.operator = document ->> 'operator' AND b.source_id = document ->> 'source_id' AND b.bus_id IS DISTINCT FROM (document ->> 'bus_id')::bigint;
    IF FOUND THEN
        faults := faults || api.fault('source_id', format('Service %s of this operator has it already. Edit that service.', other));
    END IF;
    RETURN faults;
END $$;

-- Check the stops of a route in their order.
CREATE OR REPLACE FUNCTION api.check_stops(stops jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    faults    jsonb := '[]';
    n         CONSTANT int := jsonb_array_length(stops);
    one_place CONSTANT boolean := 1 = (SELECT count(DISTINCT s ->> 'place') FROM jsonb_array_elements(stops) AS s);
    s         record;
    left_at   interval := '0';   -- the last time before this stop, and its text
    left_text text;
BEGIN
    IF n < 2 THEN
        RETURN api.fault('stops', 'A timetable has at least two stops.');
    END IF;
    FOR s IN SELECT e.n::int, format('stops[%s].', e.n - 1) AS path, coalesce(e.value ->> 'place', 'stop ' || e.n) AS place, e.value ->> 'arrives' AS arrives,
                    e.value ->> 'departs' AS departs, (e.value ->> 'km')::numeric AS km, (e.value ->> 'fare')::numeric AS fare,
                    lag(e.value ->> 'place') OVER route AS last_place, lag((e.value ->> 'km')::numeric) OVER route AS last_km,
                    lag((e.value ->> 'fare')::numeric) OVER route AS last_fare
             FROM jsonb_array_elements(stops) WITH ORDINALITY AS e (value, n) WINDOW route AS (ORDER BY e.n) ORDER BY e.n LOOP
        IF s.arrives IS NULL AND s.departs IS NULL THEN
            faults := faults || api.fault(s.path || 'departs', format('%s needs a time: arrives, departs, or both.', s.place));
        ELSIF s.n = 1 AND s.departs IS NULL THEN
            faults := faults || api.fault(s.path || 'departs', format('The first stop, %s, needs a departure time.', s.place));
        ELSIF s.n = n AND s.arrives IS NULL THEN
            faults := faults || api.fault(s.path || 'arrives', format('The last stop, %s, needs an arrival time.', s.place));
        END IF;
        IF s.arrives::interval < left_at THEN
            faults := faults || api.fault(s.path || 'arrives', format('%s is reached at %s, before %s at the stop before it. For the next day, write %s.',
                s.place, s.arrives, left_text, api.format_time(api.next_time(left_at, s.arrives))));
        END IF;
        IF s.departs::interval < s.arrives::interval THEN
            faults := faults || api.fault(s.path || 'departs', format('It departs before it arrives: from %s at %s, but it arrives at %s. For the next day, write %s.',
                s.place, s.departs, s.arrives, api.format_time(api.next_time(s.arrives::interval, s.departs))));
        ELSIF s.arrives IS NULL AND s.departs::interval < left_at THEN
            faults := faults || api.fault(s.path || 'departs', format('%s is left at %s, before %s at the stop before it. For the next day, write %s.',
                s.place, s.departs, left_text, api.format_time(api.next_time(left_at, s.departs))));
        END IF;
        IF s.place = s.last_place AND NOT one_place THEN
            faults := faults || api.fault(s.path || 'place', format('%s is there twice in a row. Give one stop with both times.', s.place));
        END IF;
        IF s.km < s.last_km THEN
            faults := faults || api.fault(s.path || 'km', format('It is %s km from the first stop, less than the %s km of the stop before it: km do not decrease.', s.km, s.last_km));
        END IF;
        IF s.fare < s.last_fare THEN
            faults := faults || api.fault(s.path || 'fare', format('The fare from the first stop is %s, less than %s to the stop before it: fares do not decrease. '
                'A cheaper segment is one of segment_fares.', s.fare, s.last_fare));
        END IF;
        left_at := coalesce(s.departs::interval, s.arrives::interval, left_at);
        left_text := coalesce(s.departs, s.arrives, left_text);
    END LOOP;
    RETURN faults;
END $$;

-- Check that the legs at the end of a route can repeat: api.extend_route needs an arrival at the stop before them.
CREATE OR REPLACE FUNCTION api.check_repeat_legs(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN repeat_legs IS NULL OR before >= 0 AND document #>> ARRAY['stops', before::text, 'arrives'] IS NOT NULL THEN '[]'
        ELSE api.fault('repeat_legs', format('The last %s cannot repeat. The stop before the legs that repeat needs an arrival time, '
            'so it is not the first stop.', api.format_count(repeat_legs, 'leg'))) END
    FROM (SELECT (document ->> 'repeat_legs')::int AS repeat_legs,
                 jsonb_array_length(document -> 'stops') - 1 - (document ->> 'repeat_legs')::int AS before) AS route
$$;

CREATE OR REPLACE FUNCTION api.check_segment_fares(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', format('segment_fares[%s].%s', f.n - 1, wrong.field), 'message', wrong.message) ORDER BY f.n), '[]')
    FROM (
        SELECT e.n, (e.value ->> 'from_stop')::int AS from_stop, (e.value ->> 'to_stop')::int AS to_stop,
               count(*) OVER (PARTITION BY e.value -> 'from_stop', e.value -> 'to_stop' ORDER BY e.n) AS times
        FROM jsonb_array_elements(document -> 'segment_fares') WITH ORDINALITY AS e (value, n)
    ) AS f, LATERAL (
        SELECT 'to_stop', format('The route has no stop %s: it has %s.', f.to_stop, jsonb_array_length(document -> 'stops'))
        WHERE f.to_stop > jsonb_array_length(document -> 'stops')
        UNION ALL
        SELECT 'to_stop', format('Stop %s is not after stop %s.', f.to_stop, f.from_stop) WHERE f.to_stop <= f.from_stop
        UNION ALL
        SELECT 'from_stop', format('The segment from stop %s to stop %s has a fare already.', f.from_stop, f.to_stop) WHERE f.times > 1
    ) AS wrong (field, message)
$$;

-- Check that there is one refund tier for a number of hours, and that a refund does not grow as departure nears.
CREATE OR REPLACE FUNCTION api.check_refund_tiers(tiers jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    WITH tier AS (
        SELECT e.n, (e.value ->> 'hours')::int AS hours, (e.value ->> 'percent')::numeric AS percent
        FROM jsonb_array_elements(tiers) WITH ORDINALITY AS e (value, n)
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', format('refund_tiers[%s].%s', t.n - 1, wrong.field),
                                                 'message', wrong.message) ORDER BY t.n), '[]')
    FROM tier t JOIN tier o ON o.n <> t.n, LATERAL (
        SELECT 'hours', format('There is a tier of %s hours already.', t.hours) WHERE o.hours = t.hours AND o.n < t.n
        UNION ALL
        SELECT 'percent', format('It is %s percent, more than the %s percent of %s hours. A refund does not grow as departure nears.',
            t.percent, o.percent, o.hours) WHERE o.hours > t.hours AND o.percent < t.percent
    ) AS wrong (field, message)
$$;

-- Check the seasons and the single dates of a calendar. first, last: the dates between which its extra days are.
CREATE OR REPLACE FUNCTION api.check_calendar(document jsonb, first date, last date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH season AS (
        SELECT e.n, format('seasons[%s].', e.n - 1) AS path, (e.value ->> 'first_date')::date AS first, (e.value ->> 'last_date')::date AS last
        FROM jsonb_array_elements(document -> 'seasons') WITH ORDINALITY AS e (value, n)
    ), day AS (
        SELECT list.field, e.n, format('%s[%s]', list.field, e.n - 1) AS path, e.day::date AS day,
               count(*) OVER (PARTITION BY e.day ORDER BY list.field, e.n) AS times
        FROM unnest('{days_off,extra_days}'::text[]) AS list (field), jsonb_array_elements_text(document -> list.field) WITH ORDINALITY AS e (day, n)
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', field, 'message', message)), '[]') FROM (
        SELECT path || 'last_date', format('The season begins on %s, after %s.', first, last) FROM season WHERE last < first
        UNION ALL
        SELECT s.path || 'first_date', format('The season overlaps that from %s to %s. A day has one season.', o.first, o.last)
        FROM season s JOIN season o ON o.n < s.n AND s.first <= o.last AND s.last >= o.first
        UNION ALL
        SELECT path, format('%s is there twice.', day) FROM day WHERE times > 1
        UNION ALL
        SELECT path, format('%s is before the first date, %s.', day, check_calendar.first) FROM day
        WHERE field = 'extra_days' AND day < check_calendar.first
        UNION ALL
        SELECT path, format('%s is after the last date, %s.', day, check_calendar.last) FROM day
        WHERE field = 'extra_days' AND day > check_calendar.last
    ) AS wrong (field, message)
$$;

-- Stops without the fields km and fare: a change of these two fields moves no ticket.
CREATE OR REPLACE FUNCTION api.without_fares(stops jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_agg(s - '{km,fare}'::text[] ORDER BY n)) FROM jsonb_array_elements(stops) WITH ORDINALITY AS e (s, n)
$$;
