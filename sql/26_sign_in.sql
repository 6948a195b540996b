-- Signing in: the caller computes the hash of a password with the parameters and the salt of the stored one, and
-- api.sign_in compares the two.

-- The stored hash of a password with zeros for its digest: its parameters and its salt. NULL if there is no account.
CREATE OR REPLACE FUNCTION api.password_parameters(username text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT left(a.password_hash, -digest.length) || repeat('A', digest.length)
    FROM accounts a, length(substring(a.password_hash FROM '[^$]*$')) AS digest (length)
    WHERE a.username = password_parameters.username
$$;

-- Sign in by username and password, from an address. The result is one of these:
--   limit_reached, retry_after    nothing was compared: see api.reached_limit, also for limits and period
--   failures                      the hash is wrong, or there is no active account; the failures of the address in the period
--   role, operator, expires_at    the account, and when its token expires; no token is stored if digest is NULL
-- Simultaneous attempts wait for each other, so no more than the limit are compared.
CREATE OR REPLACE FUNCTION api.sign_in(
    username text, password_hash text, digest bytea, lasts interval, at_most int,
    address text, limits int[], period interval
) RETURNS TABLE (limit_reached int, retry_after float, failures bigint, role text, operator text, expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    target text := 'account:' || username;
    pair text := address || ' ' || target;
BEGIN
    PERFORM api.lock_attempt(address, target);
    SELECT r.most, r.retry_after INTO limit_reached, retry_after
    FROM api.reached_limit(address, pair, target, limits, period) r;
    IF NOT FOUND THEN
        -- digests are compared, so the time does not tell how much of the hash is right
        SELECT a.role, api.account_operator(a) INTO role, operator FROM accounts a WHERE a.username = sign_in.username AND a.active
            AND sha256(convert_to(a.password_hash, 'UTF8')) = sha256(convert_to(sign_in.password_hash, 'UTF8'));
        IF NOT FOUND THEN
            PERFORM api.count_failure(address, pair, target);
            failures := (SELECT count(*) FROM attempts a WHERE a.subject = address AND a.at > api.now() - period);
        ELSE
            PERFORM api.note_known_addresses(ARRAY[pair]);
            IF digest IS NOT NULL THEN
                expires_at := api.store_token(username, digest, lasts, at_most);
            END IF;
        END IF;
    END IF;
    RETURN NEXT;
END $$;

-- Store a token, for the functions that sign in. at_most: the oldest tokens of the account beyond that number are
-- deleted. Returns the time at which it expires.
CREATE OR REPLACE FUNCTION api.store_token(username text, digest bytea, lasts interval, at_most int) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tokens t WHERE t.digest IN (SELECT old.digest FROM tokens old
        WHERE old.username = store_token.username ORDER BY old.created_at DESC, old.digest OFFSET at_most - 1);
    INSERT INTO tokens (digest, username, created_at, expires_at)
    VALUES (store_token.digest, store_token.username, api.now(), api.now() + lasts)
    ON CONFLICT DO NOTHING;
    RETURN api.rfc3339(api.now() + lasts, 'UTC');
END $$;

-- The account of a token; no row if the token is unknown or expired, or the account is disabled.
CREATE OR REPLACE FUNCTION api.session(digest bytea)
RETURNS TABLE (username text, role text, operator text, expires_at text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT a.username, a.role, api.account_operator(a), api.rfc3339(t.expires_at, 'UTC')
    FROM tokens t JOIN accounts a USING (username)
    WHERE t.digest = session.digest AND t.expires_at > api.now() AND a.active
$$;

-- Delete a token, or all tokens of its account. Returns the digests of the deleted ones.
CREATE OR REPLACE FUNCTION api.sign_out(digest bytea, everywhere boolean) RETURNS SETOF bytea
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    DELETE FROM tokens t
    WHERE t.digest = sign_out.digest
       OR everywhere AND t.username = (SELECT u.username FROM tokens u WHERE u.digest = sign_out.digest)
    RETURNING t.digest
$$;
