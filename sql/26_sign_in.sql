-- Remember a token for a while, and at most so many of an account: the oldest go. Answers until when.
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

-- Who is signed in by a token, as a JSON object; no row when nobody is, any more.
CREATE OR REPLACE FUNCTION api.session(digest bytea)
RETURNS TABLE (username text, role text, operator text, expires_at text)
LANGUAGE sql STABLE AS $$
    SELECT a.username, a.role, a.operator, api.rfc3339(t.expires_at, 'UTC')
    FROM tokens t JOIN accounts a USING (username)
    WHERE t.digest = session.digest AND t.expires_at > api.now()
$$;

-- Revoke a token, or every token of its account. Answers which, so that they can be forgotten.
CREATE OR REPLACE FUNCTION api.sign_out(digest bytea, everywhere boolean) RETURNS SETOF bytea
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    DELETE FROM tokens t
    WHERE t.digest = sign_out.digest
       OR everywhere AND t.username = (SELECT mine.username FROM tokens mine WHERE mine.digest = sign_out.digest)
    RETURNING t.digest
$$;
