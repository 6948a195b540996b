-- Reads of messages. Their numbers are in the order of the commits: see api.insert_message.

-- The number of the last message.
CREATE OR REPLACE FUNCTION api.last_message() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN coalesce((SELECT max(message_id) FROM messages), 0);

-- The boarding date of a booking.
CREATE OR REPLACE FUNCTION api.booking_boarding_date(bus_id bigint, reference text) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT api.boarding_date(s, p.travel_date, lower(p.segment)) FROM passengers p JOIN bus_info s USING (bus_id)
    WHERE p.bus_id = booking_boarding_date.bus_id AND p.reference = booking_boarding_date.reference LIMIT 1
$$;

-- The messages after number n, in order, at most at_most. boarding_date: of the booking to which it is sent.
CREATE OR REPLACE FUNCTION api.messages_after(n bigint, at_most int DEFAULT 1000) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(m) || jsonb_build_object('boarding_date',
        CASE m.audience WHEN 'booking' THEN api.booking_boarding_date(m.bus_id, m.reference) END) ORDER BY m.message_id), '[]')
    FROM (SELECT * FROM messages m WHERE m.message_id > n ORDER BY m.message_id LIMIT at_most) AS m
$$;

-- The messages that some readers have not read, at most the last twenty of each reader. A reader is a reference or
-- account:USERNAME. A reference receives the messages to the booking, to its trip and to all clients since the
-- booking was made. An account receives the messages to itself and to each of its bookings. boarding_date: of the reader's
-- booking on the trip of the message; of several, the first.
CREATE OR REPLACE FUNCTION api.missed_messages(readers text[]) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH recipient AS MATERIALIZED (   -- the bookings of each reader, and its account
        SELECT r.reader, p.bus_id, p.travel_date, p.reference, NULL AS account, p.created_at AS since
        FROM unnest(readers) AS r (reader)
        JOIN passengers p ON p.bus_id = api.booking_bus(r.reader) AND p.reference = r.reader AND p.ticket_no = 1
        UNION ALL
        SELECT r.reader, p.bus_id, p.travel_date, p.reference, NULL, p.created_at
        FROM unnest(readers) AS r (reader)
        JOIN passengers p ON r.reader LIKE 'account:%' AND p.account = substr(r.reader, 9) AND p.ticket_no = 1
        UNION ALL
        SELECT r.reader, NULL, NULL, NULL, a.username, a.created_at
        FROM unnest(readers) AS r (reader)
        JOIN accounts a ON r.reader LIKE 'account:%' AND a.username = substr(r.reader, 9)
    ), received AS (
        SELECT r.reader, m.message_id FROM recipient r JOIN messages m ON m.reference = r.reference
        WHERE m.audience IN ('booking', 'client') AND m.at >= r.since
        UNION
        SELECT r.reader, m.message_id FROM recipient r JOIN messages m ON m.account = r.account
        WHERE m.audience IN ('booking', 'client') AND m.at >= r.since
        UNION
        SELECT r.reader, m.message_id FROM recipient r JOIN messages m ON m.bus_id = r.bus_id AND m.travel_date = r.travel_date
        WHERE m.audience = 'trip' AND m.at >= r.since AND EXISTS (SELECT FROM passengers p
            WHERE p.bus_id = r.bus_id AND p.reference = r.reference AND p.status IN ('held', 'booked', 'pending'))
        UNION
        SELECT r.reader, m.message_id FROM recipient r JOIN messages m ON m.audience = 'all' AND m.at >= r.since
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('reader', u.reader, 'message', to_jsonb(m) || jsonb_build_object(
        'boarding_date', (SELECT min(api.booking_boarding_date(r.bus_id, r.reference)) FROM recipient r
            WHERE r.reader = u.reader AND r.bus_id = m.bus_id AND r.travel_date = m.travel_date))) ORDER BY m.message_id), '[]')
    FROM (
        SELECT t.reader, t.message_id, row_number() OVER (PARTITION BY t.reader ORDER BY t.message_id DESC) AS n
        FROM received t LEFT JOIN messages_read r ON r.reader = t.reader
        WHERE t.message_id > coalesce(r.read_to, 0)
    ) AS u JOIN messages m USING (message_id)
    WHERE u.n <= 20
$$;

-- The last messages, in order.
CREATE OR REPLACE FUNCTION api.recent_messages(at_most int DEFAULT 20) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.message_id), '[]')
    FROM (SELECT * FROM messages ORDER BY message_id DESC LIMIT at_most) AS m
$$;

-- The last 100 messages about a booking, for a caller who may open it: those that its passengers have sent, and
-- those to the booking, to its trip and to everyone since it was made. Each index of the table finds a part.
CREATE OR REPLACE FUNCTION api.messages_of_booking(reference text, phone text DEFAULT NULL, account text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b         api.opened_booking := api.open_booking(reference, phone, account);
    made_at   timestamptz;
    time_zone text;
BEGIN
    IF b.refusal IS NOT NULL THEN
        RETURN b.refusal;
    END IF;
    SELECT p.created_at, s.time_zone INTO made_at, time_zone FROM passengers p JOIN bus_info s USING (bus_id)
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference ORDER BY p.ticket_no LIMIT 1;
    RETURN (SELECT jsonb_build_object('messages', coalesce(jsonb_agg(api.show_message(m, time_zone) ORDER BY m.message_id), '[]'))
        FROM api.messages_since(b.bus_id, b.travel_date, b.reference, made_at) AS m);
END $$;

-- The last 100 messages about a booking since it was made, the last one first.
CREATE OR REPLACE FUNCTION api.messages_since(bus_id bigint, travel_date date, reference text, made_at timestamptz) RETURNS SETOF messages
LANGUAGE sql STABLE AS $$
    SELECT f.* FROM (
        SELECT m.* FROM messages m WHERE m.reference = messages_since.reference AND m.audience <> 'trip'
        UNION
        SELECT m.* FROM messages m WHERE m.bus_id = messages_since.bus_id AND m.travel_date = messages_since.travel_date AND m.audience = 'trip'
        UNION
        SELECT m.* FROM messages m WHERE m.audience = 'all'
    ) AS f WHERE f.at >= made_at
    ORDER BY f.message_id DESC LIMIT 100
$$;

-- A message as the passengers of a booking see it.
CREATE OR REPLACE FUNCTION api.show_message(message messages, time_zone text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('at', api.rfc3339(message.at, time_zone), 'text', message.body, 'from_operator', message.audience <> 'operators');

-- The trip of a booking now, its boarding date, when and by which account it was made, and whether it is held, booked or pending. NULL: there
-- is no such booking.
CREATE OR REPLACE FUNCTION api.trip_of_booking(
    reference text, OUT bus_id bigint, OUT travel_date date, OUT boarding_date date, OUT made_at timestamptz, OUT account text, OUT is_open boolean
) RETURNS record
LANGUAGE sql STABLE AS $$
    SELECT p.bus_id, p.travel_date, api.booking_boarding_date(p.bus_id, p.reference), p.created_at, p.account,
           EXISTS (SELECT FROM passengers o WHERE o.bus_id = p.bus_id AND o.reference = p.reference AND o.status IN ('held', 'booked', 'pending'))
    FROM passengers p
    WHERE p.bus_id = api.booking_bus(trip_of_booking.reference) AND p.reference = trip_of_booking.reference ORDER BY p.ticket_no LIMIT 1
$$;
