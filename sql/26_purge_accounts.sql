-- Delete expired tokens, and failed attempts older than an interval. Returns the number of tokens deleted.
CREATE OR REPLACE FUNCTION api.purge_accounts(since interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM attempts a WHERE a.at <= api.now() - since;
    DELETE FROM tokens t WHERE t.expires_at <= api.now();
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
