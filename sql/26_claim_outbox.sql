-- The outbox, for the workers of the servers. A worker claims a row, which commits; carries it out, with no transaction open and
-- no lock held; and finishes it. If it dies, the row is due again when its lease ends, so it is carried out at least once.

-- Claim at most `count` rows of these kinds that are due, the longest due first: adds 1 to their attempts, and lets them be due again
-- after the lease. A row behind an unfinished one with the same ordered_by is not claimed. A row that is dead is finished: those
-- behind it go on. age: since it was added. event: the event that caused the row, NULL if it has none.
CREATE OR REPLACE FUNCTION api.claim_outbox(kinds text[], count int, lease interval)
RETURNS TABLE (outbox_no bigint, key uuid, kind text, payload jsonb, bus_id bigint, reference text, attempts int,
               created_at timestamptz, age interval, event jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp SET enable_seqscan = off AS $$
    WITH due AS MATERIALIZED (
        SELECT o.outbox_no FROM outbox o
        WHERE o.state = 'waiting' AND o.due_at <= api.now() AND o.kind = ANY (kinds)
          AND NOT EXISTS (SELECT FROM outbox b
              WHERE b.ordered_by = o.ordered_by AND b.state = 'waiting' AND b.outbox_no < o.outbox_no)
        ORDER BY o.due_at LIMIT claim_outbox.count FOR UPDATE OF o SKIP LOCKED
    ), claimed AS (
        UPDATE outbox o SET attempts = o.attempts + 1, due_at = api.now() + lease
        FROM due WHERE o.outbox_no = due.outbox_no
        RETURNING o.*
    )
    SELECT c.outbox_no, c.key, c.kind, c.payload, c.bus_id, c.reference, c.attempts, c.created_at, api.now() - c.created_at, to_jsonb(e)
    FROM claimed c LEFT JOIN events e ON e.event_no = c.event_no ORDER BY c.outbox_no
$$;

-- Finish a row that was claimed as its attempt number `attempts`. error: NULL, it is done; else why not. retry_after: it is due again
-- after that; NULL: never, the row is dead. The next row with the same ordered_by is then due. Does nothing and returns false if the row is not waiting, or has been claimed again.
CREATE OR REPLACE FUNCTION api.finish_outbox(outbox_no bigint, attempts int, error text DEFAULT NULL, retry_after interval DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    finished outbox;
BEGIN
    UPDATE outbox o
    SET state = n.state, done_at = CASE WHEN n.state <> 'waiting' THEN api.now() END,
        due_at = coalesce(api.now() + finish_outbox.retry_after, o.due_at), error = finish_outbox.error
    FROM (SELECT CASE WHEN finish_outbox.error IS NULL THEN 'done' WHEN finish_outbox.retry_after IS NULL THEN 'dead' ELSE 'waiting' END) AS n (state)
    WHERE o.outbox_no = finish_outbox.outbox_no AND o.attempts = finish_outbox.attempts AND o.state = 'waiting'
    RETURNING o.* INTO finished;
    IF finished.state <> 'waiting' AND finished.ordered_by IS NOT NULL THEN
        UPDATE outbox o SET due_at = api.now()
        WHERE o.due_at = 'infinity' AND o.outbox_no = (SELECT n.outbox_no FROM outbox n
            WHERE n.ordered_by = finished.ordered_by AND n.state = 'waiting' ORDER BY n.outbox_no LIMIT 1);
    END IF;
    RETURN finished.outbox_no IS NOT NULL;
END $$;
