-- Enter a process, over a connection that it keeps: the process is there as long as the connection, whose
-- advisory lock on its number goes with it. `before`: the number it had over a connection that was lost.
-- What is left of processes that are gone is swept up. Answers the number.
CREATE OR REPLACE FUNCTION api.register_process(role text, name text, before int DEFAULT NULL) RETURNS int
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

-- A process leaves.
CREATE OR REPLACE FUNCTION api.unregister_process(process_no int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    DELETE FROM processes p WHERE p.process_no = unregister_process.process_no;
    SELECT pg_notify('busware', '{"clients":true}');
$$;
