-- Vehicles and drivers. Every database has all of them; an assignment is in the shard of its service. No vehicle and no driver is on two
-- trips at once, also if the trips are in two databases: one write on the fleet is executed at a time, and it knows the assignments of
-- all databases.

CREATE OR REPLACE FUNCTION shards.assignments_to_know(bus_id bigint, from_date date, to_date date, OUT operator text, OUT during tstzrange) RETURNS record
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1);
    SELECT (q.x).* FROM (SELECT api.assignments_to_know($1, $2, $3) AS x FROM api.enter_shard(ARRAY[$1], false) OFFSET 0) AS q;
$$;

-- The assignments that a write on a service has to know, of the databases that do not have the service. NULL: none is needed.
CREATE OR REPLACE FUNCTION shards.assignments_elsewhere(bus_id bigint, from_date date DEFAULT NULL, to_date date DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    span    record := shards.assignments_to_know(bus_id, from_date, to_date);
    version int;
    rows    jsonb;
BEGIN
    IF span.during IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM shards.lock_fleet();
    version := shards.settled_version();
    rows := (SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM api.assignment_rows(span.operator, span.during) AS r
        JOIN shards.map m ON m.virtual_shard = shards.virtual_shard(r.bus_id)
        WHERE m.database_no <> (SELECT h.database_no FROM shards.map h WHERE h.virtual_shard = shards.virtual_shard(assignments_elsewhere.bus_id)));
    PERFORM shards.require_version(version);
    RETURN rows;
END $$;

-- Until the transaction ends, other writes on vehicles, drivers and their assignments wait.
CREATE OR REPLACE FUNCTION shards.lock_fleet() RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(1718379893, 0)   -- "flee" in ASCII
$$;

CREATE OR REPLACE FUNCTION shards.change_fleet_of(bus_id bigint, accounts jsonb, method text, args jsonb, key text, elsewhere jsonb)
RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1, true);
    SELECT (q.x).* FROM (
        SELECT api.change_fleet($3, $4, $5) AS x FROM api.enter_shard(ARRAY[$1], true, $2) AS e, api.know_assignments(CASE WHEN e THEN $6 END) OFFSET 0) AS q;
$$;

CREATE OR REPLACE FUNCTION shards.read_fleet_of(bus_id bigint, accounts jsonb, method text, args jsonb, elsewhere jsonb)
RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1);
    SELECT (q.x).* FROM (SELECT api.read_here(ARRAY[$1], $2, $3, $4) AS x FROM api.know_assignments($5) OFFSET 0) AS q;
$$;

CREATE OR REPLACE FUNCTION shards.copy_fleet(vehicles jsonb, drivers jsonb) RETURNS SETOF int
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.every(); SELECT api.copy_fleet($1, $2);
$$;

-- The function of this database becomes shards.change_fleet: it writes vehicles and drivers.
ALTER FUNCTION api.change_fleet(text, jsonb, text) SET SCHEMA shards;

CREATE FUNCTION api.change_fleet(method text, args jsonb, key text DEFAULT NULL) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    rule    CONSTANT text := shards.rule_of('change_fleet', method);
    account CONSTANT text := args ->> 'account';
    number  CONSTANT bigint := (args ->> 'bus_id')::bigint;
    day     CONSTANT date := (args ->> 'travel_date')::date;
    request CONSTANT jsonb := args - '{version,seats,left_over,counts}'::text[];   -- as in sql/26_change_fleet.sql
    version int;
BEGIN
    answer := coalesce(api.check_role(account), api.answer_before(key, method, request));
    IF answer IS NOT NULL THEN
        refused := answer ? 'reason';
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM shards.lock_fleet();
    IF rule = 'copied' THEN
        version := shards.settled_version();
        SELECT c.refused, c.answer INTO refused, answer FROM shards.change_fleet(method, args) AS c;
        PERFORM shards.require_version(version);
        IF NOT refused THEN
            PERFORM shards.copy_fleet(
                (SELECT jsonb_agg(to_jsonb(v)) FROM vehicles v WHERE v.operator = answer ->> 'operator' AND v.registration = answer ->> 'registration'),
                (SELECT jsonb_agg(to_jsonb(d)) FROM drivers d WHERE d.operator = answer ->> 'operator' AND d.code = answer ->> 'code'));
        END IF;
    ELSE
        SELECT c.refused, c.answer INTO refused, answer FROM shards.change_fleet_of(number, shards.accounts_of(ARRAY[account]), method, args, key,
            shards.assignments_elsewhere(number, day, coalesce((args ->> 'until')::date, day))) AS c;
        PERFORM api.record_answer(key, method, request, answer);   -- the service may be moved later
    END IF;
    RETURN NEXT;
END $$;

-- Vehicles and drivers that are on two trips at once in two databases. None, unless a row was written by hand.
CREATE OR REPLACE FUNCTION shards.assigned_twice() RETURNS SETOF text
LANGUAGE sql AS $$
    WITH assigned AS MATERIALIZED (
        SELECT f.operator, r.* FROM (SELECT v.operator FROM vehicles v UNION SELECT d.operator FROM drivers d) AS f,
            api.assignment_rows(f.operator, tstzrange(api.now(), NULL)) AS r
    )
    SELECT format('%s of %s is on the trips of %s of service %s and of %s of service %s', coalesce('vehicle ' || a.vehicle, 'driver ' || a.driver),
        a.operator, a.travel_date, a.bus_id, b.travel_date, b.bus_id)
    FROM assigned a JOIN assigned b ON b.operator = a.operator AND (b.vehicle = a.vehicle OR b.driver = a.driver) AND b.period && a.period
        AND (b.bus_id, b.travel_date) > (a.bus_id, a.travel_date)
    ORDER BY 1
$$;
