-- New passwords by mail. A request sends a mail with a token, if an account with an e-mail address matches; the answer and its
-- limits are the same if none does, so that it reveals no account. The carrier of the mail makes the token, and only its digest
-- is stored, so the outbox has no secret. Operators and admins get no such mail: see api.put_staff.

-- Request mails for the accounts with this username or e-mail address: one mail to an address, which names its accounts.
-- address: the subject of the caller's limit; NULL: none. limits: the most requests in an hour of the address, and the most mails
-- of an account. Returns a row if the address has reached its limit.
CREATE OR REPLACE FUNCTION api.request_reset(account text, address text, limits int[])
RETURNS TABLE (most_permitted int, retry_after float)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    pair    CONSTANT text := address || ' reset';
    period  CONSTANT interval := interval '1 hour';
    found   record;
    names   text[] := '{}';
    emails  text[] := '{}';
BEGIN
    PERFORM api.lock_attempt(coalesce(pair, ''), 'reset:' || lower(account));
    RETURN QUERY SELECT r.most, r.retry_after FROM api.reached_limit(NULL, pair, NULL, ARRAY[NULL, limits[1], NULL], period) AS r;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO attempts (subject, at) SELECT pair, api.now() WHERE pair IS NOT NULL;
    FOR found IN SELECT a.username, lower(a.email) AS email FROM accounts a
        WHERE a.email IS NOT NULL AND a.role IN ('traveller', 'agent') AND a.active AND (a.username = request_reset.account OR lower(a.email) = lower(request_reset.account))
        ORDER BY a.username FOR NO KEY UPDATE
    LOOP
        IF (SELECT count(*) FROM attempts t WHERE t.subject = 'reset:' || found.username AND t.at > api.now() - period) < limits[2] THEN
            INSERT INTO attempts (subject, at) VALUES ('reset:' || found.username, api.now());
            names := names || found.username;
            emails := emails || found.email;
        END IF;
    END LOOP;
    PERFORM api.enqueue('mail', jsonb_build_object('message', 'password_reset', 'usernames', m.usernames), ordered_by => 'reset:' || m.email)
    FROM (SELECT n.email, jsonb_agg(n.username) AS usernames FROM unnest(names, emails) AS n (username, email) GROUP BY 1) AS m;
END $$;

-- Store the digest of a token for an account, for the carrier of its mail. Returns where the mail goes; no row if it goes nowhere.
-- Earlier tokens stay valid: if the mail is sent twice, either may arrive. The account is locked, so that a new address ends the token.
CREATE OR REPLACE FUNCTION api.start_reset(username text, digest bytea, lasts interval) RETURNS TABLE (email text, language text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    SELECT a.email, a.language INTO email, language FROM accounts a
    WHERE a.username = start_reset.username AND a.email IS NOT NULL AND a.role IN ('traveller', 'agent') AND a.active
      AND NOT EXISTS (SELECT FROM bounces b WHERE b.address = lower(a.email))
    FOR SHARE OF a;
    IF FOUND THEN
        INSERT INTO password_resets (digest, username, expires_at) VALUES (start_reset.digest, start_reset.username, api.now() + lasts);
        RETURN NEXT;
    END IF;
END $$;

-- The account whose password a token may set; NULL if the token is unknown, used or expired.
CREATE OR REPLACE FUNCTION api.reset_account(digest bytea) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT r.username FROM password_resets r WHERE r.digest = reset_account.digest AND r.expires_at > api.now()
$$;

-- Set a new password by a token, sign the account out everywhere, end its other reset tokens, and sign in: session is the digest
-- of the new session's token. Returns no row if the token is unknown, used or expired.
CREATE OR REPLACE FUNCTION api.reset_password(digest bytea, password_hash text, session bytea, lasts interval, at_most int)
RETURNS TABLE (username text, role text, operator text, expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    DELETE FROM password_resets r WHERE r.digest = reset_password.digest AND r.expires_at > api.now() RETURNING r.username INTO username;
    IF username IS NOT NULL THEN
        PERFORM api.change_password(username, password_hash);
        SELECT a.role, api.account_operator(a) INTO role, operator FROM accounts a WHERE a.username = reset_password.username;
        expires_at := api.store_token(username, session, lasts, at_most);
        RETURN NEXT;
    END IF;
END $$;

-- Set the e-mail address of an account, and the language of its messages. The server has checked the password. A new address ends
-- the reset tokens, which were sent to the old one.
CREATE OR REPLACE FUNCTION api.set_email(username text, email text, language text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH old AS MATERIALIZED (
        SELECT a.username, a.email FROM accounts a WHERE a.username = set_email.username FOR NO KEY UPDATE
    ), ended AS (
        DELETE FROM password_resets r USING old WHERE r.username = old.username AND old.email IS DISTINCT FROM set_email.email
    )
    UPDATE accounts a SET email = set_email.email, language = set_email.language FROM old WHERE a.username = old.username
$$;
