-- Add a staff account, or change its role, its operator and whether it is active. What args does not have stays. args: the request,
-- with the account.
--
-- An operator manages the accounts of its operator, and gives them its own rights at most; an admin manages all. No account changes
-- its own rights, and the changes are made one after the other. So the account that makes a change is active and keeps its role, and
-- there always is an active admin.
--
-- A change ends the sessions of the account. A new account has no password, and with `reset_password` the account loses it. While an
-- active account has none, digest is stored: that of a token that sets a password (api.reset_password), valid for a time. The answer
-- then has `reset_expires_at`.
CREATE OR REPLACE FUNCTION api.put_staff(args jsonb, digest bytea, lasts interval) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    stff    CONSTANT int := 1937008230;   -- its name in ASCII
    account CONSTANT text := args ->> 'account';
    resets  CONSTANT boolean := coalesce((args ->> 'reset_password')::boolean, false);
    own     text;
    old     accounts;
    new     accounts;
    changes jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(stff);
    own := api.own_operator(account);
    SELECT * INTO old FROM accounts a WHERE a.username = args ->> 'username' FOR NO KEY UPDATE;
    new := old;
    new.username := args ->> 'username';
    new.role := coalesce(args ->> 'role', old.role);
    new.active := coalesce((args ->> 'active')::boolean, old.active, true);
    answer := coalesce(api.check_role(account), api.check_staff(own, old, new));
    IF answer IS NULL AND new.role = 'admin' THEN
        new.operator := NULL;
        IF args ->> 'operator' IS NOT NULL THEN
            answer := api.refusal_bad_request('operator', 'nothing for the role admin', 'An admin runs the services of all operators.');
        END IF;
    ELSIF answer IS NULL THEN
        SELECT o.refusal, o.operator INTO answer, new.operator
        FROM api.operator_of(account, coalesce(args ->> 'operator', api.account_operator(old))) AS o;
        answer := coalesce(answer, api.check_agency(new));
    END IF;
    changes := jsonb_strip_nulls(jsonb_build_object(
        'role', CASE WHEN old.role IS DISTINCT FROM new.role THEN new.role END,
        'operator', CASE WHEN api.account_operator(old) IS DISTINCT FROM new.operator THEN new.operator END,
        'active', CASE WHEN old.active IS DISTINCT FROM new.active THEN new.active END,
        'reset_password', CASE WHEN resets THEN true END));
    IF answer IS NULL AND changes <> '{}' AND new.username = account THEN
        answer := api.refusal('own_account', 'This is your own account: another account has to change its rights and its password.');
    ELSIF answer IS NULL AND changes <> '{}' AND NOT api.write_staff(new, old.username IS NULL) THEN
        answer := api.refusal_username_taken(new.username);
    END IF;
    IF answer IS NULL THEN
        IF changes <> '{}' THEN
            INSERT INTO staff_changes (username, at, account, changes) VALUES (new.username, api.now(), account, changes);
            PERFORM pg_notify('busware', '{"accounts":true}');
        END IF;
        IF resets THEN
            PERFORM api.change_password(new.username, api.no_password());
        END IF;
        SELECT * INTO new FROM accounts a WHERE a.username = new.username;
        answer := api.show_staff(new);
        IF new.active AND new.password_hash = api.no_password() THEN
            INSERT INTO password_resets (digest, username, expires_at) VALUES (put_staff.digest, new.username, api.now() + lasts)
            ON CONFLICT DO NOTHING;
            answer := answer || jsonb_build_object('reset_expires_at', api.rfc3339(api.now() + lasts, 'UTC'));
        END IF;
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;

CREATE OR REPLACE FUNCTION api.refusal_username_taken(username text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN api.refusal('username_taken', format('The username %s is taken: choose another.', api.quoted(username)));

-- Check that an account may change another one. own: the operator of the account; NULL: it is an admin's. old: all NULL if it is new.
-- The accounts of travellers and of other operators are not revealed beyond their usernames, as in api.register.
CREATE OR REPLACE FUNCTION api.check_staff(own text, old accounts, new accounts) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE
    WHEN old.role = 'traveller' OR own IS NOT NULL AND old.username IS NOT NULL AND api.account_operator(old) IS DISTINCT FROM own
    THEN api.refusal_username_taken(new.username)
    WHEN new.role IS NULL THEN api.refusal_bad_request('role', 'agent, operator or admin', 'A new account needs a role.')
    WHEN own IS NOT NULL AND new.role = 'admin' THEN api.refusal('not_allowed', 'Only an admin makes an account that of an admin.') END;

-- Check that an agent stays with its operator, because its cash and its settlements are with it.
CREATE OR REPLACE FUNCTION api.check_agency(new accounts) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal_bad_request('operator', 'the operator of the agent',
        format('%s is an agent of %s. Give the agent of another operator another username.', g.agent, g.operator))
    FROM agents g WHERE new.role = 'agent' AND g.agent = new.username AND g.operator <> new.operator
$$;

-- Write an account, and end its sessions. new.operator: also of an agent. Returns false if it is new and its username is taken.
CREATE OR REPLACE FUNCTION api.write_staff(new accounts, is_new boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    runs CONSTANT text := CASE WHEN new.role = 'operator' THEN new.operator END;   -- whose services
BEGIN
    IF is_new THEN
        INSERT INTO accounts (username, password_hash, role, operator, active, created_at)
        VALUES (new.username, api.no_password(), new.role, runs, new.active, api.now())
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    ELSE
        UPDATE accounts a SET role = new.role, operator = runs, active = new.active WHERE a.username = new.username;
        DELETE FROM tokens t WHERE t.username = new.username;
        DELETE FROM password_resets r WHERE r.username = new.username AND NOT new.active;
    END IF;
    INSERT INTO agents (agent, operator, currency)
    SELECT new.username, new.operator, api.operator_currency(new.operator) WHERE new.role = 'agent'
    ON CONFLICT DO NOTHING;
    RETURN true;
END $$;
