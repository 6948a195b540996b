-- The proxy calls the functions of shards.row_functions.
DO $do$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'api'::regnamespace AND p.proname = ANY (shards.row_functions()) LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp', f);
    END LOOP;
END $do$;
