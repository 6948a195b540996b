-- Publish events: give at most `count` of those that are committed and have no position the next ones, in the order of
-- event_no, and do what follows from them (api.fan_out). Returns their number; NULL: another session publishes now, and may not
-- see the newest ones, so the caller tries again.
--
-- Transactions do not commit in the order of event_no. One session at a time publishes, and its positions are committed before
-- the next one reads. So a reader of all events after a position misses none, and those of a booking are in order.
CREATE OR REPLACE FUNCTION api.publish_events(count int DEFAULT 500) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    last bigint;
    n    int;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1702257010, 0) THEN   -- "even" in ASCII
        RETURN NULL;
    END IF;
    last := coalesce((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), 0);
    UPDATE events e SET position = last + next.n
    FROM (SELECT u.event_no, row_number() OVER (ORDER BY u.event_no) AS n FROM (
        SELECT w.event_no FROM events w WHERE w.position IS NULL ORDER BY w.event_no LIMIT publish_events.count) AS u) AS next
    WHERE e.event_no = next.event_no;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        PERFORM api.fan_out(e) FROM (SELECT f.* FROM events f WHERE f.position > last ORDER BY f.position) AS e;
    END IF;
    RETURN n;
END $$;
