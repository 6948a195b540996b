-- Delete rows of the outbox that were done longer ago than `keep`, which counts as a day at least. Dead rows stay until an operator retries or discards
-- them, except deliveries to webhooks, whose events can be replayed. Returns the number deleted.
CREATE OR REPLACE FUNCTION api.purge_outbox(keep interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM outbox o WHERE (o.state = 'done' OR o.state = 'dead' AND o.webhook_no IS NOT NULL) AND o.done_at < api.now() - greatest(keep, interval '1 day');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
