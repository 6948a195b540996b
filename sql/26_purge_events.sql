-- Delete published events older than an interval and than a day, without a gap: up to the first one that is younger or that a
-- waiting row of the outbox needs, which was added while the event was younger. A row that a replay added later keeps no event:
-- otherwise one webhook could keep the events of all operators. The last event stays, because its position is continued. Returns
-- the number deleted.
CREATE OR REPLACE FUNCTION api.purge_events(keep interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    age   CONSTANT interval := greatest(keep, interval '1 day');
    first CONSTANT bigint := least(
        (SELECT e.position FROM events e WHERE e.position IS NOT NULL AND e.at >= api.now() - age
         ORDER BY e.position LIMIT 1),
        (SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL),
        (SELECT min(e.position) FROM outbox o JOIN events e ON e.event_no = o.event_no
         WHERE o.state = 'waiting' AND o.created_at < e.at + age));
    n int;
BEGIN
    DELETE FROM events e WHERE e.position < first;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
