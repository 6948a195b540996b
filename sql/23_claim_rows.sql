-- Claim rows of the outbox that the caller has locked: adds 1 to their attempts, and lets them be due again after the lease.
CREATE OR REPLACE FUNCTION api.claim_rows(numbers bigint[], lease interval) RETURNS SETOF api.claimed_row
LANGUAGE sql AS $$
    WITH claimed AS (
        UPDATE outbox o SET attempts = o.attempts + 1, due_at = api.now() + lease WHERE o.outbox_no = ANY (numbers)
        RETURNING o.*
    )
    SELECT c.outbox_no, c.key, c.kind, c.payload, c.bus_id, c.reference, c.attempts, c.created_at, api.now() - c.created_at, to_jsonb(e),
           c.webhook_no, w.operator
    FROM claimed c LEFT JOIN events e ON e.event_no = c.event_no LEFT JOIN webhooks w ON w.webhook_no = c.webhook_no ORDER BY c.outbox_no
$$;
