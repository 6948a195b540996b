-- Accounts. The server computes password hashes and makes tokens; the database stores the hash, and the digest of a
-- token. It compares the hashes itself, and never returns a stored one.

-- Add an account of a traveller, and store a token of it, unless its digest is NULL. If added is false, the username is
-- taken.
CREATE OR REPLACE FUNCTION api.register(
    username text, password_hash text, phone text, digest bytea, lasts interval, at_most int, email text DEFAULT NULL, language text DEFAULT NULL
) RETURNS TABLE (added boolean, expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    INSERT INTO accounts (username, password_hash, phone, email, language, created_at)
    VALUES (register.username, register.password_hash, register.phone, register.email, register.language, api.now())
    ON CONFLICT DO NOTHING;
    -- hashes are salted: if the hash is equal, an earlier try of the same request added the account
    added := EXISTS (SELECT FROM accounts a
        WHERE a.username = register.username AND a.password_hash = register.password_hash);
    IF added AND digest IS NOT NULL THEN
        expires_at := api.store_token(username, digest, lasts, at_most);
    END IF;
    RETURN NEXT;
END $$;

-- Add an operator's account; if operator is NULL, an admin's account. Only the owner of the database may call it.
CREATE OR REPLACE FUNCTION api.add_operator(username text, password_hash text, operator text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts (username, password_hash, role, operator, created_at)
    VALUES (add_operator.username, add_operator.password_hash,
            CASE WHEN operator IS NULL THEN 'admin' ELSE 'operator' END, add_operator.operator, api.now())
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Add an agent's account. Only the owner of the database may call it.
CREATE OR REPLACE FUNCTION api.add_agent(username text, password_hash text, operator text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts (username, password_hash, role, created_at)
    VALUES (add_agent.username, add_agent.password_hash, 'agent', api.now())
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO agents (agent, operator, currency)
    VALUES (add_agent.username, add_agent.operator, api.operator_currency(add_agent.operator));
    RETURN true;
END $$;

-- Change a password, and delete the account's tokens and its requests to reset the password. Only the owner of the database may
-- call it. Returns false if there is no such account.
CREATE OR REPLACE FUNCTION api.change_password(username text, password_hash text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tokens t WHERE t.username = change_password.username;
    DELETE FROM password_resets r WHERE r.username = change_password.username;
    UPDATE accounts a SET password_hash = change_password.password_hash WHERE a.username = change_password.username;
    RETURN FOUND;
END $$;

-- Replace the hash of a password by one with stronger parameters. The caller must know the old one.
CREATE OR REPLACE FUNCTION api.set_password_hash(username text, old_hash text, new_hash text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    UPDATE accounts a SET password_hash = new_hash
    WHERE a.username = set_password_hash.username AND a.password_hash = old_hash
$$;
