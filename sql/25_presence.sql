-- The processes that are alive, and their clients. Only consoles read the clients; so a process records them while
-- a console is alive. Without one, it records only those that have sent the operators a message.

-- Whether a console is alive.
CREATE OR REPLACE FUNCTION api.has_console() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM processes p WHERE p.role = 'console' AND api.is_alive(p.process_no))
$$;

-- Record the clients of a process that are new, have changed, or have disconnected. present: an array of
-- {connection_no, client_no (if it has one), address, face (its protocol), reference, account, since (when it
-- connected; servers of version 0.1.0 do not send it)}. gone: the connection_no of clients that have disconnected;
-- their rows stay for a minute. Returns the client_no of each client in `present`.
CREATE OR REPLACE FUNCTION api.presence(process_no int, present jsonb, gone bigint[])
RETURNS TABLE (connection_no bigint, client_no bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    INSERT INTO clients AS c (process_no, connection_no, client_no, address, face, reference, account, since)
    SELECT presence.process_no, p.connection_no, coalesce(p.client_no, nextval('client_no_seq')), p.address, p.face,
           p.reference, p.account, least(p.since, api.now())
    FROM jsonb_to_recordset(present) AS p
        (connection_no bigint, client_no bigint, address text, face text, reference text, account text, since timestamptz)
    ON CONFLICT ON CONSTRAINT clients_pkey
    DO UPDATE SET address = excluded.address, face = excluded.face, reference = excluded.reference, account = excluded.account,
        since = least(c.since, excluded.since)   -- api.send_message inserts a client later than it connected
    RETURNING c.connection_no, c.client_no;
    UPDATE clients c SET left_at = api.now()
    WHERE c.process_no = presence.process_no AND c.connection_no = ANY (gone);
    DELETE FROM clients c
    WHERE c.process_no = presence.process_no AND c.left_at < api.now() - interval '1 minute';
    PERFORM pg_notify('busware', '{"clients":true}');
END $$;

-- For operators: the processes that are alive, and their clients, with those that disconnected within the last
-- minute.
CREATE OR REPLACE FUNCTION api.present() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH alive AS MATERIALIZED (SELECT * FROM processes p WHERE api.is_alive(p.process_no))
    SELECT jsonb_build_object(
        'processes', coalesce((SELECT jsonb_agg(to_jsonb(p) ORDER BY p.process_no) FROM alive p), '[]'),
        'clients', coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY c.client_no)
                             FROM clients c JOIN alive USING (process_no)
                             WHERE c.left_at IS NULL OR c.left_at >= api.now() - interval '1 minute'), '[]'))
$$;
