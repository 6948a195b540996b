-- Set the contact of a booking. The caller has locked its trip. The event of the change sends a booked ticket to the new address; if
-- nothing changes, there is no event.
CREATE OR REPLACE FUNCTION api.set_contact(b api.opened_booking, email text, language text, sms boolean) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    home   CONSTANT bigint := api.reference_bus(b.reference);
    before contacts := (SELECT c FROM contacts c WHERE c.bus_id = home AND c.reference = b.reference);
BEGIN
    IF sms AND NOT EXISTS (SELECT FROM passengers p
            WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.phone IS NOT NULL) THEN
        RETURN api.refusal_bad_request('sms', 'true for a booking with a phone number', 'The booking has no phone number for short messages.');
    END IF;
    PERFORM api.put_contact(b.reference, email, language, sms);
    IF before IS DISTINCT FROM (SELECT c FROM contacts c WHERE c.bus_id = home AND c.reference = b.reference) THEN
        PERFORM api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('contact'));
    END IF;
    RETURN NULL;
END $$;
