-- The times of the timetable as fields of a reply, where the trip is expected at another time. departs: at from_stop;
-- arrives: at to_stop.
CREATE OR REPLACE FUNCTION api.scheduled_times(
    delays interval[], from_stop int, departs timestamptz, from_zone text, to_stop int, arrives timestamptz, to_zone text
) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN delays IS NULL THEN '{}' ELSE jsonb_strip_nulls(jsonb_build_object(
    'scheduled_departs_at', CASE WHEN delays[from_stop] <> interval '0' THEN api.rfc3339(departs, from_zone) END,
    'scheduled_arrives_at', CASE WHEN delays[to_stop] <> interval '0' THEN api.rfc3339(arrives, to_zone) END)) END;
