-- Send events to a webhook again, with the same webhook-id: those after a position, or since a time, or that of a delivery. Events
-- that wait for the webhook are left out.

-- The position before the first event since a time. Events have no index by their time: this reads the positions backwards, a page at a
-- time, to the first page that is older. So an event that was published late ends it only if a whole page is of such events.
CREATE OR REPLACE FUNCTION api.position_before(since timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    page  CONSTANT bigint := 1000;
    start bigint := coalesce((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), 0);
BEGIN
    WHILE EXISTS (SELECT FROM events e WHERE e.position > start - page AND e.position <= start AND e.at >= since) LOOP
        start := start - page;
    END LOOP;
    RETURN coalesce((SELECT min(e.position) - 1 FROM events e WHERE e.position > start - page AND e.at >= since), start);
END $$;

-- size: the most events that are read. The reply has `next`, the position after which to go on, and `more`, if there is more.
CREATE OR REPLACE FUNCTION api.replay_webhook(
    account text, operator text, webhook text, size int, after text DEFAULT NULL, since timestamptz DEFAULT NULL, delivery_no bigint DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    named   record := api.webhook_of(account, operator, webhook);
    w       CONSTANT webhooks := named.hook;
    refusal jsonb := coalesce(named.refusal, api.check_active(w));
    start   bigint;
    oldest  CONSTANT bigint := (SELECT min(e.position) FROM events e WHERE e.position IS NOT NULL);
    last    CONSTANT bigint := coalesce((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), 0);
    until   bigint;
    n       int;
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    ELSIF delivery_no IS NOT NULL THEN
        start := (SELECT e.position - 1 FROM outbox o JOIN events e ON e.event_no = o.event_no
            WHERE o.outbox_no = replay_webhook.delivery_no AND o.webhook_no = w.webhook_no);
        until := start + 1;
        refusal := CASE WHEN start IS NULL THEN api.refusal_bad_request('delivery_no', 'the number of a delivery whose event is still kept',
            format('Webhook %s has no delivery %s whose event is kept.', w.webhook, delivery_no)) END;
    ELSIF since IS NOT NULL THEN
        start := greatest(api.position_before(since), oldest - 1);
    ELSE
        start := split_part(after, '-', 1)::bigint;
        IF start NOT BETWEEN coalesce(oldest - 1, 0) AND last
           OR after LIKE '%-%' AND api.event_cursor(start) LIKE '%-%' AND after <> api.event_cursor(start) THEN
            refusal := api.refusal_bad_request('after', format('a position from %s to %s', coalesce(oldest - 1, 0), last),
                format('There are no events after %s: they were deleted or lost, or there are none yet.', after));
        END IF;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    start := coalesce(start, 0);
    until := coalesce(until, least(start + size, last));
    PERFORM FROM webhooks l WHERE l.webhook_no = w.webhook_no FOR NO KEY UPDATE;   -- one replay at a time
    WITH replayed AS MATERIALIZED (
        SELECT e AS event, e.event_no, e.position FROM events e CROSS JOIN LATERAL api.service_of_event(e.bus_id) AS s
        WHERE e.position > start AND e.position <= until AND s.operator = w.operator
          AND (api.takes_type(w.types, e.type) OR replay_webhook.delivery_no IS NOT NULL)
          AND NOT EXISTS (SELECT FROM outbox o WHERE o.webhook_no = w.webhook_no AND o.event_no = e.event_no AND o.state = 'waiting')
    ), ended AS (
        DELETE FROM outbox o USING replayed r WHERE o.webhook_no = w.webhook_no AND o.event_no = r.event_no AND o.state = 'dead'
    )
    SELECT count(api.enqueue_delivery(w.webhook_no, r.event)) INTO n FROM (SELECT * FROM replayed ORDER BY position) AS r;
    RETURN jsonb_build_object('replayed', n, 'next', api.event_cursor(until)) || CASE WHEN until < last AND delivery_no IS NULL THEN '{"more": true}' ELSE '{}' END::jsonb;
END $$;
