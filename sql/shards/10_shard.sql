-- The functions of a shard that the proxy calls in addition to the entry points of sql/. BW064: this database does not own the
-- virtual shard, or it is being moved; nothing was done, and the caller asks the proxy again, which knows the new database.

-- Begin a call for services: check that this database owns their virtual shards, and keep them here until the end of the transaction if
-- the call writes. accounts: those that the call names, which this database keeps as copies, without passwords.
CREATE OR REPLACE FUNCTION api.enter_shard(bus_ids bigint[], writes boolean DEFAULT true, accounts jsonb DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    wanted CONSTANT int[] := ARRAY(SELECT DISTINCT shards.virtual_shard(b) FROM unnest(bus_ids) AS b);
    kept   boolean := true;
BEGIN
    IF writes THEN
        kept := (SELECT coalesce(bool_and(pg_try_advisory_xact_lock_shared(1936220514, w)), true) FROM unnest(wanted) AS w);   -- "shar" in ASCII
    END IF;
    IF NOT kept OR EXISTS (SELECT FROM unnest(wanted) AS w WHERE w NOT IN (SELECT o.virtual_shard FROM shards.owned o)) THEN
        RAISE SQLSTATE 'BW064' USING MESSAGE = 'This database does not own the virtual shard now.';
    END IF;
    IF accounts IS NOT NULL THEN
        PERFORM api.copy_accounts(accounts);
    END IF;
    RETURN true;
END $$;

-- The same for a booking.
CREATE OR REPLACE FUNCTION api.enter_shard_of(reference text, writes boolean DEFAULT true) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN api.enter_shard(ARRAY[api.reference_bus(upper(btrim(reference)))], writes);

-- Write accounts as they are in the database of the proxy, without their passwords.
CREATE OR REPLACE FUNCTION api.copy_accounts(copies jsonb) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO accounts AS a (username, password_hash, phone, role, operator, created_at, email, language, active)
    SELECT c.username, '', c.phone, c.role, c.operator, c.created_at, c.email, c.language, coalesce(c.active, true)
    FROM jsonb_populate_recordset(NULL::accounts, copies) AS c
    WHERE NOT EXISTS (SELECT FROM accounts k WHERE k.username = c.username
        AND (k.phone, k.role, k.operator, k.email, k.language, k.active)
            IS NOT DISTINCT FROM (c.phone, c.role, c.operator, c.email, c.language, coalesce(c.active, true)))
    ON CONFLICT (username) DO UPDATE SET phone = excluded.phone, role = excluded.role, operator = excluded.operator,
        email = excluded.email, language = excluded.language, active = excluded.active
$$;

-- Write places as they are in the database of the proxy. Returns how many were new or different.
CREATE OR REPLACE FUNCTION api.copy_places(copies jsonb) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH written AS (
        INSERT INTO places AS p SELECT c.* FROM jsonb_populate_recordset(NULL::places, copies) AS c
        ON CONFLICT (code) DO UPDATE SET name = excluded.name, aliases = excluded.aliases, part_of = excluded.part_of,
            time_zone = excluded.time_zone, latitude = excluded.latitude, longitude = excluded.longitude
        WHERE (p.*) IS DISTINCT FROM (excluded.*)
        RETURNING code
    )
    SELECT count(*)::int FROM written
$$;

-- Execute a read of services: see api.enter_shard. Its statement begins after the accounts are copied, so it finds them; and this database
-- still owns the virtual shards after it, so it has found all rows.
CREATE OR REPLACE FUNCTION api.read_here(bus_ids bigint[], accounts jsonb, method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    IF accounts IS NOT NULL THEN
        PERFORM api.copy_accounts(accounts);
    END IF;
    RETURN QUERY SELECT r.* FROM api.read(method, args) AS r;
    PERFORM api.enter_shard(bus_ids, false);
END $$;

-- The number of a new service: the one that the proxy has chosen for this transaction (api.change_on_shard).
CREATE OR REPLACE FUNCTION api.next_bus_id() RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    IF nullif(current_setting('shards.next_bus_id', true), '') IS NULL THEN
        RAISE EXCEPTION 'A new service needs a number.' USING HINT = 'Only the proxy gives numbers. Name one, or add the service through the proxy.';
    END IF;
    RETURN current_setting('shards.next_bus_id');
END $$;

-- Execute a write on services, as api.change_service does. next_bus_id: the number of a new service.
CREATE OR REPLACE FUNCTION api.change_on_shard(method text, args jsonb, key text, next_bus_id bigint) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    PERFORM set_config('shards.next_bus_id', coalesce(change_on_shard.next_bus_id::text, ''), true);
    RETURN QUERY SELECT c.* FROM api.change_service(method, args, key) AS c;
END $$;

-- A page of the bookings of an account, newest first: see api.bookings. before, before_reference: the last booking of the previous page.
CREATE OR REPLACE FUNCTION api.page_of_bookings(
    account text, kind text, current boolean, size int, before timestamptz, before_reference text
) RETURNS TABLE (created_at timestamptz, reference text, booking jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT b.created_at, b.reference, (api.show_bookings(ARRAY[b.bus_id], ARRAY[b.reference]))[1]
    FROM api.bookings_before(account, kind, current, size, before, before_reference) AS b
$$;

-- When an account made a booking. NULL: it has no such booking.
CREATE OR REPLACE FUNCTION api.booking_made_at(account text, reference text) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT p.created_at FROM passengers p
    WHERE p.bus_id = api.booking_bus(booking_made_at.reference) AND p.reference = booking_made_at.reference AND p.ticket_no = 1
      AND p.account = booking_made_at.account
$$;

-- See api.trip_of_booking.
CREATE OR REPLACE FUNCTION api.trip_of_booking_here(
    reference text, OUT bus_id bigint, OUT travel_date date, OUT boarding_date date, OUT made_at timestamptz, OUT account text, OUT is_open boolean
) RETURNS record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
AS $$ SELECT t.* FROM api.trip_of_booking(reference) AS t $$;

-- See api.trip_exists.
CREATE OR REPLACE FUNCTION api.trip_exists_here(bus_id bigint, travel_date date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN api.trip_exists(bus_id, travel_date);

-- See api.check_operator. Not STABLE, so that it finds the account that api.enter_shard has copied for the same call.
CREATE OR REPLACE FUNCTION api.check_operator_here(account text, bus_id bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
BEGIN
    RETURN api.check_operator(account, bus_id);
END $$;

-- Record the event of a notice that is written in the database of the proxy. Returns how many it reaches.
CREATE OR REPLACE FUNCTION api.record_notice_here(message jsonb, message_id bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    m messages := jsonb_populate_record(NULL::messages, message);
BEGIN
    PERFORM api.record_notice(m, message_id);
    RETURN api.count_reached(m.bus_id, m.travel_date, m.reference);
END $$;

-- See api.count_reached.
CREATE OR REPLACE FUNCTION api.count_reached_here(bus_id bigint, travel_date date, reference text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN api.count_reached(bus_id, travel_date, reference);
