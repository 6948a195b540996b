-- Execute a write on vehicles, drivers or their assignments. Such writes need no idempotency key: each names the resulting
-- state, so a repetition changes nothing. So they are not calls of a batch.
CREATE OR REPLACE FUNCTION api.change_fleet(method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    account text := args ->> 'account';
    edit    jsonb := args - '{account,operator,registration,code}'::text[];
BEGIN
    answer := api.check_role(account);
    IF answer IS NULL THEN
        CASE method   -- any other method raises an exception
            WHEN 'put_vehicle' THEN answer := api.put_vehicle(account, args ->> 'operator', args ->> 'registration', edit);
            WHEN 'put_driver' THEN answer := api.put_driver(account, args ->> 'operator', args ->> 'code', edit);
            WHEN 'assign' THEN answer := api.assign(account, (args ->> 'bus_id')::bigint, (args ->> 'travel_date')::date,
                                                    (args ->> 'until')::date, edit);
            WHEN 'exchange_vehicle' THEN
                answer := api.exchange_vehicle(account, (args ->> 'bus_id')::bigint, (args ->> 'travel_date')::date, args ->> 'vehicle',
                    args ->> 'version', args -> 'seats', ARRAY(SELECT jsonb_array_elements_text(args -> 'left_over')),
                    args ->> 'reason', coalesce((args ->> 'plan')::boolean, false));
                IF NOT answer ? 'reason' THEN
                    answer := answer || (args -> 'counts');   -- of the plan, for the reply
                END IF;
        END CASE;
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;
