-- Idempotency keys of writes that are not calls of a batch. Their rows have bus_id 0: such a write is about no service, or about one
-- whose number is not known before.

-- The recorded answer to a request with a known key, or a refusal (api.recorded_answer). NULL: the key is new, or there is none. Until
-- the transaction ends, the same request waits.
CREATE OR REPLACE FUNCTION api.answer_before(key text, method text, args jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    IF key IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended((args ->> 'account') || ' ' || key, 0));
    RETURN api.recorded_answer(0, key, method, args);
END $$;

-- Record the answer to a request with a key, unless it is a refusal or a plan.
CREATE OR REPLACE FUNCTION api.record_answer(key text, method text, args jsonb, answer jsonb) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO idempotency_keys (bus_id, caller, key, method, digest, answer, at)
    SELECT 0, owner, key, method, api.request_digest(method, args - 'account'), answer, api.now()
    FROM unnest(api.key_owners(args)) AS owner
    WHERE key IS NOT NULL AND NOT answer ? 'reason' AND NOT coalesce((args ->> 'plan')::boolean, false)
$$;
