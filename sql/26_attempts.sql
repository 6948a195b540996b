-- Rate limits for failed credentials and for registrations.
--
-- An attempt has up to three subjects, and a limit for each of them in the same order:
--   address    address:203.0.113.7
--   pair       the address, and the account, booking or phone number: address:203.0.113.7 account:asha
--   target     account:asha, tried from any address that is not known to it
-- A subject that is NULL is not counted. A limit that is NULL does not apply.

-- The subjects of an attempt. The target is not counted at an address that is known to it.
CREATE OR REPLACE FUNCTION api.counted_subjects(address text, pair text, target text) RETURNS text[]
LANGUAGE sql STABLE
RETURN ARRAY[address, pair, CASE WHEN NOT EXISTS (SELECT FROM known_addresses k
    WHERE k.pair = counted_subjects.pair) THEN target END];

-- How long after the last of a number of failures the next attempt is refused: not at all below the limit; then for
-- 1 s, 2 s, 4 s and so on, at most for the period in which failures count.
CREATE OR REPLACE FUNCTION api.attempt_delay(failures bigint, most int, period interval) RETURNS interval
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN failures >= most THEN least(power(2, least(failures - most, 30)) * interval '1 second', period)
    ELSE interval '0' END;

-- The limit that refuses an attempt for the longest time, and the seconds until it permits one. No row if the attempt
-- is permitted.
CREATE OR REPLACE FUNCTION api.reached_limit(address text, pair text, target text, limits int[], period interval)
RETURNS TABLE (most int, retry_after float)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT s.most, extract(epoch FROM f.last + api.attempt_delay(f.failures, s.most, period) - api.now())
    FROM unnest(api.counted_subjects(address, pair, target), limits) AS s (subject, most),
    LATERAL (
        SELECT count(*) AS failures, max(a.at) AS last FROM attempts a
        WHERE a.subject = s.subject AND a.at > api.now() - period
    ) AS f
    WHERE f.last + api.attempt_delay(f.failures, s.most, period) > api.now()
    ORDER BY 2 DESC LIMIT 1
$$;

-- Count a failed attempt.
CREATE OR REPLACE FUNCTION api.count_failure(address text, pair text, target text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO attempts (subject, at)
    SELECT subject, api.now() FROM unnest(api.counted_subjects(address, pair, target)) AS subject WHERE subject IS NOT NULL
$$;

-- Wait for simultaneous attempts of an address, and of other addresses at the target, until the end of the transaction.
-- All attempts lock in this order.
CREATE OR REPLACE FUNCTION api.lock_attempt(address text, target text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(address, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended(target, 0));
END $$;

-- Count a registration from an address, unless the limit refuses it: see api.reached_limit.
CREATE OR REPLACE FUNCTION api.count_registration(address text, most int, period interval)
RETURNS TABLE (most_permitted int, retry_after float)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    pair text := address || ' registration';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(pair, 0));
    RETURN QUERY SELECT r.most, r.retry_after FROM api.reached_limit(NULL, pair, NULL, ARRAY[NULL, count_registration.most], period) r;
    IF NOT FOUND THEN
        PERFORM api.count_failure(NULL, pair, NULL);
    END IF;
END $$;

-- Record that right credentials came from these addresses. A time is replaced when it is an hour old.
CREATE OR REPLACE FUNCTION api.note_known_addresses(pairs text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO known_addresses (pair, at)
    SELECT DISTINCT pair, api.now() FROM unnest(pairs) AS pair
    WHERE NOT EXISTS (SELECT FROM known_addresses k WHERE k.pair = pair.pair AND k.at > api.now() - interval '1 hour')
    ORDER BY pair
    ON CONFLICT (pair) DO UPDATE SET at = excluded.at
$$;

-- Delete the addresses from which nothing was opened for max_age, or for a day if max_age is shorter. Returns their
-- number.
CREATE OR REPLACE FUNCTION api.purge_known_addresses(max_age interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM known_addresses k WHERE k.at <= api.now() - greatest(max_age, interval '1 day');
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
