-- The contact of a booking: the e-mail address, the language, and whether its phone number gets short messages (SMS).

-- Replace the contact of a booking. Without e-mail address and SMS it has none.
CREATE OR REPLACE FUNCTION api.put_contact(reference text, email text, language text, sms boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    home CONSTANT bigint := api.reference_bus(reference);
BEGIN
    IF email IS NULL AND sms IS NOT TRUE THEN
        DELETE FROM contacts c WHERE c.bus_id = home AND c.reference = put_contact.reference;
        RETURN;
    END IF;
    INSERT INTO contacts (bus_id, reference, email, language, sms)
    VALUES (home, put_contact.reference, put_contact.email, put_contact.language, coalesce(put_contact.sms, false))
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE SET email = excluded.email, language = excluded.language, sms = excluded.sms;
END $$;

-- The contact of a new booking: the one in the request; if a signed-in traveller names none, the contact of the account.
CREATE OR REPLACE FUNCTION api.add_contact(reference text, r api.request) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF r.email IS NULL AND r.account IS NOT NULL THEN
        SELECT a.email, coalesce(r.language, a.language) INTO r.email, r.language FROM accounts a
        WHERE a.username = r.account AND a.role = 'traveller' AND a.email IS NOT NULL;
    END IF;
    IF r.email IS NOT NULL OR r.sms THEN
        PERFORM api.put_contact(reference, r.email, r.language, r.sms);
    END IF;
END $$;

-- An e-mail address without most of its local part, for replies that others than its owner read.
CREATE OR REPLACE FUNCTION api.mask_email(email text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN left(email, 1) || '***' || substring(email FROM '@[^@]*$');

-- The contact of a booking, as a field of the booking.
CREATE OR REPLACE FUNCTION api.show_contact(contact contacts) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('contact', jsonb_strip_nulls(jsonb_build_object('email', api.mask_email(contact.email),
        'language', contact.language, 'sms', nullif(contact.sms, false), 'bounced_at', api.rfc3339(b.at, 'UTC'), 'bounce', b.reason)))
    FROM (SELECT lower(contact.email)) AS c (address) LEFT JOIN bounces b ON b.address = c.address
$$;
