-- The rows of the outbox that are waiting or dead, by kind and state, and when the oldest was added. Kind event: the events that wait
-- for their publication, from which further rows follow. Reads partial indexes only.
CREATE OR REPLACE FUNCTION api.count_outbox() RETURNS TABLE (kind text, state text, count bigint, oldest timestamptz, age_seconds numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp SET jit = off SET enable_seqscan = off AS $$
    SELECT o.kind, o.state, count(*), min(o.created_at), extract(epoch FROM api.now() - min(o.created_at)) FROM outbox o WHERE o.state = 'dead' GROUP BY 1, 2
    UNION ALL
    SELECT o.kind, o.state, count(*), min(o.created_at), extract(epoch FROM api.now() - min(o.created_at)) FROM outbox o WHERE o.state = 'waiting' GROUP BY 1, 2
    UNION ALL
    SELECT 'event', 'waiting', count(*), min(e.at), extract(epoch FROM api.now() - min(e.at)) FROM events e WHERE e.position IS NULL HAVING count(*) > 0
    ORDER BY 1, 2
$$;
