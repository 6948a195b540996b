-- Writes on services and places.

CREATE OR REPLACE FUNCTION shards.change_of(bus_id bigint, accounts jsonb, method text, args jsonb, key text, next_bus_id bigint, elsewhere jsonb)
RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1, true);
    SELECT (q.x).* FROM (
        SELECT api.change_on_shard($3, $4, $5, $6) AS x FROM api.enter_shard(ARRAY[$1], true, $2) AS e, api.know_assignments(CASE WHEN e THEN $7 END) OFFSET 0) AS q;
$$;

CREATE OR REPLACE FUNCTION shards.copy_places(copies jsonb) RETURNS SETOF int
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.every(); SELECT api.copy_places($1);
$$;

-- The next number for a service. together: a service whose virtual shard the new one must have. With a key, a repeated request gets
-- the same number, and so the same shard.
CREATE OR REPLACE FUNCTION shards.next_number(account text, key text, together bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    id bigint := (SELECT n.bus_id FROM shards.numbers n WHERE n.account = next_number.account AND n.key = next_number.key);
BEGIN
    WHILE id IS NULL OR (together IS NOT NULL AND NOT api.is_together(id, together)) LOOP
        id := nextval('bus_id_seq');
    END LOOP;
    IF account IS NOT NULL AND key IS NOT NULL THEN
        INSERT INTO shards.numbers (account, key, bus_id, at) VALUES (account, key, id, api.now()) ON CONFLICT DO NOTHING;
    END IF;
    RETURN id;
END $$;

-- Execute a write on services, their trips or places, as api.change_service of a single database. The number of a new service is given
-- here. A place is written here and in every shard, or nowhere: it is refused while a shard is away.
CREATE OR REPLACE FUNCTION api.change_service(method text, args jsonb, key text DEFAULT NULL) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    rule     CONSTANT text := shards.rule_of('change_service', method);
    account  CONSTANT text := args ->> 'account';
    accounts CONSTANT jsonb := shards.accounts_of(ARRAY[account]);
    number   bigint := (args ->> 'bus_id')::bigint;
    next_no  bigint;
BEGIN
    answer := api.check_role(account);
    IF answer IS NOT NULL THEN
        refused := true;
        RETURN NEXT;
        RETURN;
    ELSIF rule = 'copied' THEN
        SELECT p.answer INTO answer FROM api.put_place(account, args - '{account,plan}'::text[], coalesce((args ->> 'plan')::boolean, false)) AS p;
        refused := answer ? 'reason';
        IF NOT refused THEN
            PERFORM shards.copy_places(jsonb_agg(to_jsonb(p))) FROM places p WHERE p.code = args ->> 'code';
            SELECT api.show_place(p) INTO answer FROM places p WHERE p.code = args ->> 'code';
        END IF;
        RETURN NEXT;
        RETURN;
    ELSIF method IN ('add_service', 'succeed_service') THEN
        IF key IS NOT NULL THEN
            PERFORM pg_advisory_xact_lock(hashtextextended(account || ' ' || key, 0));   -- the same request may run now
            answer := api.recorded_answer(0, key, method, args);
            IF answer IS NOT NULL THEN
                refused := answer ? 'reason';
                RETURN NEXT;
                RETURN;
            END IF;
        END IF;
        next_no := shards.next_number(account, key, CASE method WHEN 'succeed_service' THEN number END);
        number := coalesce(CASE method WHEN 'succeed_service' THEN number END, next_no);
    END IF;
    SELECT c.refused, c.answer INTO refused, answer FROM shards.change_of(number, accounts, method, args, key, next_no,
        CASE method WHEN 'put_service' THEN shards.assignments_elsewhere(number) END) AS c;
    IF next_no IS NOT NULL AND key IS NOT NULL AND NOT refused AND (args ->> 'plan')::boolean IS NOT TRUE THEN   -- the service may be moved later
        INSERT INTO idempotency_keys (bus_id, caller, key, method, digest, answer, at)
        SELECT 0, owner, change_service.key, change_service.method, api.request_digest(method, args - 'account'), change_service.answer, api.now()
        FROM unnest(api.key_owners(args)) AS owner;
    END IF;
    RETURN NEXT;
END $$;

CREATE OR REPLACE FUNCTION shards.open_dates_of(bus_id bigint, accounts jsonb, account text, from_date date, to_date date)
RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1, true);
    SELECT (q.x).* FROM (SELECT api.open_dates($3, $1, $4, $5) AS x FROM api.enter_shard(ARRAY[$1], true, $2) OFFSET 0) AS q;
$$;

CREATE OR REPLACE FUNCTION api.open_dates(account text, bus_id bigint, from_date date, to_date date) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT o.* FROM shards.open_dates_of(bus_id, shards.accounts_of(ARRAY[account]), account, from_date, to_date) AS o
$$;
