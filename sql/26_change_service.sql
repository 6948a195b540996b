-- Execute a write on services, their trips or places, for an account; with an idempotency key (add_service, succeed_service), once.
CREATE OR REPLACE FUNCTION api.change_service(method text, args jsonb, key text DEFAULT NULL) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    account CONSTANT text := args ->> 'account';
    bus_id  CONSTANT bigint := args ->> 'bus_id';
    plan    CONSTANT boolean := coalesce((args ->> 'plan')::boolean, false);
    data    CONSTANT jsonb := args - '{account,plan}'::text[];
BEGIN
    answer := coalesce(api.check_role(account),   -- refuses NULL: to the functions below, NULL means the database's owner
                       api.answer_before(key, method, args));
    IF answer IS NULL THEN
        CASE method   -- any other method raises an exception
            WHEN 'add_service' THEN SELECT p.answer INTO answer FROM api.put_service(account, data - 'bus_id', plan) AS p;
            WHEN 'put_service' THEN SELECT p.answer INTO answer FROM api.put_service(account, data, plan) AS p;
            WHEN 'end_service' THEN SELECT p.answer INTO answer FROM api.end_service(account, bus_id, (args ->> 'last_date')::date, plan) AS p;
            WHEN 'succeed_service' THEN SELECT p.answer INTO answer
                FROM api.succeed_service(account, bus_id, (args ->> 'from_date')::date, data - '{bus_id,from_date}'::text[], plan) AS p;
            WHEN 'open_trip' THEN answer := api.open_trip(account, bus_id, (args ->> 'travel_date')::date);
            WHEN 'put_place' THEN
                SELECT p.answer INTO answer FROM api.put_place(account, data) AS p;
                IF NOT answer ? 'reason' THEN   -- a separate statement sees the row that put_place has written
                    SELECT api.show_place(p) INTO answer FROM places p WHERE p.code = data ->> 'code';
                END IF;
        END CASE;
        PERFORM api.record_answer(key, method, args, answer);
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;
