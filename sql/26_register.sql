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
