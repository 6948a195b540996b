-- Reads of one service or booking, and of all shards: api.read follows the rule of its method.

CREATE OR REPLACE FUNCTION shards.read_of(bus_id bigint, accounts jsonb, method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1);
    SELECT r.* FROM api.read_here(ARRAY[$1], $2, $3, $4) AS r;
$$;

-- A read of each shard that is not away: a row for each.
CREATE OR REPLACE FUNCTION shards.read_all(accounts jsonb, method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present();
    SELECT r.* FROM api.read_here('{}', $1, $2, $3) AS r;
$$;

-- The function of this database becomes shards.read. In the database of the proxy, the functions of shards.row_functions that it calls
-- return the rows of all shards.
ALTER FUNCTION api.read(text, jsonb) SET SCHEMA shards;

-- The version of the map. BW064: a virtual shard is being moved, or was moved just now; its rows may be in two databases.
CREATE OR REPLACE FUNCTION shards.settled_version() RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM shards.map m WHERE m.moves) OR EXISTS (SELECT FROM shards.leaving) THEN
        RAISE SQLSTATE 'BW064' USING MESSAGE = 'A virtual shard is being moved.';
    END IF;
    RETURN (SELECT v.version FROM shards.version v);
END $$;

-- BW064: a virtual shard was moved since a version. The rows of a service were perhaps read twice, or not at all.
CREATE OR REPLACE FUNCTION shards.require_version(version int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF shards.settled_version() <> version THEN
        RAISE SQLSTATE 'BW064' USING MESSAGE = 'A virtual shard was moved.';
    END IF;
END $$;

-- Execute a read on the rows of every shard. If a virtual shard was moved meanwhile, the read is sent again (BW064).
CREATE OR REPLACE FUNCTION shards.read_complete(method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    version CONSTANT int := shards.settled_version();
BEGIN
    RETURN QUERY SELECT r.* FROM shards.read(method, args) AS r;
    PERFORM shards.require_version(version);
END $$;

CREATE FUNCTION api.read(method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    rule     CONSTANT text := shards.rule_of('read', method);
    account  CONSTANT text := args ->> 'account';
    accounts CONSTANT jsonb := CASE WHEN account IS NOT NULL THEN shards.accounts_of(ARRAY[account]) END;
BEGIN
    IF rule = 'service' THEN
        RETURN QUERY SELECT r.* FROM shards.read_of(shards.home_of(args), accounts, method, args) AS r;
        RETURN;
    ELSIF rule IN ('home', 'gathered') THEN
        RETURN QUERY SELECT r.* FROM shards.read(method, args) AS r;
        RETURN;
    ELSIF method = 'exchange_vehicle' THEN
        RETURN QUERY SELECT r.* FROM shards.read_fleet_of((args ->> 'bus_id')::bigint, accounts, method, args,
            shards.assignments_elsewhere((args ->> 'bus_id')::bigint, (args ->> 'travel_date')::date, (args ->> 'travel_date')::date)) AS r;
        RETURN;
    ELSIF rule = 'complete' THEN
        RETURN QUERY SELECT r.* FROM shards.read_complete(method, args) AS r;
        RETURN;
    END IF;
    answer := CASE   -- any other method has no branch, and is refused
        WHEN method = 'messages' THEN shards.messages(accounts, args)
        WHEN method = 'bookings' THEN shards.bookings(accounts, args)
        WHEN method = 'find' THEN shards.find(args)
        WHEN method = 'places' THEN shards.places(args)
        WHEN method = 'services' THEN shards.page_by_bus('services', accounts, args)
        WHEN method = 'trips' THEN shards.page_by_bus('trips', accounts, args)
        ELSE api.refusal_unsupported(method) END;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;

-- The results of a read of all shards, as an array; or its refusal, if every shard refuses it. If they refuse for different reasons, that
-- with the latest date in `takes` counts: each shard knows the dates of its own services only.
CREATE OR REPLACE FUNCTION shards.results(accounts jsonb, method text, args jsonb, OUT answers jsonb[], OUT refusal jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT array_agg(r.answer) FILTER (WHERE NOT r.refused),
           (array_agg(r.answer ORDER BY r.answer #>> '{data,takes}' DESC NULLS LAST, r.answer) FILTER (WHERE r.refused))[1]
    INTO answers, refusal FROM shards.read_all(accounts, method, args) AS r;
END $$;

-- The places of all shards, with the kinds of all their services.
CREATE OR REPLACE FUNCTION shards.places(args jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    found record := shards.results(NULL, 'places', args);
BEGIN
    RETURN coalesce((
        SELECT jsonb_build_object('places', coalesce((
                SELECT jsonb_agg(p.place || jsonb_build_object('kinds', p.kinds) ORDER BY p.place ->> 'name') FROM (
                    SELECT e.place - 'kinds' AS place, jsonb_agg(DISTINCT k.kind ORDER BY k.kind) AS kinds
                    FROM unnest(found.answers) AS a, jsonb_array_elements(a -> 'places') AS e (place), jsonb_array_elements(e.place -> 'kinds') AS k (kind)
                    GROUP BY 1) AS p), '[]'),
            'on_sale_from', min(a ->> 'on_sale_from'), 'on_sale_until', max(a ->> 'on_sale_until'))
        FROM unnest(found.answers) AS a HAVING count(*) > 0), found.refusal);
END $$;

-- The references that all shards find.
CREATE OR REPLACE FUNCTION shards.find(args jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    found record := shards.results(NULL, 'find', args);
BEGIN
    RETURN coalesce((
        SELECT jsonb_build_object('references', coalesce((
            SELECT jsonb_agg(DISTINCT r.reference) FROM unnest(found.answers) AS a, jsonb_array_elements(a -> 'references') AS r (reference)), '[]'))
        WHERE found.answers IS NOT NULL), found.refusal);
END $$;
