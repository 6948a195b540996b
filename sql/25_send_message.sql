-- Messages. A notification on channel "busware" says that there is a new one, and about which trip: pages of its bookings
-- show the messages.

-- Insert a message, and return its number; for a known key, the number of the first message with that key. The
-- lock lasts until the commit, so messages are numbered and committed one at a time.
CREATE OR REPLACE FUNCTION api.insert_message(message messages) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1651864439, 0);   -- "busw" in ASCII; api.register_process locks numbers from 1
    message.message_id := nextval('message_id_seq');
    message.key := coalesce(message.key, gen_random_uuid());
    message.at := api.now();
    INSERT INTO messages SELECT (message).* ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        RETURN (SELECT m.message_id FROM messages m WHERE m.key = (message).key);
    END IF;
    PERFORM pg_notify('busware', jsonb_build_object('messages', true, 'trips', CASE WHEN message.travel_date IS NULL THEN '[]'
        ELSE jsonb_build_array(jsonb_build_array(message.bus_id, message.travel_date)) END)::text);
    RETURN message.message_id;
END $$;

-- Check the text of a message.
CREATE OR REPLACE FUNCTION api.check_message_text(body text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN body IS NULL OR length(body) NOT BETWEEN 1 AND 2000 OR body ~ '[\x01-\x1f\x7f-\x9f]' THEN
    api.refusal_bad_request('text', 'up to 2000 characters on one line', 'A message is up to 2000 characters on one line.') END;

-- Send the operators a message of a client. process_no and connection_no are as in table clients; if the client has
-- no row yet, it gets one. line: the client's address and port. face: its protocol. account, reference: NULL if
-- unknown. a_minute: how many messages are accepted each minute from clients with the same address;
-- NULL: any number. address: what is counted, an address or a network; the sender's address if line is NULL.
-- With the key of a message that was accepted, nothing is done.
CREATE OR REPLACE FUNCTION api.send_message(
    body text, key uuid, address text, a_minute int DEFAULT 60, process_no int DEFAULT NULL,
    connection_no bigint DEFAULT NULL, line text DEFAULT NULL, face text DEFAULT '', reference text DEFAULT NULL,
    account text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    m       messages;
    refusal jsonb := api.check_message_text(body);
BEGIN
    IF EXISTS (SELECT FROM messages sent WHERE sent.key = send_message.key) THEN
        RETURN '{}';
    END IF;
    IF refusal IS NULL AND a_minute <= (SELECT count(*) FROM messages sent
            WHERE sent.at > api.now() - interval '1 minute' AND sent.address = send_message.address) THEN
        refusal := api.refusal('not_allowed', format('At most %s messages a minute are accepted. Try again in a minute.', a_minute),
            jsonb_build_object('limit', a_minute, 'retry_after', 60));
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    INSERT INTO clients (process_no, connection_no, address, face, since)
    SELECT p.process_no, send_message.connection_no, send_message.line, send_message.face, api.now()
    FROM processes p WHERE p.process_no = send_message.process_no
    ON CONFLICT DO NOTHING;
    SELECT c.client_no INTO m.client_no FROM clients c
    WHERE c.process_no = send_message.process_no AND c.connection_no = send_message.connection_no;
    m.audience := 'operators';
    m.sender := coalesce('client ' || m.client_no, 'client at ' || coalesce(line, address));
    m.address := address;
    m.account := account;
    m.reference := reference;
    SELECT t.bus_id, t.travel_date INTO m.bus_id, m.travel_date FROM api.trip_of_booking(reference) AS t;
    m.body := body;
    m.key := key;
    PERFORM api.insert_message(m);
    RETURN '{}';
END $$;
