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
