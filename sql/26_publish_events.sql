-- Publish events: give at most `count` of those that are committed and have no position the next ones, in the order of
-- event_no, and do what follows from them (api.fan_out). Returns their number; NULL: another session publishes now, and may not
-- see the newest ones, so the caller tries again.
--
-- Transactions do not commit in the order of event_no. One session at a time publishes, and its positions are committed before
-- the next one reads. So a reader of all events after a position misses none, and those of a booking are in order.
--
-- If api.fan_out fails, each event is published by itself. The one that fails stays unpublished, and so do the later ones of its
-- booking; they are tried again each time. The others are published. A NOTICE names the first event that failed.
-- A deadlock, a shortage or a shutdown is no fault of an event, and ends the call.
CREATE OR REPLACE FUNCTION api.publish_events(count int DEFAULT 500) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    last   bigint;
    numbers bigint[];         -- the event_no of the next events, in order
    n      int;
    one    events;
    failed text[] := '{}';   -- the bookings of events that failed; '' of a trip
BEGIN
    IF NOT pg_try_advisory_xact_lock(1702257010, 0) THEN   -- "even" in ASCII
        RETURN NULL;
    END IF;
    last := coalesce((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), 0);
    numbers := ARRAY(SELECT u.event_no FROM events u WHERE u.position IS NULL ORDER BY u.event_no LIMIT publish_events.count);
    BEGIN
        -- width_bucket is the index in a sorted array. A join would be planned while the table is empty, and compare each event with all others
        UPDATE events e SET position = last + width_bucket(e.event_no, numbers) WHERE e.event_no = ANY (numbers);
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n > 0 THEN
            PERFORM api.fan_out(e) FROM (SELECT f.* FROM events f WHERE f.position > last ORDER BY f.position) AS e;
        END IF;
        RETURN n;
    EXCEPTION WHEN plpgsql_error OR data_exception OR cardinality_violation OR integrity_constraint_violation OR syntax_error_or_access_rule_violation THEN
        n := 0;
    END;
    FOR one IN SELECT e.* FROM events e WHERE e.position IS NULL ORDER BY e.event_no LOOP
        EXIT WHEN n >= publish_events.count;
        CONTINUE WHEN one.reference = ANY (failed);
        BEGIN
            UPDATE events e SET position = last + n + 1 WHERE e.event_no = one.event_no RETURNING e.* INTO one;
            PERFORM api.fan_out(one);
            n := n + 1;
        EXCEPTION WHEN plpgsql_error OR data_exception OR cardinality_violation OR integrity_constraint_violation OR syntax_error_or_access_rule_violation THEN
            IF failed = '{}' THEN
                RAISE NOTICE 'event % (%) cannot be published: % (%)', one.event_no, one.type, SQLERRM, SQLSTATE;
            END IF;
            failed := failed || coalesce(one.reference, '');
        END;
    END LOOP;
    RETURN n;
END $$;
