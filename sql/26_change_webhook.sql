-- What servers call about webhooks.

-- Execute a write on webhooks; with an idempotency key, once. limits: of the server, such as `webhooks`. The new secret in args
-- differs in each repetition.
CREATE OR REPLACE FUNCTION api.change_webhook(method text, args jsonb, limits jsonb, key text DEFAULT NULL) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    account  CONSTANT text := args ->> 'account';
    operator CONSTANT text := args ->> 'operator';
    webhook  CONSTANT text := args ->> 'webhook';
BEGIN
    answer := coalesce(api.check_role(account), api.answer_before(key, method, args - 'secret'));
    IF answer IS NULL THEN
        CASE method   -- any other method raises an exception
            WHEN 'put_webhook' THEN
                answer := api.put_webhook(account, operator, webhook, args - '{account,operator,webhook,secret}'::text[], args ->> 'secret',
                                          (limits ->> 'webhooks')::int);
            WHEN 'delete_webhook' THEN answer := api.delete_webhook(account, operator, webhook);
            WHEN 'rotate_webhook_secret' THEN
                answer := api.rotate_webhook_secret(account, operator, webhook, args ->> 'secret',
                    make_interval(secs => (limits ->> 'secret_seconds')::float8), (limits ->> 'secrets')::int);
            WHEN 'test_webhook' THEN answer := api.test_webhook(account, operator, webhook);
            WHEN 'replay_webhook' THEN
                answer := api.replay_webhook(account, operator, webhook, coalesce((args ->> 'limit')::int, 100), args ->> 'after',
                                             (args ->> 'since')::timestamptz, (args ->> 'delivery_no')::bigint);
        END CASE;
        PERFORM api.record_answer(key, method, args - 'secret', answer);
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;

-- Where the deliveries of a webhook go, and the secrets that sign them, the current one first. No row: it is not active, or was deleted.
CREATE OR REPLACE FUNCTION api.webhook_target(webhook_no bigint) RETURNS TABLE (name text, url text, secrets text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT w.operator || ', ' || w.webhook, w.url, ARRAY(SELECT s.secret FROM webhook_secrets s
        WHERE s.webhook_no = w.webhook_no AND (s.valid_until IS NULL OR s.valid_until > api.now()) ORDER BY s.valid_until DESC NULLS FIRST)
    FROM webhooks w WHERE w.webhook_no = webhook_target.webhook_no AND w.active
$$;

-- Pause the webhook of a delivery, for a reason that its operator reads, and give up all other deliveries to it. gone: the receiver
-- says that it exists no more. Otherwise it is paused only if nothing has been delivered to it since this delivery was added. Returns
-- whether it is paused now.
CREATE OR REPLACE FUNCTION api.pause_webhook(outbox_no bigint, problem text, gone boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    failed outbox;
BEGIN
    SELECT * INTO failed FROM outbox o WHERE o.outbox_no = pause_webhook.outbox_no;
    UPDATE webhooks w SET active = false, problem = pause_webhook.problem
    WHERE w.webhook_no = failed.webhook_no AND w.active AND (gone OR NOT EXISTS (
        SELECT FROM outbox o WHERE o.webhook_no = w.webhook_no AND o.state = 'done' AND o.done_at > failed.created_at));
    IF FOUND THEN
        PERFORM api.give_up_deliveries(failed.webhook_no, 'The webhook was paused.', failed.outbox_no);
        PERFORM pg_notify('busware', '{"webhooks":true}');
    END IF;
    RETURN FOUND;
END $$;

-- The number of webhooks that are active, and of those that the server has paused.
CREATE OR REPLACE FUNCTION api.count_webhooks() RETURNS TABLE (state text, count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT 'active', count(*) FILTER (WHERE w.active) FROM webhooks w
    UNION ALL
    SELECT 'paused', count(*) FILTER (WHERE w.problem IS NOT NULL) FROM webhooks w
$$;

-- The webhooks that the server has paused, and why, in the order of their names.
CREATE OR REPLACE FUNCTION api.paused_webhooks() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('webhook_no', w.webhook_no, 'operator', w.operator, 'webhook', w.webhook, 'problem', w.problem)
        ORDER BY w.operator, w.webhook), '[]')
    FROM webhooks w WHERE w.problem IS NOT NULL
$$;
