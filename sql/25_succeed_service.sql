-- Continue a service under a new number from a date on: end it the day before, and add a copy of it that begins on the date,
-- in which the fields of `data` replace those of the service. The sold tickets stay with the service that ends. So api.succeed_service
-- refuses if a passenger travels on the date or later; the refusal has the first possible date. The successor takes over
-- source_id, and the quotas of agents. account, plan: as in api.put_service. The answer is that of
-- api.put_service for the successor; its `ended` is that of api.put_service for the service that ends.
CREATE OR REPLACE FUNCTION api.succeed_service(account text, bus_id bigint, from_date date, data jsonb DEFAULT '{}', plan boolean DEFAULT false)
RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SET jit = off SET enable_seqscan = off AS $$
DECLARE
    service jsonb;
    ended   jsonb;
BEGIN
    PERFORM FROM bus_info b WHERE b.bus_id = succeed_service.bus_id FOR NO KEY UPDATE;
    service := api.service(bus_id);
    answer := CASE WHEN service IS NULL THEN api.refusal_unknown_trip(bus_id, NULL)
                   WHEN account IS NOT NULL THEN api.check_operator(account, bus_id) END;
    answer := coalesce(answer, CASE
        WHEN from_date <= (service ->> 'first_date')::date THEN api.refusal_of_faults(api.fault('from_date', format(
            'The service begins on %s. Its successor begins later.', service ->> 'first_date')))
        WHEN from_date > (service ->> 'last_date')::date AND NOT data ? 'last_date' THEN api.refusal_of_faults(api.fault('from_date', format(
            'The service ends on %s. Its successor begins on that date or earlier, or has a last_date of its own.', service ->> 'last_date'))) END);
    IF answer IS NULL THEN
        BEGIN
            SELECT p.refused, p.answer INTO refused, ended
            FROM api.put_service(account, jsonb_build_object('bus_id', bus_id, 'last_date', from_date - 1, 'source_id', NULL)) AS p;
            IF refused THEN
                answer := ended;
            ELSE
                SELECT p.answer INTO answer FROM api.put_service(account, service - 'bus_id' || jsonb_build_object(
                    'first_date', from_date, 'extra_days', (SELECT coalesce(jsonb_agg(d), '[]')
                        FROM jsonb_array_elements(service -> 'extra_days') AS d WHERE (d #>> '{}')::date >= from_date)) || data) AS p;
                INSERT INTO agent_quotas (bus_id, agent, seats)
                SELECT s.bus_id, q.agent, q.seats
                FROM agent_quotas q
                JOIN agents g USING (agent)
                JOIN bus_info s ON s.bus_id = (succeed_service.answer ->> 'bus_id')::bigint AND s.operator = g.operator
                WHERE q.bus_id = succeed_service.bus_id;
            END IF;
            IF plan OR answer ? 'reason' THEN
                RAISE SQLSTATE 'BW001';
            END IF;
        EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- undone
        END;
    END IF;
    refused := answer ? 'reason';
    IF NOT refused THEN
        answer := answer || jsonb_build_object('ended', ended);
    END IF;
    RETURN NEXT;
END $$;
