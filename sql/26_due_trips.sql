-- The trips that are due to be settled.
CREATE OR REPLACE FUNCTION api.due_trips() RETURNS TABLE (bus_id bigint, travel_date date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT t.bus_id, t.travel_date FROM trips t WHERE t.settle_at <= api.now() ORDER BY t.settle_at
$$;
