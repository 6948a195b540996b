-- Writes to trips: api.batch divides its calls among the databases of their services.

-- Whether a shard answers. It is asked before the calls are sent: if it does not answer, certainly nothing was done.
CREATE OR REPLACE FUNCTION shards.answers(virtual_shard int) RETURNS boolean
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON $1; SELECT true;
$$;

-- Execute the calls of one database. bus_ids: their home services. lock_wait: the lock_timeout, as the server has set it at the proxy.
CREATE OR REPLACE FUNCTION shards.batch_of(virtual_shard int, bus_ids bigint[], accounts jsonb, calls jsonb, lock_wait text)
RETURNS TABLE (n int, refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON $1;
    SELECT b.* FROM api.enter_shard($2, set_config('lock_timeout', $5, true) IS NOT NULL, $3) AS e
        CROSS JOIN LATERAL api.batch(CASE WHEN e THEN $4 END) AS b;
$$;

-- The home service of a call: of its booking, or the one that it names.
CREATE OR REPLACE FUNCTION shards.home_of(args jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN args ->> 'reference' IS NULL THEN (args ->> 'bus_id')::bigint ELSE api.reference_bus(upper(btrim(args ->> 'reference'))) END;

-- Execute writes, as api.batch of a single database. The calls of each database are one transaction there, one database after the
-- other. Calls for a virtual shard that is being moved are deferred: their answer is NULL, and the server sends them again.
-- BW065: the first database is away, and nothing was done. 08007: it is not known what was done.
CREATE OR REPLACE FUNCTION api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    lock_wait CONSTANT text := current_setting('lock_timeout');
    part record;
    sent boolean := false;
BEGIN
    FOR part IN
        SELECT m.database_no, m.moves, c.refusal, min(m.virtual_shard) AS virtual_shard, array_agg(c.n ORDER BY c.n) AS numbers,
               array_agg(DISTINCT c.home) AS homes, array_agg(DISTINCT c.account) FILTER (WHERE c.account IS NOT NULL) AS accounts
        FROM (
            SELECT (e.n - 1)::int AS n, h.home, coalesce(e.call #>> '{args,account}', e.call #>> '{args,sold_by}') AS account,
                CASE WHEN e.call ->> 'method' IN ('exchange', 'exchange_quote', 'pay') AND e.call #>> '{args,reference}' IS NOT NULL
                          AND NOT api.is_together(h.home, coalesce((e.call #>> '{args,bus_id}')::bigint, h.home))
                     THEN api.refusal_unsupported('An exchange for this service') END AS refusal
            FROM jsonb_array_elements(calls) WITH ORDINALITY AS e (call, n), LATERAL shards.home_of(e.call -> 'args') AS h (home)
        ) AS c
        JOIN shards.map m ON m.virtual_shard = shards.virtual_shard(c.home)
        GROUP BY m.database_no, m.moves, c.refusal
    LOOP
        IF part.moves OR part.refusal IS NOT NULL THEN
            RETURN QUERY SELECT p.n, part.refusal IS NOT NULL, part.refusal FROM unnest(part.numbers) AS p (n);
            CONTINUE;
        END IF;
        BEGIN
            PERFORM shards.answers(shards.at(part.virtual_shard));
        EXCEPTION WHEN internal_error OR SQLSTATE 'BW065' THEN
            RAISE EXCEPTION USING ERRCODE = CASE WHEN sent THEN '08007' ELSE 'BW065' END, MESSAGE = SQLERRM;
        END;
        sent := true;
        BEGIN
            IF cardinality(part.numbers) = jsonb_array_length(calls) THEN   -- it is not copied
                RETURN QUERY SELECT b.* FROM shards.batch_of(part.virtual_shard, part.homes, shards.accounts_of(part.accounts), calls, lock_wait) AS b;
            ELSE
                RETURN QUERY SELECT part.numbers[b.n + 1], b.refused, b.answer
                    FROM shards.batch_of(part.virtual_shard, part.homes, shards.accounts_of(part.accounts),
                        (SELECT jsonb_agg(calls -> p.n ORDER BY p.n) FROM unnest(part.numbers) AS p (n)), lock_wait) AS b;
            END IF;
        EXCEPTION
            WHEN internal_error OR query_canceled THEN
                RAISE SQLSTATE '08007' USING MESSAGE = SQLERRM;
            WHEN SQLSTATE 'BW064' THEN   -- it was moved meanwhile
                RETURN QUERY SELECT p.n, NULL::boolean, NULL::jsonb FROM unnest(part.numbers) AS p (n);
        END;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION shards.recount_of(bus_id bigint, args jsonb) RETURNS int
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1, true); SELECT api.recount_for($2) FROM api.enter_shard(ARRAY[$1]);
$$;

CREATE OR REPLACE FUNCTION api.recount_for(args jsonb) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN shards.recount_of(shards.home_of(args), args);

CREATE OR REPLACE FUNCTION shards.settle_refund_of(bus_id bigint, accounts jsonb, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1, true);
    SELECT (q.x).* FROM (SELECT api.settle_refund($3) AS x FROM api.enter_shard(ARRAY[$1], true, $2) OFFSET 0) AS q;
$$;

CREATE OR REPLACE FUNCTION api.settle_refund(args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT s.* FROM shards.settle_refund_of(shards.home_of(args), shards.accounts_of(ARRAY[args ->> 'account']), args) AS s
$$;
