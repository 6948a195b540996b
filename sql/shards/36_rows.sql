-- The functions of shards.row_functions return the rows of every shard. BW065: a shard is away.
DO $do$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
               (SELECT string_agg('$' || n, ', ') FROM generate_series(1, p.pronargs) AS n) AS parameters
        FROM pg_proc p WHERE p.pronamespace = 'api'::regnamespace AND p.proname = ANY (shards.row_functions())
    LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION api.%I(%s) RETURNS %s LANGUAGE plproxy AS $f$
            CLUSTER ''busware''; RUN ON shards.every(); SELECT r.* FROM api.%I(%s) AS r; $f$',
            f.proname, f.arguments, f.result, f.proname, f.parameters);
    END LOOP;
END $do$;
