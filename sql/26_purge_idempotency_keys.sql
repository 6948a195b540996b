-- Forget the idempotency records that are older than a time. Answers how many.
CREATE OR REPLACE FUNCTION api.purge_idempotency_keys(keep interval DEFAULT '48 hours') RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM idempotency_keys r WHERE r.at < api.now() - keep;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
