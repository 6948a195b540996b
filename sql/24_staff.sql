-- The staff accounts: those of agents, operators and admins.

-- The password hash of an account without a password. No password has this hash.
CREATE OR REPLACE FUNCTION api.no_password() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN 'none';

-- A staff account, with its last change by an account.
CREATE OR REPLACE FUNCTION api.show_staff(a accounts) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_strip_nulls(jsonb_build_object('username', a.username, 'role', a.role, 'operator', api.account_operator(a), 'active', a.active,
        'has_password', a.password_hash <> api.no_password(), 'created_at', api.rfc3339(a.created_at, 'UTC')))
    || coalesce((SELECT jsonb_build_object('changed_at', api.rfc3339(c.at, 'UTC'), 'changed_by', c.account)
                 FROM staff_changes c WHERE c.username = a.username ORDER BY c.change_no DESC LIMIT 1), '{}');

-- A page of staff accounts, in the order of their usernames: those of an operator. An admin who names no operator gets all.
-- page: their maximum number. after: `next` of the previous page.
CREATE OR REPLACE FUNCTION api.staff(account text, operator text, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record;
    size  int := coalesce(page, 50);
    shown jsonb;
BEGIN
    IF operator IS NULL AND api.own_operator(account) IS NULL THEN
        SELECT NULL::text AS operator, api.check_role(account) AS refusal INTO owner;
    ELSE
        owner := api.operator_of(account, operator);
    END IF;
    SELECT jsonb_agg(api.show_staff(a) ORDER BY a.username) INTO shown FROM (
        SELECT a.* FROM accounts a
        WHERE a.role <> 'traveller' AND (owner.operator IS NULL OR api.account_operator(a) = owner.operator) AND a.username > coalesce(after, '')
        ORDER BY a.username LIMIT size
    ) AS a;
    RETURN coalesce(owner.refusal, jsonb_build_object('staff', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown -> -1 -> 'username') ELSE '{}' END);
END $$;
