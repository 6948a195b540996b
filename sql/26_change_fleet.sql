-- Execute a write on vehicles, drivers or their assignments. Each names the resulting state, so a repetition changes nothing, and they
-- are not calls of a batch. Only an exchange of a vehicle may have an idempotency key: its repetition would be another plan.
CREATE OR REPLACE FUNCTION api.change_fleet(method text, args jsonb, key text DEFAULT NULL) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    account text := args ->> 'account';
    edit    jsonb := args - '{account,operator,registration,code}'::text[];
    request jsonb := args - '{version,seats,left_over,counts}'::text[];   -- without what was planned for it
BEGIN
    answer := coalesce(api.check_role(account), api.answer_before(key, method, request));
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
        PERFORM api.record_answer(key, method, request, answer);
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;
