-- The outbox, for the workers of the servers. A worker claims a row, which commits; carries it out, with no transaction open and
-- no lock held; and finishes it. If it dies, the row is due again when its lease ends, so it is carried out at least once.

-- Claim at most `count` rows of these kinds that are due, the longest due first. A row behind an unfinished one with the same
-- ordered_by is not claimed. A dead row counts as finished, so the rows behind it can be claimed. Deliveries to webhooks: api.claim_delivery.
CREATE OR REPLACE FUNCTION api.claim_outbox(kinds text[], count int, lease interval) RETURNS SETOF api.claimed_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off AS $$   -- SQL would plan the query in each call
DECLARE
    numbers CONSTANT bigint[] := ARRAY(
        SELECT o.outbox_no FROM outbox o
        WHERE o.state = 'waiting' AND o.webhook_no IS NULL AND o.due_at <= api.now() AND o.kind = ANY (kinds)
          AND NOT EXISTS (SELECT FROM outbox b
              WHERE b.ordered_by = o.ordered_by AND b.state = 'waiting' AND b.outbox_no < o.outbox_no)
        ORDER BY o.due_at LIMIT claim_outbox.count FOR UPDATE OF o SKIP LOCKED);
BEGIN
    IF numbers <> '{}' THEN
        RETURN QUERY SELECT * FROM api.claim_rows(numbers, lease);
    END IF;
END $$;

-- Claim the delivery that is due for the longest time. full_webhooks, full_operators: the ones for which no more
-- deliveries are claimed now. The rows of each webhook are read in a query of its own, because a webhook whose receiver does
-- not answer may have very many.
CREATE OR REPLACE FUNCTION api.claim_delivery(full_webhooks bigint[], full_operators text[], lease interval) RETURNS SETOF api.claimed_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off AS $$
DECLARE
    numbers CONSTANT bigint[] := ARRAY(
        SELECT first.outbox_no FROM webhooks w CROSS JOIN LATERAL (
            SELECT o.outbox_no, o.due_at FROM outbox o
            WHERE o.webhook_no = w.webhook_no AND o.state = 'waiting' AND o.due_at <= api.now()
              AND NOT EXISTS (SELECT FROM outbox b
                  WHERE b.ordered_by = o.ordered_by AND b.state = 'waiting' AND b.outbox_no < o.outbox_no)
            ORDER BY o.due_at LIMIT 1 FOR UPDATE OF o SKIP LOCKED) AS first
        WHERE w.webhook_no <> ALL (full_webhooks) AND w.operator <> ALL (full_operators) ORDER BY first.due_at LIMIT 1);
BEGIN
    IF numbers <> '{}' THEN
        RETURN QUERY SELECT * FROM api.claim_rows(numbers, lease);
    END IF;
END $$;

-- Finish an attempt at a row: the attempt whose number is `attempts`. error: why it failed; NULL: it succeeded. retry_after: when a
-- failed row is due again; NULL: never, the row is dead. When a row is done or dead, the next row with the same ordered_by is due.
-- Does nothing and returns false if the row is not waiting, or has been claimed again.
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
