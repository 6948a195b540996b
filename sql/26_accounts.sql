-- Accounts, for the server. It makes the hashes and the tokens; what is kept of a token is its digest.

-- Add a traveller. Answers false when the username is another's.
CREATE OR REPLACE FUNCTION api.register(username text, password_hash text, phone text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    INSERT INTO accounts (username, password_hash, phone, created_at)
    VALUES (register.username, register.password_hash, register.phone, api.now())
    ON CONFLICT DO NOTHING;
    -- a hash is salted: the same one is our own, of a try whose answer was lost
    RETURN EXISTS (SELECT FROM accounts a
        WHERE a.username = register.username AND a.password_hash = register.password_hash);
END $$;

-- Add an operator, or an admin who runs everything (operator NULL). For the owner of the database alone.
CREATE OR REPLACE FUNCTION api.add_operator(username text, password_hash text, operator text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts (username, password_hash, role, operator, created_at)
    VALUES (add_operator.username, add_operator.password_hash,
            CASE WHEN operator IS NULL THEN 'admin' ELSE 'operator' END, add_operator.operator, api.now())
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Another password, and nobody is signed in by the old one. For the owner of the database alone. Answers
-- whether there is such an account.
CREATE OR REPLACE FUNCTION api.change_password(username text, password_hash text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tokens t WHERE t.username = change_password.username;
    UPDATE accounts a SET password_hash = change_password.password_hash WHERE a.username = change_password.username;
    RETURN FOUND;
END $$;

-- Another hash of the same password, after it was given: the parameters of hashes rise with the years.
CREATE OR REPLACE FUNCTION api.set_password_hash(username text, old_hash text, new_hash text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    UPDATE accounts a SET password_hash = new_hash
    WHERE a.username = set_password_hash.username AND a.password_hash = old_hash
$$;

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

-- How often somebody was wrong about each of these since a while ago, and when that will be one less.
CREATE OR REPLACE FUNCTION api.attempts(subjects text[], since interval)
RETURNS TABLE (subject text, attempts bigint, seconds_left float)
LANGUAGE sql STABLE AS $$
    SELECT a.subject, count(*), extract(epoch FROM min(a.at) + since - api.now())
    FROM attempts a WHERE a.subject = ANY (subjects) AND a.at > api.now() - since
    GROUP BY a.subject
$$;

CREATE OR REPLACE FUNCTION api.note_attempts(subjects text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO attempts (subject, at) SELECT subject, api.now() FROM unnest(subjects) AS subject
$$;

-- Forget tokens that have expired, and attempts that are too old to count. Answers how many tokens.
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

-- Open the trips of a bus from one date to another, at most two years ahead, for whoever runs it.
CREATE OR REPLACE FUNCTION api.open_dates(account text, bus_id bigint, from_date date, to_date date)
RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    today date := (api.now() AT TIME ZONE (SELECT s.time_zone FROM bus_info s WHERE s.bus_id = open_dates.bus_id))::date;
BEGIN
    answer := coalesce(api.not_yours(account, bus_id), CASE
        WHEN to_date < from_date THEN api.bad_request('to', 'a date, not before `from`', 'It ends before it begins.')
        WHEN to_date < today THEN api.bad_request('to', format('a date from %s on', today), 'All of that is in the past.')
        WHEN to_date > today + 730 THEN
            api.bad_request('to', format('a date up to %s', today + 730), 'Sales open at most two years ahead.') END);
    refused := answer IS NOT NULL;
    IF NOT refused THEN
        answer := jsonb_build_object('opened', api.open_sales(bus_id, greatest(from_date, today), to_date));
    END IF;
    RETURN NEXT;
END $$;
