-- What an operator does with a webhook.

-- Create a webhook, or edit it: an edit keeps the fields that it does not name. secret: of a new webhook; only then is it in the reply.
-- most: how many webhooks an operator may have. A webhook that is not active any more gets nothing: what waits for it is given up.
CREATE OR REPLACE FUNCTION api.put_webhook(account text, operator text, webhook text, edit jsonb, secret text, most int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    owner record := api.operator_of(account, operator);
    old   webhooks;
    new   webhooks;
BEGIN
    IF owner.refusal IS NOT NULL THEN
        RETURN owner.refusal;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('webhooks of ' || owner.operator, 0));   -- the limit holds, and a name is created once
    SELECT * INTO old FROM webhooks w WHERE w.operator = owner.operator AND w.webhook = put_webhook.webhook FOR NO KEY UPDATE;
    new := jsonb_populate_record(old, edit);
    IF new.url IS NULL THEN
        RETURN api.refusal_bad_request('url', 'the URL that receives the events, such as https://example.org/busware',
            format('%s has no webhook %s yet: give the URL of the new one.', owner.operator, api.quoted(webhook)));
    ELSIF old.webhook_no IS NULL AND (SELECT count(*) FROM webhooks w WHERE w.operator = owner.operator) >= most THEN
        RETURN api.refusal('too_many_webhooks', format('%s has %s already: delete one first.', owner.operator, api.format_count(most, 'webhook')),
            jsonb_build_object('limit', most));
    ELSIF old.webhook_no IS NULL THEN
        INSERT INTO webhooks (operator, webhook, url, types, active, created_at)
        VALUES (owner.operator, put_webhook.webhook, new.url, coalesce(new.types, '{*}'), coalesce(new.active, true), api.now())
        RETURNING * INTO new;
        INSERT INTO webhook_secrets (webhook_no, secret) VALUES (new.webhook_no, put_webhook.secret);
        RETURN api.show_webhook(new) || jsonb_build_object('secret', put_webhook.secret);
    END IF;
    UPDATE webhooks w
    SET url = new.url, types = new.types, active = new.active, problem = CASE WHEN new.active THEN NULL ELSE w.problem END
    WHERE w.webhook_no = old.webhook_no RETURNING w.* INTO new;
    IF new.problem IS DISTINCT FROM old.problem THEN
        PERFORM pg_notify('busware', '{"webhooks":true}');
    END IF;
    IF NOT new.active THEN
        PERFORM api.give_up_deliveries(new.webhook_no, 'The webhook is not active.');
    END IF;
    RETURN api.show_webhook(new);
END $$;

-- Give up the deliveries that wait for a webhook. besides: a row of the outbox that is left as it is, because its worker ends it.
CREATE OR REPLACE FUNCTION api.give_up_deliveries(webhook_no bigint, error text, besides bigint DEFAULT NULL) RETURNS void
LANGUAGE sql AS $$
    UPDATE outbox o SET state = 'dead', done_at = api.now(), error = give_up_deliveries.error, due_at = least(o.due_at, api.now())
    WHERE o.webhook_no = give_up_deliveries.webhook_no AND o.state = 'waiting' AND o.outbox_no IS DISTINCT FROM besides
$$;

-- Delete a webhook, with its log and what waits for it. Returns it.
CREATE OR REPLACE FUNCTION api.delete_webhook(account text, operator text, webhook text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    named record := api.webhook_of(account, operator, webhook);
BEGIN
    IF named.refusal IS NULL THEN
        DELETE FROM webhooks w WHERE w.webhook_no = (named.hook).webhook_no;
        PERFORM pg_notify('busware', '{"webhooks":true}');
    END IF;
    RETURN coalesce(named.refusal, api.show_webhook(named.hook));
END $$;

-- Give a webhook a new secret. The earlier ones sign, too, until a time. most: how many secrets may be valid at once.
CREATE OR REPLACE FUNCTION api.rotate_webhook_secret(account text, operator text, webhook text, secret text, keep interval, most int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    named record := api.webhook_of(account, operator, webhook);
    no    CONSTANT bigint := (named.hook).webhook_no;
BEGIN
    IF named.refusal IS NOT NULL THEN
        RETURN named.refusal;
    END IF;
    PERFORM FROM webhooks w WHERE w.webhook_no = no FOR NO KEY UPDATE;
    DELETE FROM webhook_secrets s WHERE s.webhook_no = no AND s.valid_until <= api.now();
    IF (SELECT count(*) FROM webhook_secrets s WHERE s.webhook_no = no) >= most THEN
        RETURN api.refusal('too_many_secrets', format('%s secrets of the webhook are valid. Use the last one, or wait until one of them has ended.', most),
            jsonb_build_object('limit', most));
    END IF;
    UPDATE webhook_secrets s SET valid_until = api.now() + keep WHERE s.webhook_no = no AND s.valid_until IS NULL;
    INSERT INTO webhook_secrets (webhook_no, secret) VALUES (no, rotate_webhook_secret.secret);
    RETURN api.show_webhook(named.hook) || jsonb_build_object('secret', rotate_webhook_secret.secret,
        'earlier_secret_until', api.rfc3339(api.now() + keep, 'UTC'));
END $$;

-- The refusal of a webhook that gets nothing; NULL: it is active.
CREATE OR REPLACE FUNCTION api.check_active(w webhooks) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN NOT w.active THEN api.refusal('webhook_not_active', concat_ws(' ', format('Webhook %s is not active.', w.webhook),
    'Reason: ' || w.problem, 'Activate it first: put_webhook with active.')) END;

-- Send an event of the type webhook.test to a webhook. Returns its delivery, which replaces a test that waits.
CREATE OR REPLACE FUNCTION api.test_webhook(account text, operator text, webhook text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    named   record := api.webhook_of(account, operator, webhook);
    refusal jsonb := coalesce(named.refusal, api.check_active(named.hook));
    sent    bigint;
BEGIN
    IF refusal IS NULL THEN
        PERFORM FROM webhooks w WHERE w.webhook_no = (named.hook).webhook_no FOR NO KEY UPDATE;   -- one test at a time
        DELETE FROM outbox o
        WHERE o.webhook_no = (named.hook).webhook_no AND o.state = 'waiting' AND o.payload ->> 'type' = 'webhook.test';
        sent := api.enqueue('webhook', jsonb_build_object('type', 'webhook.test'), webhook_no => (named.hook).webhook_no);
    END IF;
    RETURN coalesce(refusal, (SELECT api.show_delivery(o) FROM outbox o WHERE o.outbox_no = sent));
END $$;
