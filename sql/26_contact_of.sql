-- What the carriers of messages read and record.

-- Where the messages of a booking go now. No row: nowhere. email: NULL if it has bounced.
CREATE OR REPLACE FUNCTION api.contact_of(bus_id bigint, reference text)
RETURNS TABLE (email text, language text, phone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp SET jit = off SET enable_seqscan = off AS $$
    SELECT CASE WHEN b.address IS NULL THEN c.email END, c.language,
           CASE WHEN c.sms THEN (SELECT p.phone FROM passengers p
               WHERE p.bus_id = api.booking_bus(c.reference) AND p.reference = c.reference AND p.phone IS NOT NULL LIMIT 1) END
    FROM contacts c LEFT JOIN bounces b ON b.address = lower(c.email)
    WHERE c.bus_id = contact_of.bus_id AND c.reference = contact_of.reference
$$;

-- The invoices and credit notes of a booking that were issued up to a position in the log, for a mail about that event. NULL: none.
CREATE OR REPLACE FUNCTION api.invoices_until(reference text, "position" bigint) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp SET jit = off SET enable_seqscan = off AS $$
    SELECT jsonb_build_object('invoices', jsonb_agg(api.show_invoice(i) ORDER BY i.position, i.dated, i.kind DESC)) FROM invoices i
    WHERE i.bus_id = api.reference_bus(invoices_until.reference) AND i.reference = invoices_until.reference
      AND i.position <= invoices_until.position
    HAVING count(*) > 0
$$;

-- Count an attempt to send a mail to an address, unless `most` were made within an hour: then returns in how many seconds
-- the next one may be made.
CREATE OR REPLACE FUNCTION api.count_mail(address text, most int) RETURNS TABLE (wait_seconds float)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    counted CONSTANT text := 'mail:' || lower(address);
    period  CONSTANT interval := interval '1 hour';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(counted, 0));
    RETURN QUERY SELECT extract(epoch FROM a.at + period - api.now())::float FROM attempts a
        WHERE a.subject = counted AND a.at > api.now() - period ORDER BY a.at DESC OFFSET most - 1 LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO attempts (subject, at) VALUES (counted, api.now());
    END IF;
END $$;

-- Record that the mail of an outbox row could not be delivered to an address: it gets no further mail.
-- Returns false if no such mail was sent to the address, so a forged report blocks nothing.
CREATE OR REPLACE FUNCTION api.record_bounce(key uuid, address text, reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    mail outbox;
BEGIN
    SELECT * INTO mail FROM outbox o WHERE o.key = record_bounce.key AND o.kind = 'mail';
    IF NOT FOUND OR NOT EXISTS (
        SELECT FROM contacts c WHERE c.bus_id = mail.bus_id AND c.reference = mail.reference AND lower(c.email) = lower(record_bounce.address)
        UNION ALL
        SELECT FROM accounts a WHERE mail.payload -> 'usernames' ? a.username AND lower(a.email) = lower(record_bounce.address)
    ) THEN
        RETURN false;
    END IF;
    INSERT INTO bounces (address, at, reason) VALUES (lower(record_bounce.address), api.now(), record_bounce.reason)
    ON CONFLICT DO NOTHING;
    RETURN true;
END $$;

-- The addresses that have bounced, the latest first.
CREATE OR REPLACE FUNCTION api.list_bounces() RETURNS TABLE (address text, at timestamptz, reason text)
LANGUAGE sql STABLE AS $$
    SELECT b.address, b.at, b.reason FROM bounces b ORDER BY b.at DESC, b.address
$$;

-- Forget that an address has bounced: it gets mail again. Returns false if it had not.
CREATE OR REPLACE FUNCTION api.forget_bounce(address text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM bounces b WHERE b.address = lower(forget_bounce.address);
    RETURN FOUND;
END $$;
