-- The functions of shards.row_functions return the rows of every shard (BW065: a shard is away), those of shards.list_functions the rows
-- of each shard that is not away.
DO $do$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
               (SELECT string_agg('$' || n, ', ') FROM generate_series(1, p.pronargs) AS n) AS parameters,
               CASE WHEN p.proname = ANY (shards.row_functions()) THEN 'CLUSTER ''busware''; RUN ON shards.every();'
                    ELSE 'CLUSTER ''lists''; RUN ON shards.present();' END AS run_on
        FROM pg_proc p
        WHERE p.pronamespace = 'api'::regnamespace AND p.proname = ANY (shards.row_functions() || shards.list_functions())
    LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION api.%I(%s) RETURNS %s LANGUAGE plproxy AS $f$ %s SELECT r.* FROM api.%I(%s) AS r; $f$',
            f.proname, f.arguments, f.result, f.run_on, f.proname, f.parameters);
    END LOOP;
END $do$;
