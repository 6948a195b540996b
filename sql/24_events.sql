-- What a reader has read up to a position: the position, and the beginning of the id of its event, which is another one if the
-- database was recovered to an earlier time and has grown since. Without the event, which may be deleted, only the position.
CREATE OR REPLACE FUNCTION api.event_cursor(at_position bigint) RETURNS text
LANGUAGE sql STABLE
RETURN at_position || coalesce((SELECT '-' || left(e.event_id::text, 8) FROM events e WHERE e.position = at_position), '');

-- The operator and the time zone of the service of an event, or no row.
CREATE OR REPLACE FUNCTION api.service_of_event(bus_id bigint) RETURNS TABLE (operator text, time_zone text)
LANGUAGE sql STABLE AS $$
    SELECT s.operator, s.time_zone FROM bus_info s WHERE s.bus_id = service_of_event.bus_id
$$;

-- The published events of the services that an account may change, in the order of their positions. page: the maximum number.
-- after: `next` of the previous page (api.event_cursor), or a position; NULL: from the oldest event on. It is refused if events
-- after it were deleted, and if this log never gave it: then the database was recovered, and its later events are lost.
--
-- One call reads at most `scan` events, also if most are of other operators: then the page may be empty, with `more`.
CREATE OR REPLACE FUNCTION api.events(account text, page int DEFAULT NULL, after text DEFAULT NULL, scan int DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    most   CONSTANT int := coalesce(scan, 1000);
    size   CONSTANT int := coalesce(page, 50);
    owner  accounts;
    start  bigint;
    known  text;
    oldest bigint := (SELECT min(e.position) FROM events e WHERE e.position IS NOT NULL);
    last   CONSTANT bigint := coalesce((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), 0);
    found  record;
BEGIN
    IF after !~ '^\d{1,18}(-[0-9a-f]{8})?$' THEN
        RETURN api.refusal_bad_request('after', 'the `next` of an earlier page', '`after` is not the `next` of a page.');
    END IF;
    start := coalesce(split_part(after, '-', 1)::bigint, oldest - 1, 0);
    known := api.event_cursor(start);
    IF start < oldest - 1 THEN
        RETURN api.refusal_bad_request('after', format('%s or a later `next`', oldest - 1), format('Events after %s were deleted, because '
            'they are old. Read your bookings again, and continue after %s.', start, oldest - 1));
    END IF;
    IF start > last OR (after LIKE '%-%' AND known LIKE '%-%' AND after <> known) THEN
        RETURN api.refusal_bad_request('after', format('%s or an earlier `next`', last), format('%s is a position of events that are lost: the '
            'database was recovered to an earlier time. Read your bookings again, and continue after %s.', start, last));
    END IF;
    SELECT * INTO owner FROM accounts a WHERE a.username = events.account;
    WITH scanned AS MATERIALIZED (
        SELECT e.* FROM events e WHERE e.position > start ORDER BY e.position LIMIT most
    ), shown AS (
        SELECT s.* FROM scanned s
        WHERE owner.role = 'admin' OR EXISTS (SELECT FROM api.service_of_event(s.bus_id) AS b WHERE b.operator = owner.operator)
        ORDER BY s.position LIMIT size
    )
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('event_id', s.event_id, 'position', s.position, 'type', s.type,
               'at', api.rfc3339(s.at, coalesce(b.time_zone, 'UTC')), 'bus_id', s.bus_id, 'travel_date', s.travel_date, 'reference', s.reference))
               || jsonb_build_object('data', s.data) ORDER BY s.position) AS events,
           count(*) = size AS full_page, max(s.position) AS last, (SELECT count(*) = most FROM scanned) AS full_scan,
           (SELECT max(c.position) FROM scanned c) AS scanned
    INTO found FROM shown s LEFT JOIN LATERAL api.service_of_event(s.bus_id) AS b ON true;
    RETURN jsonb_build_object('events', coalesce(found.events, '[]'),
            'next', api.event_cursor(CASE WHEN found.full_page THEN found.last ELSE coalesce(found.scanned, start) END))
        || CASE WHEN found.full_page OR found.full_scan THEN '{"more": true}' ELSE '{}' END::jsonb;
END $$;
