-- Add a row to the outbox, in the transaction of its cause. The row is carried out at least once; by its key, the receiver
-- recognizes a repetition. payload: what its carrier needs. ordered_by: rows with the same value are carried out one at a time, in
-- the order in which they were added; the caller has a lock on what it names. A known key adds nothing. Returns outbox_no; NULL: the
-- key is known.
--
-- While an earlier row with the same ordered_by is unfinished, the new row is not due, so that claims do not read it: its due_at is
-- infinity until api.finish_outbox finishes the last row before it. FOR SHARE locks that row until this transaction commits, so that
-- api.finish_outbox finds the new row.
CREATE OR REPLACE FUNCTION api.enqueue(
    kind text, payload jsonb, bus_id bigint DEFAULT NULL, reference text DEFAULT NULL, ordered_by text DEFAULT NULL,
    event_no bigint DEFAULT NULL, key uuid DEFAULT NULL, webhook_no bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE sql AS $$
    WITH before AS MATERIALIZED (
        SELECT FROM outbox b WHERE b.ordered_by = enqueue.ordered_by AND b.state = 'waiting' ORDER BY b.outbox_no DESC LIMIT 1 FOR SHARE
    )
    INSERT INTO outbox (key, kind, ordered_by, event_no, bus_id, reference, payload, created_at, due_at, webhook_no)
    VALUES (coalesce(enqueue.key, gen_random_uuid()), enqueue.kind, enqueue.ordered_by, enqueue.event_no, enqueue.bus_id,
            enqueue.reference, enqueue.payload, api.now(), CASE WHEN EXISTS (SELECT FROM before) THEN 'infinity' ELSE api.now() END,
            enqueue.webhook_no)
    ON CONFLICT ON CONSTRAINT outbox_key_key DO NOTHING
    RETURNING outbox_no
$$;
