-- The log of events is in the database of the proxy, which collects the events of the shards: 38_events.sql.

-- The published events that the proxy has not collected yet.
CREATE TABLE IF NOT EXISTS shards.uncollected (event_no bigint PRIMARY KEY REFERENCES events ON DELETE CASCADE);
COMMENT ON TABLE shards.uncollected IS 'The published events that are not in the log of the proxy yet.';

-- What follows from an event in a shard. Webhooks are in the database of the proxy.
CREATE OR REPLACE FUNCTION api.fan_out(e events) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.issue_invoices(e);
    PERFORM api.enqueue_mail(e);
    INSERT INTO shards.uncollected (event_no) VALUES (e.event_no);
END $$;

-- The numbers of the next events for the proxy.
CREATE OR REPLACE FUNCTION api.uncollected(count int) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT u.event_no FROM shards.uncollected u ORDER BY u.event_no LIMIT uncollected.count
$$;

-- The next events for the proxy, each with the operator and the time zone of its service, in the order of event_no.
CREATE OR REPLACE FUNCTION api.events_to_collect(count int) RETURNS TABLE (event_no bigint, event jsonb, operator text, time_zone text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    numbers CONSTANT bigint[] := ARRAY(SELECT u.event_no FROM shards.uncollected u ORDER BY u.event_no LIMIT events_to_collect.count);
BEGIN
    RETURN QUERY
    SELECT e.event_no, to_jsonb(e), s.operator, s.time_zone FROM events e LEFT JOIN bus_info s ON s.bus_id = e.bus_id
    WHERE e.event_no = ANY (numbers) ORDER BY e.event_no;
END $$;

-- Note that the log of the proxy has these events.
CREATE OR REPLACE FUNCTION api.note_collected(event_nos bigint[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH noted AS (DELETE FROM shards.uncollected u WHERE u.event_no = ANY (event_nos) RETURNING u.event_no)
    SELECT count(*) FROM noted
$$;
