-- Settle a trip that is due, as api.batch does before each write. Returns false if it is not due, or if another session
-- has locked its row or a row of its seats or tickets: it is still due then. So that one locked trip does not delay the
-- others, the function waits for no lock (1 ms is the shortest lock_timeout) and each trip is a transaction of its own.
CREATE OR REPLACE FUNCTION api.settle_due(bus_id bigint, travel_date date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, api, public, pg_temp
SET lock_timeout = '1ms'
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_material = off AS $$
BEGIN
    PERFORM FROM trips t
    WHERE t.bus_id = settle_due.bus_id AND t.travel_date = settle_due.travel_date
      AND (t.settle_at <= api.now() OR EXISTS (SELECT FROM offers o
          WHERE o.bus_id = t.bus_id AND o.travel_date = t.travel_date AND o.state = 'open' AND NOT api.can_be_answered(o)))
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    BEGIN
        PERFORM api.settle(bus_id, travel_date);
    EXCEPTION WHEN exclusion_violation THEN   -- tickets were written by hand, and seats.taken does not include them
        RAISE WARNING 'Tickets of service % on % were changed by hand. Seats corrected: %.', bus_id, travel_date,
            api.recount_for(jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date));
    END;
    PERFORM pg_notify('busware', jsonb_build_object('trips', jsonb_build_array(jsonb_build_array(bus_id, travel_date)))::text);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;
