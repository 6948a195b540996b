-- The trips that are due to be settled: a hold, a waitlist entry or an offer has expired, or the other trip of an offer is no
-- longer possible.
CREATE OR REPLACE FUNCTION api.due_trips() RETURNS TABLE (bus_id bigint, travel_date date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    (SELECT t.bus_id, t.travel_date FROM trips t WHERE t.settle_at <= api.now() ORDER BY t.settle_at)
    UNION ALL
    SELECT DISTINCT o.bus_id, o.travel_date FROM offers o
    WHERE o.state = 'open' AND o.valid_until > api.now() AND NOT api.can_be_answered(o)
$$;
