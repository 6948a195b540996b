-- Counts for operators: the services; the messages; the open trips from today on; the tickets from today on, by status.
CREATE OR REPLACE FUNCTION api.stats() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'services', (SELECT count(*) FROM bus_info),
        'trips', (SELECT count(*) FROM trips t WHERE t.state = 'open' AND t.travel_date >= api.now()::date),
        'tickets', (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
            SELECT api.status_now(p.status, p.expires_at) AS status, count(*) AS n
            FROM passengers p WHERE p.travel_date >= api.now()::date GROUP BY 1) AS s),
        'messages', (SELECT count(*) FROM messages))
$$;
