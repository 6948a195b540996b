-- The log of events, and webhooks. The proxy collects the events of all shards into its own log, which has the positions that clients
-- see, and sends them to the webhooks. Event numbers are those of the shard: no two databases give the same one, and those of a booking
-- are in order also after a move. So an event that was moved is known by its number, and is in the log once.

-- The operators and time zones of services, as the last events of the services had them.
CREATE TABLE IF NOT EXISTS shards.services (
    bus_id      bigint PRIMARY KEY,
    operator    text NOT NULL,
    time_zone   text NOT NULL
);
COMMENT ON TABLE shards.services IS 'The operators and time zones of services, for the log of events.';

CREATE OR REPLACE FUNCTION api.service_of_event(bus_id bigint) RETURNS TABLE (operator text, time_zone text)
LANGUAGE sql STABLE AS $$
    SELECT s.operator, s.time_zone FROM shards.services s WHERE s.bus_id = service_of_event.bus_id
$$;

-- What follows from an event in the database of the proxy; the shard does the rest.
CREATE OR REPLACE FUNCTION api.fan_out(e events) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.enqueue_webhooks(e);
END $$;

CREATE OR REPLACE FUNCTION shards.uncollected(count int) RETURNS SETOF bigint
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT api.uncollected($1);
$$;

CREATE OR REPLACE FUNCTION shards.events_to_collect(count int) RETURNS TABLE (event_no bigint, event jsonb, operator text, time_zone text)
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT c.* FROM api.events_to_collect($1) AS c;
$$;

CREATE OR REPLACE FUNCTION shards.note_collected(event_nos bigint[]) RETURNS SETOF bigint
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT api.note_collected($1);
$$;

-- The function of this database becomes shards.publish_events.
ALTER FUNCTION api.publish_events(int) SET SCHEMA shards;

-- Copy at most `count` events of each shard that answers into the log, and publish them. Returns as api.publish_events of a single
-- database. The next call first notes in the shards which events are in the log, because their rows here are committed then.
CREATE FUNCTION api.publish_events(count int DEFAULT 500) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    known bigint[];
    found bigint;
    n     int;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1702257010, 0) THEN   -- as shards.publish_events
        RETURN NULL;
    END IF;
    known := ARRAY(SELECT shards.uncollected(publish_events.count));
    known := ARRAY(SELECT e.event_no FROM events e WHERE e.event_no = ANY (known));
    IF known <> '{}' THEN
        PERFORM shards.note_collected(known);
    END IF;
    WITH found AS MATERIALIZED (
        SELECT c.*, (c.event ->> 'bus_id')::bigint AS bus_id FROM shards.events_to_collect(publish_events.count) AS c
    ), services AS (
        INSERT INTO shards.services AS s (bus_id, operator, time_zone)
        SELECT DISTINCT ON (f.bus_id) f.bus_id, f.operator, f.time_zone FROM found f WHERE f.operator IS NOT NULL ORDER BY f.bus_id, f.event_no DESC
        ON CONFLICT (bus_id) DO UPDATE SET operator = excluded.operator, time_zone = excluded.time_zone
        WHERE (s.operator, s.time_zone) <> (excluded.operator, excluded.time_zone)
    ), added AS (
        INSERT INTO events SELECT e.* FROM found f, jsonb_populate_record(NULL::events, f.event - 'position') AS e
        ON CONFLICT (event_no) DO NOTHING
    )
    SELECT count(*) INTO found FROM found f;
    n := shards.publish_events(publish_events.count);
    RETURN CASE WHEN found >= publish_events.count THEN publish_events.count ELSE n END;   -- a shard may have more
END $$;
