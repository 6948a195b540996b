-- The webhooks of an operator, and what was sent to them.

-- A webhook without its secrets. waiting, failed: how many deliveries wait, and were given up and not replayed.
CREATE OR REPLACE FUNCTION api.show_webhook(w webhooks) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_strip_nulls(jsonb_build_object('webhook', w.webhook, 'operator', w.operator, 'url', w.url, 'types', w.types, 'active', w.active,
    'created_at', api.rfc3339(w.created_at, 'UTC'), 'problem', w.problem,
    'waiting', (SELECT count(*) FROM outbox o WHERE o.webhook_no = w.webhook_no AND o.state = 'waiting'),
    'failed', (SELECT count(*) FROM outbox o WHERE o.webhook_no = w.webhook_no AND o.state = 'dead')));

-- A webhook of an operator, or the refusal.
CREATE OR REPLACE FUNCTION api.webhook_of(account text, operator text, webhook text, OUT hook webhooks, OUT refusal jsonb) RETURNS record
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record := api.operator_of(account, operator);
BEGIN
    refusal := owner.refusal;
    SELECT * INTO hook FROM webhooks w WHERE w.operator = owner.operator AND w.webhook = webhook_of.webhook;
    IF refusal IS NULL AND hook.webhook_no IS NULL THEN
        refusal := api.refusal('unknown_webhook', format('%s has no webhook %s. %s', owner.operator, api.quoted(webhook), coalesce(
            (SELECT 'Its webhooks: ' || string_agg(w.webhook, ', ' ORDER BY w.webhook) || '.' FROM webhooks w WHERE w.operator = owner.operator),
            'It has none.')));
    END IF;
END $$;

-- The webhooks of an operator, in the order of their names.
CREATE OR REPLACE FUNCTION api.webhooks(account text, operator text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record := api.operator_of(account, operator);
BEGIN
    RETURN coalesce(owner.refusal, (SELECT jsonb_build_object('webhooks', coalesce(jsonb_agg(api.show_webhook(w) ORDER BY w.webhook), '[]'))
        FROM webhooks w WHERE w.operator = owner.operator));
END $$;

-- A delivery: the event, how often it was sent, and what became of it.
CREATE OR REPLACE FUNCTION api.show_delivery(o outbox) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('delivery_no', o.outbox_no, 'event_id', coalesce(o.payload ->> 'event_id', o.key::text), 'type', o.payload -> 'type',
        'state', CASE o.state WHEN 'done' THEN 'delivered' WHEN 'dead' THEN 'failed' ELSE 'waiting' END, 'attempts', o.attempts,
        'created_at', api.rfc3339(o.created_at, 'UTC'))
    || jsonb_strip_nulls(jsonb_build_object('position', o.payload -> 'position', 'reference', o.reference, 'error', o.error,
        'next_at', api.rfc3339(CASE WHEN o.state = 'waiting' THEN nullif(o.due_at, 'infinity') END, 'UTC'), 'ended_at', api.rfc3339(o.done_at, 'UTC')));

-- A page of the deliveries to a webhook, the last ones first. state: only those in it. page: their maximum number. after: `next` of
-- the previous page.
CREATE OR REPLACE FUNCTION api.deliveries(account text, operator text, webhook text, state text DEFAULT NULL, page int DEFAULT NULL, after text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    named record := api.webhook_of(account, operator, webhook);
    size  CONSTANT int := coalesce(page, 50);
    inner_state CONSTANT text := CASE state WHEN 'delivered' THEN 'done' WHEN 'failed' THEN 'dead' ELSE state END;
    shown jsonb;
BEGIN
    IF named.refusal IS NOT NULL THEN
        RETURN named.refusal;
    ELSIF after !~ '^\d{1,18}$' THEN
        RETURN api.refusal_bad_request('after', 'the `next` of the previous page', '`after` is not the `next` of a page.');
    END IF;
    SELECT jsonb_agg(api.show_delivery(o) ORDER BY o.outbox_no DESC) INTO shown FROM (
        SELECT o.* FROM outbox o
        WHERE o.webhook_no = (named.hook).webhook_no AND (after IS NULL OR o.outbox_no < after::bigint)
          AND (inner_state IS NULL OR o.state = inner_state)
        ORDER BY o.outbox_no DESC LIMIT size
    ) AS o;
    RETURN jsonb_build_object('deliveries', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown -> -1 ->> 'delivery_no') ELSE '{}' END;
END $$;
