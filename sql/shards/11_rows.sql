-- The proxy calls the functions of shards.row_functions and shards.list_functions; the latter with the settings of api.read.
DO $do$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS called, p.proname = ANY (shards.list_functions()) AS lists
        FROM pg_proc p
        WHERE p.pronamespace = 'api'::regnamespace AND p.proname = ANY (shards.row_functions() || shards.list_functions())
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp %s', f.called,
            CASE WHEN f.lists THEN 'SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
                SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off' END);
    END LOOP;
END $do$;
