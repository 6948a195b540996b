-- Register a process, and return its number. Its connection holds an advisory lock on the number: see
-- api.is_alive. before: after a reconnection, the number that the process had on its lost connection. Also
-- deletes the rows of dead processes.
CREATE OR REPLACE FUNCTION api.register_process(role text, name text, before int DEFAULT NULL) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int := nextval('process_no_seq');
BEGIN
    PERFORM pg_advisory_lock(1651864439, n);   -- "busw" in ASCII; the number is new, so the lock is free
    DELETE FROM processes p WHERE p.process_no = before OR NOT api.is_alive(p.process_no);
    INSERT INTO processes (process_no, role, name, since, needs_previous_rights)
    VALUES (n, role, name, api.now(), false);
    PERFORM pg_notify('busware', '{"clients":true,"processes":true}');
    RETURN n;
END $$;

-- Delete a process that stops.
CREATE OR REPLACE FUNCTION api.unregister_process(process_no int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    DELETE FROM processes p WHERE p.process_no = unregister_process.process_no;
    SELECT pg_notify('busware', '{"clients":true,"processes":true}');
$$;
