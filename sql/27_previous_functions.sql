-- Functions that servers or operators of version 0.1.0 call and later ones do not. Such servers still run when an upgrade
-- replaces the functions. To be deleted in the version after 0.2.0.

CREATE OR REPLACE FUNCTION api.enlist(role text, name text, before int DEFAULT NULL) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    n int := api.register_process(role, name, before);
BEGIN
    UPDATE processes p SET needs_previous_rights = true WHERE p.process_no = n;
    RETURN n;
END $$;

CREATE OR REPLACE FUNCTION api.leave(process_no int) RETURNS void
LANGUAGE sql
RETURN api.unregister_process(process_no);

CREATE OR REPLACE FUNCTION api.say(
    body text, key uuid, address text, a_minute int DEFAULT 60, process_no int DEFAULT NULL,
    connection_no bigint DEFAULT NULL, line text DEFAULT NULL, face text DEFAULT '', reference text DEFAULT NULL,
    account text DEFAULT NULL
) RETURNS jsonb
LANGUAGE sql
RETURN api.send_message(body, key, address, a_minute, process_no, connection_no, line, face, reference, account);

CREATE OR REPLACE FUNCTION api.purge_requests(keep interval DEFAULT '48 hours') RETURNS int
LANGUAGE sql
RETURN api.purge_idempotency_keys(keep);

CREATE OR REPLACE FUNCTION api.purge_accounts(since interval) RETURNS int
LANGUAGE sql
RETURN api.purge_tokens_and_attempts(since);

-- For each booking, a text that changes when its tickets change. A bus_id and the ref in the same place name a booking.
CREATE OR REPLACE FUNCTION api.booking_states(bus_ids bigint[], refs text[]) RETURNS TABLE (reference text, state text)
LANGUAGE sql STABLE AS $$
    SELECT p.reference, string_agg(format('%s %s %s %s', p.ticket_no, api.status_now(p.status, p.expires_at),
        p.seat_no, p.refund), ', ' ORDER BY p.ticket_no) || ' to ' || coalesce(
            max(upper(p.segment)) FILTER (WHERE api.status_now(p.status, p.expires_at) IN ('held', 'booked', 'pending', 'displaced')),
            max(upper(p.segment)))
    FROM unnest(bus_ids, refs) AS named (bus_id, reference)
    JOIN passengers p ON p.bus_id = named.bus_id AND p.reference = named.reference
    GROUP BY p.bus_id, p.reference
$$;

-- Servers of 0.1.0 read the hash of a password from its table, and compare it themselves.
CREATE OR REPLACE FUNCTION api.register(username text, password_hash text, phone text DEFAULT NULL) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT added FROM api.register(username, password_hash, phone, NULL, NULL, NULL)
$$;

CREATE OR REPLACE FUNCTION api.sign_in(username text, digest bytea, lasts interval, at_most int) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN api.store_token(username, digest, lasts, at_most);

CREATE OR REPLACE FUNCTION api.attempts(subjects text[], since interval)
RETURNS TABLE (subject text, attempts bigint, seconds_left float)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT a.subject, count(*), extract(epoch FROM min(a.at) + since - api.now())
    FROM attempts a WHERE a.subject = ANY (subjects) AND a.at > api.now() - since
    GROUP BY a.subject
$$;

CREATE OR REPLACE FUNCTION api.note_attempts(subjects text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    INSERT INTO attempts (subject, at) SELECT subject, api.now() FROM unnest(subjects) AS subject
$$;

-- The functions of this file that run with their owner's rights. A server of this version may not execute them.
CREATE OR REPLACE FUNCTION api.previous_entry_points() RETURNS oid[]
LANGUAGE sql STABLE
RETURN '{"api.enlist(text,text,int)", "api.register(text,text,text)", "api.sign_in(text,bytea,interval,int)",
    "api.attempts(text[],interval)", "api.note_attempts(text[])"}'::regprocedure[]::oid[];
