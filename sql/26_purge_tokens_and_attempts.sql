-- Delete expired tokens, and records of attempts that are older than max_age. Records of the last hour stay in any case,
-- because the limit on registrations counts them. Returns the number of deleted tokens.
CREATE OR REPLACE FUNCTION api.purge_tokens_and_attempts(max_age interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM attempts a WHERE a.at <= api.now() - greatest(max_age, interval '1 hour');
    DELETE FROM password_resets r WHERE r.expires_at <= api.now();
    DELETE FROM tokens t WHERE t.expires_at <= api.now();
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
