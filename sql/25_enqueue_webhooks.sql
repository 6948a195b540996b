-- Add the deliveries of an event to the outbox: one for each active webhook of the operator that takes its type. Those of a booking
-- are in order for each webhook, and so are those of a trip.
--
-- The lock on a webhook comes before those on its rows of the outbox. So a write on a webhook, which locks it too, and a publication
-- wait for each other, and neither adds rows to a webhook that has ended.

-- Whether a webhook takes events of a type.
CREATE OR REPLACE FUNCTION api.takes_type(types text[], type text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN ARRAY[type, split_part(type, '.', 1) || '.*', '*'] && types;

CREATE OR REPLACE FUNCTION api.enqueue_webhooks(e events) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.enqueue_delivery(locked.webhook_no, e) FROM (
        SELECT w.webhook_no FROM webhooks w JOIN api.service_of_event(e.bus_id) AS s ON s.operator = w.operator
        WHERE w.active AND api.takes_type(w.types, e.type)
        ORDER BY w.webhook_no FOR SHARE OF w) AS locked;
END $$;

-- Add the delivery of an event to a webhook. payload: what the log of the webhook shows after the event was deleted.
CREATE OR REPLACE FUNCTION api.enqueue_delivery(webhook_no bigint, e events) RETURNS bigint
LANGUAGE sql
RETURN api.enqueue('webhook', jsonb_build_object('type', e.type, 'event_id', e.event_id, 'position', e.position), e.bus_id, e.reference,
    format('webhook:%s:%s', webhook_no, coalesce(e.reference, e.bus_id || ':' || e.travel_date)), e.event_no, NULL, webhook_no);
