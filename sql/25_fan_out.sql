-- What follows from an event: rows of the outbox, and records that are made for each event once. api.publish_events calls it, in
-- the order of position, in one transaction with the publication.
CREATE OR REPLACE FUNCTION api.fan_out(e events) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.issue_invoices(e);
    PERFORM api.enqueue_mail(e);
    PERFORM api.enqueue_webhooks(e);
END $$;
