-- Delete idempotency keys that are older than an interval, or than an hour if the interval is shorter. Returns the number
-- deleted.
CREATE OR REPLACE FUNCTION api.purge_idempotency_keys(keep interval DEFAULT '48 hours') RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM idempotency_keys k WHERE k.at < api.now() - greatest(keep, interval '1 hour');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
