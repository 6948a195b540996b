-- How often somebody was wrong about each of these since a while ago, and when that will be one less.
CREATE OR REPLACE FUNCTION api.attempts(subjects text[], since interval)
RETURNS TABLE (subject text, attempts bigint, seconds_left float)
LANGUAGE sql STABLE AS $$
    SELECT a.subject, count(*), extract(epoch FROM min(a.at) + since - api.now())
    FROM attempts a WHERE a.subject = ANY (subjects) AND a.at > api.now() - since
    GROUP BY a.subject
$$;

CREATE OR REPLACE FUNCTION api.note_attempts(subjects text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO attempts (subject, at) SELECT subject, api.now() FROM unnest(subjects) AS subject
$$;
