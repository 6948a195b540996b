-- Execute one write; waits for the locks of its trips, its promo code and its agent. For psql, as the owner of the database,
-- and for a database sharded by bus_id. caller: without effect. In version 0.1.0 it named the owner of the key, which now
-- follows from args.
CREATE OR REPLACE FUNCTION api.call(method text, args jsonb, caller text DEFAULT '', key text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    trip   record := api.trip_of(args);
    locked record;
BEGIN
    LOOP   -- until the booking has not moved before the lock
        PERFORM api.lock_trip(trip.bus_id, trip.travel_date);
        locked := trip;
        trip := api.trip_of(args);
        EXIT WHEN trip IS NOT DISTINCT FROM locked;
    END LOOP;
    PERFORM api.wait_for_promo_code(trip.bus_id, args), api.wait_for_agent(trip.bus_id, args);
    RETURN (SELECT b.answer FROM api.batch(jsonb_build_array(
        jsonb_build_object('method', method, 'args', args, 'key', key))) AS b);
END $$;
