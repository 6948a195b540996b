-- The times of the timetable as fields of a reply, where the trip is expected at another time. departs: at from_stop;
-- arrives: at to_stop.
CREATE OR REPLACE FUNCTION api.scheduled_times(
    trip trips, zone text, from_stop int, departs interval, from_zone text, to_stop int, arrives interval, to_zone text
) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN (trip).delays IS NULL THEN '{}' ELSE jsonb_strip_nulls(jsonb_build_object(
    'scheduled_departs_at', CASE WHEN (trip).delays[from_stop] <> interval '0' THEN
        api.rfc3339(api.instant((trip).travel_date, departs, zone), from_zone) END,
    'scheduled_arrives_at', CASE WHEN (trip).delays[to_stop] <> interval '0' THEN
        api.rfc3339(api.instant((trip).travel_date, arrives, zone), to_zone) END)) END;
