-- Counts of failed credentials, for the rate limits.

-- For each subject, the number of failures within the interval `since` before now, and the seconds until the oldest
-- of them is outside the interval.
CREATE OR REPLACE FUNCTION api.attempts(subjects text[], since interval)
RETURNS TABLE (subject text, attempts bigint, seconds_left float)
LANGUAGE sql STABLE AS $$
    SELECT a.subject, count(*), extract(epoch FROM min(a.at) + since - api.now())
    FROM attempts a WHERE a.subject = ANY (subjects) AND a.at > api.now() - since
    GROUP BY a.subject
$$;

-- Record a failure for each subject.
CREATE OR REPLACE FUNCTION api.note_attempts(subjects text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO attempts (subject, at) SELECT subject, api.now() FROM unnest(subjects) AS subject
$$;
