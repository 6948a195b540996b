-- Writes. The server's database role may not write the tables. The functions that write for it run with the rights of
-- their owner (SECURITY DEFINER), and have a search_path of their own.

-- Execute many writes in one transaction. calls: an array of {method, args, key, limits}. limits: see
-- 25_hold_limits.sql; a call without them has none. Returns a row for each call, n from 0.
--
-- The calls are executed in order, each under the lock of its trip. If another transaction has locked the trip, a
-- subject of the limits, the promo code or the agent, or if the booking has moved to another trip meanwhile, the call is
-- deferred: its answer is NULL, and the server sends it again. The only lock for which a batch waits until another batch
-- commits is that of api.insert_message, if the batch sends a message. A transaction with this lock waits for no lock of
-- a batch, so batches cannot deadlock. A statement for many rows costs little more than for one; so tickets, payments,
-- the resulting bookings and the answers for idempotency keys are written for the whole batch at the end.
CREATE OR REPLACE FUNCTION api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    m       record;
    trip    trips;
    o       api.outcome;
    done    int[] := '{}';
    homes   bigint[] := '{}';     -- where the keys are recorded: see api.trip_of
    bus_ids bigint[] := '{}';     -- where the bookings are now
    refs    text[] := '{}';
    replies jsonb[] := '{}';
    types   text[] := '{}';       -- of their events; NULL: none
    numbers bigint[] := '{}';     -- the event_no of each
    keys    text[] := '{}';
    sales   api.sale[] := '{}';   -- whose tickets are not inserted yet
    owners  text[] := '{}';       -- the phone numbers and accounts of the sales that the limit of a later sale may count
BEGIN
    FOR m IN SELECT * FROM api.parse_calls(calls) LOOP
        n := m.n;
        SELECT * INTO trip FROM trips t
        WHERE t.bus_id = m.bus_id AND t.travel_date = m.travel_date FOR UPDATE SKIP LOCKED;
        IF trip.settle_at <= api.now() THEN
            PERFORM api.settle(m.bus_id, m.travel_date);
        END IF;
        answer := api.recorded_answer(m.home, m.key, m.method, m.args);
        IF answer IS NULL AND NOT (m.key = ANY (keys) AND api.is_key_of(calls, done, homes, m.key, m.home, m.args))
                AND (trip.bus_id IS NOT NULL OR NOT api.trip_exists(m.bus_id, m.travel_date))
                AND (m.limits IS NULL OR api.lock_holders(m.limits)) THEN
            IF cardinality(sales) > 0 AND (m.method NOT IN ('book', 'hold') OR (m.request).waitlist
                                           OR (m.request).promo_code IS NOT NULL
                                           OR (m.request).phone = ANY (owners) OR (m.request).account = ANY (owners)) THEN
                PERFORM api.insert_tickets(sales);   -- this call may read tickets of these sales
                sales := '{}';
                owners := '{}';
            END IF;
            o := api.dispatch(m.method, m.request, trip, m.limits);
            answer := o.refusal;
            IF answer IS NULL AND o.deferred IS NOT TRUE THEN
                done := done || n;
                homes := homes || m.home;
                bus_ids := bus_ids || m.bus_id;
                refs := refs || o.reference;
                IF o.bus_id IS NOT NULL THEN   -- also for earlier calls of the batch
                    bus_ids := ARRAY(SELECT coalesce(api.booking_bus(r.reference), r.bus_id)
                        FROM unnest(bus_ids, refs) WITH ORDINALITY AS r (bus_id, reference, n) ORDER BY r.n);
                END IF;
                replies := array_append(replies, o.reply);
                types := types || CASE WHEN o.reference IS NULL THEN NULL WHEN (o.sale).status = 'pending' THEN 'booking.waitlisted'
                                       ELSE api.event_type(m.method) END;
                numbers := numbers || nextval('event_no_seq');
                keys := keys || m.key;
                IF (o.sale).reference IS NOT NULL THEN
                    sales := array_append(sales, o.sale);
                    IF (o.sale).counted THEN
                        owners := owners || (o.sale).phone || (o.sale).account;
                    END IF;
                END IF;
                CONTINUE;
            END IF;
        END IF;
        refused := answer ? 'reason';
        RETURN NEXT;
    END LOOP;
    IF done <> '{}' THEN
        PERFORM api.insert_tickets(sales);
        PERFORM api.record_payments(bus_ids, refs);
        RETURN QUERY SELECT r.n, false, r.answer FROM api.record_answers(calls, done, homes, bus_ids, refs, replies, types, numbers) AS r;
    END IF;
END $$;

-- The trip of a request: given by bus_id and travel_date or boarding date, or by the reference of a booking. NULL if
-- there is none. home: the service under which its key is recorded; of a booking, its home service, which stays the same.
CREATE OR REPLACE FUNCTION api.trip_of(args jsonb, OUT home bigint, OUT bus_id bigint, OUT travel_date date)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ref text := upper(btrim(args ->> 'reference'));
BEGIN
    IF ref IS NULL THEN
        bus_id := args ->> 'bus_id';
        home := bus_id;
        travel_date := coalesce((args ->> 'travel_date')::date, api.travel_date_of(bus_id,
            (args ->> 'boarding_date')::date, args ->> 'origin', args ->> 'destination', (args ->> 'from_stop')::int));
    ELSE
        home := api.reference_bus(ref);
        bus_id := api.booking_bus(ref);
        SELECT p.travel_date INTO travel_date FROM passengers p
        WHERE p.bus_id = trip_of.bus_id AND p.reference = ref LIMIT 1;
    END IF;
END $$;

-- The owners of the key of a request: the phone number in the request, and the account that is signed in (that of an agent who
-- sells is sold_by), so that the same request is found before and after signing in. Without both: the reference in the request, if it has one.
CREATE OR REPLACE FUNCTION api.key_owners(args jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN coalesce(args ->> 'phone', args ->> 'account', args ->> 'sold_by') IS NULL THEN ARRAY[coalesce('ref:' || (args ->> 'reference'), '')]
            ELSE array_remove(ARRAY['phone:' || (args ->> 'phone'), 'account:' || coalesce(args ->> 'account', args ->> 'sold_by')], NULL) END;

-- The calls of a batch, in order.
CREATE OR REPLACE FUNCTION api.parse_calls(calls jsonb)
RETURNS TABLE (n int, method text, args jsonb, request api.request, key text, limits jsonb, home bigint, bus_id bigint, travel_date date)
LANGUAGE sql STABLE AS $$
    SELECT (c.ordinal - 1)::int, c.method, c.args, jsonb_populate_record(NULL::api.request, c.args), c.key, c.limits,
           t.home, t.bus_id, t.travel_date
    FROM ROWS FROM (jsonb_to_recordset(calls) AS (method text, args jsonb, key text, limits jsonb))
             WITH ORDINALITY AS c (method, args, key, limits, ordinal),
         LATERAL api.trip_of(c.args) AS t
    ORDER BY c.ordinal
$$;

-- Whether a call that was executed in this batch (done, homes) has the key, and an owner in common with the request. Such a
-- request is deferred to the next batch, in which the record of the earlier call can be read.
CREATE OR REPLACE FUNCTION api.is_key_of(calls jsonb, done int[], homes bigint[], key text, home bigint, args jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM unnest(done, homes) AS d (n, home)
    WHERE calls -> d.n ->> 'key' = is_key_of.key AND d.home = is_key_of.home
      AND api.key_owners(calls -> d.n -> 'args') && api.key_owners(is_key_of.args));

-- The recorded answer to a call with a known key; a refusal if the key belongs to another request; NULL if the key
-- is new, or if the request has the reference of a booking that the caller may not open, which api.dispatch refuses.
CREATE OR REPLACE FUNCTION api.recorded_answer(home bigint, key text, method text, args jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    owners  CONSTANT text[] := api.key_owners(args);
    earlier record;
BEGIN
    IF NOT EXISTS (SELECT FROM idempotency_keys r   -- true in most calls, and faster than the query below
            WHERE r.bus_id = recorded_answer.home AND r.caller = ANY (owners) AND r.key = recorded_answer.key) THEN
        RETURN NULL;
    END IF;
    SELECT r.answer, r.digest IN (api.request_digest(recorded_answer.method, args - 'account'),
                                  api.request_digest(recorded_answer.method, args)) AS same   -- 0.1.0 compared the account too
    INTO earlier FROM idempotency_keys r
    WHERE r.bus_id = recorded_answer.home AND r.caller = ANY (owners) AND r.key = recorded_answer.key
    ORDER BY same DESC LIMIT 1
    FOR KEY SHARE;   -- the lock makes this a transaction that writes, so its commit waits until a synchronous standby has this row
    IF args ->> 'reference' IS NOT NULL
            AND (api.open_booking(args ->> 'reference', args ->> 'phone', args ->> 'account')).refusal IS NOT NULL THEN
        RETURN NULL;
    ELSIF NOT earlier.same THEN
        RETURN api.refusal('key_reused', 'This key was used for another request. A new request needs a new key.');
    END IF;
    RETURN CASE WHEN earlier.answer ? 'departs_at'
        THEN jsonb_build_object('boarding_date', left(earlier.answer ->> 'departs_at', 10))   -- the answers of 0.1.0 do not have it
        ELSE '{}' END || earlier.answer;
END $$;

CREATE OR REPLACE FUNCTION api.trip_exists(bus_id bigint, travel_date date) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM trips t WHERE t.bus_id = trip_exists.bus_id AND t.travel_date = trip_exists.travel_date);
END $$;

-- Return the answers to the calls that were executed. For a call with a key, record its answer for each owner of the key. Record the
-- events of the calls, too: types and numbers are their types and event_no.
CREATE OR REPLACE FUNCTION api.record_answers(
    calls jsonb, done int[], homes bigint[], bus_ids bigint[], refs text[], replies jsonb[],
    types text[], numbers bigint[]
)
RETURNS TABLE (n int, answer jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    WITH answered AS MATERIALIZED (
        SELECT d.n, d.home, calls -> d.n AS call, coalesce(d.booking || d.reply, d.booking, d.reply, '{}') AS answer,
               d.bus_id, d.reference, d.booking, d.type, d.event_no
        FROM unnest(done, homes, replies, bus_ids, refs, types, numbers, api.show_bookings(bus_ids, refs, homes))
            AS d (n, home, reply, bus_id, reference, type, event_no, booking)
    ), happened AS (
        INSERT INTO events (event_no, type, bus_id, travel_date, reference, at, data)
        SELECT a.event_no, a.type, a.bus_id, (a.booking ->> 'travel_date')::date, a.reference, api.now(),
               coalesce(a.booking || api.event_cause(a.call ->> 'method'), a.booking)
        FROM answered AS a WHERE a.type IS NOT NULL
    ), recorded AS (
        INSERT INTO idempotency_keys (bus_id, caller, key, method, digest, answer, at)
        SELECT a.home, owner, a.call ->> 'key', a.call ->> 'method',
               api.request_digest(a.call ->> 'method', (a.call -> 'args') - 'account'), a.answer, api.now()
        FROM answered AS a, unnest(api.key_owners(a.call -> 'args')) AS owner
        WHERE a.call ->> 'key' IS NOT NULL AND a.answer <> '{}'
    )
    SELECT a.n, a.answer FROM answered AS a;
END $$;

-- The digest of a request, to find out whether a request with a known key is the same request again.
CREATE OR REPLACE FUNCTION api.request_digest(method text, args jsonb) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN md5(method || args::text)::uuid;
