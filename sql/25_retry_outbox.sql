-- What an operator does with dead rows of the outbox, in psql or with `busware-server outbox`.

-- Try a dead row again now. Its age counts from now on, so it is tried as long as a new one. Returns its number; NULL: it is not
-- dead. Rows with the same ordered_by that were behind it may be done already.
CREATE OR REPLACE FUNCTION api.retry_outbox(outbox_no bigint) RETURNS bigint
LANGUAGE sql AS $$
    UPDATE outbox o SET state = 'waiting', done_at = NULL, created_at = api.now(), due_at = api.now()
    WHERE o.outbox_no = retry_outbox.outbox_no AND o.state = 'dead' RETURNING o.outbox_no
$$;

-- Delete a dead row. Returns its number; NULL: it is not dead.
CREATE OR REPLACE FUNCTION api.discard_outbox(outbox_no bigint) RETURNS bigint
LANGUAGE sql AS $$
    DELETE FROM outbox o WHERE o.outbox_no = discard_outbox.outbox_no AND o.state = 'dead' RETURNING o.outbox_no
$$;
