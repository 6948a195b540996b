-- Execute a write on agents or their settlements. Such writes need no idempotency key: each names the resulting state, so a
-- repetition changes nothing.
CREATE OR REPLACE FUNCTION api.change_agent(method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    account CONSTANT text := args ->> 'account';
BEGIN
    answer := api.check_role(account);
    IF answer IS NULL THEN
        CASE method   -- any other method raises an exception
            WHEN 'put_agent' THEN
                answer := api.put_agent(account, args ->> 'operator', args ->> 'agent', args - '{account,operator,agent}'::text[]);
            WHEN 'settle_agent' THEN
                answer := api.settle_agent(account, args ->> 'operator', args ->> 'agent', (args ->> 'settlement_no')::int,
                                           (args ->> 'handed_over')::numeric);
        END CASE;
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;
