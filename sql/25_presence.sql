-- Who is connected where: the processes that serve or that an operator sits at, and their clients.

-- Enter a process, over a connection that it keeps: the process is there as long as the connection, whose
-- advisory lock on its number goes with it. `before`: the number it had over a connection that was lost.
-- What is left of processes that are gone is swept up. Answers the number.
CREATE OR REPLACE FUNCTION api.enlist(role text, name text, before int DEFAULT NULL) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int := nextval('process_no_seq');
BEGIN
    PERFORM pg_advisory_lock(1651864439, n);   -- of the session; the number is new, so nobody has it
    DELETE FROM processes p WHERE p.process_no = before OR NOT api.is_alive(p.process_no);
    INSERT INTO processes (process_no, role, name, since) VALUES (n, role, name, api.now());
    PERFORM pg_notify('busware', '{"clients":true}');
    RETURN n;
END $$;

-- Whether a process is there: its connection holds the lock.
CREATE OR REPLACE FUNCTION api.is_alive(process_no int) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 1651864439::oid AND l.objid = is_alive.process_no::oid
          AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
$$;

-- A process leaves.
CREATE OR REPLACE FUNCTION api.leave(process_no int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    DELETE FROM processes p WHERE p.process_no = leave.process_no;
    SELECT pg_notify('busware', '{"clients":true}');
$$;

-- Clients of a process that have come, changed or left. present: an array of {connection_no, client_no
-- (if it has one from before), address, face, reference, account}; gone: numbers of connections. Those
-- who left are remembered for a minute. Answers the numbers by which operators know those present.
CREATE OR REPLACE FUNCTION api.presence(process_no int, present jsonb, gone bigint[])
RETURNS TABLE (connection_no bigint, client_no bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    INSERT INTO clients AS c (process_no, connection_no, client_no, address, face, reference, account, since)
    SELECT presence.process_no, p.connection_no, coalesce(p.client_no, nextval('client_no_seq')), p.address, p.face,
           p.reference, p.account, api.now()
    FROM jsonb_to_recordset(present) AS p
        (connection_no bigint, client_no bigint, address text, face text, reference text, account text)
    ON CONFLICT ON CONSTRAINT clients_pkey
    DO UPDATE SET address = excluded.address, face = excluded.face, reference = excluded.reference, account = excluded.account
    RETURNING c.connection_no, c.client_no;
    UPDATE clients c SET left_at = api.now()
    WHERE c.process_no = presence.process_no AND c.connection_no = ANY (gone);
    DELETE FROM clients c
    WHERE c.process_no = presence.process_no AND c.left_at < api.now() - interval '1 minute';
    PERFORM pg_notify('busware', '{"clients":true}');
END $$;

-- For operators: the processes that are there, and the clients of those that serve, with those who left
-- within the last minute.
CREATE OR REPLACE FUNCTION api.present() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH alive AS MATERIALIZED (SELECT * FROM processes p WHERE api.is_alive(p.process_no))
    SELECT jsonb_build_object(
        'processes', coalesce((SELECT jsonb_agg(to_jsonb(p) ORDER BY p.process_no) FROM alive p), '[]'),
        'clients', coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY c.client_no)
                             FROM clients c JOIN alive USING (process_no)), '[]'))
$$;

-- For operators: the trips of a date with anybody on them, or waiting, and how many others run.
CREATE OR REPLACE FUNCTION api.trips_in_use(date date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH shown AS MATERIALIZED (
        SELECT api.show_trip(t.bus_id, t.travel_date) AS trip FROM trips t WHERE t.travel_date = trips_in_use.date
    ), used AS (
        SELECT trip FROM shown
        WHERE (trip ->> 'booked')::int + (trip ->> 'held')::int + (trip ->> 'pending')::int > 0
    )
    SELECT jsonb_build_object(
        'trips', coalesce((SELECT jsonb_agg(trip ORDER BY trip ->> 'departs_at', trip -> 'bus_id') FROM used), '[]'),
        'others', (SELECT count(*) FROM shown WHERE trip ->> 'state' = 'open' AND trip NOT IN (SELECT trip FROM used)))
$$;

-- For operators: what is sold on trips from today on, how many trips are open, and how much was said.
CREATE OR REPLACE FUNCTION api.stats() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'services', (SELECT count(*) FROM bus_info),
        'trips', (SELECT count(*) FROM trips t WHERE t.state = 'open' AND t.travel_date >= api.now()::date),
        'tickets', (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
            SELECT api.status_now(p.status, p.expires_at) AS status, count(*) AS n
            FROM passengers p WHERE p.travel_date >= api.now()::date GROUP BY 1) AS s),
        'messages', (SELECT count(*) FROM messages))
$$;
