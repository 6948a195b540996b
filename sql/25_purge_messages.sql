-- Delete messages that are older than an interval, or than a day if the interval is shorter, and the rows of messages_read
-- whose read_to is less than every message_id that is left: they only say that deleted messages were read. Returns the number
-- of messages deleted.
CREATE OR REPLACE FUNCTION api.purge_messages(keep interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM messages m WHERE m.at < api.now() - greatest(keep, interval '1 day');
    GET DIAGNOSTICS n = ROW_COUNT;
    DELETE FROM messages_read r WHERE r.read_to < (SELECT min(m.message_id) FROM messages m);
    RETURN n;
END $$;
