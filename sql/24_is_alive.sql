-- Whether a process is connected: its listening connection holds the advisory lock on its number.
-- 1651864439 is "busw" in ASCII (see api.register_process). objsubid 2: a lock with two int keys.
CREATE OR REPLACE FUNCTION api.is_alive(process_no int) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 1651864439::oid AND l.objid = is_alive.process_no::oid
          AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
$$;
