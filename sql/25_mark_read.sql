-- Record that some readers (see api.missed_messages) were shown all messages up to a number.
CREATE OR REPLACE FUNCTION api.mark_read(readers text[], message_id bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO messages_read AS r (reader, read_to)
    SELECT DISTINCT reader, mark_read.message_id FROM unnest(readers) AS reader ORDER BY reader
    ON CONFLICT (reader) DO UPDATE SET read_to = greatest(r.read_to, excluded.read_to)
$$;
