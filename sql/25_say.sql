-- Messages, kept and told. Whoever listens on channel "busware" hears, with the commit, that there is one.

-- Keep a message: numbered and committed one at a time, for the lock is given back with the commit.
-- Answers its number; for a key that was seen, that of the message that is kept already.
CREATE OR REPLACE FUNCTION api.post(message messages) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1651864439, 0);   -- "busw"; 1 and more are the processes (api.enlist)
    message.message_id := nextval('message_id_seq');
    message.key := coalesce(message.key, gen_random_uuid());
    message.at := api.now();
    INSERT INTO messages SELECT (message).* ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        RETURN (SELECT m.message_id FROM messages m WHERE m.key = (message).key);
    END IF;
    PERFORM pg_notify('busware', '{"messages":true}');
    RETURN message.message_id;
END $$;

-- A refusal of what is no message.
CREATE OR REPLACE FUNCTION api.body_refused(body text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN body IS NULL OR length(body) NOT BETWEEN 1 AND 2000 OR body ~ '[\x01-\x1f\x7f-\x9f]' THEN
    api.bad_request('text', 'up to 2000 characters on one line', 'A message is up to 2000 characters on one line.') END;

-- A traveller says something to the operators. The connection is named as in table clients, which may
-- not know it yet; line is its address and port; account and reference say who it is, as far as that is
-- known. From one address so many messages a minute are taken.
CREATE OR REPLACE FUNCTION api.say(
    body text, key uuid, address text, a_minute int DEFAULT 60, process_no int DEFAULT NULL,
    connection_no bigint DEFAULT NULL, line text DEFAULT NULL, face text DEFAULT '', reference text DEFAULT NULL,
    account text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    m       messages;
    refusal jsonb := api.body_refused(body);
BEGIN
    IF refusal IS NULL AND a_minute <= (SELECT count(*) FROM messages said
            WHERE said.at > api.now() - interval '1 minute' AND said.address = say.address) THEN
        refusal := api.refusal('not_allowed', format('%s messages a minute are the most; wait a little.', a_minute),
            jsonb_build_object('limit', a_minute, 'retry_after', 60));
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    INSERT INTO clients (process_no, connection_no, address, face, since)
    SELECT p.process_no, say.connection_no, say.line, say.face, api.now()
    FROM processes p WHERE p.process_no = say.process_no
    ON CONFLICT DO NOTHING;
    SELECT c.client_no INTO m.client_no FROM clients c
    WHERE c.process_no = say.process_no AND c.connection_no = say.connection_no;
    m.audience := 'operators';
    m.sender := coalesce('client ' || m.client_no, 'client at ' || address);
    m.address := address;
    m.account := account;
    m.reference := reference;
    m.bus_id := api.reference_bus(reference);
    m.travel_date := (SELECT p.travel_date FROM passengers p
        WHERE p.bus_id = m.bus_id AND p.reference = m.reference LIMIT 1);
    m.body := body;
    m.key := key;
    PERFORM api.post(m);
    RETURN '{}';
END $$;

-- An operator says something: to one client, to the passengers of a booking or of a trip, or, where none
-- of these is named, to everybody. Answers {"message_id": n}, or a refusal.
CREATE OR REPLACE FUNCTION api.notice(
    body text, client_no bigint DEFAULT NULL, reference text DEFAULT NULL, bus_id bigint DEFAULT NULL,
    travel_date date DEFAULT NULL, key uuid DEFAULT NULL, sender text DEFAULT 'operator'
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    m       messages;
    client  clients;
    refusal jsonb := api.body_refused(body);
BEGIN
    m.sender := sender;
    m.body := body;
    m.key := key;
    m.client_no := client_no;
    m.reference := upper(btrim(reference));
    m.bus_id := coalesce(bus_id, api.reference_bus(m.reference));
    m.travel_date := travel_date;
    m.audience := CASE WHEN client_no IS NOT NULL THEN 'client' WHEN reference IS NOT NULL THEN 'booking'
                       WHEN bus_id IS NOT NULL OR travel_date IS NOT NULL THEN 'trip' ELSE 'all' END;
    IF m.audience = 'client' THEN
        SELECT * INTO client FROM clients c WHERE c.client_no = notice.client_no;
        m.reference := client.reference;
        m.account := client.account;
        refusal := coalesce(refusal, api.unknown_client(client_no, client));
    ELSIF m.audience = 'booking' THEN
        SELECT p.travel_date, p.account INTO m.travel_date, m.account FROM passengers p
        WHERE p.bus_id = m.bus_id AND p.reference = m.reference LIMIT 1;
        IF NOT FOUND THEN
            refusal := coalesce(refusal, api.refusal('unknown_booking', format('There is no booking %s.', m.reference)));
        END IF;
    ELSIF m.audience = 'trip' AND NOT EXISTS (
        SELECT FROM trips t WHERE t.bus_id = m.bus_id AND t.travel_date = m.travel_date
    ) THEN
        refusal := coalesce(refusal, api.unknown_trip(m.bus_id, m.travel_date));
    END IF;
    RETURN coalesce(refusal, jsonb_build_object('message_id', api.post(m)));
END $$;

-- A refusal if nobody could be told: the client is none, or has left and no booking of it is known.
CREATE OR REPLACE FUNCTION api.unknown_client(client_no bigint, client clients) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN client.client_no IS NULL THEN
        api.bad_request('client_no', 'the number of a client', format('There is no client %s.', client_no))
    WHEN client.left_at IS NOT NULL AND client.reference IS NULL AND client.account IS NULL THEN
        api.bad_request('client_no', 'the number of a client',
            format('Client %s has left, and no booking of it is known.', client_no)) END;

-- An operator's word to all passengers of a trip, by an account that runs the bus.
CREATE OR REPLACE FUNCTION api.notice_by(account text, bus_id bigint, travel_date date, body text, key uuid DEFAULT NULL)
RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN coalesce(api.not_yours(account, bus_id),
    api.notice(body, bus_id => bus_id, travel_date => travel_date, key => key, sender => 'operator ' || account));

-- Some readers (see api.missed_messages) have been shown everything up to a message.
CREATE OR REPLACE FUNCTION api.mark_read(readers text[], message_id bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO messages_read AS r (reader, read_to)
    SELECT DISTINCT reader, mark_read.message_id FROM unnest(readers) AS reader ORDER BY reader
    ON CONFLICT (reader) DO UPDATE SET read_to = greatest(r.read_to, excluded.read_to)
$$;

-- Forget messages that are older than a time, and the marks of readers that have none left. Answers how many.
CREATE OR REPLACE FUNCTION api.purge_messages(keep interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM messages m WHERE m.at < api.now() - keep;
    GET DIAGNOSTICS n = ROW_COUNT;
    DELETE FROM messages_read r WHERE r.read_to < (SELECT min(m.message_id) FROM messages m);
    RETURN n;
END $$;
