-- Add the messages about an event to the outbox: for each booking with a contact, a mail and a short message (SMS). The carriers
-- read the contact again when they send, so a corrected address counts.

-- The message about an event; NULL: it has none. A no-show and a check-in have none, because the passenger knows; an expired and
-- a released hold have none, because nothing was paid; a payment that begins, and an offer without an answer that leaves the
-- booking as it is, change nothing for the traveller. An expired party without a seat has waited
-- until the departure: its message is that of a cancellation.
CREATE OR REPLACE FUNCTION api.message_about(type text, data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE type
    WHEN 'booking.booked' THEN 'booked'
    WHEN 'booking.waitlisted' THEN 'waitlisted'
    WHEN 'booking.promoted' THEN 'promoted'
    WHEN 'booking.cancelled' THEN 'cancelled'
    WHEN 'booking.offered' THEN 'offered'
    WHEN 'booking.notice' THEN 'notice'
    WHEN 'booking.expired' THEN CASE WHEN NOT data @? '$.tickets[*] ? (@.seat_no != null)' THEN 'cancelled' END
    WHEN 'booking.changed' THEN CASE
        WHEN data ->> 'cause' = 'contact' THEN CASE data ->> 'status' WHEN 'booked' THEN 'booked' END
        WHEN data ->> 'cause' IN ('check_in', 'payment') OR (data ->> 'cause', data ->> 'offer_state') = ('offer', 'expired') THEN NULL
        ELSE 'changed' END
    WHEN 'trip.notice' THEN 'notice'
END;

CREATE OR REPLACE FUNCTION api.enqueue_mail(e events) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    message CONSTANT text := api.message_about(e.type, e.data);
BEGIN
    IF message IS NULL THEN
        RETURN;
    ELSIF message = 'notice' THEN   -- its event has no booking
        PERFORM api.enqueue_messages(message, e.event_no, shown.booking ->> 'reference', jsonb_build_object('booking', shown.booking, 'notice', e.data ->> 'text'))
        FROM api.bookings_with_contact(e.bus_id, e.travel_date, e.reference) AS shown (booking);
    ELSIF e.data ? 'contact' THEN   -- a contact that was set later has an event of its own
        PERFORM api.enqueue_messages(message, e.event_no, e.reference, '{}');
    END IF;
END $$;

-- Add a mail and a short message to the outbox, as the contact of the booking says.
CREATE OR REPLACE FUNCTION api.enqueue_messages(message text, event_no bigint, reference text, more jsonb) RETURNS void
LANGUAGE sql AS $$
    SELECT api.enqueue(k.kind, jsonb_build_object('message', message) || more, c.bus_id, c.reference,
                       k.kind || ':' || c.reference, enqueue_messages.event_no)
    FROM contacts c CROSS JOIN LATERAL (
        SELECT 'mail' WHERE c.email IS NOT NULL AND NOT EXISTS (SELECT FROM bounces b WHERE b.address = lower(c.email))
        UNION ALL
        SELECT 'sms' WHERE c.sms
    ) AS k (kind)
    WHERE c.bus_id = api.reference_bus(enqueue_messages.reference) AND c.reference = enqueue_messages.reference
$$;

-- The bookings with a contact whose tickets on a trip are open: of one reference, or all whose journey has not ended.
CREATE OR REPLACE FUNCTION api.bookings_with_contact(bus_id bigint, travel_date date, reference text) RETURNS SETOF jsonb
LANGUAGE sql STABLE AS $$
    SELECT unnest(api.show_bookings(array_agg(p.bus_id ORDER BY p.reference), array_agg(p.reference ORDER BY p.reference)))
    FROM (
        SELECT DISTINCT t.bus_id, t.reference FROM passengers t
        WHERE t.bus_id = bookings_with_contact.bus_id AND t.travel_date = bookings_with_contact.travel_date
          AND t.reference = coalesce(bookings_with_contact.reference, t.reference)
          AND t.status IN ('held', 'booked', 'pending', 'displaced')
          AND (bookings_with_contact.reference IS NOT NULL OR api.arrives_at(t) > api.now())
          AND EXISTS (SELECT FROM contacts c WHERE c.bus_id = api.reference_bus(t.reference) AND c.reference = t.reference)
    ) AS p
$$;
