-- Which accounts may change a service: admins, and accounts of its operator.

-- Whether an account may change a service. NULL for a guest.
CREATE OR REPLACE FUNCTION api.operates(account text, bus_id bigint) RETURNS boolean
LANGUAGE sql STABLE STRICT AS $$
    SELECT EXISTS (SELECT FROM accounts a WHERE a.username = operates.account AND a.active AND (a.role = 'admin'
        OR a.operator = (SELECT s.operator FROM bus_info s WHERE s.bus_id = operates.bus_id)))
$$;

-- Check that an account is an operator's or an admin's. It may have lost the role, or be disabled, after the server has checked the
-- request.
CREATE OR REPLACE FUNCTION api.check_role(account text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN account IS NULL THEN api.refusal('not_signed_in', 'Sign in as an operator.')
            WHEN NOT EXISTS (SELECT FROM accounts a WHERE a.username = check_role.account AND a.active AND a.role IN ('operator', 'admin'))
            THEN api.refusal('not_allowed', 'This is for operators.') END;

-- Check that the account may change the service.
CREATE OR REPLACE FUNCTION api.check_operator(account text, bus_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service bus_info;
BEGIN
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = check_operator.bus_id;
    IF service.bus_id IS NULL THEN
        RETURN api.refusal_unknown_trip(bus_id, NULL);
    ELSIF api.operates(account, bus_id) THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('not_yours', format('%s (%s %s) is operated by %s; only that operator may do this.',
        service.name, service.nouns ->> 'service', bus_id, service.operator));
END $$;

-- The operator of an account: whose services it runs or, for an agent, sells. NULL for other accounts.
CREATE OR REPLACE FUNCTION api.account_operator(a accounts) RETURNS text
LANGUAGE sql STABLE
RETURN CASE a.role WHEN 'agent' THEN (SELECT g.operator FROM agents g WHERE g.agent = a.username) ELSE a.operator END;

-- The operator of an account. NULL: that of an admin, who may change all services.
CREATE OR REPLACE FUNCTION api.own_operator(account text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT a.operator FROM accounts a WHERE a.username = account AND a.role <> 'admin');

-- How many services an operator has in each currency; with shards, in each database. operator: NULL for all operators.
CREATE OR REPLACE FUNCTION api.currency_rows(operator text) RETURNS TABLE (currency text, services bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = on AS $$
BEGIN
    RETURN QUERY
        SELECT s.currency, count(*) FROM bus_info s WHERE currency_rows.operator IS NULL OR s.operator = currency_rows.operator GROUP BY s.currency;
END $$;

-- The operator whose data an account reads or changes: that of the account; for an admin, the one in the request.
CREATE OR REPLACE FUNCTION api.operator_of(account text, INOUT operator text, OUT refusal jsonb) RETURNS record
LANGUAGE plpgsql STABLE AS $$
DECLARE
    own text := api.own_operator(account);
BEGIN
    IF account IS NOT NULL THEN   -- else the owner of the database calls
        refusal := api.check_role(account);
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN;
    ELSIF own IS NOT NULL THEN
        refusal := CASE WHEN operator <> own THEN api.refusal('not_yours', format(
            'This is an account of %s; it may not see or change what belongs to %s.', own, operator)) END;
        operator := own;
    ELSIF operator IS NULL OR NOT EXISTS (SELECT FROM api.currency_rows(operator)) THEN
        refusal := api.refusal_bad_request('operator', 'the name of an operator',
            CASE WHEN operator IS NULL THEN 'Name the operator.' ELSE format('No service is operated by %s.', api.quoted(operator)) END);
    END IF;
END $$;
