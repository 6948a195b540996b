-- Add a row to the outbox, in the transaction of its cause. payload: what its carrier needs; it is carried out at least once,
-- and the key lets the receiver recognize it. ordered_by: rows with the same value are carried out one at a time, in the order
-- in which they were added; the caller has a lock on what it names. A known key adds nothing. Returns outbox_no; NULL: the key is known.
CREATE OR REPLACE FUNCTION api.enqueue(
    kind text, payload jsonb, bus_id bigint DEFAULT NULL, reference text DEFAULT NULL, ordered_by text DEFAULT NULL,
    event_no bigint DEFAULT NULL, key uuid DEFAULT NULL
) RETURNS bigint
LANGUAGE sql AS $$
    INSERT INTO outbox (key, kind, ordered_by, event_no, bus_id, reference, payload, created_at, due_at)
    VALUES (coalesce(enqueue.key, gen_random_uuid()), enqueue.kind, enqueue.ordered_by, enqueue.event_no, enqueue.bus_id,
            enqueue.reference, enqueue.payload, api.now(), api.now())
    ON CONFLICT ON CONSTRAINT outbox_key_key DO NOTHING
    RETURNING outbox_no
$$;
