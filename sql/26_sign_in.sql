-- Store a token. at_most: the oldest tokens of the account beyond that number are deleted. Returns the time at which
-- it expires.
CREATE OR REPLACE FUNCTION api.sign_in(username text, digest bytea, lasts interval, at_most int) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    DELETE FROM tokens t WHERE t.digest IN (SELECT old.digest FROM tokens old
        WHERE old.username = sign_in.username ORDER BY old.created_at DESC, old.digest OFFSET at_most - 1);
    INSERT INTO tokens (digest, username, created_at, expires_at)
    VALUES (sign_in.digest, sign_in.username, api.now(), api.now() + lasts)
    ON CONFLICT DO NOTHING;
    RETURN api.rfc3339(api.now() + lasts, 'UTC');
END $$;

-- The account of a token; no row if the token is unknown or expired.
CREATE OR REPLACE FUNCTION api.session(digest bytea)
RETURNS TABLE (username text, role text, operator text, expires_at text)
LANGUAGE sql STABLE AS $$
    SELECT a.username, a.role, a.operator, api.rfc3339(t.expires_at, 'UTC')
    FROM tokens t JOIN accounts a USING (username)
    WHERE t.digest = session.digest AND t.expires_at > api.now()
$$;

-- Delete a token, or all tokens of its account. Returns the digests of the deleted ones.
CREATE OR REPLACE FUNCTION api.sign_out(digest bytea, everywhere boolean) RETURNS SETOF bytea
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    DELETE FROM tokens t
    WHERE t.digest = sign_out.digest
       OR everywhere AND t.username = (SELECT u.username FROM tokens u WHERE u.digest = sign_out.digest)
    RETURNING t.digest
$$;
