-- What an operator does with dead rows of the outbox, in psql or with `busware-server outbox`.

-- Try a dead row again, as if it was added now: with a new number, so behind the rows with the same ordered_by, and without attempts, so
-- as long and as often as a new one. The key stays. Returns the new number; NULL: no row with this number is dead.
CREATE OR REPLACE FUNCTION api.retry_outbox(outbox_no bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    dead outbox;
BEGIN
    DELETE FROM outbox o WHERE o.outbox_no = retry_outbox.outbox_no AND o.state = 'dead' RETURNING o.* INTO dead;
    RETURN CASE WHEN dead.outbox_no IS NOT NULL THEN
        api.enqueue(dead.kind, dead.payload, dead.bus_id, dead.reference, dead.ordered_by, dead.event_no, dead.key,
            dead.webhook_no) END;
END $$;

-- Delete a dead row. Returns its number; NULL: it is not dead.
CREATE OR REPLACE FUNCTION api.discard_outbox(outbox_no bigint) RETURNS bigint
LANGUAGE sql AS $$
    DELETE FROM outbox o WHERE o.outbox_no = discard_outbox.outbox_no AND o.state = 'dead' RETURNING o.outbox_no
$$;
