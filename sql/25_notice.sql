-- Send an operator's notice to a client, or to the passengers of a booking or of a trip, or else to all clients.
-- Returns {"message_id": n}, or a refusal. For a booking or a trip, the reply also has `bookings` and `tickets`: how many
-- the notice reaches.
CREATE OR REPLACE FUNCTION api.notice(
    body text, client_no bigint DEFAULT NULL, reference text DEFAULT NULL, bus_id bigint DEFAULT NULL,
    travel_date date DEFAULT NULL, key uuid DEFAULT NULL, sender text DEFAULT 'operator'
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    m       messages;
    client  clients;
    refusal jsonb := api.check_message_text(body);
    id      bigint;
BEGIN
    m.sender := sender;
    m.body := body;
    m.key := key;
    m.client_no := client_no;
    m.reference := upper(btrim(reference));
    m.bus_id := bus_id;
    m.travel_date := travel_date;
    m.audience := CASE WHEN client_no IS NOT NULL THEN 'client' WHEN reference IS NOT NULL THEN 'booking'
                       WHEN bus_id IS NOT NULL OR travel_date IS NOT NULL THEN 'trip' ELSE 'all' END;
    IF m.audience = 'client' THEN
        SELECT * INTO client FROM clients c WHERE c.client_no = notice.client_no;
        m.reference := client.reference;
        m.account := client.account;
        refusal := coalesce(refusal, api.check_client(client_no, client));
    ELSIF m.audience = 'booking' THEN
        SELECT t.bus_id, t.travel_date, t.account INTO m.bus_id, m.travel_date, m.account FROM api.trip_of_booking(m.reference) AS t;
        IF m.travel_date IS NULL THEN
            refusal := coalesce(refusal, api.refusal('unknown_booking', format('There is no booking %s.', m.reference)));
        END IF;
    ELSIF m.audience = 'trip' AND NOT api.trip_exists(m.bus_id, m.travel_date) THEN
        refusal := coalesce(refusal, api.refusal_unknown_trip(m.bus_id, m.travel_date));
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    id := api.insert_message(m);
    IF id = currval('message_id_seq') THEN   -- else the key is known, and the notice was sent before
        PERFORM api.record_notice(m, id);
    END IF;
    RETURN jsonb_build_object('message_id', id) || CASE WHEN m.audience IN ('booking', 'trip') THEN api.count_reached(m.bus_id, m.travel_date, m.reference) ELSE '{}' END;
END $$;

-- Record the event of a notice to a trip or to a booking. A booking's has not the booking itself, because the trip is not locked.
CREATE OR REPLACE FUNCTION api.record_notice(message messages, message_id bigint) RETURNS void
LANGUAGE sql AS $$
    SELECT api.record_trip_event('trip.notice', message.bus_id, message.travel_date, jsonb_build_object('message_id', message_id, 'text', message.body))
    WHERE message.audience = 'trip';
    INSERT INTO events (event_no, type, bus_id, travel_date, reference, at, data)
    SELECT nextval('event_no_seq'), 'booking.notice', message.bus_id, message.travel_date, message.reference, api.now(), jsonb_build_object(
        'reference', message.reference, 'bus_id', message.bus_id, 'travel_date', message.travel_date, 'message_id', message_id, 'text', message.body)
    WHERE message.audience = 'booking';
$$;

-- The numbers of the bookings and tickets that a notice to a trip reaches, or to a booking of the trip: those that are
-- held, booked or pending, with a journey that has not ended.
CREATE OR REPLACE FUNCTION api.count_reached(bus_id bigint, travel_date date, reference text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('bookings', count(DISTINCT p.reference), 'tickets', count(*))
    FROM bus_info s
    -- UNION ALL: each part has a partial index of its own
    CROSS JOIN LATERAL (
        SELECT h.reference, h.segment, h.expires_at FROM passengers h
        WHERE h.bus_id = s.bus_id AND h.travel_date = count_reached.travel_date AND h.status IN ('held', 'booked')
        UNION ALL
        SELECT w.reference, w.segment, w.expires_at FROM passengers w
        WHERE w.bus_id = s.bus_id AND w.travel_date = count_reached.travel_date AND w.status = 'pending'
        UNION ALL
        SELECT d.reference, d.segment, NULL FROM passengers d   -- a notice to its trip does not reach it
        WHERE d.bus_id = s.bus_id AND d.reference = count_reached.reference AND d.status = 'displaced'
    ) AS p
    JOIN trips t ON t.bus_id = s.bus_id AND t.travel_date = count_reached.travel_date
    JOIN route_table r ON r.bus_id = s.bus_id AND r.stop_no = upper(p.segment)
    WHERE s.bus_id = count_reached.bus_id
      AND (count_reached.reference IS NULL OR p.reference = count_reached.reference)
      AND (p.expires_at IS NULL OR p.expires_at > api.now())
      AND api.expected(t, r.stop_no, r.arrives, s.time_zone) > api.now()
$$;

-- Check that a message reaches a client: it is connected, or its booking or account is known.
CREATE OR REPLACE FUNCTION api.check_client(client_no bigint, client clients) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN client.client_no IS NULL THEN
        api.refusal_bad_request('client_no', 'the number of a client', format('There is no client %s.', client_no))
    WHEN client.left_at IS NOT NULL AND client.reference IS NULL AND client.account IS NULL THEN
        api.refusal_bad_request('client_no', 'the number of a client',
            format('Client %s has disconnected, and its booking is not known.', client_no)) END;

-- Send a notice to all passengers of a trip, as an account that may change the service. Returns the numbers of bookings
-- and tickets that it reaches, or a refusal.
CREATE OR REPLACE FUNCTION api.notice_by(account text, bus_id bigint, travel_date date, body text, key uuid DEFAULT NULL)
RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN coalesce(api.check_operator(account, bus_id),
    api.notice(body, bus_id => bus_id, travel_date => travel_date, key => key, sender => 'operator ' || account) - 'message_id');
