-- Counts for operators: the services; the messages; what is not sent, by kind and state, and since when; the open trips from today on; the tickets
-- from today on, by status. A ticket that was cancelled before it was booked, such as one of a hold, counts as released. Today is
-- the date in the time zone of the service.
CREATE OR REPLACE FUNCTION api.stats() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH service AS MATERIALIZED (
        SELECT s.bus_id, (api.now() AT TIME ZONE s.time_zone)::date AS today FROM bus_info s
    )
    SELECT jsonb_build_object(
        'services', (SELECT count(*) FROM service),
        'trips', (SELECT count(*) FROM trips t JOIN service s USING (bus_id)
            WHERE t.state = 'open' AND t.travel_date >= s.today),
        'tickets', (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
            SELECT CASE WHEN p.status = 'cancelled' AND p.booked_at IS NULL THEN 'released'
                        ELSE api.status_now(p.status, p.expires_at) END AS status, count(*) AS n
            FROM passengers p JOIN service s USING (bus_id) WHERE p.travel_date >= s.today GROUP BY 1) AS counted),
        'messages', (SELECT count(*) FROM messages),
        'outbox', o.counts, 'outbox_since', o.since)
    FROM (SELECT coalesce(jsonb_object_agg(c.kind || ' ' || c.state, c.count), '{}'), coalesce(jsonb_object_agg(c.kind || ' ' || c.state, c.oldest), '{}')
        FROM api.count_outbox() AS c) AS o (counts, since)
$$;
