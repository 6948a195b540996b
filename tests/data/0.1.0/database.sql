-- What a Busware server left behind: a dump of its database. Recorded; do not edit it.
--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: api; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA api;


--
-- Name: SCHEMA api; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA api IS '2f999a67de10e6396f1998d135e7bbd45dc026a1f0e0312065b717624104ca0a';


--
-- Name: btree_gist; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;


--
-- Name: EXTENSION btree_gist; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';


--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: cancel_terms; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.cancel_terms AS (
	tickets integer[],
	refund numeric,
	refusal jsonb
);


--
-- Name: opened; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.opened AS (
	bus_id bigint,
	reference text,
	travel_date date,
	refusal jsonb
);


--
-- Name: sale; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.sale AS (
	bus_id bigint,
	travel_date date,
	reference text,
	seat_nos integer[],
	party integer,
	segment int4range,
	names jsonb,
	phone text,
	account text,
	fare numeric,
	refund_percent numeric,
	status text,
	expires_at timestamp with time zone
);


--
-- Name: outcome; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.outcome AS (
	reference text,
	refusal jsonb,
	reply jsonb,
	sale api.sale
);


--
-- Name: request; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.request AS (
	bus_id bigint,
	travel_date date,
	origin text,
	destination text,
	from_stop integer,
	to_stop integer,
	seats integer[],
	count integer,
	phone text,
	passengers jsonb,
	waitlist boolean,
	seconds integer,
	reference text,
	tickets integer[],
	ticket_no integer,
	seat_no integer,
	at jsonb,
	reason text,
	account text
);


--
-- Name: stretch; Type: TYPE; Schema: api; Owner: -
--

CREATE TYPE api.stretch AS (
	from_stop integer,
	to_stop integer,
	segment int4range,
	departs_at timestamp with time zone,
	sells_until timestamp with time zone,
	fare numeric,
	refusal jsonb
);


--
-- Name: add_operator(text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.add_operator(username text, password_hash text, operator text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO accounts (username, password_hash, role, operator, created_at)
    VALUES (add_operator.username, add_operator.password_hash,
            CASE WHEN operator IS NULL THEN 'admin' ELSE 'operator' END, add_operator.operator, api.now())
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;


--
-- Name: add_service(bigint, text, text, text, text, text, boolean, text, text, text, numeric, numeric, interval, integer, boolean, integer, date, date, jsonb, boolean); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.add_service(bus_id bigint, name text, operator text, layout text, stops text, bus_type text DEFAULT NULL::text, ac boolean DEFAULT NULL::boolean, runs_on text DEFAULT 'daily'::text, kind text DEFAULT 'bus'::text, time_zone text DEFAULT 'Asia/Kolkata'::text, refund_percent numeric DEFAULT 50, alight_refund_percent numeric DEFAULT 0, sells_until interval DEFAULT '00:00:00'::interval, max_seats integer DEFAULT 6, phone_required boolean DEFAULT true, sales_days integer DEFAULT 60, first_date date DEFAULT NULL::date, last_date date DEFAULT NULL::date, nouns jsonb DEFAULT '{"seat": "seat", "service": "bus"}'::jsonb, replace boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    AS $_$
DECLARE
    drawing text := coalesce((SELECT l.drawing FROM layouts l WHERE l.name = add_service.layout), layout);
    likest  text;
BEGIN
    IF EXISTS (SELECT FROM bus_info b WHERE b.bus_id = add_service.bus_id) THEN
        IF NOT replace THEN
            RETURN false;
        END IF;
        PERFORM api.forget_service(bus_id);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = add_service.time_zone) THEN
        RAISE EXCEPTION 'Service %: there is no time zone "%".', bus_id, time_zone
            USING HINT = 'Write it as in Asia/Kolkata or Europe/London.';
    END IF;
    IF drawing ~ '^[^\n]*[ \d][^\n]*$' THEN    -- a name: no row has a space or a digit
        SELECT string_agg(format('"%s"', l.name), ', ' ORDER BY similarity(l.name, layout) DESC, l.name) INTO likest
        FROM layouts l WHERE similarity(l.name, layout) >= 0.3;
        RAISE EXCEPTION 'Service %: no layout is called "%".', bus_id, layout
            USING HINT = coalesce('Like it are: ' || likest || '.', 'SELECT name FROM layouts lists them; or draw one.');
    END IF;
    INSERT INTO bus_info (bus_id, kind, name, operator, bus_type, ac, layout, runs_on, first_date, last_date,
        sales_days, time_zone, refund_percent, alight_refund_percent, sells_until, max_seats, phone_required, nouns)
    VALUES (bus_id, kind, name, operator, bus_type, ac, drawing, api.weekdays(runs_on),
        first_date, last_date, sales_days, time_zone, refund_percent, alight_refund_percent, sells_until,
        max_seats, phone_required, nouns);
    INSERT INTO seat_plan SELECT add_service.bus_id, plan.* FROM api.layout_seats(drawing) AS plan;
    INSERT INTO route_table SELECT add_service.bus_id, route.* FROM api.parse_stops(stops) AS route;
    PERFORM api.open_sales(bus_id);
    RETURN true;
END $_$;


--
-- Name: add_trip(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.add_trip(bus_id bigint, travel_date date) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO trips (bus_id, travel_date) VALUES (bus_id, travel_date) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT p.bus_id, add_trip.travel_date, p.seat_no FROM seat_plan p WHERE p.bus_id = add_trip.bus_id;
    RETURN true;
END $$;


--
-- Name: call(text, jsonb, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.call(method text, args jsonb, caller text DEFAULT ''::text, key text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    trip record := api.trip_of(args);
BEGIN
    PERFORM api.lock_trip(trip.bus_id, trip.travel_date);
    RETURN (SELECT b.answer FROM api.batch(jsonb_build_array(
        jsonb_build_object('method', method, 'args', args, 'caller', caller, 'key', key))) AS b);
END $$;


--
-- Name: alight(text, jsonb, text, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.alight(reference text, at jsonb, phone text DEFAULT NULL::text, tickets integer[] DEFAULT NULL::integer[]) RETURNS jsonb
    LANGUAGE sql
    RETURN api.call('alight'::text, jsonb_build_object('reference', reference, 'phone', phone, 'tickets', tickets, 'at', at));


--
-- Name: alight_at(api.opened, integer[], text, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.alight_at(b api.opened, tickets integer[], place text, stop_no integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    refusal jsonb := api.unknown_tickets(b, tickets);
    service bus_info;
    stop    route_table;
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    tickets := coalesce(tickets, (SELECT array_agg(p.ticket_no) FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'booked'));
    stop := api.alighting_stop(b, tickets, place, stop_no);
    refusal := CASE WHEN place IS NOT NULL AND api.place_codes(place) IS NULL THEN api.unknown_place(place) END;
    refusal := coalesce(refusal, api.alight_refused(service, b, tickets, stop, coalesce(place, 'Stop ' || stop_no)));
    IF refusal IS NULL THEN
        UPDATE passengers p
        SET segment = int4range(lower(p.segment), stop.stop_no),
            -- fares may have risen since: never more than was paid
            refund = least(p.fare, p.refund + round((r.fare - stop.fare) * service.alight_refund_percent / 100, 2))
        FROM route_table r
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
          AND r.bus_id = b.bus_id AND r.stop_no = upper(p.segment);
        PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
        PERFORM api.promote(b.bus_id, b.travel_date);
    END IF;
    RETURN refusal;
END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: bus_info; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.bus_info (
    bus_id bigint NOT NULL,
    kind text DEFAULT 'bus'::text NOT NULL,
    name text NOT NULL,
    operator text NOT NULL,
    bus_type text,
    ac boolean,
    layout text NOT NULL,
    runs_on integer[] DEFAULT '{1,2,3,4,5,6,7}'::integer[] NOT NULL,
    first_date date,
    last_date date,
    sales_days integer DEFAULT 60 NOT NULL,
    time_zone text DEFAULT 'Asia/Kolkata'::text NOT NULL,
    refund_percent numeric(5,2) DEFAULT 50 NOT NULL,
    alight_refund_percent numeric(5,2) DEFAULT 0 NOT NULL,
    sells_until interval DEFAULT '00:00:00'::interval NOT NULL,
    max_seats integer DEFAULT 6 NOT NULL,
    queue_limit integer DEFAULT 200 NOT NULL,
    phone_required boolean DEFAULT true NOT NULL,
    nouns jsonb DEFAULT '{"seat": "seat", "service": "bus"}'::jsonb NOT NULL,
    CONSTRAINT bus_info_alight_refund_percent_check CHECK (((alight_refund_percent >= (0)::numeric) AND (alight_refund_percent <= (100)::numeric))),
    CONSTRAINT bus_info_bus_id_check CHECK ((bus_id > 0)),
    CONSTRAINT bus_info_bus_type_check CHECK ((bus_type = ANY (ARRAY['SLEEPER'::text, 'SEMI_SLEEPER'::text, 'SEATER'::text]))),
    CONSTRAINT bus_info_check CHECK ((first_date <= last_date)),
    CONSTRAINT bus_info_max_seats_check CHECK (((max_seats >= 1) AND (max_seats <= 100))),
    CONSTRAINT bus_info_queue_limit_check CHECK ((queue_limit >= 0)),
    CONSTRAINT bus_info_refund_percent_check CHECK (((refund_percent >= (0)::numeric) AND (refund_percent <= (100)::numeric))),
    CONSTRAINT bus_info_runs_on_check CHECK ((runs_on <@ '{1,2,3,4,5,6,7}'::integer[])),
    CONSTRAINT bus_info_sales_days_check CHECK (((sales_days >= 1) AND (sales_days <= 730)))
);


--
-- Name: route_table; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.route_table (
    bus_id bigint NOT NULL,
    stop_no integer NOT NULL,
    place text NOT NULL,
    arrives interval,
    departs interval,
    km numeric(7,1) DEFAULT 0 NOT NULL,
    fare numeric(10,2) NOT NULL,
    CONSTRAINT route_table_check CHECK ((arrives <= departs)),
    CONSTRAINT route_table_check1 CHECK (((arrives IS NOT NULL) OR (departs IS NOT NULL))),
    CONSTRAINT route_table_fare_check CHECK ((fare >= (0)::numeric)),
    CONSTRAINT route_table_stop_no_check CHECK ((stop_no > 0))
);


--
-- Name: alight_refused(public.bus_info, api.opened, integer[], public.route_table, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.alight_refused(service public.bus_info, b api.opened, tickets integer[], stop public.route_table, named text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF tickets IS NULL OR EXISTS (SELECT FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
            AND p.ticket_no = ANY (tickets) AND p.status <> 'booked') THEN
        RETURN coalesce(api.already_ended(b, tickets),
            api.refusal('not_held', format('Booking %s is not booked yet: only a booked passenger can alight.', b.reference)));
    ELSIF stop.stop_no IS NULL THEN
        RETURN api.refusal('not_on_route', format('%s is no stop between the ends of this ride.', named),
            jsonb_build_object('stops', to_jsonb(api.stops_of(service))));
    ELSIF api.instant(b.travel_date, coalesce(stop.departs, stop.arrives), service.time_zone) + service.sells_until <= api.now() THEN
        RETURN api.refusal('departed', format('The %s has left there already.', service.nouns ->> 'service'));
    END IF;
    RETURN NULL;
END $$;


--
-- Name: alighting_stop(api.opened, integer[], text, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.alighting_stop(b api.opened, tickets integer[], place text, stop_no integer) RETURNS public.route_table
    LANGUAGE sql STABLE
    AS $$
    SELECT r.* FROM route_table r
    WHERE r.bus_id = b.bus_id AND r.arrives IS NOT NULL
      AND (r.stop_no = alighting_stop.stop_no OR r.place = ANY (api.place_codes(alighting_stop.place)))
      AND NOT EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
          AND (r.stop_no <= lower(p.segment) OR r.stop_no >= upper(p.segment)))
    ORDER BY r.stop_no LIMIT 1
$$;


--
-- Name: already_ended(api.opened, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.already_ended(b api.opened, tickets integer[]) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN bool_or(p.status = 'cancelled')
        THEN api.refusal('already_cancelled', format('%s of booking %s: cancelled already.',
            api.listed(array_agg(p.ticket_no ORDER BY p.ticket_no) FILTER (WHERE p.status = 'cancelled'), 'ticket'), b.reference))
        ELSE api.refusal('hold_expired', format('Booking %s has run out; nothing was paid.', b.reference)) END
    FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference
      AND api.status_now(p.status, p.expires_at) IN ('cancelled', 'expired')
      AND (tickets IS NULL OR p.ticket_no = ANY (tickets))
    HAVING count(*) > 0
$$;


--
-- Name: attempts(text[], interval); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.attempts(subjects text[], since interval) RETURNS TABLE(subject text, attempts bigint, seconds_left double precision)
    LANGUAGE sql STABLE
    AS $$
    SELECT a.subject, count(*), extract(epoch FROM min(a.at) + since - api.now())
    FROM attempts a WHERE a.subject = ANY (subjects) AND a.at > api.now() - since
    GROUP BY a.subject
$$;


--
-- Name: audit(); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.audit() RETURNS TABLE(rule text, bus_id bigint, travel_date date, finding text)
    LANGUAGE sql STABLE
    AS $$
    -- No stretch of a seat is sold twice.
    SELECT 'sold_twice', a.bus_id, a.travel_date, format('seat %s: tickets %s/%s %s and %s/%s %s overlap',
        a.seat_no, a.reference, a.ticket_no, a.segment, b.reference, b.ticket_no, b.segment)
    FROM passengers a JOIN passengers b USING (bus_id, travel_date, seat_no)
    WHERE a.status IN ('held', 'booked') AND b.status IN ('held', 'booked')
      AND (a.reference, a.ticket_no) < (b.reference, b.ticket_no) AND a.segment && b.segment
    UNION ALL
    -- What is taken of a seat is the union of its live tickets.
    SELECT 'taken', s.bus_id, s.travel_date, format('seat %s: taken is %s, its live tickets are %s',
        s.seat_no, s.taken, coalesce(live.taken, '{}'))
    FROM seats s LEFT JOIN (
        SELECT p.bus_id, p.travel_date, p.seat_no, range_agg(p.segment) AS taken FROM passengers p
        WHERE p.status IN ('held', 'booked') GROUP BY 1, 2, 3
    ) AS live USING (bus_id, travel_date, seat_no)
    WHERE s.taken <> coalesce(live.taken, '{}')
    UNION ALL
    -- A ticket rides from a stop of its route to a later one.
    SELECT 'off_route', p.bus_id, p.travel_date, format('ticket %s/%s: stretch %s is not on the route', p.reference, p.ticket_no, p.segment)
    FROM passengers p
    WHERE NOT EXISTS (SELECT FROM route_table r WHERE r.bus_id = p.bus_id AND r.stop_no = lower(p.segment))
       OR NOT EXISTS (SELECT FROM route_table r WHERE r.bus_id = p.bus_id AND r.stop_no = upper(p.segment))
    UNION ALL
    -- A ticket that was ever booked is charged its fare once, any other nothing; what the ticket says
    -- was given back is what was paid back, and never more than the fare.
    SELECT 'money', p.bus_id, p.travel_date, format('ticket %s/%s (%s): fare %s, charged %s; refund %s, paid back %s',
        p.reference, p.ticket_no, p.status, p.fare, coalesce(m.charged, 0), p.refund, coalesce(m.refunded, 0))
    FROM passengers p LEFT JOIN (
        SELECT y.bus_id, y.reference, y.ticket_no, sum(y.amount) FILTER (WHERE y.kind = 'charge') AS charged,
               sum(y.amount) FILTER (WHERE y.kind = 'refund') AS refunded
        FROM payments y GROUP BY 1, 2, 3
    ) AS m USING (bus_id, reference, ticket_no)
    WHERE coalesce(m.charged, 0) <> CASE WHEN p.booked_at IS NULL THEN 0 ELSE p.fare END
       OR coalesce(m.refunded, 0) <> p.refund OR p.refund > p.fare
       OR p.status = 'booked' AND p.booked_at IS NULL
    UNION ALL
    -- A party is of one trip, one phone and one account, and what is not cancelled of it stands together: all booked,
    -- all held, all waiting, or all expired.
    SELECT 'half_booked', p.bus_id, min(p.travel_date), format('booking %s: %s', p.reference,
        string_agg(p.ticket_no || ' ' || p.status || ' ' || p.travel_date, ', ' ORDER BY p.ticket_no))
    FROM passengers p GROUP BY p.bus_id, p.reference
    HAVING count(DISTINCT p.travel_date) > 1 OR count(DISTINCT coalesce(p.phone, '')) > 1
        OR count(DISTINCT coalesce(p.account, '')) > 1
        OR count(DISTINCT p.status) FILTER (WHERE p.status <> 'cancelled') > 1
        OR min(p.ticket_no) > 1 OR max(p.ticket_no) <> count(*)
    UNION ALL
    -- A request is answered once: no booking comes of two, and none that was answered is missing.
    SELECT 'answered_twice', r.bus_id, NULL, format('booking %s comes of %s requests, of which %s is the last',
        r.answer ->> 'reference', count(*), max(r.key))
    FROM requests r WHERE r.method IN ('book', 'hold')
    GROUP BY r.bus_id, r.answer ->> 'reference' HAVING count(*) > 1
    UNION ALL
    SELECT 'answer_lost', r.bus_id, NULL, format('request %s was answered with booking %s, which is not there', r.key, r.answer ->> 'reference')
    FROM requests r
    WHERE r.answer ? 'reference' AND NOT EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = r.bus_id AND p.reference = r.answer ->> 'reference')
    UNION ALL
    -- What runs out is known to the trip, or nobody would settle it in time.
    SELECT 'unsettled', p.bus_id, p.travel_date, format('ticket %s/%s runs out at %s, the trip settles at %s',
        p.reference, p.ticket_no, p.expires_at, coalesce(t.settle_at::text, 'no time'))
    FROM passengers p JOIN trips t USING (bus_id, travel_date)
    WHERE p.status IN ('held', 'pending') AND (t.settle_at IS NULL OR t.settle_at > p.expires_at)
    UNION ALL
    -- Nobody waits for a stretch that is free, on a trip that runs.
    SELECT 'kept_waiting', q.bus_id, q.travel_date, format('booking %s waits for %s over %s, and %s are free',
        q.reference, q.party, q.segment, free.n)
    FROM (
        SELECT p.bus_id, p.travel_date, p.reference, p.segment, count(*) AS party
        FROM passengers p JOIN trips t USING (bus_id, travel_date)
        WHERE p.status = 'pending' AND p.expires_at > api.now() AND t.state = 'open' GROUP BY 1, 2, 3, 4
    ) AS q, LATERAL (
        SELECT count(*) AS n FROM seats s
        WHERE s.bus_id = q.bus_id AND s.travel_date = q.travel_date AND NOT s.taken && q.segment
    ) AS free
    WHERE free.n >= q.party
$$;


--
-- Name: refusal(text, text, jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.refusal(reason text, message text, data jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN (jsonb_build_object('reason', reason, 'message', message) || data);


--
-- Name: bad_request(text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.bad_request(field text, takes text, message text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN api.refusal('bad_request'::text, message, jsonb_build_object('field', field, 'takes', takes));


--
-- Name: batch(jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.batch(calls jsonb) RETURNS TABLE(n integer, refused boolean, answer jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    m       record;
    trip    trips;
    o       api.outcome;
    done    int[] := '{}';
    bus_ids bigint[] := '{}';
    refs    text[] := '{}';
    replies jsonb[] := '{}';
    sales   api.sale[] := '{}';
BEGIN
    FOR m IN SELECT * FROM api.open_calls(calls) LOOP
        n := m.n;
        SELECT * INTO trip FROM trips t
        WHERE t.bus_id = m.bus_id AND t.travel_date = m.travel_date FOR UPDATE SKIP LOCKED;
        IF trip.settle_at <= api.now() THEN
            PERFORM api.settle(m.bus_id, m.travel_date);
        END IF;
        answer := api.earlier_answer(m.bus_id, m.caller, m.key, m.method, m.args);
        IF answer IS NULL AND NOT m.again AND (trip.bus_id IS NOT NULL OR NOT api.is_trip(m.bus_id, m.travel_date)) THEN
            IF cardinality(sales) > 0 AND (m.method NOT IN ('book', 'hold') OR (m.request).waitlist) THEN
                PERFORM api.issue(sales);   -- what is decided now may be about them
                sales := '{}';
            END IF;
            o := api.dispatch(m.method, m.request, trip);
            answer := o.refusal;
            IF answer IS NULL THEN
                done := done || n;
                bus_ids := bus_ids || m.bus_id;
                refs := refs || o.reference;
                replies := array_append(replies, o.reply);
                IF (o.sale).reference IS NOT NULL THEN
                    sales := array_append(sales, o.sale);
                END IF;
                CONTINUE;
            END IF;
        END IF;
        refused := answer ? 'reason';
        RETURN NEXT;
    END LOOP;
    IF done <> '{}' THEN
        PERFORM api.issue(sales);
        PERFORM api.record_payments(bus_ids, refs);
        RETURN QUERY SELECT r.n, false, r.answer FROM api.record_requests(calls, done, bus_ids, refs, replies) AS r;
    END IF;
END $$;


--
-- Name: body_refused(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.body_refused(body text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((body IS NULL) OR ((length(body) < 1) OR (length(body) > 2000)) OR (body ~ '[\x01-\x1f\x7f-\x9f]'::text)) THEN api.bad_request('text'::text, 'up to 2000 characters on one line'::text, 'A message is up to 2000 characters on one line.'::text) ELSE NULL::jsonb END;


--
-- Name: book(bigint, date, text, text, integer, integer, integer[], integer, text, jsonb, boolean); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.book(bus_id bigint, travel_date date, origin text DEFAULT NULL::text, destination text DEFAULT NULL::text, from_stop integer DEFAULT NULL::integer, to_stop integer DEFAULT NULL::integer, seats integer[] DEFAULT NULL::integer[], count integer DEFAULT NULL::integer, phone text DEFAULT NULL::text, passengers jsonb DEFAULT NULL::jsonb, waitlist boolean DEFAULT false) RETURNS jsonb
    LANGUAGE sql
    RETURN api.call('book'::text, jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date, 'origin', origin, 'destination', destination, 'from_stop', from_stop, 'to_stop', to_stop, 'seats', seats, 'count', count, 'phone', phone, 'passengers', passengers, 'waitlist', waitlist));


--
-- Name: booking(text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.booking(reference text, phone text DEFAULT NULL::text, account text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    b api.opened := api.open_booking(reference, phone, account);
BEGIN
    RETURN coalesce(b.refusal, (api.show_bookings(ARRAY[b.bus_id], ARRAY[b.reference]))[1]);
END $$;


--
-- Name: booking_sells_until(api.opened); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.booking_sells_until(booking api.opened) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    SELECT api.instant(booking.travel_date, r.departs, s.time_zone) + s.sells_until
    FROM passengers p
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
    JOIN bus_info s ON s.bus_id = p.bus_id
    WHERE p.bus_id = booking.bus_id AND p.reference = booking.reference
    LIMIT 1
$$;


--
-- Name: booking_states(bigint[], text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.booking_states(bus_ids bigint[], refs text[]) RETURNS TABLE(reference text, state text)
    LANGUAGE sql STABLE
    AS $$
    SELECT p.reference, string_agg(format('%s %s %s %s', p.ticket_no, api.status_now(p.status, p.expires_at),
        p.seat_no, p.refund), ', ' ORDER BY p.ticket_no) || ' to ' || coalesce(   -- as api.show_bookings has it
            max(upper(p.segment)) FILTER (WHERE api.status_now(p.status, p.expires_at) IN ('held', 'booked', 'pending')),
            max(upper(p.segment)))
    FROM unnest(bus_ids, refs) AS named (bus_id, reference)
    JOIN passengers p ON p.bus_id = named.bus_id AND p.reference = named.reference
    GROUP BY p.bus_id, p.reference
$$;


--
-- Name: bookings(text, text, boolean, integer, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.bookings(account text, kind text DEFAULT NULL::text, current boolean DEFAULT false, page integer DEFAULT NULL::integer, after text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    size    int := coalesce(page, 20);
    since   timestamptz;
    bus_ids bigint[];
    refs    text[];
BEGIN
    IF after IS NOT NULL THEN
        SELECT p.created_at INTO since FROM passengers p
        WHERE p.bus_id = api.reference_bus(after) AND p.reference = bookings.after AND p.ticket_no = 1
          AND p.account = bookings.account;
        IF NOT FOUND THEN
            RETURN api.bad_request('after', 'the `next` of an earlier page', 'No booking of yours has that reference.');
        END IF;
    END IF;
    SELECT array_agg(one.bus_id), array_agg(one.reference) INTO bus_ids, refs FROM (
        SELECT p.bus_id, p.reference FROM passengers p
        WHERE p.account = bookings.account AND p.ticket_no = 1
          AND (bookings.after IS NULL OR (p.created_at, p.reference) < (since, bookings.after))
          AND (bookings.kind IS NULL OR bookings.kind = (SELECT s.kind FROM bus_info s WHERE s.bus_id = p.bus_id))
          AND (current IS NOT TRUE OR api.is_current(p.bus_id, p.reference))
        ORDER BY p.created_at DESC, p.reference DESC LIMIT size + 1
    ) AS one;
    RETURN jsonb_build_object('bookings',
            to_jsonb(api.show_bookings(bus_ids[:size], refs[:size])))
        || CASE WHEN cardinality(refs) > size THEN jsonb_build_object('next', refs[size]) ELSE '{}' END;
END $$;


--
-- Name: cancel(text, text, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.cancel(reference text, phone text DEFAULT NULL::text, tickets integer[] DEFAULT NULL::integer[]) RETURNS jsonb
    LANGUAGE sql
    RETURN api.call('cancel'::text, jsonb_build_object('reference', reference, 'phone', phone, 'tickets', tickets));


--
-- Name: cancel_booking(api.opened, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.cancel_booking(b api.opened, tickets integer[]) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    terms api.cancel_terms := api.cancel_terms(b, tickets);
BEGIN
    IF terms.refusal IS NULL THEN
        PERFORM api.end_tickets(b, terms.tickets);
    END IF;
    RETURN terms.refusal;
END $$;


--
-- Name: cancel_quote(text, text, integer[], text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.cancel_quote(reference text, phone text DEFAULT NULL::text, tickets integer[] DEFAULT NULL::integer[], account text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    b     api.opened := api.open_booking(reference, phone, account);
    terms api.cancel_terms;
BEGIN
    b.refusal := coalesce(b.refusal, api.departed(b));
    IF b.refusal IS NOT NULL THEN
        RETURN b.refusal;
    END IF;
    terms := api.cancel_terms(b, tickets);
    RETURN coalesce(terms.refusal, jsonb_build_object('refund', terms.refund::numeric(12,2)::text,
        'stands_until', (SELECT api.rfc3339(api.booking_sells_until(b), c.time_zone)
            FROM passengers p JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
            JOIN places c ON c.code = r.place
            WHERE p.bus_id = b.bus_id AND p.reference = b.reference LIMIT 1)));
END $$;


--
-- Name: cancel_terms(api.opened, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.cancel_terms(b api.opened, tickets integer[]) RETURNS api.cancel_terms
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    terms api.cancel_terms;
    open_tickets int[];
BEGIN
    terms.refusal := api.unknown_tickets(b, tickets);
    IF terms.refusal IS NOT NULL THEN
        RETURN terms;
    END IF;
    SELECT array_agg(p.ticket_no) INTO open_tickets FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference
      AND api.status_now(p.status, p.expires_at) IN ('held', 'booked', 'pending');
    terms.tickets := coalesce(cancel_terms.tickets, open_tickets);
    IF open_tickets IS NULL OR NOT terms.tickets <@ open_tickets THEN
        terms.refusal := api.already_ended(b, terms.tickets);
        RETURN terms;
    END IF;
    SELECT sum(api.refund_of(p)) INTO terms.refund FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (terms.tickets);
    RETURN terms;
END $$;


--
-- Name: cancel_trip(bigint, date, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.cancel_trip(bus_id bigint, travel_date date, reason text DEFAULT NULL::text) RETURNS api.outcome
    LANGUAGE plpgsql
    AS $$
DECLARE
    o       api.outcome;
    trip    trips;
    refs    text[];
    tickets int;
    refund  numeric;
BEGIN
    SELECT * INTO trip FROM trips t
    WHERE t.bus_id = cancel_trip.bus_id AND t.travel_date = cancel_trip.travel_date FOR UPDATE;
    IF trip.settle_at <= api.now() THEN
        PERFORM api.settle(bus_id, travel_date);
    END IF;
    o.refusal := CASE
        WHEN trip.bus_id IS NULL THEN api.unknown_trip(bus_id, travel_date)
        WHEN trip.state = 'cancelled' THEN api.refusal('already_cancelled', format('The trip is cancelled already. %s', trip.reason))
        WHEN api.trip_ends_at(bus_id, travel_date) <= api.now() THEN api.refusal('departed', 'The trip has ended.') END;
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    WITH riding AS (
        SELECT p.reference, p.ticket_no, CASE WHEN p.status = 'booked' THEN p.fare - p.refund ELSE 0 END AS back
        FROM passengers p
        JOIN bus_info s ON s.bus_id = p.bus_id
        JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = upper(p.segment)
        WHERE p.bus_id = cancel_trip.bus_id AND p.travel_date = cancel_trip.travel_date
          AND p.status IN ('held', 'booked', 'pending')
          AND (p.status <> 'booked' OR api.instant(p.travel_date, r.arrives, s.time_zone) > api.now())
    ), ended AS (
        UPDATE passengers p SET status = 'cancelled', refund = p.refund + riding.back, ended_at = api.now()
        FROM riding
        WHERE p.bus_id = cancel_trip.bus_id AND p.reference = riding.reference AND p.ticket_no = riding.ticket_no
        RETURNING p.reference, riding.back
    )
    SELECT array_agg(DISTINCT ended.reference), count(*), coalesce(sum(ended.back), 0) INTO refs, tickets, refund FROM ended;
    PERFORM api.recount(bus_id, travel_date, ARRAY(SELECT s.seat_no FROM seats s
        WHERE s.bus_id = cancel_trip.bus_id AND s.travel_date = cancel_trip.travel_date));
    IF refs IS NOT NULL THEN
        PERFORM api.record_payments(array_fill(cancel_trip.bus_id, ARRAY[cardinality(refs)]), refs);
    END IF;
    UPDATE trips t SET state = 'cancelled', reason = cancel_trip.reason, settle_at = NULL
    WHERE t.bus_id = cancel_trip.bus_id AND t.travel_date = cancel_trip.travel_date;
    o.reply := jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date, 'state', 'cancelled',
        'tickets', tickets, 'refund', refund::numeric(12,2)::text);
    RETURN o;
END $$;


--
-- Name: change_password(text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.change_password(username text, password_hash text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM tokens t WHERE t.username = change_password.username;
    UPDATE accounts a SET password_hash = change_password.password_hash WHERE a.username = change_password.username;
    RETURN FOUND;
END $$;


--
-- Name: change_seat(text, integer, integer, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.change_seat(reference text, ticket_no integer, seat_no integer, phone text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE sql
    RETURN api.call('change_seat'::text, jsonb_build_object('reference', reference, 'phone', phone, 'ticket_no', ticket_no, 'seat_no', seat_no));


--
-- Name: choose_seats(bigint, date, int4range, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.choose_seats(bus_id bigint, travel_date date, segment int4range, n integer) RETURNS integer[]
    LANGUAGE sql STABLE
    AS $$
    WITH road AS (   -- the stops before the segment, and those after it
        SELECT int4multirange(int4range(1, lower(segment))) AS before,
               int4multirange(int4range(upper(segment), max(r.stop_no))) AS after, max(r.stop_no) AS last
        FROM route_table r WHERE r.bus_id = choose_seats.bus_id
    ), free AS MATERIALIZED (   -- side by side are two whose places differ by one
        SELECT p.seat_no, p.deck, 1000 * p.row_no + p.column_no AS place,
               -- the stops between which the seat is free around the segment, beyond the segment itself
               coalesce(lower(s.taken * road.after), road.last) - coalesce(upper(s.taken * road.before), 1) AS slack
        FROM road, seats s JOIN seat_plan p ON p.bus_id = s.bus_id AND p.seat_no = s.seat_no
        WHERE s.bus_id = choose_seats.bus_id AND s.travel_date = choose_seats.travel_date
          AND NOT s.taken && segment
    ), party AS (   -- n free seats that follow each other in reading order, and what is free around them
        SELECT array_agg(seat_no) OVER w AS seats, sum(slack) OVER w AS slack,
               place AS first, lead(place, choose_seats.n - 1) OVER w AS last,
               lag(place, 2) OVER w AS second_before, lag(place) OVER w AS before,
               lead(place, choose_seats.n) OVER w AS after, lead(place, choose_seats.n + 1) OVER w AS second_after
        FROM free
        WINDOW w AS (PARTITION BY deck ORDER BY place ROWS BETWEEN CURRENT ROW AND choose_seats.n - 1 FOLLOWING)
    ), choice AS (
        SELECT seats, slack,
               CASE WHEN last = first + choose_seats.n - 1 THEN 0 ELSE least(last / 1000 - first / 1000 + 1, 3) END AS apart,
               (before IS NOT DISTINCT FROM first - 1 AND second_before IS DISTINCT FROM first - 2)::int
               + (after IS NOT DISTINCT FROM last + 1 AND second_after IS DISTINCT FROM last + 2)::int AS left_alone
        FROM party WHERE last IS NOT NULL
        UNION ALL
        SELECT array_agg(t.seat_no ORDER BY t.seat_no), sum(t.slack), 3, 0
        FROM (SELECT f.seat_no, f.slack FROM free f ORDER BY f.slack, f.seat_no LIMIT choose_seats.n) AS t
        HAVING count(*) = choose_seats.n
    )
    SELECT seats FROM choice ORDER BY 5 * slack + apart * choose_seats.n, apart, left_alone, seats LIMIT 1
$$;


--
-- Name: confirm(text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.confirm(reference text, phone text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE sql
    RETURN api.call('confirm'::text, jsonb_build_object('reference', reference, 'phone', phone));


--
-- Name: confirm_hold(api.opened); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.confirm_hold(b api.opened) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    refusal jsonb := api.no_hold(b);
    service bus_info;
    tickets int[];
BEGIN
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    refusal := coalesce(refusal, api.trip_cancelled(service, b.travel_date));
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    ELSIF EXISTS (
        SELECT FROM passengers p JOIN seats s USING (bus_id, travel_date, seat_no)
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'expired' AND s.taken && p.segment
    ) THEN
        RETURN api.refusal('hold_expired',
            format('The hold ran out, and somebody else has taken the %s.', service.nouns ->> 'seat'));
    END IF;
    WITH confirmed AS (
        UPDATE passengers p SET status = 'booked', booked_at = api.now(), expires_at = NULL, ended_at = NULL
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status IN ('held', 'expired')
        RETURNING p.ticket_no
    )
    SELECT array_agg(ticket_no) INTO tickets FROM confirmed;
    PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
    RETURN NULL;
END $$;


--
-- Name: count_tickets(); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.count_tickets() RETURNS TABLE(status text, tickets bigint)
    LANGUAGE sql STABLE
    AS $$
    SELECT kind.status, count(p.status)
    FROM (VALUES ('held', 'held'), ('pending', 'pending'), ('sold', 'booked')) AS kind (status, stored)
    LEFT JOIN passengers p ON p.status = kind.stored AND api.status_now(p.status, p.expires_at) = kind.stored
    GROUP BY kind.status
$$;


--
-- Name: counted(bigint, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.counted(n bigint, noun text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (((n || ' '::text) || noun) || CASE WHEN (n = 1) THEN ''::text ELSE 's'::text END);


--
-- Name: date_refused(text[], date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.date_refused(origins text[], date date) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    today date := (api.now() AT TIME ZONE (SELECT time_zone FROM places WHERE code = origins[1]))::date;
    last  date := api.on_sale_until(origins);
BEGIN
    RETURN CASE
        WHEN date < today THEN api.bad_request('date', format('a date from %s on', today),
            format('%s is in the past; today is %s.', date, today))
        WHEN date > last + 1 THEN api.bad_request('date', format('a date up to %s', last),
            format('Sales are open up to %s.', last)) END;
END $$;


--
-- Name: departed(api.opened); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.departed(booking api.opened) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT api.refusal('departed', format('The %s of booking %s has left %s; it cannot be changed any more.',
        s.nouns ->> 'service', booking.reference, c.name))
    FROM passengers p
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
    JOIN places c ON c.code = r.place
    JOIN bus_info s ON s.bus_id = p.bus_id
    WHERE p.bus_id = booking.bus_id AND p.reference = booking.reference
      AND api.instant(p.travel_date, r.departs, s.time_zone) + s.sells_until <= api.now()
    LIMIT 1
$$;


--
-- Name: departures(text[], text[], date, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.departures(origins text[], destinations text[], date date, until date) RETURNS TABLE(bus_id bigint, travel_date date, kind text, name text, operator text, bus_type text, ac boolean, from_stop integer, to_stop integer, origin text, destination text, departs_at timestamp with time zone, arrives_at timestamp with time zone, origin_zone text, destination_zone text, fare numeric)
    LANGUAGE sql STABLE
    AS $$
    SELECT s.bus_id, t.travel_date, s.kind, s.name, s.operator, s.bus_type, s.ac,
           a.stop_no, b.stop_no, pa.name, b.name,
           api.instant(t.travel_date, a.departs, s.time_zone), api.instant(t.travel_date, b.arrives, s.time_zone),
           pa.time_zone, b.time_zone, b.fare - a.fare
    FROM route_table a
    JOIN places pa ON pa.code = a.place
    JOIN bus_info s ON s.bus_id = a.bus_id
    CROSS JOIN LATERAL (SELECT departures.date - extract(day FROM justify_hours(a.departs))::int AS day) AS calendar
    -- a day either side of the calendar's difference covers every pair of zones
    CROSS JOIN generate_series(-1, 1) AS beside (days)
    CROSS JOIN LATERAL (
        SELECT t.travel_date FROM trips t
        WHERE t.bus_id = a.bus_id AND t.travel_date = calendar.day + beside.days AND t.state = 'open'
        LIMIT 1   -- there is one at most; said so, since the planner would rather read all trips of the service
    ) AS t
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (r.place) r.stop_no, r.arrives, r.fare, p.name, p.time_zone
        FROM route_table r JOIN places p ON p.code = r.place
        WHERE r.bus_id = a.bus_id AND r.stop_no > a.stop_no AND r.place = ANY (destinations) AND r.arrives IS NOT NULL
          AND (departures.until IS NULL OR
               (api.instant(t.travel_date, r.arrives, s.time_zone) AT TIME ZONE p.time_zone)::date = departures.until)
        ORDER BY r.place, r.stop_no
    ) AS b
    WHERE a.place = ANY (origins) AND a.departs IS NOT NULL
      AND (api.instant(t.travel_date, a.departs, s.time_zone) AT TIME ZONE pa.time_zone)::date = departures.date
      AND api.instant(t.travel_date, a.departs, s.time_zone) + s.sells_until > api.now()
      -- first of all, since most services do not go there
      AND EXISTS (SELECT FROM route_table r
          WHERE r.bus_id = a.bus_id AND r.stop_no > a.stop_no AND r.place = ANY (destinations))
$$;


--
-- Name: digest(text, jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.digest(method text, args jsonb) RETURNS uuid
    LANGUAGE sql IMMUTABLE
    RETURN (md5((method || (args)::text)))::uuid;


--
-- Name: trips; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trips (
    bus_id bigint NOT NULL,
    travel_date date NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    reason text,
    settle_at timestamp with time zone,
    CONSTRAINT trips_state_check CHECK ((state = ANY (ARRAY['open'::text, 'cancelled'::text])))
)
WITH (fillfactor='80');


--
-- Name: dispatch(text, api.request, public.trips); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.dispatch(method text, a api.request, trip public.trips) RETURNS api.outcome
    LANGUAGE plpgsql
    AS $$
DECLARE
    b api.opened;
    o api.outcome;
BEGIN
    IF method IN ('book', 'hold') THEN
        RETURN api.sell(a, trip, CASE method WHEN 'hold' THEN make_interval(secs => coalesce(a.seconds, 600)) END);
    ELSIF method = 'settle' THEN   -- the lock has done it
        RETURN o;
    ELSIF method = 'cancel_trip' THEN
        o.refusal := api.not_yours(a.account, a.bus_id);
        RETURN CASE WHEN o.refusal IS NULL THEN api.cancel_trip(a.bus_id, a.travel_date, a.reason) ELSE o END;
    END IF;
    b := api.open_booking(a.reference, a.phone, a.account);
    o.reference := b.reference;
    o.refusal := coalesce(b.refusal, CASE WHEN method <> 'alight' THEN api.departed(b) END);
    IF o.refusal IS NULL THEN
        CASE method   -- any other is a fault
            WHEN 'confirm' THEN o.refusal := api.confirm_hold(b);
            WHEN 'release' THEN o.refusal := api.release_hold(b);
            WHEN 'cancel' THEN o.refusal := api.cancel_booking(b, a.tickets);
            WHEN 'change_seat' THEN o.refusal := api.move_ticket(b, a.ticket_no, a.seat_no);
            WHEN 'alight' THEN o.refusal := api.alight_at(b, a.tickets,
                CASE jsonb_typeof(a.at) WHEN 'string' THEN a.at #>> '{}' END,
                CASE jsonb_typeof(a.at) WHEN 'number' THEN a.at::int END);
        END CASE;
    END IF;
    RETURN o;
END $$;


--
-- Name: due_trips(); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.due_trips() RETURNS TABLE(bus_id bigint, travel_date date)
    LANGUAGE sql STABLE
    AS $$
    SELECT t.bus_id, t.travel_date FROM trips t WHERE t.settle_at <= api.now() ORDER BY t.settle_at
$$;


--
-- Name: earlier_answer(bigint, text, text, text, jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.earlier_answer(bus_id bigint, caller text, key text, method text, args jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    earlier requests;
BEGIN
    SELECT * INTO earlier FROM requests r
    WHERE r.bus_id = earlier_answer.bus_id AND r.caller = earlier_answer.caller AND r.key = earlier_answer.key;
    RETURN CASE WHEN NOT FOUND THEN NULL
                WHEN earlier.digest = api.digest(method, args) THEN earlier.answer
                ELSE api.refusal('key_reused',
                    'This key was used for another request. A new request takes a new key.') END;
END $$;


--
-- Name: end_service(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.end_service(bus_id bigint, last_date date) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    sold text;
BEGIN
    PERFORM FROM trips t WHERE t.bus_id = end_service.bus_id AND t.travel_date > end_service.last_date
    ORDER BY t.travel_date FOR UPDATE;
    SELECT string_agg(DISTINCT p.travel_date::text, ', ') INTO sold FROM passengers p
    WHERE p.bus_id = end_service.bus_id AND p.travel_date > end_service.last_date
      AND p.status IN ('held', 'booked', 'pending');
    IF sold IS NOT NULL THEN
        RAISE EXCEPTION 'Service % has passengers after %: on %.', bus_id, last_date, sold
            USING HINT = 'Choose a later last date, or cancel those trips first.';
    END IF;
    UPDATE bus_info b SET last_date = end_service.last_date WHERE b.bus_id = end_service.bus_id;
    UPDATE trips t SET state = 'cancelled', reason = 'The service has ended.'
    WHERE t.bus_id = end_service.bus_id AND t.travel_date > end_service.last_date;
END $$;


--
-- Name: end_tickets(api.opened, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.end_tickets(b api.opened, tickets integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH ended AS (
        UPDATE passengers p SET status = 'cancelled', refund = p.refund + api.refund_of(p), ended_at = api.now()
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
        RETURNING p.seat_no, p.segment
    )
    UPDATE seats s SET taken = s.taken - int4multirange(ended.segment) FROM ended
    WHERE s.bus_id = b.bus_id AND s.travel_date = b.travel_date AND s.seat_no = ended.seat_no;
    PERFORM api.promote(b.bus_id, b.travel_date);
END $$;


--
-- Name: enlist(text, text, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.enlist(role text, name text, before integer DEFAULT NULL::integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    n int := nextval('process_no_seq');
BEGIN
    PERFORM pg_advisory_lock(1651864439, n);   -- of the session; the number is new, so nobody has it
    DELETE FROM processes p WHERE p.process_no = before OR NOT api.is_alive(p.process_no);
    INSERT INTO processes (process_no, role, name, since) VALUES (n, role, name, api.now());
    PERFORM pg_notify('busware', '{"clients":true}');
    RETURN n;
END $$;


--
-- Name: find(text, date, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.find(phone text, date date, place text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    codes text[] := api.place_codes(place);
BEGIN
    IF codes IS NULL THEN
        RETURN api.unknown_place(place);
    END IF;
    RETURN (
        SELECT jsonb_build_object('references', coalesce(jsonb_agg(DISTINCT p.reference), '[]'))
        FROM route_table a
        JOIN places pa ON pa.code = a.place
        JOIN bus_info s ON s.bus_id = a.bus_id
        -- a day either side covers every pair of zones, as in api.departures
        JOIN trips t ON t.bus_id = a.bus_id AND t.travel_date = ANY (ARRAY[
                find.date - extract(day FROM justify_hours(a.departs))::int - 1,
                find.date - extract(day FROM justify_hours(a.departs))::int,
                find.date - extract(day FROM justify_hours(a.departs))::int + 1])
            AND (api.instant(t.travel_date, a.departs, s.time_zone) AT TIME ZONE pa.time_zone)::date = find.date
        -- two arms, so that each has its own partial index
        CROSS JOIN LATERAL (
            SELECT h.reference, h.segment, h.phone, h.expires_at FROM passengers h
            WHERE h.bus_id = a.bus_id AND h.travel_date = t.travel_date AND h.status IN ('held', 'booked')
            UNION ALL
            SELECT w.reference, w.segment, w.phone, w.expires_at FROM passengers w
            WHERE w.bus_id = a.bus_id AND w.travel_date = t.travel_date AND w.status = 'pending'
        ) AS p
        WHERE a.place = ANY (codes) AND a.departs IS NOT NULL
          AND lower(p.segment) = a.stop_no AND p.phone = find.phone
          AND (p.expires_at IS NULL OR p.expires_at > api.now())
    );
END $$;


--
-- Name: find_stretch(public.bus_info, date, text, text, integer, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.find_stretch(service public.bus_info, travel_date date, origin text, destination text, from_stop integer, to_stop integer) RETURNS api.stretch
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    s            api.stretch;
    origins      text[];
    destinations text[];
BEGIN
    IF from_stop IS NULL OR to_stop IS NULL THEN
        origins := api.place_codes(origin);
        destinations := api.place_codes(destination);
        s.refusal := CASE WHEN origin IS NULL OR destination IS NULL THEN
                              api.bad_request('origin', 'the names of two places, or the positions of two stops',
                                  'Say from where to where: origin and destination, or from_stop and to_stop.')
                          WHEN origins IS NULL THEN api.unknown_place(origin)
                          WHEN destinations IS NULL THEN api.unknown_place(destination) END;
        IF s.refusal IS NOT NULL THEN
            RETURN s;
        END IF;
        SELECT a.stop_no, b.stop_no INTO from_stop, to_stop
        FROM route_table a JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no > a.stop_no
        WHERE a.bus_id = service.bus_id AND a.place = ANY (origins) AND b.place = ANY (destinations)
          AND a.departs IS NOT NULL AND b.arrives IS NOT NULL
        ORDER BY a.stop_no, b.stop_no LIMIT 1;
    END IF;

    SELECT a.stop_no, b.stop_no, int4range(a.stop_no, b.stop_no),
           api.instant(find_stretch.travel_date, a.departs, service.time_zone), NULL, b.fare - a.fare, NULL
    INTO s
    FROM route_table a, route_table b
    WHERE a.bus_id = service.bus_id AND a.stop_no = from_stop AND a.departs IS NOT NULL
      AND b.bus_id = service.bus_id AND b.stop_no = to_stop AND b.arrives IS NOT NULL
      AND a.stop_no < b.stop_no;
    IF NOT FOUND THEN
        s.refusal := api.not_on_route(service, coalesce(origin, 'stop ' || from_stop), coalesce(destination, 'stop ' || to_stop));
    END IF;
    s.sells_until := s.departs_at + service.sells_until;
    RETURN s;
END $$;


--
-- Name: forget_service(bigint); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.forget_service(bus_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    sold bigint;
BEGIN
    -- with its trips locked, nobody can sell between the check and the change
    PERFORM FROM trips t WHERE t.bus_id = forget_service.bus_id ORDER BY t.travel_date FOR UPDATE;
    SELECT count(*) INTO sold FROM passengers p WHERE p.bus_id = forget_service.bus_id;
    IF sold > 0 THEN
        RAISE EXCEPTION 'Service % has % and cannot change under them.', bus_id, api.counted(sold, 'ticket')
            USING HINT = format('End it with SELECT api.end_service(%s, DATE ''…''), which keeps what is sold, '
                'and add the new timetable under a new bus_id.', bus_id);
    END IF;
    DELETE FROM seats s WHERE s.bus_id = forget_service.bus_id;
    DELETE FROM trips t WHERE t.bus_id = forget_service.bus_id;
    DELETE FROM route_table r WHERE r.bus_id = forget_service.bus_id;
    DELETE FROM seat_plan p WHERE p.bus_id = forget_service.bus_id;
    DELETE FROM bus_info b WHERE b.bus_id = forget_service.bus_id;
END $$;


--
-- Name: hold(bigint, date, text, text, integer, integer, integer[], integer, text, jsonb, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.hold(bus_id bigint, travel_date date, origin text DEFAULT NULL::text, destination text DEFAULT NULL::text, from_stop integer DEFAULT NULL::integer, to_stop integer DEFAULT NULL::integer, seats integer[] DEFAULT NULL::integer[], count integer DEFAULT NULL::integer, phone text DEFAULT NULL::text, passengers jsonb DEFAULT NULL::jsonb, seconds integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    RETURN api.call('hold'::text, jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date, 'origin', origin, 'destination', destination, 'from_stop', from_stop, 'to_stop', to_stop, 'seats', seats, 'count', count, 'phone', phone, 'passengers', passengers, 'seconds', seconds));


--
-- Name: instant(date, interval, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.instant(travel_date date, since_midnight interval, zone text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    RETURN ((travel_date + since_midnight) AT TIME ZONE zone);


--
-- Name: is_alive(integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.is_alive(process_no integer) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 1651864439::oid AND l.objid = is_alive.process_no::oid
          AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
$$;


--
-- Name: is_current(bigint, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.is_current(bus_id bigint, reference text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT EXISTS (
        SELECT FROM passengers p
        JOIN bus_info s ON s.bus_id = p.bus_id
        JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = upper(p.segment)
        WHERE p.bus_id = is_current.bus_id AND p.reference = is_current.reference
          AND api.status_now(p.status, p.expires_at) IN ('held', 'booked', 'pending')
          AND api.instant(p.travel_date, r.arrives, s.time_zone) > api.now())
$$;


--
-- Name: is_trip(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.is_trip(bus_id bigint, travel_date date) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (SELECT FROM trips t WHERE t.bus_id = is_trip.bus_id AND t.travel_date = is_trip.travel_date);
END $$;


--
-- Name: issue(api.sale[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.issue(sales api.sale[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, seat_no, segment, name, phone, account, fare,
                            refund_percent, status, queue_no, created_at, expires_at, booked_at)
    SELECT s.bus_id, s.reference, n, s.travel_date, s.seat_nos[n], s.segment, s.names -> (n - 1) ->> 'name',
           s.phone, s.account, s.fare, s.refund_percent, s.status,
           CASE WHEN s.status = 'pending' THEN nextval('queue_no_seq') END,
           api.now(), s.expires_at, CASE WHEN s.status = 'booked' THEN api.now() END
    FROM unnest(sales) AS s, generate_series(1, s.party) AS n;
END $$;


--
-- Name: messages; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.messages (
    message_id bigint NOT NULL,
    key uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    sender text NOT NULL,
    audience text NOT NULL,
    client_no bigint,
    bus_id bigint,
    travel_date date,
    reference text,
    account text,
    address text,
    body text NOT NULL,
    CONSTRAINT a_booking_is_named CHECK (((audience <> 'booking'::text) OR (reference IS NOT NULL))),
    CONSTRAINT a_client_is_named CHECK (((audience <> 'client'::text) OR (client_no IS NOT NULL))),
    CONSTRAINT a_trip_is_named CHECK (((audience <> 'trip'::text) OR ((bus_id IS NOT NULL) AND (travel_date IS NOT NULL)))),
    CONSTRAINT messages_audience_check CHECK ((audience = ANY (ARRAY['operators'::text, 'all'::text, 'trip'::text, 'booking'::text, 'client'::text]))),
    CONSTRAINT messages_body_check CHECK ((((length(body) >= 1) AND (length(body) <= 2000)) AND (body !~ '[\x01-\x1f\x7f]'::text)))
);


--
-- Name: last_message(); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.last_message() RETURNS bigint
    LANGUAGE sql STABLE
    RETURN COALESCE((SELECT max(messages.message_id) AS max FROM public.messages), (0)::bigint);


--
-- Name: layout_seats(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.layout_seats(layout text) RETURNS TABLE(seat_no integer, deck text, row_no integer, column_no integer, kind text)
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    line   text;
    symbol text;
BEGIN
    seat_no := 0;
    deck := 'main';
    row_no := 0;
    FOREACH line IN ARRAY string_to_array(btrim(layout, E'\r\n\t '), E'\n') LOOP
        line := btrim(line, E'\r\t ');
        IF line = '' THEN
            CONTINUE;
        ELSIF right(line, 1) = ':' THEN
            deck := lower(rtrim(line, ':'));
            row_no := 0;
            CONTINUE;
        END IF;
        row_no := row_no + 1;
        FOR i IN 1 .. length(line) LOOP
            symbol := substr(line, i, 1);
            CONTINUE WHEN symbol IN ('.', 'D');
            kind := CASE symbol WHEN 's' THEN 'seat' WHEN 'b' THEN 'berth' WHEN 'r' THEN 'room' END;
            IF kind IS NULL THEN
                RAISE EXCEPTION 'A layout has no symbol "%", in the row "%".', symbol, line
                    USING HINT = 'Name a row of table layouts, or draw rows with s (seat), b (berth), r (room), D (driver) '
                        'and . (aisle, door).';
            END IF;
            seat_no := seat_no + 1;
            column_no := i;
            RETURN NEXT;
        END LOOP;
    END LOOP;
    IF seat_no = 0 THEN
        RAISE EXCEPTION 'The layout has no seat: "%".', layout
            USING HINT = 'Name a row of table layouts, or draw rows such as ss.ss, one a line.';
    END IF;
END $$;


--
-- Name: leave(integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.leave(process_no integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
    DELETE FROM processes p WHERE p.process_no = leave.process_no;
    SELECT pg_notify('busware', '{"clients":true}');
$$;


--
-- Name: listed(integer[], text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.listed(numbers integer[], noun text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (initcap(noun) || CASE WHEN (cardinality(numbers) = 1) THEN (' '::text || (numbers)[1]) ELSE ((('s '::text || array_to_string((numbers)[:(cardinality(numbers) - 1)], ', '::text)) || ' and '::text) || (numbers)[cardinality(numbers)]) END);


--
-- Name: lock_trip(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.lock_trip(bus_id bigint, travel_date date) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM FROM trips t
    WHERE t.bus_id = lock_trip.bus_id AND t.travel_date = lock_trip.travel_date FOR UPDATE;
END $$;


--
-- Name: manifest(text, bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.manifest(account text, bus_id bigint, travel_date date) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    trip    jsonb := api.show_trip(bus_id, travel_date);
    refusal jsonb := api.not_yours(account, bus_id);
BEGIN
    IF refusal IS NULL AND trip IS NULL THEN
        refusal := api.unknown_trip(bus_id, travel_date);
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    RETURN trip || jsonb_build_object('stops', coalesce((
        WITH riders AS MATERIALIZED (SELECT * FROM api.riders(manifest.bus_id, manifest.travel_date))
        SELECT jsonb_agg(jsonb_build_object('stop_no', r.stop_no, 'place', c.name,
                'arrives_at', api.rfc3339(api.instant(manifest.travel_date, r.arrives, s.time_zone), c.time_zone),
                'departs_at', api.rfc3339(api.instant(manifest.travel_date, r.departs, s.time_zone), c.time_zone),
                'boards', coalesce(boards.passengers, '[]'), 'alights', coalesce(alights.passengers, '[]'),
                'comes_free', coalesce(alights.seats, '[]')) ORDER BY r.stop_no)
        FROM route_table r
        JOIN bus_info s ON s.bus_id = r.bus_id
        JOIN places c ON c.code = r.place
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(one.passenger ORDER BY one.seat_no) AS passengers
            FROM riders AS one WHERE one.from_stop = r.stop_no
        ) AS boards
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(one.passenger ORDER BY one.seat_no) AS passengers,
                   jsonb_agg(one.seat_no ORDER BY one.seat_no) FILTER (WHERE NOT EXISTS (
                       SELECT FROM seats n WHERE n.bus_id = manifest.bus_id AND n.travel_date = manifest.travel_date
                         AND n.seat_no = one.seat_no AND n.taken @> r.stop_no)) AS seats
            FROM riders AS one WHERE one.to_stop = r.stop_no
        ) AS alights
        WHERE r.bus_id = manifest.bus_id AND (boards.passengers IS NOT NULL OR alights.passengers IS NOT NULL)
    ), '[]'));
END $$;


--
-- Name: mark_read(text[], bigint); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.mark_read(readers text[], message_id bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
    INSERT INTO messages_read AS r (reader, read_to)
    SELECT DISTINCT reader, mark_read.message_id FROM unnest(readers) AS reader ORDER BY reader
    ON CONFLICT (reader) DO UPDATE SET read_to = greatest(r.read_to, excluded.read_to)
$$;


--
-- Name: messages_after(bigint, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.messages_after(n bigint, at_most integer DEFAULT 1000) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.message_id), '[]')
    FROM (SELECT * FROM messages m WHERE m.message_id > n ORDER BY m.message_id LIMIT at_most) AS m
$$;


--
-- Name: missed_messages(text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.missed_messages(readers text[]) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    WITH known AS MATERIALIZED (   -- the bookings that each reader knows; an account knows itself, too
        SELECT r.reader, p.bus_id, p.travel_date, p.reference, NULL AS account, p.created_at AS since
        FROM unnest(readers) AS r (reader)
        JOIN passengers p ON p.bus_id = api.reference_bus(r.reader) AND p.reference = r.reader AND p.ticket_no = 1
        UNION ALL
        SELECT r.reader, p.bus_id, p.travel_date, p.reference, NULL, p.created_at
        FROM unnest(readers) AS r (reader)
        JOIN passengers p ON r.reader LIKE 'account:%' AND p.account = substr(r.reader, 9) AND p.ticket_no = 1
        UNION ALL
        SELECT r.reader, NULL, NULL, NULL, a.username, a.created_at
        FROM unnest(readers) AS r (reader)
        JOIN accounts a ON r.reader LIKE 'account:%' AND a.username = substr(r.reader, 9)
    ), told AS (
        SELECT k.reader, m.message_id FROM known k JOIN messages m ON m.reference = k.reference
        WHERE m.audience IN ('booking', 'client') AND m.at >= k.since
        UNION
        SELECT k.reader, m.message_id FROM known k JOIN messages m ON m.account = k.account
        WHERE m.audience IN ('booking', 'client') AND m.at >= k.since
        UNION
        SELECT k.reader, m.message_id FROM known k JOIN messages m ON m.bus_id = k.bus_id AND m.travel_date = k.travel_date
        WHERE m.audience = 'trip' AND m.at >= k.since AND EXISTS (SELECT FROM passengers p
            WHERE p.bus_id = k.bus_id AND p.reference = k.reference AND p.status IN ('held', 'booked', 'pending'))
        UNION
        SELECT k.reader, m.message_id FROM known k JOIN messages m ON m.audience = 'all' AND m.at >= k.since
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('reader', u.reader, 'message', to_jsonb(m)) ORDER BY m.message_id), '[]')
    FROM (
        SELECT t.reader, t.message_id, row_number() OVER (PARTITION BY t.reader ORDER BY t.message_id DESC) AS before_now
        FROM told t LEFT JOIN messages_read r ON r.reader = t.reader
        WHERE t.message_id > coalesce(r.read_to, 0)
    ) AS u JOIN messages m USING (message_id)
    WHERE u.before_now <= 20
$$;


--
-- Name: move_ticket(api.opened, integer, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.move_ticket(b api.opened, ticket_no integer, seat_no integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    service bus_info;
    ticket  passengers;
    refusal jsonb := api.unknown_tickets(b, ARRAY[ticket_no]);
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    SELECT * INTO ticket FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = move_ticket.ticket_no;
    refusal := CASE
        WHEN ticket.status = 'pending' THEN api.refusal('not_held', 'The ticket waits for a seat; it has none to change.')
        WHEN ticket.status IN ('cancelled', 'expired') THEN api.already_ended(b, ARRAY[ticket_no]) END;
    IF refusal IS NULL AND ticket.seat_no <> move_ticket.seat_no THEN
        refusal := api.seats_refused(service, b.travel_date,
            api.find_stretch(service, b.travel_date, NULL, NULL, lower(ticket.segment), upper(ticket.segment)),
            ARRAY[move_ticket.seat_no]);
    END IF;
    IF refusal IS NULL AND ticket.seat_no <> move_ticket.seat_no THEN
        UPDATE passengers p SET seat_no = move_ticket.seat_no
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = move_ticket.ticket_no;
        UPDATE seats s SET taken = CASE s.seat_no WHEN ticket.seat_no THEN s.taken - int4multirange(ticket.segment)
                                                  ELSE s.taken + int4multirange(ticket.segment) END
        WHERE s.bus_id = b.bus_id AND s.travel_date = b.travel_date
          AND s.seat_no IN (ticket.seat_no, move_ticket.seat_no);
        PERFORM api.promote(b.bus_id, b.travel_date);
    END IF;
    RETURN refusal;
END $$;


--
-- Name: nearest_places(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.nearest_places(place text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(jsonb_agg(name ORDER BY likeness DESC, name), '[]')
    FROM (
        SELECT name, max(similarity(lower(word), lower(place))) AS likeness
        FROM places, LATERAL unnest(array[name, code] || aliases) AS word
        GROUP BY code, name
        HAVING max(similarity(lower(word), lower(place))) >= 0.2
        ORDER BY likeness DESC, name
        LIMIT 5
    ) AS nearest
$$;


--
-- Name: new_reference(bigint); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.new_reference(bus_id bigint) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    alphabet CONSTANT text := 'ABCDEFGHJKLMNPQRSTUVWXYZ3789';
    rest      bigint := bus_id;
    prefix    text := '';
    candidate text;
BEGIN
    WHILE rest > 0 LOOP
        prefix := substr(alphabet, (rest % 28)::int + 1, 1) || prefix;
        rest := rest / 28;
    END LOOP;
    LOOP
        -- the first 32 bits of a random uuid are all random; 28^5 is below 2^25
        rest := ('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint;
        candidate := prefix
            || substr(alphabet, (rest % 28)::int + 1, 1) || substr(alphabet, (rest / 28 % 28)::int + 1, 1)
            || substr(alphabet, (rest / 784 % 28)::int + 1, 1) || substr(alphabet, (rest / 21952 % 28)::int + 1, 1)
            || substr(alphabet, (rest / 614656 % 28)::int + 1, 1);
        EXIT WHEN NOT EXISTS (SELECT FROM passengers p
            WHERE p.bus_id = new_reference.bus_id AND p.reference = candidate);
    END LOOP;
    RETURN candidate;
END $$;


--
-- Name: next_time(interval, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.next_time(after interval, clock text) RETURNS interval
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (clock = '-'::text) THEN NULL::interval WHEN ((clock)::interval >= after) THEN (clock)::interval ELSE ((clock)::interval + ('24:00:00'::interval * (ceil((EXTRACT(epoch FROM (after - (clock)::interval)) / (86400)::numeric)))::double precision)) END;


--
-- Name: no_hold(api.opened); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.no_hold(b api.opened) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE
        WHEN bool_or(p.status = 'booked') THEN
            api.refusal('already_booked', format('Booking %s is confirmed already.', b.reference))
        WHEN bool_or(p.status = 'held' OR p.status = 'expired' AND p.seat_no IS NOT NULL) THEN NULL
        WHEN bool_or(p.status = 'pending') THEN
            api.refusal('not_held', format('Booking %s waits for seats; it is confirmed by itself.', b.reference))
        WHEN bool_or(p.status = 'expired') THEN
            api.refusal('not_held', format('Booking %s waited in vain; it holds no seats.', b.reference))
        ELSE
            api.refusal('already_cancelled', format('Booking %s is cancelled already.', b.reference))
        END
    FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
$$;


--
-- Name: not_for_sale(public.bus_info, public.trips, api.stretch); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.not_for_sale(service public.bus_info, trip public.trips, s api.stretch) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF trip.state = 'cancelled' THEN
        RETURN api.trip_cancelled(service, trip.travel_date);
    ELSIF s.sells_until <= api.now() THEN
        RETURN (SELECT api.refusal('departed', format('%s (%s %s) of %s no longer sells from %s: it left at %s.',
                service.name, service.nouns ->> 'service', service.bus_id, trip.travel_date, p.name,
                to_char(s.departs_at AT TIME ZONE p.time_zone, 'HH24:MI')))
            FROM route_table r JOIN places p ON p.code = r.place
            WHERE r.bus_id = service.bus_id AND r.stop_no = s.from_stop);
    END IF;
    RETURN NULL;
END $$;


--
-- Name: not_on_route(public.bus_info, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.not_on_route(service public.bus_info, origin text, destination text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    stops text[] := api.stops_of(service);
BEGIN
    RETURN api.refusal('not_on_route',
        format('%s (%s %s) does not go from %s to %s. It goes: %s.', service.name, service.nouns ->> 'service',
               service.bus_id, origin, destination, array_to_string(stops, ' – ')),
        jsonb_build_object('stops', to_jsonb(stops)));
END $$;


--
-- Name: not_yours(text, bigint); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.not_yours(account text, bus_id bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    service bus_info;
BEGIN
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = not_yours.bus_id;
    IF service.bus_id IS NULL THEN
        RETURN api.unknown_trip(bus_id, NULL);
    ELSIF api.operates(account, bus_id) THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('not_yours', format('%s (%s %s) is run by %s; only they may do this.',
        service.name, service.nouns ->> 'service', bus_id, service.operator));
END $$;


--
-- Name: note_attempts(text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.note_attempts(subjects text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
    INSERT INTO attempts (subject, at) SELECT subject, api.now() FROM unnest(subjects) AS subject
$$;


--
-- Name: notice(text, bigint, text, bigint, date, uuid, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.notice(body text, client_no bigint DEFAULT NULL::bigint, reference text DEFAULT NULL::text, bus_id bigint DEFAULT NULL::bigint, travel_date date DEFAULT NULL::date, key uuid DEFAULT NULL::uuid, sender text DEFAULT 'operator'::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    m       messages;
    client  clients;
    refusal jsonb := api.body_refused(body);
BEGIN
    m.sender := sender;
    m.body := body;
    m.key := key;
    m.client_no := client_no;
    m.reference := upper(btrim(reference));
    m.bus_id := coalesce(bus_id, api.reference_bus(m.reference));
    m.travel_date := travel_date;
    m.audience := CASE WHEN client_no IS NOT NULL THEN 'client' WHEN reference IS NOT NULL THEN 'booking'
                       WHEN bus_id IS NOT NULL OR travel_date IS NOT NULL THEN 'trip' ELSE 'all' END;
    IF m.audience = 'client' THEN
        SELECT * INTO client FROM clients c WHERE c.client_no = notice.client_no;
        m.reference := client.reference;
        m.account := client.account;
        refusal := coalesce(refusal, api.unknown_client(client_no, client));
    ELSIF m.audience = 'booking' THEN
        SELECT p.travel_date, p.account INTO m.travel_date, m.account FROM passengers p
        WHERE p.bus_id = m.bus_id AND p.reference = m.reference LIMIT 1;
        IF NOT FOUND THEN
            refusal := coalesce(refusal, api.refusal('unknown_booking', format('There is no booking %s.', m.reference)));
        END IF;
    ELSIF m.audience = 'trip' AND NOT EXISTS (
        SELECT FROM trips t WHERE t.bus_id = m.bus_id AND t.travel_date = m.travel_date
    ) THEN
        refusal := coalesce(refusal, api.unknown_trip(m.bus_id, m.travel_date));
    END IF;
    RETURN coalesce(refusal, jsonb_build_object('message_id', api.post(m)));
END $$;


--
-- Name: notice_by(text, bigint, date, text, uuid); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.notice_by(account text, bus_id bigint, travel_date date, body text, key uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    RETURN COALESCE(api.not_yours(account, bus_id), api.notice(body, bus_id => bus_id, travel_date => travel_date, key => key, sender => ('operator '::text || account)));


--
-- Name: now(); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    RETURN now();


--
-- Name: on_sale_until(text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.on_sale_until(origins text[]) RETURNS date
    LANGUAGE sql STABLE
    AS $$
    SELECT max((t.last + r.departs)::date)
    FROM (SELECT bus_id, max(departs) AS departs FROM route_table WHERE place = ANY (origins) GROUP BY bus_id) AS r,
         LATERAL (SELECT max(travel_date) AS last FROM trips WHERE trips.bus_id = r.bus_id) AS t
$$;


--
-- Name: open_booking(text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.open_booking(reference text, phone text, account text DEFAULT NULL::text) RETURNS api.opened
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    b api.opened;
BEGIN
    b.reference := upper(btrim(reference));
    b.bus_id := api.reference_bus(b.reference);
    SELECT p.travel_date INTO b.travel_date FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference
      AND (p.phone = open_booking.phone OR p.phone IS NULL AND p.account IS NULL
           OR p.account = open_booking.account OR api.operates(open_booking.account, b.bus_id)) LIMIT 1;
    IF NOT FOUND THEN
        b.refusal := api.refusal('unknown_booking', 'No booking has that reference and phone number.');
    END IF;
    RETURN b;
END $$;


--
-- Name: open_calls(jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.open_calls(calls jsonb) RETURNS TABLE(n integer, method text, args jsonb, request api.request, caller text, key text, bus_id bigint, travel_date date, again boolean)
    LANGUAGE sql STABLE
    AS $$
    SELECT (c.ordinal - 1)::int, c.method, c.args, jsonb_populate_record(NULL::api.request, c.args), c.caller, c.key,
           t.bus_id, t.travel_date,
           c.key IS NOT NULL AND row_number() OVER (PARTITION BY c.key, c.caller, t.bus_id ORDER BY c.ordinal) > 1
    FROM ROWS FROM (jsonb_to_recordset(calls) AS (method text, args jsonb, caller text, key text))
             WITH ORDINALITY AS c (method, args, caller, key, ordinal),
         LATERAL api.trip_of(c.args) AS t
    ORDER BY c.ordinal
$$;


--
-- Name: open_dates(text, bigint, date, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.open_dates(account text, bus_id bigint, from_date date, to_date date) RETURNS TABLE(refused boolean, answer jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    today date := (api.now() AT TIME ZONE (SELECT s.time_zone FROM bus_info s WHERE s.bus_id = open_dates.bus_id))::date;
BEGIN
    answer := coalesce(api.not_yours(account, bus_id), CASE
        WHEN to_date < from_date THEN api.bad_request('to', 'a date, not before `from`', 'It ends before it begins.')
        WHEN to_date < today THEN api.bad_request('to', format('a date from %s on', today), 'All of that is in the past.')
        WHEN to_date > today + 730 THEN
            api.bad_request('to', format('a date up to %s', today + 730), 'Sales open at most two years ahead.') END);
    refused := answer IS NOT NULL;
    IF NOT refused THEN
        answer := jsonb_build_object('opened', api.open_sales(bus_id, greatest(from_date, today), to_date));
    END IF;
    RETURN NEXT;
END $$;


--
-- Name: open_sales(bigint, date, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.open_sales(bus_id bigint, from_date date DEFAULT NULL::date, to_date date DEFAULT NULL::date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    service bus_info;
    today   date;
    opened  date[];
BEGIN
    SELECT * INTO service FROM bus_info b WHERE b.bus_id = open_sales.bus_id;
    today := (api.now() AT TIME ZONE service.time_zone)::date;
    WITH added AS (
        INSERT INTO trips (bus_id, travel_date)
        SELECT service.bus_id, day::date
        FROM generate_series(
            greatest(coalesce(from_date, today), service.first_date),
            least(coalesce(to_date, today + service.sales_days), service.last_date), interval '1 day') AS day
        WHERE extract(isodow FROM day) = ANY (service.runs_on)
        ON CONFLICT DO NOTHING
        RETURNING travel_date
    )
    SELECT array_agg(travel_date) INTO opened FROM added;
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT p.bus_id, day, p.seat_no FROM seat_plan p, unnest(opened) AS day
    WHERE p.bus_id = open_sales.bus_id;
    RETURN coalesce(cardinality(opened), 0);
END $$;


--
-- Name: operates(text, bigint); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.operates(account text, bus_id bigint) RETURNS boolean
    LANGUAGE sql STABLE STRICT
    AS $$
    SELECT EXISTS (SELECT FROM accounts a WHERE a.username = operates.account AND (a.role = 'admin'
        OR a.operator = (SELECT s.operator FROM bus_info s WHERE s.bus_id = operates.bus_id)))
$$;


--
-- Name: parse_stops(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.parse_stops(stops text) RETURNS TABLE(stop_no integer, place text, arrives interval, departs interval, km numeric, fare numeric)
    LANGUAGE plpgsql STABLE
    AS $_$
DECLARE
    line    text;
    cells   text[];
    clock   interval := '0';
    last_km numeric := 0;
    last_fare numeric := 0;
    hint CONSTANT text := 'A line is: place | arrives | departs | km | fare, as in "Mandya | 23:40 | 23:45 | 100 | 180".';
BEGIN
    stop_no := 0;
    FOREACH line IN ARRAY string_to_array(stops, E'\n') LOOP
        line := btrim(line, E'\r\t ');
        CONTINUE WHEN line = '' OR line LIKE '#%';
        cells := ARRAY(SELECT btrim(cell) FROM unnest(string_to_array(line, '|')) WITH ORDINALITY AS c (cell, i) ORDER BY i);
        IF cardinality(cells) <> 5 OR cells[2] !~ '^(-|\d{1,4}:[0-5]\d)$' OR cells[3] !~ '^(-|\d{1,4}:[0-5]\d)$'
           OR cells[4] !~ '^\d+(\.\d)?$' OR cells[5] !~ '^\d+(\.\d{1,2})?$' THEN
            RAISE EXCEPTION 'Not a line of a timetable: "%".', line USING HINT = hint;
        END IF;
        WITH called AS MATERIALIZED (   -- found by its word; to find the first in order, all would be read
            SELECT p.code FROM places p WHERE place_words(p.code, p.name, p.aliases) @> ARRAY[lower(cells[1])]
        )
        SELECT min(called.code) INTO place FROM called;
        IF place IS NULL THEN
            RAISE EXCEPTION 'No place is called "%", in the line "%".', cells[1], line
                USING HINT = 'Insert it into places (code, name) first; like it are: ' || (api.nearest_places(cells[1]) #>> '{}');
        END IF;
        arrives := api.next_time(clock, cells[2]);
        departs := api.next_time(coalesce(arrives, clock), cells[3]);
        IF departs - arrives > interval '12 hours' AND departs <> nullif(cells[3], '-')::interval THEN
            RAISE EXCEPTION 'It departs before it arrives: "%".', line
                USING HINT = 'Where it does stand so long, count the hours on past midnight, as in 18:00 | 32:00.';
        END IF;
        clock := coalesce(departs, arrives, clock);
        km := cells[4];
        fare := cells[5];
        stop_no := stop_no + 1;
        IF arrives IS NULL AND departs IS NULL OR km < last_km OR fare < last_fare THEN
            RAISE EXCEPTION 'A stop needs a time, and km and fare that do not fall: "%".', line USING HINT = hint;
        END IF;
        last_km := km;
        last_fare := fare;
        RETURN NEXT;
    END LOOP;
    IF stop_no < 2 THEN
        RAISE EXCEPTION 'A timetable has two stops at least.' USING HINT = hint;
    END IF;
END $_$;


--
-- Name: party_refused(public.bus_info, integer[], integer, text, jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.party_refused(service public.bus_info, seats integer[], wanted integer, contact text, passengers jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF wanted IS NULL OR wanted < 1 THEN
        RETURN api.bad_request('seats', 'a list of seat numbers, or count', 'Say which seats, or how many.');
    ELSIF wanted > service.max_seats THEN
        RETURN api.refusal('too_many_seats', format('One booking may have %s; this asks for %s.',
            api.counted(service.max_seats, service.nouns ->> 'seat'), wanted), jsonb_build_object('limit', service.max_seats));
    ELSIF service.phone_required AND contact IS NULL THEN
        RETURN api.bad_request('phone', 'a phone number', 'A phone number is needed, to open the booking with.');
    ELSIF jsonb_array_length(passengers) > wanted THEN
        RETURN api.bad_request('passengers', 'one passenger a seat at most', 'There are more passengers than seats.');
    ELSIF cardinality(seats) > 1 THEN
        IF wanted > (SELECT count(DISTINCT n) FROM unnest(seats) AS n) THEN
            RETURN api.bad_request('seats', 'different seat numbers', 'The same seat is named twice.');
        END IF;
    END IF;
    RETURN NULL;
END $$;


--
-- Name: place_codes(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.place_codes(place text) RETURNS text[]
    LANGUAGE sql STABLE
    AS $$
    WITH RECURSIVE found AS (
        SELECT code FROM places WHERE place_words(code, name, aliases) @> ARRAY[lower(place)]
        UNION
        SELECT places.code FROM places JOIN found ON places.part_of = found.code
    )
    SELECT array_agg(code) FROM found
$$;


--
-- Name: places(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.places(kind text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    WITH RECURSIVE called AS (
        SELECT DISTINCT r.place AS code, s.kind FROM route_table r JOIN bus_info s USING (bus_id)
        UNION
        SELECT p.part_of, called.kind FROM called JOIN places p USING (code) WHERE p.part_of IS NOT NULL
    ), place AS (
        SELECT p.code, p.name, p.aliases, p.part_of, jsonb_agg(called.kind ORDER BY called.kind) AS kinds
        FROM called JOIN places p USING (code)
        WHERE places.kind IS NULL OR called.kind = places.kind
        GROUP BY p.code
    )
    SELECT jsonb_build_object('places', coalesce(jsonb_agg(
        jsonb_build_object('code', code, 'name', name, 'aliases', to_jsonb(aliases), 'kinds', kinds)
            || CASE WHEN part_of IS NULL THEN '{}' ELSE jsonb_build_object('part_of', part_of) END ORDER BY name), '[]'),
        'on_sale_until', api.on_sale_until(array_agg(code)))
    FROM place
$$;


--
-- Name: post(public.messages); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.post(message public.messages) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1651864439, 0);   -- "busw"; 1 and more are the processes (api.enlist)
    message.message_id := nextval('message_id_seq');
    message.key := coalesce(message.key, gen_random_uuid());
    message.at := api.now();
    INSERT INTO messages SELECT (message).* ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN
        RETURN (SELECT m.message_id FROM messages m WHERE m.key = (message).key);
    END IF;
    PERFORM pg_notify('busware', '{"messages":true}');
    RETURN message.message_id;
END $$;


--
-- Name: presence(integer, jsonb, bigint[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.presence(process_no integer, present jsonb, gone bigint[]) RETURNS TABLE(connection_no bigint, client_no bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO clients AS c (process_no, connection_no, client_no, address, face, reference, account, since)
    SELECT presence.process_no, p.connection_no, coalesce(p.client_no, nextval('client_no_seq')), p.address, p.face,
           p.reference, p.account, api.now()
    FROM jsonb_to_recordset(present) AS p
        (connection_no bigint, client_no bigint, address text, face text, reference text, account text)
    ON CONFLICT ON CONSTRAINT clients_pkey
    DO UPDATE SET address = excluded.address, face = excluded.face, reference = excluded.reference, account = excluded.account
    RETURNING c.connection_no, c.client_no;
    UPDATE clients c SET left_at = api.now()
    WHERE c.process_no = presence.process_no AND c.connection_no = ANY (gone);
    DELETE FROM clients c
    WHERE c.process_no = presence.process_no AND c.left_at < api.now() - interval '1 minute';
    PERFORM pg_notify('busware', '{"clients":true}');
END $$;


--
-- Name: present(); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.present() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
    WITH alive AS MATERIALIZED (SELECT * FROM processes p WHERE api.is_alive(p.process_no))
    SELECT jsonb_build_object(
        'processes', coalesce((SELECT jsonb_agg(to_jsonb(p) ORDER BY p.process_no) FROM alive p), '[]'),
        'clients', coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY c.client_no)
                             FROM clients c JOIN alive USING (process_no)), '[]'))
$$;


--
-- Name: promote(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.promote(bus_id bigint, travel_date date) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    party  record;
    chosen int[];
BEGIN
    IF NOT EXISTS (SELECT FROM passengers p   -- as it is nearly always, and told in a tenth of the time
            WHERE p.bus_id = promote.bus_id AND p.travel_date = promote.travel_date AND p.status = 'pending') THEN
        RETURN;
    END IF;
    FOR party IN
        SELECT p.reference, p.segment, array_agg(p.ticket_no ORDER BY p.ticket_no) AS tickets
        FROM trips t JOIN passengers p ON p.bus_id = t.bus_id AND p.travel_date = t.travel_date
        WHERE t.bus_id = promote.bus_id AND t.travel_date = promote.travel_date AND t.state = 'open'
          AND p.status = 'pending'
        GROUP BY p.reference, p.segment
        HAVING count(*) <= (SELECT count(*) FROM seats s
            WHERE s.bus_id = promote.bus_id AND s.travel_date = promote.travel_date AND NOT s.taken && p.segment)
        ORDER BY min(p.queue_no)
    LOOP
        chosen := api.choose_seats(bus_id, travel_date, party.segment, cardinality(party.tickets));
        CONTINUE WHEN chosen IS NULL;
        UPDATE passengers p
        SET status = 'booked', seat_no = c.seat_no, booked_at = api.now(), expires_at = NULL
        FROM unnest(party.tickets, chosen) AS c (ticket_no, seat_no)
        WHERE p.bus_id = promote.bus_id AND p.reference = party.reference AND p.ticket_no = c.ticket_no;
        PERFORM api.take(bus_id, travel_date, chosen, party.segment);
        PERFORM api.record_payments(ARRAY[bus_id], ARRAY[party.reference]);
    END LOOP;
END $$;


--
-- Name: purge_accounts(interval); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.purge_accounts(since interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM attempts a WHERE a.at <= api.now() - since;
    DELETE FROM tokens t WHERE t.expires_at <= api.now();
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;


--
-- Name: purge_messages(interval); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.purge_messages(keep interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM messages m WHERE m.at < api.now() - keep;
    GET DIAGNOSTICS n = ROW_COUNT;
    DELETE FROM messages_read r WHERE r.read_to < (SELECT min(m.message_id) FROM messages m);
    RETURN n;
END $$;


--
-- Name: purge_requests(interval); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.purge_requests(keep interval DEFAULT '48:00:00'::interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    n int;
BEGIN
    DELETE FROM requests r WHERE r.at < api.now() - keep;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;


--
-- Name: queue_position(bigint, date, bigint); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.queue_position(bus_id bigint, travel_date date, queue_no bigint) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    SELECT count(DISTINCT p.reference) FROM passengers p
    WHERE p.bus_id = queue_position.bus_id AND p.travel_date = queue_position.travel_date
      AND p.status = 'pending' AND p.expires_at > api.now() AND p.queue_no <= queue_position.queue_no
$$;


--
-- Name: read(text, jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.read(method text, args jsonb) RETURNS TABLE(refused boolean, answer jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    a record;
BEGIN
    SELECT * INTO a FROM jsonb_to_record(args) AS r (
        kind text, origin text, destination text, date date, until date, bus_type text, ac boolean, seats int,
        bus_id bigint, travel_date date, from_stop int, to_stop int, reference text, phone text, tickets int[],
        place text, account text, after text, "limit" int, current boolean);
    CASE method   -- any other is a fault
        WHEN 'places' THEN answer := api.places(a.kind);
        WHEN 'search' THEN
            answer := api.search(a.origin, a.destination, a.date, a.until, a.kind, a.bus_type, a.ac, a.seats);
        WHEN 'seat_map' THEN
            answer := api.seat_map(a.bus_id, a.travel_date, a.origin, a.destination, a.from_stop, a.to_stop);
        WHEN 'booking' THEN answer := api.booking(a.reference, a.phone, a.account);
        WHEN 'bookings' THEN answer := api.bookings(a.account, a.kind, a.current, a."limit", a.after);
        WHEN 'find' THEN answer := api.find(a.phone, a.date, a.place);
        WHEN 'cancel_quote' THEN answer := api.cancel_quote(a.reference, a.phone, a.tickets, a.account);
        WHEN 'trips' THEN answer := api.trips(a.account, a.date, a."limit", a.after);
        WHEN 'manifest' THEN answer := api.manifest(a.account, a.bus_id, a.travel_date);
    END CASE;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;


--
-- Name: recent_messages(integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.recent_messages(at_most integer DEFAULT 20) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.message_id), '[]')
    FROM (SELECT * FROM messages ORDER BY message_id DESC LIMIT at_most) AS m
$$;


--
-- Name: record_payments(bigint[], text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.record_payments(bus_ids bigint[], refs text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO payments (bus_id, reference, ticket_no, payment_no, kind, amount, at)
    SELECT p.bus_id, p.reference, p.ticket_no, 1, 'charge', p.fare, api.now()
    FROM unnest(bus_ids, refs) AS named (bus_id, reference)
    JOIN passengers p ON p.bus_id = named.bus_id AND p.reference = named.reference
    WHERE p.booked_at IS NOT NULL
    ON CONFLICT DO NOTHING;

    INSERT INTO payments (bus_id, reference, ticket_no, payment_no, kind, amount, at)
    SELECT p.bus_id, p.reference, p.ticket_no, paid.last + 1, 'refund', p.refund - paid.back, api.now()
    FROM (SELECT DISTINCT * FROM unnest(bus_ids, refs)) AS named (bus_id, reference)
    JOIN passengers p ON p.bus_id = named.bus_id AND p.reference = named.reference AND p.refund > 0
    CROSS JOIN LATERAL (
        SELECT max(y.payment_no) AS last, coalesce(sum(y.amount) FILTER (WHERE y.kind = 'refund'), 0) AS back
        FROM payments y WHERE y.bus_id = p.bus_id AND y.reference = p.reference AND y.ticket_no = p.ticket_no
    ) AS paid
    WHERE p.refund > paid.back;
END $$;


--
-- Name: record_requests(jsonb, integer[], bigint[], text[], jsonb[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.record_requests(calls jsonb, done integer[], bus_ids bigint[], refs text[], replies jsonb[]) RETURNS TABLE(n integer, answer jsonb)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    WITH answered AS MATERIALIZED (
        SELECT d.n, d.bus_id, calls -> d.n AS call, coalesce(d.reply, d.booking, '{}') AS answer
        FROM unnest(done, bus_ids, replies, api.show_bookings(bus_ids, refs)) AS d (n, bus_id, reply, booking)
    ), recorded AS (
        INSERT INTO requests (bus_id, caller, key, method, digest, answer, at)
        SELECT a.bus_id, a.call ->> 'caller', a.call ->> 'key', a.call ->> 'method',
               api.digest(a.call ->> 'method', a.call -> 'args'), a.answer, api.now()
        FROM answered AS a WHERE a.call ->> 'key' IS NOT NULL AND a.answer <> '{}'
    )
    SELECT a.n, a.answer FROM answered AS a;
END $$;


--
-- Name: recount(bigint, date, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.recount(bus_id bigint, travel_date date, seat_nos integer[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    changed int;
BEGIN
    UPDATE seats s SET taken = live.taken
    FROM seats AS mine, LATERAL (
        SELECT coalesce(range_agg(p.segment), '{}') AS taken FROM passengers p
        WHERE p.bus_id = recount.bus_id AND p.travel_date = recount.travel_date
          AND p.seat_no = mine.seat_no AND p.status IN ('held', 'booked')
    ) AS live
    WHERE mine.bus_id = recount.bus_id AND mine.travel_date = recount.travel_date
      AND mine.seat_no = ANY (recount.seat_nos)
      AND s.bus_id = mine.bus_id AND s.travel_date = mine.travel_date AND s.seat_no = mine.seat_no
      AND s.taken <> live.taken;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;


--
-- Name: recount_for(jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.recount_for(args jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    trip  record := api.trip_of(args);
    wrong int;
BEGIN
    PERFORM api.lock_trip(trip.bus_id, trip.travel_date);
    wrong := api.recount(trip.bus_id, trip.travel_date, ARRAY(SELECT s.seat_no FROM seats s
        WHERE s.bus_id = trip.bus_id AND s.travel_date = trip.travel_date));
    PERFORM api.settle(trip.bus_id, trip.travel_date);
    RETURN wrong;
END $$;


--
-- Name: reference_bus(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.reference_bus(reference text) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
DECLARE
    alphabet CONSTANT text := 'ABCDEFGHJKLMNPQRSTUVWXYZ3789';
    digit    int;
    bus_id   bigint := 0;
BEGIN
    IF length(reference) NOT BETWEEN 6 AND 18 THEN   -- 13 digits of base 28 fit a bigint
        RETURN NULL;
    END IF;
    FOR i IN 1 .. length(reference) - 5 LOOP
        digit := strpos(alphabet, substr(reference, i, 1)) - 1;
        IF digit < 0 THEN
            RETURN NULL;
        END IF;
        bus_id := bus_id * 28 + digit;
    END LOOP;
    RETURN bus_id;
END $$;


--
-- Name: passengers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.passengers (
    bus_id bigint NOT NULL,
    reference text NOT NULL,
    ticket_no integer NOT NULL,
    travel_date date NOT NULL,
    seat_no integer,
    segment int4range NOT NULL,
    name text,
    phone text,
    fare numeric(10,2) NOT NULL,
    refund_percent numeric(5,2) NOT NULL,
    refund numeric(10,2) DEFAULT 0 NOT NULL,
    status text NOT NULL,
    queue_no bigint,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    booked_at timestamp with time zone,
    ended_at timestamp with time zone,
    account text,
    CONSTRAINT known_status CHECK ((status = ANY (ARRAY['held'::text, 'booked'::text, 'pending'::text, 'cancelled'::text, 'expired'::text]))),
    CONSTRAINT live_has_a_seat CHECK (((seat_no IS NOT NULL) OR (status <> ALL (ARRAY['held'::text, 'booked'::text])))),
    CONSTRAINT passengers_fare_check CHECK ((fare >= (0)::numeric)),
    CONSTRAINT passengers_ticket_no_check CHECK ((ticket_no > 0)),
    CONSTRAINT real_segment CHECK (((lower(segment) >= 1) AND (NOT isempty(segment)) AND (NOT upper_inf(segment)))),
    CONSTRAINT waiting_runs_out CHECK (((expires_at IS NOT NULL) OR (status <> ALL (ARRAY['held'::text, 'pending'::text]))))
)
WITH (fillfactor='90');


--
-- Name: refund_of(public.passengers); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.refund_of(ticket public.passengers) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((ticket).status = 'booked'::text) THEN round(((((ticket).fare - (ticket).refund) * (ticket).refund_percent) / (100)::numeric), 2) ELSE (0)::numeric END;


--
-- Name: register(text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.register(username text, password_hash text, phone text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO accounts (username, password_hash, phone, created_at)
    VALUES (register.username, register.password_hash, register.phone, api.now())
    ON CONFLICT DO NOTHING;
    -- a hash is salted: the same one is our own, of a try whose answer was lost
    RETURN EXISTS (SELECT FROM accounts a
        WHERE a.username = register.username AND a.password_hash = register.password_hash);
END $$;


--
-- Name: release(text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.release(reference text, phone text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE sql
    RETURN api.call('release'::text, jsonb_build_object('reference', reference, 'phone', phone));


--
-- Name: release_hold(api.opened); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.release_hold(b api.opened) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
    refusal jsonb := api.no_hold(b);
    tickets int[] := ARRAY(SELECT p.ticket_no FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'held');
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    ELSIF tickets = '{}' THEN
        RETURN api.refusal('hold_expired', 'The hold ran out by itself; there is nothing to give up.');
    END IF;
    PERFORM api.end_tickets(b, tickets);
    RETURN NULL;
END $$;


--
-- Name: rfc3339(timestamp with time zone, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.rfc3339(at timestamp with time zone, zone text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    AS $$
DECLARE
    local  timestamp := at AT TIME ZONE zone;
    ahead  interval := local - (at AT TIME ZONE 'UTC');
BEGIN
    RETURN to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN ahead < '0' THEN '-' ELSE '+' END
        || to_char(CASE WHEN ahead < '0' THEN -ahead ELSE ahead END, 'HH24:MI');
END $$;


--
-- Name: riders(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.riders(bus_id bigint, travel_date date) RETURNS TABLE(seat_no integer, from_stop integer, to_stop integer, passenger jsonb)
    LANGUAGE sql STABLE
    AS $$
    SELECT p.seat_no, lower(p.segment), upper(p.segment), jsonb_build_object('reference', p.reference,
        'ticket_no', p.ticket_no, 'seat_no', p.seat_no, 'name', p.name,
        'phone', coalesce(p.phone, (SELECT a.phone FROM accounts a WHERE a.username = p.account)))
    FROM passengers p
    WHERE p.bus_id = riders.bus_id AND p.travel_date = riders.travel_date AND p.status = 'booked'
$$;


--
-- Name: say(text, uuid, text, integer, integer, bigint, text, text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.say(body text, key uuid, address text, a_minute integer DEFAULT 60, process_no integer DEFAULT NULL::integer, connection_no bigint DEFAULT NULL::bigint, line text DEFAULT NULL::text, face text DEFAULT ''::text, reference text DEFAULT NULL::text, account text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
DECLARE
    m       messages;
    refusal jsonb := api.body_refused(body);
BEGIN
    IF refusal IS NULL AND a_minute <= (SELECT count(*) FROM messages said
            WHERE said.at > api.now() - interval '1 minute' AND said.address = say.address) THEN
        refusal := api.refusal('not_allowed', format('%s messages a minute are the most; wait a little.', a_minute),
            jsonb_build_object('limit', a_minute, 'retry_after', 60));
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    INSERT INTO clients (process_no, connection_no, address, face, since)
    SELECT p.process_no, say.connection_no, say.line, say.face, api.now()
    FROM processes p WHERE p.process_no = say.process_no
    ON CONFLICT DO NOTHING;
    SELECT c.client_no INTO m.client_no FROM clients c
    WHERE c.process_no = say.process_no AND c.connection_no = say.connection_no;
    m.audience := 'operators';
    m.sender := coalesce('client ' || m.client_no, 'client at ' || address);
    m.address := address;
    m.account := account;
    m.reference := reference;
    m.bus_id := api.reference_bus(reference);
    m.travel_date := (SELECT p.travel_date FROM passengers p
        WHERE p.bus_id = m.bus_id AND p.reference = m.reference LIMIT 1);
    m.body := body;
    m.key := key;
    PERFORM api.post(m);
    RETURN '{}';
END $$;


--
-- Name: search(text, text, date, date, text, text, boolean, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.search(origin text, destination text, date date, until date DEFAULT NULL::date, kind text DEFAULT NULL::text, bus_type text DEFAULT NULL::text, ac boolean DEFAULT NULL::boolean, seats integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    origins      text[] := api.place_codes(origin);
    destinations text[] := api.place_codes(destination);
    found        jsonb;
BEGIN
    IF origins IS NULL THEN
        RETURN api.unknown_place(origin);
    ELSIF destinations IS NULL THEN
        RETURN api.unknown_place(destination);
    END IF;
    -- by itself, since filters that are mostly absent mislead the planner about all the rest
    WITH departure AS MATERIALIZED (SELECT * FROM api.departures(origins, destinations, search.date, search.until))
    SELECT jsonb_agg(jsonb_build_object(
            'bus_id', t.bus_id, 'kind', t.kind, 'name', t.name, 'operator', t.operator, 'bus_type', t.bus_type,
            'ac', t.ac, 'travel_date', t.travel_date, 'origin', t.origin, 'destination', t.destination,
            'from_stop', t.from_stop, 'to_stop', t.to_stop,
            'departs_at', api.rfc3339(t.departs_at, t.origin_zone),
            'arrives_at', api.rfc3339(t.arrives_at, t.destination_zone),
            'fare', t.fare::text, 'seats_free', t.seats_free)
        ORDER BY t.departs_at, t.arrives_at, t.bus_id)
    INTO found
    FROM (
        SELECT d.*, api.seats_free(d.bus_id, d.travel_date, int4range(d.from_stop, d.to_stop)) AS seats_free
        FROM departure AS d
        WHERE (search.kind IS NULL OR d.kind = search.kind)
          AND (search.bus_type IS NULL OR d.bus_type = search.bus_type)
          AND (search.ac IS NULL OR d.ac = search.ac)
    ) AS t
    WHERE search.seats IS NULL OR t.seats_free >= search.seats;
    IF found IS NULL THEN
        RETURN coalesce(api.date_refused(origins, search.date), '{"trips": []}');
    END IF;
    RETURN jsonb_build_object('trips', found);
END $$;


--
-- Name: seat_map(bigint, date, text, text, integer, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.seat_map(bus_id bigint, travel_date date, origin text DEFAULT NULL::text, destination text DEFAULT NULL::text, from_stop integer DEFAULT NULL::integer, to_stop integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    service bus_info;
    s       api.stretch;
    seats   jsonb;
BEGIN
    SELECT i.* INTO service FROM bus_info i JOIN trips t USING (bus_id)
    WHERE t.bus_id = seat_map.bus_id AND t.travel_date = seat_map.travel_date;
    IF NOT FOUND THEN
        RETURN api.unknown_trip(bus_id, travel_date);
    END IF;
    s := api.find_stretch(service, travel_date, origin, destination, from_stop, to_stop);
    IF s.refusal IS NOT NULL THEN
        RETURN s.refusal;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('seat_no', p.seat_no, 'deck', p.deck, 'row', p.row_no, 'column', p.column_no,
            'kind', p.kind, 'state', CASE WHEN NOT n.taken && s.segment THEN 'free'
                                          WHEN h.seat_no IS NOT NULL THEN 'held' ELSE 'taken' END)
        ORDER BY p.seat_no)
    INTO seats
    FROM api.seats_now(seat_map.bus_id, seat_map.travel_date) AS n
    JOIN seat_plan p ON p.bus_id = seat_map.bus_id AND p.seat_no = n.seat_no
    LEFT JOIN (
        SELECT DISTINCT h.seat_no FROM passengers h
        WHERE h.bus_id = seat_map.bus_id AND h.travel_date = seat_map.travel_date
          AND h.status = 'held' AND h.expires_at > api.now() AND h.segment && s.segment
    ) AS h ON h.seat_no = p.seat_no;
    RETURN jsonb_build_object('layout', service.layout, 'fare', s.fare::text, 'seats', seats, 'max_seats', service.max_seats);
END $$;


--
-- Name: seats_free(bigint, date, int4range); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.seats_free(bus_id bigint, travel_date date, segment int4range) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    SELECT count(*) FROM api.seats_now(bus_id, travel_date) AS s WHERE NOT s.taken && segment
$$;


--
-- Name: seats_now(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.seats_now(bus_id bigint, travel_date date) RETURNS TABLE(seat_no integer, taken int4multirange)
    LANGUAGE sql STABLE ROWS 40
    AS $$
    SELECT s.seat_no, s.taken - coalesce(due.segments, '{}')
    FROM seats s LEFT JOIN (
        SELECT p.seat_no, range_agg(p.segment) AS segments FROM passengers p
        WHERE p.bus_id = seats_now.bus_id AND p.travel_date = seats_now.travel_date
          AND p.status = 'held' AND p.expires_at <= api.now()
        GROUP BY p.seat_no
    ) AS due ON due.seat_no = s.seat_no
    WHERE s.bus_id = seats_now.bus_id AND s.travel_date = seats_now.travel_date
$$;


--
-- Name: seats_of(api.opened, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.seats_of(b api.opened, tickets integer[]) RETURNS integer[]
    LANGUAGE sql STABLE
    AS $$
    SELECT array_agg(p.seat_no) FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets) AND p.seat_no IS NOT NULL
$$;


--
-- Name: seats_refused(public.bus_info, date, api.stretch, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.seats_refused(service public.bus_info, travel_date date, s api.stretch, seats integer[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    known int[];
    gone  int[];
    seat  text;
BEGIN
    IF cardinality(seats) = (SELECT count(*) FROM seats t
            WHERE t.bus_id = service.bus_id AND t.travel_date = seats_refused.travel_date
              AND t.seat_no = ANY (seats_refused.seats) AND NOT t.taken && s.segment) THEN
        RETURN NULL;
    END IF;
    seat := service.nouns ->> 'seat';
    SELECT array_agg(t.seat_no), array_agg(t.seat_no ORDER BY t.seat_no) FILTER (WHERE t.taken && s.segment) INTO known, gone
    FROM seats t
    WHERE t.bus_id = service.bus_id AND t.travel_date = seats_refused.travel_date AND t.seat_no = ANY (seats_refused.seats);
    IF cardinality(known) IS DISTINCT FROM cardinality(seats_refused.seats) THEN
        RETURN api.unknown_seat(service, travel_date, ARRAY(SELECT unnest(seats_refused.seats) EXCEPT SELECT unnest(known) ORDER BY 1));
    ELSIF gone IS NOT NULL THEN
        RETURN api.refusal('seat_taken', format('%s %s taken between %s and %s.', api.listed(gone, seat),
            CASE WHEN cardinality(gone) = 1 THEN 'is' ELSE 'are' END,
            api.stop_name(service.bus_id, s.from_stop), api.stop_name(service.bus_id, s.to_stop)),
            jsonb_build_object('seats', to_jsonb(gone)));
    END IF;
    RETURN NULL;
END $$;


--
-- Name: sell(api.request, public.trips, interval); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.sell(r api.request, trip public.trips, hold_for interval) RETURNS api.outcome
    LANGUAGE plpgsql
    AS $$
DECLARE
    service   bus_info;
    s         api.stretch;
    o         api.outcome;
    wanted    int := coalesce(cardinality(r.seats), r.count);
    chosen    int[] := r.seats;
    status    text := CASE WHEN hold_for IS NULL THEN 'booked' ELSE 'held' END;
    expires   timestamptz;
BEGIN
    IF trip.bus_id IS NULL THEN
        o.refusal := api.unknown_trip(r.bus_id, r.travel_date);
        RETURN o;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = trip.bus_id;
    s := api.find_stretch(service, trip.travel_date, r.origin, r.destination, r.from_stop, r.to_stop);
    o.refusal := coalesce(s.refusal, api.not_for_sale(service, trip, s),
                          api.party_refused(service, r.seats, wanted, coalesce(r.phone, r.account), r.passengers));
    IF o.refusal IS NULL AND r.seats IS NOT NULL THEN
        o.refusal := api.seats_refused(service, trip.travel_date, s, r.seats);
    ELSIF o.refusal IS NULL THEN
        chosen := api.choose_seats(trip.bus_id, trip.travel_date, s.segment, wanted);
        IF chosen IS NULL THEN
            o.refusal := api.sold_out(service, trip.travel_date, s, wanted, coalesce(r.waitlist, false));
            status := 'pending';
        END IF;
    END IF;
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;

    o.reference := api.new_reference(trip.bus_id);
    expires := CASE status WHEN 'held' THEN least(api.now() + hold_for, s.sells_until)
                           WHEN 'pending' THEN s.sells_until END;
    IF chosen IS NOT NULL THEN
        PERFORM api.take(trip.bus_id, trip.travel_date, chosen, s.segment);
    END IF;
    o.sale := ROW(trip.bus_id, trip.travel_date, o.reference, chosen, wanted, s.segment, r.passengers,
                  r.phone, r.account, s.fare, service.refund_percent, status, expires);
    IF expires IS NOT NULL THEN
        PERFORM api.settle_by(trip.bus_id, trip.travel_date, expires);
    END IF;
    RETURN o;
END $$;


--
-- Name: session(bytea); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.session(digest bytea) RETURNS TABLE(username text, role text, operator text, expires_at text)
    LANGUAGE sql STABLE
    AS $$
    SELECT a.username, a.role, a.operator, api.rfc3339(t.expires_at, 'UTC')
    FROM tokens t JOIN accounts a USING (username)
    WHERE t.digest = session.digest AND t.expires_at > api.now()
$$;


--
-- Name: set_password_hash(text, text, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.set_password_hash(username text, old_hash text, new_hash text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
    UPDATE accounts a SET password_hash = new_hash
    WHERE a.username = set_password_hash.username AND a.password_hash = old_hash
$$;


--
-- Name: settle(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.settle(bus_id bigint, travel_date date) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    freed int[];
BEGIN
    WITH due AS (
        UPDATE passengers p SET status = 'expired', ended_at = api.now()
        WHERE p.bus_id = settle.bus_id AND p.travel_date = settle.travel_date
          AND p.status IN ('held', 'pending') AND p.expires_at <= api.now()
        RETURNING p.seat_no
    )
    SELECT array_agg(due.seat_no) INTO freed FROM due WHERE due.seat_no IS NOT NULL;
    PERFORM api.recount(bus_id, travel_date, freed);
    PERFORM api.promote(bus_id, travel_date);
    UPDATE trips t SET settle_at = (
        SELECT min(p.expires_at) FROM passengers p
        WHERE p.bus_id = settle.bus_id AND p.travel_date = settle.travel_date AND p.status IN ('held', 'pending'))
    WHERE t.bus_id = settle.bus_id AND t.travel_date = settle.travel_date;
END $$;


--
-- Name: settle_by(bigint, date, timestamp with time zone); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.settle_by(bus_id bigint, travel_date date, due timestamp with time zone) RETURNS void
    LANGUAGE sql
    AS $$
    UPDATE trips t SET settle_at = due
    WHERE t.bus_id = settle_by.bus_id AND t.travel_date = settle_by.travel_date
      AND (t.settle_at IS NULL OR t.settle_at > due)
$$;


--
-- Name: show_bookings(bigint[], text[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.show_bookings(bus_ids bigint[], refs text[]) RETURNS jsonb[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT CASE WHEN party.reference IS NOT NULL THEN jsonb_build_object(
                'reference', party.reference, 'status', party.status,
                'kind', s.kind, 'name', s.name, 'operator', s.operator,
                'bus_id', party.bus_id, 'travel_date', party.travel_date,
                'origin', pa.name, 'destination', pb.name, 'from_stop', party.from_stop, 'to_stop', party.to_stop,
                'departs_at', api.rfc3339(api.instant(party.travel_date, a.departs, s.time_zone), pa.time_zone),
                'arrives_at', api.rfc3339(api.instant(party.travel_date, b.arrives, s.time_zone), pb.time_zone),
                'fare', party.fare::text, 'refund', party.refund::text, 'tickets', party.tickets)
            || CASE WHEN party.expires_at IS NULL THEN '{}' ELSE
                jsonb_build_object('expires_at', api.rfc3339(party.expires_at, pa.time_zone)) END
            || CASE WHEN party.queue_no IS NULL THEN '{}' ELSE
                jsonb_build_object('position', api.queue_position(party.bus_id, party.travel_date, party.queue_no)) END
            || CASE WHEN party.status <> 'cancelled' THEN '{}' ELSE
                api.why_cancelled(party.bus_id, party.travel_date) END END
        FROM unnest(bus_ids, refs) WITH ORDINALITY AS named (bus_id, reference, ordinal)
        CROSS JOIN LATERAL (
            SELECT min(t.bus_id) AS bus_id, min(t.reference) AS reference, min(t.travel_date) AS travel_date,
                   min(lower(t.segment)) AS from_stop,
                   -- of those who still ride, since the others may have been cancelled before these got down early
                   coalesce(max(upper(t.segment)) FILTER (WHERE e.state IN ('held', 'booked', 'pending')),
                            max(upper(t.segment))) AS to_stop,
                   sum(t.fare) AS fare, sum(t.refund) AS refund,
                   CASE WHEN bool_or(e.state = 'booked') THEN 'booked'
                        WHEN bool_or(e.state = 'held') THEN 'held'
                        WHEN bool_or(e.state = 'pending') THEN 'pending'
                        WHEN bool_or(e.state = 'cancelled') THEN 'cancelled'
                        ELSE 'expired' END AS status,
                   min(t.expires_at) FILTER (WHERE e.state = 'held') AS expires_at,
                   min(t.queue_no) FILTER (WHERE e.state = 'pending') AS queue_no,
                   jsonb_agg(jsonb_build_object('ticket_no', t.ticket_no, 'seat_no', t.seat_no, 'name', t.name,
                       'status', e.state, 'fare', t.fare::text, 'refund', t.refund::text) ORDER BY t.ticket_no) AS tickets
            FROM passengers t CROSS JOIN LATERAL (SELECT api.status_now(t.status, t.expires_at) AS state) AS e
            WHERE t.bus_id = named.bus_id AND t.reference = named.reference
        ) AS party
        LEFT JOIN bus_info s ON s.bus_id = party.bus_id
        LEFT JOIN route_table a ON a.bus_id = party.bus_id AND a.stop_no = party.from_stop
        LEFT JOIN route_table b ON b.bus_id = party.bus_id AND b.stop_no = party.to_stop
        LEFT JOIN places pa ON pa.code = a.place
        LEFT JOIN places pb ON pb.code = b.place
        ORDER BY named.ordinal);
END $$;


--
-- Name: show_trip(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.show_trip(bus_id bigint, travel_date date) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT jsonb_build_object('bus_id', s.bus_id, 'kind', s.kind, 'name', s.name, 'operator', s.operator,
            'travel_date', t.travel_date, 'state', t.state, 'origin', pa.name, 'destination', pb.name,
            'departs_at', api.rfc3339(api.instant(t.travel_date, a.departs, s.time_zone), pa.time_zone),
            'arrives_at', api.rfc3339(api.instant(t.travel_date, b.arrives, s.time_zone), pb.time_zone),
            'seats', (SELECT count(*) FROM seat_plan l WHERE l.bus_id = s.bus_id),
            'booked', live.booked, 'held', live.held, 'pending', waiting.n)
        || CASE WHEN t.reason IS NULL THEN '{}' ELSE jsonb_build_object('why', t.reason) END
    FROM trips t
    JOIN bus_info s ON s.bus_id = t.bus_id
    CROSS JOIN (SELECT min(r.stop_no) AS first, max(r.stop_no) AS last FROM route_table r WHERE r.bus_id = show_trip.bus_id) AS ends
    JOIN route_table a ON a.bus_id = t.bus_id AND a.stop_no = ends.first
    JOIN route_table b ON b.bus_id = t.bus_id AND b.stop_no = ends.last
    JOIN places pa ON pa.code = a.place
    JOIN places pb ON pb.code = b.place
    -- in two, so that each has its own partial index
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE p.status = 'booked') AS booked,
               count(*) FILTER (WHERE p.status = 'held' AND p.expires_at > api.now()) AS held
        FROM passengers p
        WHERE p.bus_id = t.bus_id AND p.travel_date = t.travel_date AND p.status IN ('held', 'booked')
    ) AS live
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM passengers p
        WHERE p.bus_id = t.bus_id AND p.travel_date = t.travel_date AND p.status = 'pending' AND p.expires_at > api.now()
    ) AS waiting
    WHERE t.bus_id = show_trip.bus_id AND t.travel_date = show_trip.travel_date
$$;


--
-- Name: sign_in(text, bytea, interval, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.sign_in(username text, digest bytea, lasts interval, at_most integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
BEGIN
    DELETE FROM tokens t WHERE t.digest IN (SELECT old.digest FROM tokens old
        WHERE old.username = sign_in.username ORDER BY old.created_at DESC, old.digest OFFSET at_most - 1);
    INSERT INTO tokens (digest, username, created_at, expires_at)
    VALUES (sign_in.digest, sign_in.username, api.now(), api.now() + lasts)
    ON CONFLICT DO NOTHING;
    RETURN api.rfc3339(api.now() + lasts, 'UTC');
END $$;


--
-- Name: sign_out(bytea, boolean); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.sign_out(digest bytea, everywhere boolean) RETURNS SETOF bytea
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'api', 'public', 'pg_temp'
    AS $$
    DELETE FROM tokens t
    WHERE t.digest = sign_out.digest
       OR everywhere AND t.username = (SELECT mine.username FROM tokens mine WHERE mine.digest = sign_out.digest)
    RETURNING t.digest
$$;


--
-- Name: sold_out(public.bus_info, date, api.stretch, integer, boolean); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.sold_out(service public.bus_info, travel_date date, s api.stretch, wanted integer, waitlist boolean) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    free    bigint := api.seats_free(service.bus_id, travel_date, s.segment);
    seats   bigint := (SELECT count(*) FROM seats t WHERE t.bus_id = service.bus_id AND t.travel_date = sold_out.travel_date);
    waiting bigint;
BEGIN
    IF NOT waitlist OR wanted > seats THEN
        RETURN api.refusal('sold_out', format('%s free between %s and %s.',
                CASE free WHEN 0 THEN format('No %s is', service.nouns ->> 'seat')
                          WHEN 1 THEN format('Only 1 %s is', service.nouns ->> 'seat')
                          ELSE format('Only %s are', api.counted(free, service.nouns ->> 'seat')) END,
                api.stop_name(service.bus_id, s.from_stop), api.stop_name(service.bus_id, s.to_stop)),
            jsonb_build_object('seats_free', free));
    END IF;
    SELECT count(DISTINCT p.reference) INTO waiting FROM passengers p
    WHERE p.bus_id = service.bus_id AND p.travel_date = sold_out.travel_date AND p.status = 'pending';
    IF waiting >= service.queue_limit THEN
        RETURN api.refusal('queue_full', format('The waiting list is full: %s wait already.', waiting),
            jsonb_build_object('limit', service.queue_limit));
    END IF;
    RETURN NULL;
END $$;


--
-- Name: stats(); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.stats() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT jsonb_build_object(
        'services', (SELECT count(*) FROM bus_info),
        'trips', (SELECT count(*) FROM trips t WHERE t.state = 'open' AND t.travel_date >= api.now()::date),
        'tickets', (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
            SELECT api.status_now(p.status, p.expires_at) AS status, count(*) AS n
            FROM passengers p WHERE p.travel_date >= api.now()::date GROUP BY 1) AS s),
        'messages', (SELECT count(*) FROM messages))
$$;


--
-- Name: status_now(text, timestamp with time zone); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.status_now(status text, expires_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN ((status = ANY (ARRAY['held'::text, 'pending'::text])) AND (expires_at <= api.now())) THEN 'expired'::text ELSE status END;


--
-- Name: stop_name(bigint, integer); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.stop_name(bus_id bigint, stop_no integer) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT p.name FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = stop_name.bus_id AND r.stop_no = stop_name.stop_no
$$;


--
-- Name: stops_of(public.bus_info); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.stops_of(service public.bus_info) RETURNS text[]
    LANGUAGE sql STABLE
    AS $$
    SELECT array_agg(p.name ORDER BY r.stop_no) FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = service.bus_id
$$;


--
-- Name: take(bigint, date, integer[], int4range); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.take(bus_id bigint, travel_date date, seat_nos integer[], segment int4range) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE seats s SET taken = s.taken + int4multirange(segment)
    WHERE s.bus_id = take.bus_id AND s.travel_date = take.travel_date AND s.seat_no = ANY (seat_nos);
END $$;


--
-- Name: trip_cancelled(public.bus_info, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.trip_cancelled(service public.bus_info, travel_date date) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    reason text := (SELECT coalesce(t.reason, '') FROM trips t
        WHERE t.bus_id = service.bus_id AND t.travel_date = trip_cancelled.travel_date AND t.state = 'cancelled');
BEGIN
    IF reason IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('trip_cancelled', rtrim(format('%s (%s %s) does not run on %s. %s',
        service.name, service.nouns ->> 'service', service.bus_id, travel_date, reason)));
END $$;


--
-- Name: trip_ends_at(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.trip_ends_at(bus_id bigint, travel_date date) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    SELECT api.instant(trip_ends_at.travel_date, max(r.arrives), s.time_zone)
    FROM route_table r JOIN bus_info s ON s.bus_id = r.bus_id
    WHERE r.bus_id = trip_ends_at.bus_id GROUP BY s.time_zone
$$;


--
-- Name: trip_of(jsonb); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.trip_of(args jsonb, OUT bus_id bigint, OUT travel_date date) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    ref text := upper(btrim(args ->> 'reference'));
BEGIN
    IF ref IS NULL THEN
        bus_id := args ->> 'bus_id';
        travel_date := args ->> 'travel_date';
    ELSE
        bus_id := api.reference_bus(ref);
        SELECT p.travel_date INTO travel_date FROM passengers p
        WHERE p.bus_id = trip_of.bus_id AND p.reference = ref LIMIT 1;
    END IF;
END $$;


--
-- Name: trips(text, date, integer, text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.trips(account text, date date, page integer DEFAULT NULL::integer, after text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $_$
DECLARE
    size  int := coalesce(page, 50);
    shown jsonb;
    last  bigint;
BEGIN
    IF after !~ '^\d{1,18}$' THEN
        RETURN api.bad_request('after', 'the `next` of an earlier page', 'That is no `next` of a page.');
    END IF;
    SELECT jsonb_agg(api.show_trip(t.bus_id, t.travel_date) ORDER BY t.bus_id), max(t.bus_id) INTO shown, last FROM (
        SELECT t.bus_id, t.travel_date FROM trips t
        WHERE t.travel_date = trips.date AND t.bus_id > coalesce(after::bigint, 0) AND api.operates(account, t.bus_id)
        ORDER BY t.bus_id LIMIT size
    ) AS t;
    RETURN jsonb_build_object('trips', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', last::text) ELSE '{}' END;
END $_$;


--
-- Name: trips_in_use(date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.trips_in_use(date date) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    WITH shown AS MATERIALIZED (
        SELECT api.show_trip(t.bus_id, t.travel_date) AS trip FROM trips t WHERE t.travel_date = trips_in_use.date
    ), used AS (
        SELECT trip FROM shown
        WHERE (trip ->> 'booked')::int + (trip ->> 'held')::int + (trip ->> 'pending')::int > 0
    )
    SELECT jsonb_build_object(
        'trips', coalesce((SELECT jsonb_agg(trip ORDER BY trip ->> 'departs_at', trip -> 'bus_id') FROM used), '[]'),
        'others', (SELECT count(*) FROM shown WHERE trip ->> 'state' = 'open' AND trip NOT IN (SELECT trip FROM used)))
$$;


--
-- Name: client_no_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.client_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: clients; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.clients (
    process_no integer NOT NULL,
    connection_no bigint NOT NULL,
    client_no bigint DEFAULT nextval('public.client_no_seq'::regclass) NOT NULL,
    address text NOT NULL,
    face text NOT NULL,
    reference text,
    account text,
    since timestamp with time zone NOT NULL,
    left_at timestamp with time zone
);


--
-- Name: unknown_client(bigint, public.clients); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.unknown_client(client_no bigint, client public.clients) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((client).client_no IS NULL) THEN api.bad_request('client_no'::text, 'the number of a client'::text, format('There is no client %s.'::text, client_no)) WHEN (((client).left_at IS NOT NULL) AND ((client).reference IS NULL) AND ((client).account IS NULL)) THEN api.bad_request('client_no'::text, 'the number of a client'::text, format('Client %s has left, and no booking of it is known.'::text, client_no)) ELSE NULL::jsonb END;


--
-- Name: unknown_place(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.unknown_place(place text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    nearest jsonb := api.nearest_places(place);
BEGIN
    RETURN api.refusal('unknown_place',
        'No place is called "' || place || '"' || CASE
            WHEN jsonb_array_length(nearest) = 0 THEN ', nor anything like it.'
            ELSE '. Did you mean ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(nearest)), ', ') || '?' END,
        jsonb_build_object('nearest', nearest));
END $$;


--
-- Name: unknown_seat(public.bus_info, date, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.unknown_seat(service public.bus_info, travel_date date, seats integer[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    n bigint := (SELECT count(*) FROM seats t WHERE t.bus_id = service.bus_id AND t.travel_date = unknown_seat.travel_date);
BEGIN
    RETURN api.refusal('unknown_seat', format('There is no %s; the %s has %s, numbered from 1.',
            lower(api.listed(unknown_seat.seats, service.nouns ->> 'seat')), service.nouns ->> 'service',
            api.counted(n, service.nouns ->> 'seat')),
        jsonb_build_object('seats', to_jsonb(unknown_seat.seats), 'seat_count', n));
END $$;


--
-- Name: unknown_tickets(api.opened, integer[]); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.unknown_tickets(b api.opened, tickets integer[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    mine int[] := ARRAY(SELECT p.ticket_no FROM passengers p
                        WHERE p.bus_id = b.bus_id AND p.reference = b.reference ORDER BY p.ticket_no);
BEGIN
    IF tickets <@ mine OR tickets IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('unknown_booking', format('Booking %s has %s only: %s.', b.reference,
            api.counted(cardinality(mine), 'ticket'), array_to_string(mine, ', ')),
        jsonb_build_object('tickets', to_jsonb(mine)));
END $$;


--
-- Name: unknown_trip(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.unknown_trip(bus_id bigint, travel_date date) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    service bus_info;
    dates   jsonb;
BEGIN
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = unknown_trip.bus_id;
    IF NOT FOUND THEN
        RETURN api.refusal('unknown_trip', format('There is no bus %s. A search gives the numbers of those that run.', bus_id));
    END IF;
    SELECT coalesce(jsonb_agg(near.travel_date ORDER BY near.travel_date), '[]') INTO dates FROM (
        SELECT t.travel_date FROM trips t
        WHERE t.bus_id = unknown_trip.bus_id AND t.state = 'open'
          AND t.travel_date >= (api.now() AT TIME ZONE service.time_zone)::date
        ORDER BY abs(t.travel_date - unknown_trip.travel_date), t.travel_date LIMIT 3
    ) AS near;
    RETURN api.refusal('unknown_trip',
        format('%s (%s %s) has no trip on %s.', service.name, service.nouns ->> 'service', bus_id, travel_date)
        || CASE WHEN jsonb_array_length(dates) = 0 THEN ''
           ELSE ' The nearest: ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(dates)), ', ') || '.' END,
        jsonb_build_object('dates', dates));
END $$;


--
-- Name: weekdays(text); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.weekdays(runs_on text) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    days int[] := '{}';
    word text;
BEGIN
    IF lower(runs_on) = 'daily' THEN
        RETURN '{1,2,3,4,5,6,7}';
    ELSIF lower(runs_on) = 'never' THEN
        RETURN days;
    END IF;
    FOREACH word IN ARRAY regexp_split_to_array(lower(btrim(runs_on)), '[\s,]+') LOOP
        IF array_position('{mon,tue,wed,thu,fri,sat,sun}'::text[], left(word, 3)) IS NULL THEN
            RAISE EXCEPTION '"%" is no weekday, in "%".', word, runs_on
                USING HINT = 'Write daily, never, or weekdays such as: Mon Wed Fri.';
        END IF;
        days := days || array_position('{mon,tue,wed,thu,fri,sat,sun}'::text[], left(word, 3));
    END LOOP;
    RETURN days;
END $$;


--
-- Name: why_cancelled(bigint, date); Type: FUNCTION; Schema: api; Owner: -
--

CREATE FUNCTION api.why_cancelled(bus_id bigint, travel_date date) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    SELECT CASE WHEN t.reason IS NULL THEN '{}' ELSE jsonb_build_object('why', t.reason) END FROM trips t
    WHERE t.bus_id = why_cancelled.bus_id AND t.travel_date = why_cancelled.travel_date
$$;


--
-- Name: place_words(text, text, text[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.place_words(code text, name text, aliases text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT array_agg(lower(word)) FROM unnest(aliases || ARRAY[code, name]) AS word
$$;


--
-- Name: accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.accounts (
    username text NOT NULL,
    password_hash text NOT NULL,
    phone text,
    role text DEFAULT 'traveller'::text NOT NULL,
    operator text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT accounts_role_check CHECK ((role = ANY (ARRAY['traveller'::text, 'operator'::text, 'admin'::text]))),
    CONSTRAINT accounts_username_check CHECK (((username = lower((username COLLATE "C"))) AND (username <> ''::text))),
    CONSTRAINT operator_runs_something CHECK (((role = 'operator'::text) = (operator IS NOT NULL)))
);


--
-- Name: attempts; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.attempts (
    subject text NOT NULL,
    at timestamp with time zone NOT NULL
);


--
-- Name: places; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.places (
    code text NOT NULL,
    name text NOT NULL,
    aliases text[] DEFAULT '{}'::text[] NOT NULL,
    part_of text,
    time_zone text DEFAULT 'Asia/Kolkata'::text NOT NULL,
    CONSTRAINT places_code_check CHECK ((code ~ '^[A-Z0-9-]{2,16}$'::text))
);


--
-- Name: bookings; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.bookings AS
 SELECT p.reference,
    p.ticket_no,
    api.status_now(p.status, p.expires_at) AS status,
    p.bus_id,
    s.name AS service,
    p.travel_date,
    pa.name AS origin,
    pb.name AS destination,
    p.seat_no,
    p.name AS passenger,
    p.phone,
    p.account,
    (p.travel_date + a.departs) AS departs,
    (p.travel_date + b.arrives) AS arrives,
    p.fare,
    p.refund,
    p.created_at,
    p.expires_at,
    p.booked_at,
    p.ended_at
   FROM (((((public.passengers p
     JOIN public.bus_info s USING (bus_id))
     JOIN public.route_table a ON (((a.bus_id = p.bus_id) AND (a.stop_no = lower(p.segment)))))
     JOIN public.route_table b ON (((b.bus_id = p.bus_id) AND (b.stop_no = upper(p.segment)))))
     JOIN public.places pa ON ((pa.code = a.place)))
     JOIN public.places pb ON ((pb.code = b.place)));


--
-- Name: bus_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.bus_id_seq
    START WITH 10001
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: bus_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.bus_id_seq OWNED BY public.bus_info.bus_id;


--
-- Name: layouts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.layouts (
    name text NOT NULL,
    drawing text NOT NULL
);


--
-- Name: manifest; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.manifest AS
 SELECT t.bus_id,
    t.travel_date,
    s.name AS service,
    r.stop_no,
    c.name AS stop,
    (t.travel_date + r.arrives) AS arrives,
    (t.travel_date + r.departs) AS departs,
    boards.passengers AS boards,
    alights.passengers AS alights,
    alights.come_free
   FROM (((((public.trips t
     JOIN public.bus_info s USING (bus_id))
     JOIN public.route_table r USING (bus_id))
     JOIN public.places c ON ((c.code = r.place)))
     CROSS JOIN LATERAL ( SELECT string_agg(format('%s %s'::text, p.seat_no, COALESCE(p.name, p.reference)), ', '::text ORDER BY p.seat_no) AS passengers
           FROM public.passengers p
          WHERE ((p.bus_id = t.bus_id) AND (p.travel_date = t.travel_date) AND (p.status = 'booked'::text) AND (lower(p.segment) = r.stop_no))) boards)
     CROSS JOIN LATERAL ( SELECT string_agg(format('%s %s'::text, p.seat_no, COALESCE(p.name, p.reference)), ', '::text ORDER BY p.seat_no) AS passengers,
            array_agg(p.seat_no ORDER BY p.seat_no) FILTER (WHERE (NOT (EXISTS ( SELECT
                   FROM public.passengers next
                  WHERE ((next.bus_id = p.bus_id) AND (next.travel_date = p.travel_date) AND (next.seat_no = p.seat_no) AND (lower(next.segment) = r.stop_no) AND (api.status_now(next.status, next.expires_at) = ANY (ARRAY['held'::text, 'booked'::text]))))))) AS come_free
           FROM public.passengers p
          WHERE ((p.bus_id = t.bus_id) AND (p.travel_date = t.travel_date) AND (p.status = 'booked'::text) AND (upper(p.segment) = r.stop_no))) alights)
  ORDER BY t.bus_id, t.travel_date, r.stop_no;


--
-- Name: message_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: messages_read; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.messages_read (
    reader text NOT NULL,
    read_to bigint NOT NULL
);


--
-- Name: migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.migrations (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: payments; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payments (
    bus_id bigint NOT NULL,
    reference text NOT NULL,
    ticket_no integer NOT NULL,
    payment_no integer NOT NULL,
    kind text NOT NULL,
    amount numeric(10,2) NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT charge_comes_first CHECK (((kind = 'charge'::text) = (payment_no = 1))),
    CONSTRAINT payments_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT payments_kind_check CHECK ((kind = ANY (ARRAY['charge'::text, 'refund'::text]))),
    CONSTRAINT payments_payment_no_check CHECK ((payment_no > 0))
);


--
-- Name: process_no_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.process_no_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE;


--
-- Name: processes; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.processes (
    process_no integer NOT NULL,
    role text NOT NULL,
    name text NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT processes_role_check CHECK ((role = ANY (ARRAY['server'::text, 'console'::text])))
);


--
-- Name: queue_no_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.queue_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: requests; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.requests (
    bus_id bigint NOT NULL,
    caller text NOT NULL,
    key text NOT NULL,
    method text NOT NULL,
    digest uuid NOT NULL,
    answer jsonb NOT NULL,
    at timestamp with time zone NOT NULL
);


--
-- Name: seat_plan; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.seat_plan (
    bus_id bigint NOT NULL,
    seat_no integer NOT NULL,
    deck text NOT NULL,
    row_no integer NOT NULL,
    column_no integer NOT NULL,
    kind text NOT NULL,
    CONSTRAINT seat_plan_seat_no_check CHECK ((seat_no > 0))
);


--
-- Name: seats; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.seats (
    bus_id bigint NOT NULL,
    travel_date date NOT NULL,
    seat_no integer NOT NULL,
    taken int4multirange DEFAULT '{}'::int4multirange NOT NULL,
    CONSTRAINT seats_seat_no_check CHECK ((seat_no > 0))
)
WITH (fillfactor='70');


--
-- Name: seeds_loaded; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.seeds_loaded (
    name text NOT NULL,
    digest text NOT NULL,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tokens (
    digest bytea NOT NULL,
    username text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


--
-- Name: vacancy; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.vacancy AS
 SELECT t.bus_id,
    t.travel_date,
    s.name AS service,
    pa.name AS origin,
    pb.name AS destination,
    a.stop_no AS from_stop,
    b.stop_no AS to_stop,
    (b.fare - a.fare) AS fare,
    free.seats_free,
    free.seat_nos
   FROM ((((((public.trips t
     JOIN public.bus_info s USING (bus_id))
     JOIN public.route_table a ON ((a.bus_id = t.bus_id)))
     JOIN public.route_table b ON (((b.bus_id = t.bus_id) AND (b.stop_no > a.stop_no) AND (b.arrives IS NOT NULL))))
     JOIN public.places pa ON ((pa.code = a.place)))
     JOIN public.places pb ON ((pb.code = b.place)))
     CROSS JOIN LATERAL ( SELECT count(*) AS seats_free,
            array_agg(n.seat_no ORDER BY n.seat_no) AS seat_nos
           FROM api.seats_now(t.bus_id, t.travel_date) n(seat_no, taken)
          WHERE (NOT (n.taken && int4range(a.stop_no, b.stop_no)))) free)
  WHERE ((t.state = 'open'::text) AND ((api.instant(t.travel_date, a.departs, s.time_zone) + s.sells_until) > api.now()));


--
-- Name: bus_info bus_id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bus_info ALTER COLUMN bus_id SET DEFAULT nextval('public.bus_id_seq'::regclass);


--
-- Data for Name: accounts; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.accounts (username, password_hash, phone, role, operator, created_at) FROM stdin;
hari	$argon2id$v=19$m=65536,t=3,p=4$+CR+tFP5L+/rMP7zR+eOaA$mSPs3+9BNJ1/GeCUHjAzVqQkAMyXsErL+Rb3uABBM8U	+919845012345	traveller	\N	2026-12-01 03:30:00+00
warden	$argon2id$v=19$m=65536,t=3,p=4$p437eNh0CV1iWqq+MZwsbQ$mzTMR/XaQOwZzjfrDcaHdEK08oIGgyPmMGZWGCmTXcA	\N	operator	KSRTC	2026-12-01 03:30:30+00
ravi_h	$argon2id$v=19$m=65536,t=3,p=4$fETp4UJiZgTcKfM1Xaf30A$nO9B3kV0sxdn5OQUGHC0SPSYBQBqI+CR/KxUHeF0ytY	\N	traveller	\N	2026-12-01 03:30:30+00
asha_h	$argon2id$v=19$m=65536,t=3,p=4$otlu7E+PfG8hk628th16vQ$EAz0Aorwtbkc5dL9y7+4+71UvcqXkQZvEv1cUAb3Nj0	\N	traveller	\N	2026-12-01 03:30:30+00
mira_h	$argon2id$v=19$m=65536,t=3,p=4$lCpekb3znaxBg3cCC9UPsQ$4KIvLo8xl1wxqyaaneOBr/MPxI1MMQsD0kaMPcLT40k	\N	traveller	\N	2026-12-01 03:30:30+00
asha	$argon2id$v=19$m=65536,t=3,p=4$TDVR4ETHFkrHKkSHkkWvNw$OaH0cIFV8rm/8D11ikeY2E8XiltCmvep2j535IlkJ8o	+919845012345	traveller	\N	2026-12-01 04:32:00+00
ravi	$argon2id$v=19$m=65536,t=3,p=4$LpdM23USm75ORz/NEAWhCA$Txb6H6Xho2ra0tIy+Y2R+MbzCS6+0Os3ykWN/lOu46M	\N	traveller	\N	2026-12-01 04:32:30+00
mallory	$argon2id$v=19$m=65536,t=3,p=4$UAipmk678osl9fZ0cExQAA$6d34phchO0YSd5PLjsjDgHyg3DDmlnzyscsFmNTzQHk	\N	traveller	\N	2026-12-01 04:32:30+00
conductor	$argon2id$v=19$m=65536,t=3,p=4$atPgoARe9iDTqwjphvcnmg$9SsAXJsg4bnIt8j5BwCjhUXhsRP1E0128Lxeiyiq/Zo	\N	operator	KSRTC	2026-12-01 04:32:30+00
boss	$argon2id$v=19$m=65536,t=3,p=4$atPgoARe9iDTqwjphvcnmg$9SsAXJsg4bnIt8j5BwCjhUXhsRP1E0128Lxeiyiq/Zo	\N	admin	\N	2026-12-01 04:32:30+00
depot	$argon2id$v=19$m=65536,t=3,p=4$atPgoARe9iDTqwjphvcnmg$9SsAXJsg4bnIt8j5BwCjhUXhsRP1E0128Lxeiyiq/Zo	\N	operator	SRS Travels	2026-12-01 04:32:30+00
\.


--
-- Data for Name: attempts; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.attempts (subject, at) FROM stdin;
booking:BQYZZB	2026-12-01 03:30:00+00
address:127.0.0.1	2026-12-01 03:30:00+00
booking:NOSUCH7	2026-12-01 03:30:00+00
address:127.0.0.1	2026-12-01 03:30:00+00
phone:+919845012345	2026-12-01 03:30:00+00
address:127.0.0.1	2026-12-01 03:30:00+00
account:hari	2026-12-01 03:30:00+00
address:127.0.0.1	2026-12-01 03:30:00+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:nobody	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
booking:B9DMLJ	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:ravi_h	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
account:ravi_h	2026-12-01 03:30:30+00
address:127.0.0.1	2026-12-01 03:30:30+00
booking:BTCYAD	2026-12-01 04:30:00+00
address:127.0.0.1	2026-12-01 04:30:00+00
booking:BSZQ3R	2026-12-01 04:30:00+00
address:127.0.0.1	2026-12-01 04:30:00+00
booking:NOSUCH7	2026-12-01 04:30:00+00
address:127.0.0.1	2026-12-01 04:30:00+00
phone:+919845012345	2026-12-01 04:30:00+00
address:127.0.0.1	2026-12-01 04:30:00+00
booking:B9L9XP	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:asha	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:nobody	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
account:mallory	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
booking:BEEUPY	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
phone:+919845077777	2026-12-01 04:32:30+00
address:127.0.0.1	2026-12-01 04:32:30+00
\.


--
-- Data for Name: bus_info; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.bus_info (bus_id, kind, name, operator, bus_type, ac, layout, runs_on, first_date, last_date, sales_days, time_zone, refund_percent, alight_refund_percent, sells_until, max_seats, queue_limit, phone_required, nouns) FROM stdin;
1	bus	Day Bus	KSRTC	SEATER	f	...D\nss.ss\nss.ss	{1,2,3,4,5,6,7}	\N	\N	14	Asia/Kolkata	50.00	0.00	00:00:00	6	200	t	{"seat": "seat", "service": "bus"}
2	bus	Night Sleeper	SRS Travels	SLEEPER	t	lower:\n..D\nb.b\nupper:\nb.b	{1,2,3,4,5,6,7}	\N	\N	14	Asia/Kolkata	50.00	25.00	00:00:00	6	200	t	{"seat": "seat", "service": "bus"}
3	bus	Hill Car	KSRTC	\N	\N	D.s	{1,2,3,4,5,6,7}	\N	\N	5	Asia/Kolkata	50.00	0.00	00:00:00	1	1	t	{"seat": "seat", "service": "bus"}
701	flight	AS 701	Atlantic Star	\N	\N	s.s\ns.s	{1,2,3,4,5,6,7}	\N	\N	15	America/New_York	50.00	0.00	00:00:00	6	200	f	{"seat": "seat", "service": "flight"}
803	show	Hayavadana	Ranga Players	\N	\N	sssss\nsssss\nsssss\nsssss\nsssss	{1,2,3,4,5,6,7}	\N	\N	6	Asia/Kolkata	50.00	0.00	00:00:00	25	200	f	{"seat": "seat", "service": "show"}
901	hotel	Brindavan House	Brindavan	\N	\N	ground:\nrrrrr\nfirst:\nrrrrr	{}	\N	\N	60	Asia/Kolkata	50.00	50.00	16:00:00	10	200	f	{"seat": "room", "service": "hotel"}
4	bus	Old Bus	KSRTC	\N	\N	ss.D	{1,2,3,4,5,6,7}	\N	2026-12-03	5	Asia/Kolkata	50.00	0.00	00:00:00	6	200	t	{"seat": "seat", "service": "bus"}
\.


--
-- Data for Name: clients; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.clients (process_no, connection_no, client_no, address, face, reference, account, since, left_at) FROM stdin;
1	2	2	127.0.0.1:44698	json	CDS8RS	\N	2026-12-01 04:30:00+00	\N
1	3	3	127.0.0.1:44704	json	B9L9XP	asha	2026-12-01 04:32:00+00	\N
1	4	4	127.0.0.1:44718	json	\N	asha	2026-12-01 04:32:30+00	\N
1	5	5	127.0.0.1:44726	json	\N	asha	2026-12-01 04:32:30+00	\N
1	6	6	127.0.0.1:44728	json	\N	ravi	2026-12-01 04:32:30+00	\N
1	7	7	127.0.0.1:44744	json	\N	\N	2026-12-01 04:32:30+00	\N
1	8	8	127.0.0.1:44750	json	\N	mallory	2026-12-01 04:32:30+00	\N
1	9	9	127.0.0.1:44752	json	\N	conductor	2026-12-01 04:32:30+00	\N
1	10	10	127.0.0.1:44754	json	\N	boss	2026-12-01 04:32:30+00	\N
1	11	11	127.0.0.1:44766	json	BQYZZB	\N	2026-12-01 04:32:30+00	\N
1	13	72	127.0.0.1:33634	text	CQLLVF	\N	2026-12-01 07:40:00+00	2026-12-01 07:40:00+00
1	14	73	127.0.0.1:33638	text	7BHKV9W	\N	2026-12-01 07:40:00+00	\N
1	15	74	127.0.0.1:33644	text	7B97VSY	\N	2026-12-01 07:40:00+00	\N
1	1	1	127.0.0.1:56422	json	DVKTSU	\N	2026-12-01 04:30:00+00	\N
1	16	75	127.0.0.1:33648	text	\N	\N	2026-12-01 07:40:00+00	2026-12-01 07:40:00+00
1	12	71	127.0.0.1:44774	text	CKGAZA	\N	2026-12-01 07:40:00+00	2026-12-01 07:40:00+00
\.


--
-- Data for Name: layouts; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.layouts (name, drawing) FROM stdin;
\.


--
-- Data for Name: messages; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.messages (message_id, key, at, sender, audience, client_no, bus_id, travel_date, reference, account, address, body) FROM stdin;
1	f8dffdc7-a647-4d46-a14a-d2bbff88c1de	2026-12-01 03:30:30+00	client at 127.0.0.1	operators	\N	\N	\N	\N	\N	127.0.0.1	Is there a bus at noon?
2	3e9764a4-5610-43fb-ac81-f56e0df858c8	2026-12-01 03:30:30+00	operator warden	trip	\N	1	2026-12-12	\N	\N	\N	The bus leaves from bay 4.
3	9eb04d19-c7a9-43fe-ad0b-8a75958cd92c	2026-12-01 04:32:30+00	client at 127.0.0.1	operators	\N	\N	\N	\N	asha	127.0.0.1	Is the 10:00 on time?
4	2f2fc7f7-fac0-4993-80b7-7f2189b1c2a6	2026-12-01 04:32:30+00	operator conductor	trip	\N	1	2026-12-08	\N	\N	\N	The bus leaves from bay 4.
5	aa37eec6-da5c-472b-97b6-0d065ff97eb9	2026-12-01 04:32:30+00	operator	booking	\N	1	2026-12-08	BEEUPY	asha	\N	Your bag is at the counter.
6	4df2817f-4951-4bb0-826d-d9e8b52610e9	2026-12-01 04:32:30+00	operator	client	3	\N	\N	B9L9XP	asha	\N	Welcome.
7	337539e3-4a30-4553-99a8-b997eaf42f54	2026-12-01 04:32:30+00	operator	all	\N	\N	\N	\N	\N	\N	Happy holidays to all.
8	3827fa1a-3449-47ef-a954-6fef730df9d7	2026-12-01 04:32:30+00	operator	booking	\N	1	2026-12-11	BQYZZB	\N	\N	Seat 5 has a new cushion.
9	a721a8c5-dce2-4a2c-bbe2-3394c7b21d42	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
10	94085bc6-8bad-469e-9789-962e7f4292bc	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
11	7d00306c-b94b-4ac9-8f32-1d1825e8dde9	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
12	02b04b12-19fc-44e2-8394-06a55adbd53c	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
13	e23a15be-5ea5-46fd-85e4-a35211cb5cc8	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
14	bb8e0159-9bc1-49c1-b860-ff4fb4b0a9ea	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
15	2cdece12-e11b-441b-8db4-c3a82351f60a	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
16	ead8d6e3-4167-4770-ac58-298a9926d297	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
17	6d8af9d6-4c53-4fa6-be10-16c6f6840493	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
18	afe52413-4a73-4a0d-b39d-c70beee51cef	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
19	fa19699e-acfe-41ed-9f8f-6957c93a2b79	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
20	52e368f4-548f-4cd2-a0d1-b9d4dd18ab69	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
21	3bc965ac-4ca0-4b56-b2fc-762c847128d4	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
22	8b96254e-340b-4331-8513-88787942e29b	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
23	faf31075-275d-42b4-a0e0-fc913c72e8da	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
24	34f971b4-d234-40a8-bf8b-7447aa6cb3eb	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
25	745ed6c7-cd33-4164-a85d-03c275bce66b	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
26	1a3d86ed-0805-421b-aadd-6d08278b1b4a	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
27	242229de-b585-418c-a6d4-3a3682da852b	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
28	8fb28ffa-1475-4d1f-88a7-c9ae51968045	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
29	ccd5a2ad-7389-4226-8f56-810cc64b03e1	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
30	7111277c-5862-464c-a42b-e148f1be2a54	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
31	c874f366-4057-43a6-8f23-e2f649ad830a	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
32	50209b6c-df68-40c0-ba3e-a6a1d9f6405e	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
33	2dff663a-5b58-42e4-9943-14f269b3b5b7	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
34	9b2d3a7e-7d8e-4b18-8668-0f80e11dfb6a	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
35	d9880996-71bd-41ca-a144-63786df15f4e	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
36	242ba3d3-4433-454b-a959-77624c172399	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
37	f90ebb88-744a-46aa-b786-92e3039f1930	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
38	3ba55e0c-4315-42df-94ae-44042740a540	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
39	7e2559be-481e-4797-88b2-abf88f4f9cea	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
40	f895dd34-d2f8-4ac2-9c13-d93a5c3983dc	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
41	70371bda-a868-4a00-af3a-677760f4692c	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
42	c3186f68-3404-4732-9d3f-fc1a86624864	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
43	990a3990-feff-4b5b-bda4-4ef4d690ebf4	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
44	eebf60da-c8df-42d5-a50e-786e451fe683	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
45	bd3e9bc5-3810-4c9b-937c-e1db1a5ade59	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
46	2b9a5a31-7406-4703-928b-c842aa7509e8	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
47	d346cc82-8919-422b-bcc9-f24c19f40dbc	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
48	74a2a7fb-1d61-4e00-acbf-041723a74415	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
49	006d6ac5-df90-45ac-8674-4acad84edbac	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
50	a6e8a8c1-9a99-4130-a19b-5afabfdab114	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
51	64e179f8-3e15-43f6-b913-dad4c0cd7d71	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
52	cdedd500-d6e6-4bf1-bc4f-9af10169a026	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
53	2497796c-b42f-472d-a7cd-7e2d3358c75e	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
54	a32916df-03cb-4b08-b483-7f3b75100791	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
55	8b6e8ca6-c7f2-4474-aabc-370fc7e1b0d9	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
56	6cc74c05-8cdc-4407-95ab-99ea72395d49	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
57	929fc9dd-d810-455e-a81c-f4b652358fb9	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
58	216430c3-be60-428d-b50e-349d714123bd	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
59	00441dff-08ad-4fd2-b186-fa4bc36ae489	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
61	729268ea-3461-44de-883a-d50f4871b741	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
63	f15ea5cc-0266-4d28-9797-1f9a5e511578	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
65	41376243-c918-4a1d-b410-782adbeb9c3d	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
67	f707278b-b175-48e0-bfe8-36a9cd682c7a	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
60	48abc456-36cd-4a3b-8572-87d2eb92df63	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
62	2d431edb-b1dc-4fd9-9c2b-3860ef2ff789	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
64	37937eef-9906-4c8e-a655-affb9b70322d	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
66	a00cd962-bd8a-487a-a4dd-1a5377df8369	2026-12-01 04:32:30+00	client 11	operators	11	1	2026-12-11	BQYZZB	\N	127.0.0.1	Thank you.
70	9108ae11-0415-4b4d-aa0e-0f551700165f	2026-12-01 07:40:00+00	client 71	operators	71	2	2026-12-12	CKGAZA	\N	127.0.0.1	Thank you.
68	747307f5-5ec8-415f-90ba-ce630d6d4d31	2026-12-01 07:30:00+00	operator	booking	\N	1	2026-12-11	BJE9AZ	\N	\N	Seat 8 has a new cushion.
69	8345cd31-bfd3-4492-aa1b-ecdbf241bc5b	2026-12-01 07:40:00+00	operator	trip	\N	2	2026-12-12	\N	\N	\N	The bus leaves from bay 4.
\.


--
-- Data for Name: messages_read; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.messages_read (reader, read_to) FROM stdin;
B9DXFZ	7
B9L9XP	7
BDRMPG	7
BEEUPY	7
BJ7ECL	7
BSZQ3R	7
BTCYAD	7
BTXADY	7
BWGFLL	7
BWMQES	7
BYZVNV	7
CDS8RS	7
CFZ7TJ	7
CMKQ7Q	7
CPM39E	7
CZEKBF	7
DNAMXU	7
DYVW3A	7
account:asha	7
account:boss	7
account:conductor	7
account:mallory	7
account:ravi	7
BQYZZB	8
CKGAZA	69
\.


--
-- Data for Name: migrations; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.migrations (name, applied_at) FROM stdin;
10_tables	2026-11-28 16:03:13.244159+00
11_messages	2026-11-28 16:03:13.347078+00
12_accounts	2026-11-28 16:03:13.363361+00
13_place_words	2026-11-28 16:03:13.371669+00
\.


--
-- Data for Name: passengers; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.passengers (bus_id, reference, ticket_no, travel_date, seat_no, segment, name, phone, fare, refund_percent, refund, status, queue_no, created_at, expires_at, booked_at, ended_at, account) FROM stdin;
1	BNVMT3	1	2026-12-11	1	[1,5)	\N	+919845012345	260.00	50.00	0.00	booked	\N	2026-12-01 03:30:00+00	\N	2026-12-01 03:30:00+00	\N	\N
1	BHFGBE	1	2026-12-11	\N	[1,5)	\N	+919845054321	260.00	50.00	0.00	pending	1	2026-12-01 03:30:00+00	2026-12-11 04:30:00+00	\N	\N	\N
1	BHFGBE	2	2026-12-11	\N	[1,5)	\N	+919845054321	260.00	50.00	0.00	pending	2	2026-12-01 03:30:00+00	2026-12-11 04:30:00+00	\N	\N	\N
1	BHFGBE	3	2026-12-11	\N	[1,5)	\N	+919845054321	260.00	50.00	0.00	pending	3	2026-12-01 03:30:00+00	2026-12-11 04:30:00+00	\N	\N	\N
1	BHFGBE	4	2026-12-11	\N	[1,5)	\N	+919845054321	260.00	50.00	0.00	pending	4	2026-12-01 03:30:00+00	2026-12-11 04:30:00+00	\N	\N	\N
1	BHFGBE	5	2026-12-11	\N	[1,5)	\N	+919845054321	260.00	50.00	0.00	pending	5	2026-12-01 03:30:00+00	2026-12-11 04:30:00+00	\N	\N	\N
1	BHFGBE	6	2026-12-11	\N	[1,5)	\N	+919845054321	260.00	50.00	0.00	pending	6	2026-12-01 03:30:00+00	2026-12-11 04:30:00+00	\N	\N	\N
1	BQYZZB	1	2026-12-11	5	[1,5)	\N	+919845012345	260.00	50.00	0.00	booked	\N	2026-12-01 03:30:00+00	\N	2026-12-01 03:30:00+00	\N	\N
1	BCXHLR	1	2026-12-11	6	[1,5)	\N	+919845054321	260.00	50.00	0.00	cancelled	\N	2026-12-01 03:30:00+00	2026-12-01 03:40:00+00	\N	2026-12-01 03:30:00+00	\N
1	BNVMT3	2	2026-12-11	2	[1,5)	\N	+919845012345	260.00	50.00	130.00	cancelled	\N	2026-12-01 03:30:00+00	\N	2026-12-01 03:30:00+00	2026-12-01 03:30:00+00	\N
1	BJE9AZ	1	2026-12-11	8	[1,2)	Asha	+919845012345	180.00	50.00	0.00	booked	\N	2026-12-01 03:30:00+00	\N	2026-12-01 03:30:00+00	\N	\N
1	B9DMLJ	1	2026-12-12	1	[1,5)	\N	\N	260.00	50.00	260.00	cancelled	\N	2026-12-01 03:30:00+00	\N	2026-12-01 03:30:00+00	2026-12-01 03:30:30+00	hari
1	BZPBFN	1	2026-12-12	2	[1,5)	\N	\N	260.00	50.00	260.00	cancelled	\N	2026-12-01 03:30:30+00	\N	2026-12-01 03:30:30+00	2026-12-01 03:30:30+00	hari
901	BEFPALJW	1	2026-11-30	1	[6,8)	\N	\N	4800.00	50.00	0.00	booked	\N	2026-12-01 03:30:30+00	\N	2026-12-01 03:30:30+00	\N	asha_h
901	BEFAR7QX	1	2026-11-30	1	[2,3)	\N	\N	2400.00	50.00	0.00	booked	\N	2026-12-01 03:30:30+00	\N	2026-12-01 03:30:30+00	\N	mira_h
901	BEFNXMUC	1	2026-11-30	8	[2,3)	\N	\N	2400.00	50.00	1200.00	cancelled	\N	2026-12-01 03:30:30+00	\N	2026-12-01 03:30:30+00	2026-12-01 03:30:30+00	ravi_h
901	BEFNXMUC	2	2026-11-30	2	[2,3)	\N	\N	2400.00	50.00	1200.00	cancelled	\N	2026-12-01 03:30:30+00	\N	2026-12-01 03:30:30+00	2026-12-01 03:30:30+00	ravi_h
1	BTXADY	1	2026-12-05	1	[1,5)	Ravi	+919845054321	260.00	50.00	0.00	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
1	BTCYAD	2	2026-12-05	6	[1,5)	\N	+919845012345	260.00	50.00	0.00	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
1	BWMQES	1	2026-12-08	1	[1,5)	\N	+442079460958	260.00	50.00	0.00	cancelled	\N	2026-12-01 04:30:00+00	2026-12-01 04:40:00+00	\N	2026-12-01 04:30:00+00	\N
1	BWMQES	2	2026-12-08	2	[1,5)	\N	+442079460958	260.00	50.00	0.00	cancelled	\N	2026-12-01 04:30:00+00	2026-12-01 04:40:00+00	\N	2026-12-01 04:30:00+00	\N
1	BSZQ3R	1	2026-12-05	3	[1,3)	Asha	+919845012345	180.00	50.00	0.00	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
2	CZEKBF	1	2026-12-07	1	[1,2)	\N	+919845054321	500.00	50.00	37.50	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
1	BTCYAD	1	2026-12-05	5	[1,2)	\N	+919845012345	260.00	50.00	0.00	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
1	BTXADY	2	2026-12-05	2	[1,5)	\N	+919845054321	260.00	50.00	130.00	cancelled	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	2026-12-01 04:30:00+00	\N
1	BWGFLL	1	2026-12-05	7	[3,5)	\N	+919845054321	80.00	50.00	40.00	cancelled	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	2026-12-01 04:30:00+00	\N
2	CMKQ7Q	1	2026-12-06	3	[1,4)	\N	+919845012345	900.50	50.00	0.00	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
2	CMKQ7Q	2	2026-12-06	4	[1,4)	\N	+919845012345	900.50	50.00	0.00	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
2	CDS8RS	1	2026-12-06	\N	[1,4)	\N	+919845054321	900.50	50.00	0.00	pending	10	2026-12-01 04:30:00+00	2026-12-06 16:30:00+00	\N	\N	\N
2	CFZ7TJ	1	2026-12-06	1	[1,4)	\N	+919845012345	900.50	50.00	450.25	cancelled	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	2026-12-01 04:30:00+00	\N
2	CFZ7TJ	2	2026-12-06	2	[1,4)	\N	+919845012345	900.50	50.00	450.25	cancelled	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	2026-12-01 04:30:00+00	\N
2	CPM39E	1	2026-12-06	1	[1,4)	\N	+919845054321	900.50	50.00	0.00	booked	8	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
2	CPM39E	2	2026-12-06	2	[1,4)	\N	+919845054321	900.50	50.00	0.00	booked	9	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
3	DYVW3A	1	2026-12-04	1	[1,2)	\N	+919845012345	700.00	50.00	350.00	cancelled	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	2026-12-01 04:30:00+00	\N
3	DNAMXU	1	2026-12-04	1	[1,2)	\N	+919845054321	700.00	50.00	0.00	booked	7	2026-12-01 04:30:00+00	\N	2026-12-01 04:30:00+00	\N	\N
2	CDS8RS	2	2026-12-06	\N	[1,4)	\N	+919845054321	900.50	50.00	0.00	pending	11	2026-12-01 04:30:00+00	2026-12-06 16:30:00+00	\N	\N	\N
2	CDS8RS	3	2026-12-06	\N	[1,4)	\N	+919845054321	900.50	50.00	0.00	pending	12	2026-12-01 04:30:00+00	2026-12-06 16:30:00+00	\N	\N	\N
1	BYZVNV	1	2026-12-09	2	[1,5)	\N	+919845012345	260.00	50.00	0.00	expired	\N	2026-12-01 04:30:00+00	2026-12-01 04:31:00+00	\N	2026-12-01 04:32:00+00	\N
1	BJ7ECL	1	2026-12-09	3	[1,5)	\N	+919845012345	260.00	50.00	0.00	expired	\N	2026-12-01 04:30:00+00	2026-12-01 04:31:00+00	\N	2026-12-01 04:32:00+00	\N
1	B9DXFZ	1	2026-12-09	1	[1,5)	\N	+919845012345	260.00	50.00	0.00	booked	\N	2026-12-01 04:30:00+00	\N	2026-12-01 04:32:00+00	\N	\N
1	BDRMPG	1	2026-12-09	3	[1,5)	\N	+919845054321	260.00	50.00	0.00	booked	\N	2026-12-01 04:32:00+00	\N	2026-12-01 04:32:00+00	\N	\N
1	BEEUPY	1	2026-12-08	1	[1,5)	\N	+919845012345	260.00	50.00	0.00	booked	\N	2026-12-01 04:32:30+00	\N	2026-12-01 04:32:30+00	\N	asha
1	B9L9XP	1	2026-12-07	1	[1,5)	\N	\N	260.00	50.00	260.00	cancelled	\N	2026-12-01 04:32:00+00	\N	2026-12-01 04:32:00+00	2026-12-01 04:32:30+00	asha
1	BBTVSC	1	2026-12-01	2	[2,3)	\N	+919845012345	90.00	50.00	0.00	expired	\N	2026-12-01 04:34:00+00	2026-12-01 05:04:00+00	\N	2026-12-01 05:30:00+00	\N
1	BF7JQG	1	2026-12-01	1	[2,4)	\N	+919845012345	170.00	50.00	0.00	booked	\N	2026-12-01 04:34:00+00	\N	2026-12-01 04:34:00+00	\N	\N
1	B3GFMN	1	2026-12-10	1	[1,5)	\N	+919845012345	260.00	50.00	0.00	held	\N	2026-12-01 07:30:00+00	2026-12-01 08:00:00+00	\N	\N	\N
1	B3GFMN	2	2026-12-10	2	[1,5)	\N	+919845012345	260.00	50.00	0.00	held	\N	2026-12-01 07:30:00+00	2026-12-01 08:00:00+00	\N	\N	\N
1	B3TGGX	1	2026-12-10	3	[1,5)	\N	+919845054321	260.00	50.00	0.00	held	\N	2026-12-01 07:30:00+00	2026-12-01 08:00:00+00	\N	\N	\N
1	BW7ZQ9	1	2026-12-10	4	[1,5)	\N	+919845012345	260.00	50.00	0.00	booked	\N	2026-12-01 07:30:00+00	\N	2026-12-01 07:30:00+00	\N	\N
1	BYFSUT	1	2026-12-10	5	[1,3)	\N	+919845012345	180.00	50.00	0.00	booked	\N	2026-12-01 07:30:00+00	\N	2026-12-01 07:30:00+00	\N	\N
1	BCBUJT	1	2026-12-10	5	[3,5)	\N	+919845054321	80.00	50.00	0.00	booked	\N	2026-12-01 07:30:00+00	\N	2026-12-01 07:30:00+00	\N	\N
3	DMC8QW	1	2026-12-05	1	[1,2)	\N	+919845012345	700.00	50.00	0.00	booked	\N	2026-12-01 07:30:00+00	\N	2026-12-01 07:30:00+00	\N	\N
3	DVKTSU	1	2026-12-05	\N	[1,2)	\N	+919845054321	700.00	50.00	0.00	pending	13	2026-12-01 07:30:00+00	2026-12-05 01:30:00+00	\N	\N	\N
2	CQLLVF	1	2026-12-12	2	[1,3)	\N	+919845012345	500.00	50.00	0.00	cancelled	\N	2026-12-01 07:40:00+00	2026-12-01 07:50:00+00	\N	2026-12-01 07:40:00+00	\N
2	CQLLVF	2	2026-12-12	4	[1,3)	\N	+919845012345	500.00	50.00	0.00	cancelled	\N	2026-12-01 07:40:00+00	2026-12-01 07:50:00+00	\N	2026-12-01 07:40:00+00	\N
2	CKGAZA	2	2026-12-12	3	[1,3)	\N	+919845012345	500.00	50.00	250.00	cancelled	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	2026-12-01 07:40:00+00	\N
701	7BFHQPV	1	2026-12-15	2	[1,2)	\N	\N	62000.00	50.00	0.00	booked	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
701	7BZGNDY	1	2026-12-15	3	[1,2)	\N	\N	62000.00	50.00	0.00	booked	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
701	7BTUAE7	1	2026-12-15	4	[1,2)	\N	\N	62000.00	50.00	0.00	booked	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
701	7BHKV9W	1	2026-12-15	1	[1,2)	\N	\N	62000.00	50.00	31000.00	cancelled	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	2026-12-01 07:40:00+00	\N
701	7B97VSY	1	2026-12-15	1	[1,2)	\N	\N	62000.00	50.00	0.00	booked	14	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
803	BAVWXYXR	1	2026-12-05	7	[1,2)	\N	\N	300.00	50.00	0.00	booked	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
803	BAVWXYXR	2	2026-12-05	8	[1,2)	\N	\N	300.00	50.00	0.00	booked	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
803	BAVWHVFG	1	2026-12-05	9	[1,2)	\N	\N	300.00	50.00	0.00	booked	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
901	BEFXUJGR	1	2026-11-30	1	[9,11)	\N	\N	4800.00	50.00	0.00	booked	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	\N	\N
2	CKGAZA	1	2026-12-12	4	[1,3)	\N	+919845012345	500.00	50.00	500.00	cancelled	\N	2026-12-01 07:40:00+00	\N	2026-12-01 07:40:00+00	2026-12-01 07:40:00+00	\N
\.


--
-- Data for Name: payments; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.payments (bus_id, reference, ticket_no, payment_no, kind, amount, at) FROM stdin;
1	BNVMT3	1	1	charge	260.00	2026-12-01 03:30:00+00
1	BNVMT3	2	1	charge	260.00	2026-12-01 03:30:00+00
1	BJE9AZ	1	1	charge	180.00	2026-12-01 03:30:00+00
1	BQYZZB	1	1	charge	260.00	2026-12-01 03:30:00+00
1	BNVMT3	2	2	refund	130.00	2026-12-01 03:30:00+00
1	B9DMLJ	1	1	charge	260.00	2026-12-01 03:30:00+00
1	BZPBFN	1	1	charge	260.00	2026-12-01 03:30:30+00
1	BZPBFN	1	2	refund	260.00	2026-12-01 03:30:30+00
1	B9DMLJ	1	2	refund	260.00	2026-12-01 03:30:30+00
901	BEFNXMUC	1	1	charge	2400.00	2026-12-01 03:30:30+00
901	BEFNXMUC	2	1	charge	2400.00	2026-12-01 03:30:30+00
901	BEFPALJW	1	1	charge	4800.00	2026-12-01 03:30:30+00
901	BEFAR7QX	1	1	charge	2400.00	2026-12-01 03:30:30+00
901	BEFNXMUC	1	2	refund	1200.00	2026-12-01 03:30:30+00
901	BEFNXMUC	2	2	refund	1200.00	2026-12-01 03:30:30+00
1	BSZQ3R	1	1	charge	180.00	2026-12-01 04:30:00+00
1	BWGFLL	1	1	charge	80.00	2026-12-01 04:30:00+00
1	BTXADY	1	1	charge	260.00	2026-12-01 04:30:00+00
1	BTXADY	2	1	charge	260.00	2026-12-01 04:30:00+00
2	CZEKBF	1	1	charge	500.00	2026-12-01 04:30:00+00
3	DYVW3A	1	1	charge	700.00	2026-12-01 04:30:00+00
1	BTCYAD	1	1	charge	260.00	2026-12-01 04:30:00+00
1	BTCYAD	2	1	charge	260.00	2026-12-01 04:30:00+00
2	CZEKBF	1	2	refund	37.50	2026-12-01 04:30:00+00
1	BTXADY	2	2	refund	130.00	2026-12-01 04:30:00+00
1	BWGFLL	1	2	refund	40.00	2026-12-01 04:30:00+00
2	CFZ7TJ	1	1	charge	900.50	2026-12-01 04:30:00+00
2	CFZ7TJ	2	1	charge	900.50	2026-12-01 04:30:00+00
2	CMKQ7Q	1	1	charge	900.50	2026-12-01 04:30:00+00
2	CMKQ7Q	2	1	charge	900.50	2026-12-01 04:30:00+00
2	CPM39E	1	1	charge	900.50	2026-12-01 04:30:00+00
2	CPM39E	2	1	charge	900.50	2026-12-01 04:30:00+00
2	CFZ7TJ	1	2	refund	450.25	2026-12-01 04:30:00+00
2	CFZ7TJ	2	2	refund	450.25	2026-12-01 04:30:00+00
3	DNAMXU	1	1	charge	700.00	2026-12-01 04:30:00+00
3	DYVW3A	1	2	refund	350.00	2026-12-01 04:30:00+00
1	B9DXFZ	1	1	charge	260.00	2026-12-01 04:32:00+00
1	BDRMPG	1	1	charge	260.00	2026-12-01 04:32:00+00
1	B9L9XP	1	1	charge	260.00	2026-12-01 04:32:00+00
1	BEEUPY	1	1	charge	260.00	2026-12-01 04:32:30+00
1	B9L9XP	1	2	refund	260.00	2026-12-01 04:32:30+00
1	BF7JQG	1	1	charge	170.00	2026-12-01 04:34:00+00
1	BW7ZQ9	1	1	charge	260.00	2026-12-01 07:30:00+00
1	BYFSUT	1	1	charge	180.00	2026-12-01 07:30:00+00
1	BCBUJT	1	1	charge	80.00	2026-12-01 07:30:00+00
3	DMC8QW	1	1	charge	700.00	2026-12-01 07:30:00+00
2	CKGAZA	1	1	charge	500.00	2026-12-01 07:40:00+00
2	CKGAZA	2	1	charge	500.00	2026-12-01 07:40:00+00
2	CKGAZA	2	2	refund	250.00	2026-12-01 07:40:00+00
701	7BHKV9W	1	1	charge	62000.00	2026-12-01 07:40:00+00
701	7BFHQPV	1	1	charge	62000.00	2026-12-01 07:40:00+00
701	7BZGNDY	1	1	charge	62000.00	2026-12-01 07:40:00+00
701	7BTUAE7	1	1	charge	62000.00	2026-12-01 07:40:00+00
701	7B97VSY	1	1	charge	62000.00	2026-12-01 07:40:00+00
701	7BHKV9W	1	2	refund	31000.00	2026-12-01 07:40:00+00
803	BAVWXYXR	1	1	charge	300.00	2026-12-01 07:40:00+00
803	BAVWXYXR	2	1	charge	300.00	2026-12-01 07:40:00+00
803	BAVWHVFG	1	1	charge	300.00	2026-12-01 07:40:00+00
901	BEFXUJGR	1	1	charge	4800.00	2026-12-01 07:40:00+00
2	CKGAZA	1	2	refund	500.00	2026-12-01 07:40:00+00
\.


--
-- Data for Name: places; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.places (code, name, aliases, part_of, time_zone) FROM stdin;
KA	Karnataka	{}	\N	Asia/Kolkata
BLRU	Bengaluru	{Bangalore}	KA	Asia/Kolkata
RMNG	Ramanagara	{Ramanagaram}	KA	Asia/Kolkata
MNDY	Mandya	{}	KA	Asia/Kolkata
SRPT	Srirangapatna	{Seringapatam}	KA	Asia/Kolkata
MYSU	Mysuru	{Mysore}	KA	Asia/Kolkata
OOTY	Ooty	{Udhagamandalam}	\N	Asia/Kolkata
CHEN	Chennai	{Madras}	\N	Asia/Kolkata
RANGA	Ranga Hall	{Theatre}	\N	Asia/Kolkata
RANGA-DOORS	Ranga Hall, doors	{}	RANGA	Asia/Kolkata
RANGA-CURTAIN	Ranga Hall, curtain	{}	RANGA	Asia/Kolkata
HOTEL	Brindavan House	{Brindavan}	\N	Asia/Kolkata
IND	India	{IN,Bharat}	\N	Asia/Kolkata
USA	United States	{US,America}	\N	America/New_York
DEL	Delhi Airport	{Delhi}	IND	Asia/Kolkata
JFK	New York JFK	{"New York"}	USA	America/New_York
\.


--
-- Data for Name: processes; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.processes (process_no, role, name, since) FROM stdin;
1	server	127.0.0.1:42543	2026-12-01 03:30:00+00
\.


--
-- Data for Name: requests; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.requests (bus_id, caller, key, method, digest, answer, at) FROM stdin;
1	phone:+919845012345	h-first	book	f14caade-03ff-a4c4-e099-98e6c11e49fb	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 2, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BNVMT3", "arrives_at": "2026-12-11T12:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845012345	f45ad8df-0379-4481-8793-6d11258520d7	book	8a866a01-abac-dca0-23c6-30c925853428	{"fare": "180.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "180.00", "name": "Asha", "refund": "0.00", "status": "booked", "seat_no": 7, "ticket_no": 1}], "to_stop": 3, "operator": "KSRTC", "from_stop": 1, "reference": "BJE9AZ", "arrives_at": "2026-12-11T11:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Mandya", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845054321	d8d9d4f7-a971-48ee-8d4d-d2fa660f4e51	book	c24bd0c0-3a39-4272-b2b6-521a0b0b4638	{"fare": "1560.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "pending", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 2}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 3}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 4}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 5}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 6}], "to_stop": 5, "operator": "KSRTC", "position": 1, "from_stop": 1, "reference": "BHFGBE", "arrives_at": "2026-12-11T12:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845012345	c8fa9133-5c0f-4535-9706-9b5597f75e1c	hold	e88d272d-671d-b150-85dc-5f17a8a8e6df	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 5, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BQYZZB", "arrives_at": "2026-12-11T12:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "expires_at": "2026-12-01T09:05:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845054321	4d38815a-df08-43d9-a6a1-0831ba0a85e5	hold	df69eb05-d93d-b924-cd95-fb4e7161609d	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 6, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BCXHLR", "arrives_at": "2026-12-11T12:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "expires_at": "2026-12-01T09:10:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845012345	e14f51e3-5a7d-4d2f-bc3e-113b0966dd72	confirm	30ccfac7-fc94-99b7-58d6-e869a3d7425e	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 5, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BQYZZB", "arrives_at": "2026-12-11T12:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845054321	4e43df8f-242c-47b7-9b85-4deb29274cb9	release	b9064e89-313a-4c71-7e17-100ae7602266	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "cancelled", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "cancelled", "seat_no": 6, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BCXHLR", "arrives_at": "2026-12-11T12:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845012345	612f4954-cec1-4e0f-925d-d887b5e52981	cancel	a750e82f-b77d-2117-c518-bdd819135ba5	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "130.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "130.00", "status": "cancelled", "seat_no": 2, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BNVMT3", "arrives_at": "2026-12-11T12:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845012345	c5ba715b-2023-49eb-b4e7-e81ab33d1956	change_seat	f98f37a5-edb5-7207-a1db-fc66fd7f90c0	{"fare": "180.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "180.00", "name": "Asha", "refund": "0.00", "status": "booked", "seat_no": 8, "ticket_no": 1}], "to_stop": 3, "operator": "KSRTC", "from_stop": 1, "reference": "BJE9AZ", "arrives_at": "2026-12-11T11:45:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Mandya", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	phone:+919845012345	a8860d49-bf69-45c3-bc65-cc75883ef70d	alight	25565bdd-ce36-08d7-bab5-d9d65b772ea5	{"fare": "180.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "180.00", "name": "Asha", "refund": "0.00", "status": "booked", "seat_no": 8, "ticket_no": 1}], "to_stop": 2, "operator": "KSRTC", "from_stop": 1, "reference": "BJE9AZ", "arrives_at": "2026-12-11T10:50:00+05:30", "departs_at": "2026-12-11T10:00:00+05:30", "destination": "Ramanagara", "travel_date": "2026-12-11"}	2026-12-01 03:30:00+00
1	account:hari	52ed35d5-1533-46ce-ace3-11e414194796	book	69b0c983-d514-0077-415a-aeb72413ddc5	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "B9DMLJ", "arrives_at": "2026-12-12T12:45:00+05:30", "departs_at": "2026-12-12T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 03:30:00+00
1	account:hari	a08cfa3b-acb7-41a3-91e5-d1566a80235d	book	8d054d34-adb7-a420-115c-77f27350bf2e	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 2, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BZPBFN", "arrives_at": "2026-12-12T12:45:00+05:30", "departs_at": "2026-12-12T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 03:30:30+00
1	account:warden	066cc1f0-93b1-471f-ac3c-f3ad964a2aa8	cancel_trip	21b9a398-b1de-09d6-387e-ca8f81b5e1a9	{"state": "cancelled", "bus_id": 1, "refund": "520.00", "tickets": 2, "travel_date": "2026-12-12"}	2026-12-01 03:30:30+00
901	account:ravi_h	a9adfed2-7ebd-4763-932b-3166274205b4	book	50d530ed-9edf-ef7f-931c-2930e6dd33b0	{"fare": "4800.00", "kind": "hotel", "name": "Brindavan House", "bus_id": 901, "origin": "Brindavan House", "refund": "0.00", "status": "booked", "tickets": [{"fare": "2400.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "2400.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 2, "ticket_no": 2}], "to_stop": 3, "operator": "Brindavan", "from_stop": 2, "reference": "BEFNXMUC", "arrives_at": "2026-12-02T11:00:00+05:30", "departs_at": "2026-12-01T14:00:00+05:30", "destination": "Brindavan House", "travel_date": "2026-11-30"}	2026-12-01 03:30:30+00
901	account:asha_h	25cc8f66-a1cf-4cd7-a84b-8195ecf1a37d	book	993402fa-059d-b69e-ef3b-cfae4e837c32	{"fare": "4800.00", "kind": "hotel", "name": "Brindavan House", "bus_id": 901, "origin": "Brindavan House", "refund": "0.00", "status": "booked", "tickets": [{"fare": "4800.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 8, "operator": "Brindavan", "from_stop": 6, "reference": "BEFPALJW", "arrives_at": "2026-12-07T11:00:00+05:30", "departs_at": "2026-12-05T14:00:00+05:30", "destination": "Brindavan House", "travel_date": "2026-11-30"}	2026-12-01 03:30:30+00
901	account:ravi_h	e69e3fd2-b6ee-4400-976a-5a23848005da	change_seat	13e52107-a7bb-2e82-63a6-438ae78d9890	{"fare": "4800.00", "kind": "hotel", "name": "Brindavan House", "bus_id": 901, "origin": "Brindavan House", "refund": "0.00", "status": "booked", "tickets": [{"fare": "2400.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 8, "ticket_no": 1}, {"fare": "2400.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 2, "ticket_no": 2}], "to_stop": 3, "operator": "Brindavan", "from_stop": 2, "reference": "BEFNXMUC", "arrives_at": "2026-12-02T11:00:00+05:30", "departs_at": "2026-12-01T14:00:00+05:30", "destination": "Brindavan House", "travel_date": "2026-11-30"}	2026-12-01 03:30:30+00
901	account:mira_h	287a8378-a31e-4136-bf2b-5ef8e5ee06a1	book	263c95d9-6ccd-1db4-cb94-55cfa6317807	{"fare": "2400.00", "kind": "hotel", "name": "Brindavan House", "bus_id": 901, "origin": "Brindavan House", "refund": "0.00", "status": "booked", "tickets": [{"fare": "2400.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 3, "operator": "Brindavan", "from_stop": 2, "reference": "BEFAR7QX", "arrives_at": "2026-12-02T11:00:00+05:30", "departs_at": "2026-12-01T14:00:00+05:30", "destination": "Brindavan House", "travel_date": "2026-11-30"}	2026-12-01 03:30:30+00
901	account:ravi_h	fe5f8c83-da55-43ec-ad09-d0abefb982d6	cancel	8f2bce2d-3d68-986d-a46c-3daae0d6c9a6	{"fare": "4800.00", "kind": "hotel", "name": "Brindavan House", "bus_id": 901, "origin": "Brindavan House", "refund": "2400.00", "status": "cancelled", "tickets": [{"fare": "2400.00", "name": null, "refund": "1200.00", "status": "cancelled", "seat_no": 8, "ticket_no": 1}, {"fare": "2400.00", "name": null, "refund": "1200.00", "status": "cancelled", "seat_no": 2, "ticket_no": 2}], "to_stop": 3, "operator": "Brindavan", "from_stop": 2, "reference": "BEFNXMUC", "arrives_at": "2026-12-02T11:00:00+05:30", "departs_at": "2026-12-01T14:00:00+05:30", "destination": "Brindavan House", "travel_date": "2026-11-30"}	2026-12-01 03:30:30+00
1	phone:+919845012345	first	book	71723478-6653-b1b2-7167-5c1be1afe89b	{"fare": "180.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "180.00", "name": "Asha", "refund": "0.00", "status": "booked", "seat_no": 7, "ticket_no": 1}], "to_stop": 3, "operator": "KSRTC", "from_stop": 1, "reference": "BSZQ3R", "arrives_at": "2026-12-05T11:45:00+05:30", "departs_at": "2026-12-05T10:00:00+05:30", "destination": "Mandya", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
1	phone:+919845054321	6661cedb-0408-4c10-ba85-410f797228a8	book	ddf9e30d-524b-1606-9836-e28d871ff9e2	{"fare": "80.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Mandya", "refund": "0.00", "status": "booked", "tickets": [{"fare": "80.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 7, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 3, "reference": "BWGFLL", "arrives_at": "2026-12-05T12:45:00+05:30", "departs_at": "2026-12-05T11:50:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
1	phone:+919845054321	c34ce014-f036-47ac-b41e-53cdf412f4f0	book	7ddca0c5-7e04-d096-aaea-b611b0912256	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": "Ravi", "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 2, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BTXADY", "arrives_at": "2026-12-05T12:45:00+05:30", "departs_at": "2026-12-05T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
2	phone:+919845054321	03193b06-b27a-48d0-8ca6-a75f445f7868	book	d23bcb4b-7eda-e98b-0514-d985fc87eac9	{"fare": "500.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "500.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 3, "operator": "SRS Travels", "from_stop": 1, "reference": "CZEKBF", "arrives_at": "2026-12-08T00:50:00+05:30", "departs_at": "2026-12-07T22:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-07"}	2026-12-01 04:30:00+00
3	phone:+919845012345	e078e752-1ca4-49ac-954d-c11a896ad0dc	book	a886ca4f-7337-fccd-d18d-bbddfb7e35c7	{"fare": "700.00", "kind": "bus", "name": "Hill Car", "bus_id": 3, "origin": "Mysuru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "700.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 2, "operator": "KSRTC", "from_stop": 1, "reference": "DYVW3A", "arrives_at": "2026-12-04T11:00:00+05:30", "departs_at": "2026-12-04T07:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-04"}	2026-12-01 04:30:00+00
3	phone:+919845054321	fd6790d2-9b89-496b-8ac8-c8ea8dffc937	book	207ea9e8-7c99-a660-c67c-14afd709739b	{"fare": "700.00", "kind": "bus", "name": "Hill Car", "bus_id": 3, "origin": "Mysuru", "refund": "0.00", "status": "pending", "tickets": [{"fare": "700.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 1}], "to_stop": 2, "operator": "KSRTC", "position": 1, "from_stop": 1, "reference": "DNAMXU", "arrives_at": "2026-12-04T11:00:00+05:30", "departs_at": "2026-12-04T07:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-04"}	2026-12-01 04:30:00+00
1	phone:+919845012345	b45a9d1d-4ef2-4cc4-be85-b275494d325d	hold	583a0b9f-a545-f59d-4bf7-d03763d9281f	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 5, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 6, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BTCYAD", "arrives_at": "2026-12-05T12:45:00+05:30", "departs_at": "2026-12-05T10:00:00+05:30", "expires_at": "2026-12-01T10:05:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
1	phone:+919845012345	789f0295-3055-45f3-b2ab-fd899f93bfb5	confirm	47ad15f3-b0d7-779e-c1ef-8bd2755caa6f	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 5, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 6, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BTCYAD", "arrives_at": "2026-12-05T12:45:00+05:30", "departs_at": "2026-12-05T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
1	phone:+442079460958	d1969a5b-e4aa-4703-878e-bbd388aef8b2	hold	f97f3c65-bc92-04bb-25d1-c1245540b759	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 1, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 2, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BWMQES", "arrives_at": "2026-12-08T12:45:00+05:30", "departs_at": "2026-12-08T10:00:00+05:30", "expires_at": "2026-12-01T10:10:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-08"}	2026-12-01 04:30:00+00
1	phone:+442079460958	give up	release	65e43870-e0f7-a0b6-77fa-4b1d1eef5cf3	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "cancelled", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "cancelled", "seat_no": 1, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "cancelled", "seat_no": 2, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BWMQES", "arrives_at": "2026-12-08T12:45:00+05:30", "departs_at": "2026-12-08T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-08"}	2026-12-01 04:30:00+00
1	phone:+919845012345	b69e56a0-392b-453a-b0e0-bda3fc1ec428	change_seat	f5842613-8f84-ae68-4e91-a97b8e1c663a	{"fare": "180.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "180.00", "name": "Asha", "refund": "0.00", "status": "booked", "seat_no": 3, "ticket_no": 1}], "to_stop": 3, "operator": "KSRTC", "from_stop": 1, "reference": "BSZQ3R", "arrives_at": "2026-12-05T11:45:00+05:30", "departs_at": "2026-12-05T10:00:00+05:30", "destination": "Mandya", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
2	phone:+919845054321	087ec273-3b26-462a-a98a-a62cb818f017	alight	38e64f98-9def-25be-8c62-0cb0a6db990e	{"fare": "500.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "37.50", "status": "booked", "tickets": [{"fare": "500.00", "name": null, "refund": "37.50", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 2, "operator": "SRS Travels", "from_stop": 1, "reference": "CZEKBF", "arrives_at": "2026-12-07T23:40:00+05:30", "departs_at": "2026-12-07T22:00:00+05:30", "destination": "Mandya", "travel_date": "2026-12-07"}	2026-12-01 04:30:00+00
1	phone:+919845012345	c779c09c-8f14-491f-beb8-1b6a40241bb1	alight	02d73906-7e71-86b9-8e76-0c62bca44213	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 5, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 6, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BTCYAD", "arrives_at": "2026-12-05T12:45:00+05:30", "departs_at": "2026-12-05T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
1	phone:+919845054321	part	cancel	b4c0a169-8c1a-f048-6ac3-c7bbfdfe280a	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "130.00", "status": "booked", "tickets": [{"fare": "260.00", "name": "Ravi", "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "130.00", "status": "cancelled", "seat_no": 2, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BTXADY", "arrives_at": "2026-12-05T12:45:00+05:30", "departs_at": "2026-12-05T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
1	phone:+919845054321	db3f26cf-9148-4d06-97d0-ee9ee235b8a7	cancel	33d919aa-71c7-e72c-4104-044b27ad1b8d	{"fare": "80.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Mandya", "refund": "40.00", "status": "cancelled", "tickets": [{"fare": "80.00", "name": null, "refund": "40.00", "status": "cancelled", "seat_no": 7, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 3, "reference": "BWGFLL", "arrives_at": "2026-12-05T12:45:00+05:30", "departs_at": "2026-12-05T11:50:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-05"}	2026-12-01 04:30:00+00
2	phone:+919845012345	edf02042-c28a-4673-8b08-d20025a7a555	book	881b65dc-ccc6-10ed-b661-668f2bfcaa12	{"fare": "1801.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "900.50", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "900.50", "name": null, "refund": "0.00", "status": "booked", "seat_no": 2, "ticket_no": 2}], "to_stop": 4, "operator": "SRS Travels", "from_stop": 1, "reference": "CFZ7TJ", "arrives_at": "2026-12-07T05:30:00+05:30", "departs_at": "2026-12-06T22:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-06"}	2026-12-01 04:30:00+00
2	phone:+919845012345	d1b99a9e-0ff2-4d57-a957-d715a5cb3022	book	2a83cff1-9a3d-ded5-04c4-28ab09b818a6	{"fare": "1801.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "900.50", "name": null, "refund": "0.00", "status": "booked", "seat_no": 3, "ticket_no": 1}, {"fare": "900.50", "name": null, "refund": "0.00", "status": "booked", "seat_no": 4, "ticket_no": 2}], "to_stop": 4, "operator": "SRS Travels", "from_stop": 1, "reference": "CMKQ7Q", "arrives_at": "2026-12-07T05:30:00+05:30", "departs_at": "2026-12-06T22:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-06"}	2026-12-01 04:30:00+00
2	phone:+919845054321	3a9149eb-3575-4745-b4f9-402f5979be22	book	87988733-521b-81ba-d30b-49d156999e9b	{"fare": "1801.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "pending", "tickets": [{"fare": "900.50", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 1}, {"fare": "900.50", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 2}], "to_stop": 4, "operator": "SRS Travels", "position": 1, "from_stop": 1, "reference": "CPM39E", "arrives_at": "2026-12-07T05:30:00+05:30", "departs_at": "2026-12-06T22:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-06"}	2026-12-01 04:30:00+00
2	phone:+919845054321	76607dc5-c644-4d02-abf6-c20b4096f015	hold	50d65abc-56d7-0e0c-4735-72396752bff0	{"fare": "2701.50", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "pending", "tickets": [{"fare": "900.50", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 1}, {"fare": "900.50", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 2}, {"fare": "900.50", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 3}], "to_stop": 4, "operator": "SRS Travels", "position": 2, "from_stop": 1, "reference": "CDS8RS", "arrives_at": "2026-12-07T05:30:00+05:30", "departs_at": "2026-12-06T22:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-06"}	2026-12-01 04:30:00+00
2	phone:+919845012345	bbc127e8-1cd4-4626-a5c9-322bd17a2800	cancel	65d175fe-36ae-570c-56f6-5b78e36bfe86	{"fare": "1801.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "900.50", "status": "cancelled", "tickets": [{"fare": "900.50", "name": null, "refund": "450.25", "status": "cancelled", "seat_no": 1, "ticket_no": 1}, {"fare": "900.50", "name": null, "refund": "450.25", "status": "cancelled", "seat_no": 2, "ticket_no": 2}], "to_stop": 4, "operator": "SRS Travels", "from_stop": 1, "reference": "CFZ7TJ", "arrives_at": "2026-12-07T05:30:00+05:30", "departs_at": "2026-12-06T22:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-06"}	2026-12-01 04:30:00+00
3	phone:+919845012345	d4579d58-59cd-4c18-9ce6-29b650a9e7ec	cancel	0b9e3c69-5746-ded4-a5fa-cc46079e2ea7	{"fare": "700.00", "kind": "bus", "name": "Hill Car", "bus_id": 3, "origin": "Mysuru", "refund": "350.00", "status": "cancelled", "tickets": [{"fare": "700.00", "name": null, "refund": "350.00", "status": "cancelled", "seat_no": 1, "ticket_no": 1}], "to_stop": 2, "operator": "KSRTC", "from_stop": 1, "reference": "DYVW3A", "arrives_at": "2026-12-04T11:00:00+05:30", "departs_at": "2026-12-04T07:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-04"}	2026-12-01 04:30:00+00
1	phone:+919845012345	0417b5d9-feda-4809-9122-0156e1b8b332	hold	d32eda99-12c5-1526-c584-a735b84774b6	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 1, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "B9DXFZ", "arrives_at": "2026-12-09T12:45:00+05:30", "departs_at": "2026-12-09T10:00:00+05:30", "expires_at": "2026-12-01T10:01:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-09"}	2026-12-01 04:30:00+00
1	phone:+919845012345	68391a35-ccce-4192-aed8-f7f1f5afaf18	hold	f01593ca-732b-f733-689c-f2edd12446c2	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 2, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BYZVNV", "arrives_at": "2026-12-09T12:45:00+05:30", "departs_at": "2026-12-09T10:00:00+05:30", "expires_at": "2026-12-01T10:01:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-09"}	2026-12-01 04:30:00+00
1	phone:+919845012345	002f8b18-2a24-417b-b2aa-df32518fd390	hold	e81b03bb-4f3f-70ac-9e44-51752a347e0c	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 3, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BJ7ECL", "arrives_at": "2026-12-09T12:45:00+05:30", "departs_at": "2026-12-09T10:00:00+05:30", "expires_at": "2026-12-01T10:01:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-09"}	2026-12-01 04:30:00+00
1	phone:+919845012345	4a8c4aaa-855c-4540-b3f4-033837737e13	confirm	42af1ccc-b8f5-649f-435d-0ccc18de5e46	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "B9DXFZ", "arrives_at": "2026-12-09T12:45:00+05:30", "departs_at": "2026-12-09T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-09"}	2026-12-01 04:32:00+00
1	phone:+919845054321	71133f67-33e4-4b20-afb3-5481cfc58ee6	book	4e12c619-a701-1ba6-f811-6da608c85349	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 3, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BDRMPG", "arrives_at": "2026-12-09T12:45:00+05:30", "departs_at": "2026-12-09T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-09"}	2026-12-01 04:32:00+00
1	account:asha	ce222df2-2cb5-4443-8b5a-d92490a88a6e	book	8d34cb92-077d-0fdf-7156-319a70331968	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "B9L9XP", "arrives_at": "2026-12-07T12:45:00+05:30", "departs_at": "2026-12-07T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-07"}	2026-12-01 04:32:00+00
1	account:asha	ea213bac-8771-4a53-bfd8-cdf5e7811590	book	fa639564-6764-36b5-2fe7-ac791c145226	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BEEUPY", "arrives_at": "2026-12-08T12:45:00+05:30", "departs_at": "2026-12-08T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-08"}	2026-12-01 04:32:30+00
1	account:conductor	road	cancel_trip	e1da74aa-4c9c-cf38-6e50-8f589ded8869	{"state": "cancelled", "bus_id": 1, "refund": "260.00", "tickets": 1, "travel_date": "2026-12-07"}	2026-12-01 04:32:30+00
1	phone:+919845012345	4e6fe2b6-b170-4eac-b06a-aa5936ce719e	book	5f21d795-c999-91e3-f487-34a846db8d3e	{"fare": "170.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Ramanagara", "refund": "0.00", "status": "booked", "tickets": [{"fare": "170.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 2, "reference": "BF7JQG", "arrives_at": "2026-12-01T12:45:00+05:30", "departs_at": "2026-12-01T10:55:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-01"}	2026-12-01 04:34:00+00
1	phone:+919845012345	560c1a02-8d82-4e3c-961e-23e959c00796	hold	36b06eb0-a808-64f1-1f85-a8653902b0e0	{"fare": "90.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Ramanagara", "refund": "0.00", "status": "held", "tickets": [{"fare": "90.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 2, "ticket_no": 1}], "to_stop": 3, "operator": "KSRTC", "from_stop": 2, "reference": "BBTVSC", "arrives_at": "2026-12-01T11:45:00+05:30", "departs_at": "2026-12-01T10:55:00+05:30", "expires_at": "2026-12-01T10:34:00+05:30", "destination": "Mandya", "travel_date": "2026-12-01"}	2026-12-01 04:34:00+00
1	phone:+919845012345	26d5fe10-95e8-4d98-b13a-dfe34d900ec5	alight	d649761c-1e64-5803-edc5-aabb15c9a72c	{"fare": "170.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Ramanagara", "refund": "0.00", "status": "booked", "tickets": [{"fare": "170.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 4, "operator": "KSRTC", "from_stop": 2, "reference": "BF7JQG", "arrives_at": "2026-12-01T12:20:00+05:30", "departs_at": "2026-12-01T10:55:00+05:30", "destination": "Srirangapatna", "travel_date": "2026-12-01"}	2026-12-01 05:30:00+00
1	phone:+919845012345	71cfcd37-2b94-4274-8684-aa8bdaecc4bb	hold	ba31742f-a34c-cea4-8bc0-54d4af5ff477	{"fare": "520.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 1, "ticket_no": 1}, {"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 2, "ticket_no": 2}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "B3GFMN", "arrives_at": "2026-12-10T12:45:00+05:30", "departs_at": "2026-12-10T10:00:00+05:30", "expires_at": "2026-12-01T13:30:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-10"}	2026-12-01 07:30:00+00
1	phone:+919845054321	1ba886d3-4ea4-4395-9486-3ee945adecc6	hold	2cb45a70-969b-a48c-b6ca-12d3d375ff90	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 3, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "B3TGGX", "arrives_at": "2026-12-10T12:45:00+05:30", "departs_at": "2026-12-10T10:00:00+05:30", "expires_at": "2026-12-01T13:30:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-10"}	2026-12-01 07:30:00+00
1	phone:+919845012345	kept	book	7282754d-4ea3-e292-3084-5ccc1fb6df74	{"fare": "260.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "260.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 4, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 1, "reference": "BW7ZQ9", "arrives_at": "2026-12-10T12:45:00+05:30", "departs_at": "2026-12-10T10:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-10"}	2026-12-01 07:30:00+00
1	phone:+919845012345	4b1d48c5-5247-472b-b2c1-10bc9479d58b	book	2b706a00-26fe-726d-5789-f4012e20e3f3	{"fare": "180.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "180.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 5, "ticket_no": 1}], "to_stop": 3, "operator": "KSRTC", "from_stop": 1, "reference": "BYFSUT", "arrives_at": "2026-12-10T11:45:00+05:30", "departs_at": "2026-12-10T10:00:00+05:30", "destination": "Mandya", "travel_date": "2026-12-10"}	2026-12-01 07:30:00+00
1	phone:+919845054321	3cfe4a35-827c-4ca4-8c9d-95465d314119	book	a488888d-1e6a-4ce7-77a1-c4f9fb693466	{"fare": "80.00", "kind": "bus", "name": "Day Bus", "bus_id": 1, "origin": "Mandya", "refund": "0.00", "status": "booked", "tickets": [{"fare": "80.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 5, "ticket_no": 1}], "to_stop": 5, "operator": "KSRTC", "from_stop": 3, "reference": "BCBUJT", "arrives_at": "2026-12-10T12:45:00+05:30", "departs_at": "2026-12-10T11:50:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-10"}	2026-12-01 07:30:00+00
3	phone:+919845012345	729f67c2-3204-4b76-ad3a-bf341c15d5ad	book	e851932d-d13e-715a-c8be-fd78a41de01a	{"fare": "700.00", "kind": "bus", "name": "Hill Car", "bus_id": 3, "origin": "Mysuru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "700.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 2, "operator": "KSRTC", "from_stop": 1, "reference": "DMC8QW", "arrives_at": "2026-12-05T11:00:00+05:30", "departs_at": "2026-12-05T07:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-05"}	2026-12-01 07:30:00+00
3	phone:+919845054321	edc6bd76-1c23-421a-8138-690c50b22b17	book	5358546d-b391-8cf9-372a-91d801c602be	{"fare": "700.00", "kind": "bus", "name": "Hill Car", "bus_id": 3, "origin": "Mysuru", "refund": "0.00", "status": "pending", "tickets": [{"fare": "700.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 1}], "to_stop": 2, "operator": "KSRTC", "position": 1, "from_stop": 1, "reference": "DVKTSU", "arrives_at": "2026-12-05T11:00:00+05:30", "departs_at": "2026-12-05T07:00:00+05:30", "destination": "Ooty", "travel_date": "2026-12-05"}	2026-12-01 07:30:00+00
2	phone:+919845012345	9c1d6c72-b949-4c56-a19c-5b5167c8a824	hold	4cc736a7-3159-a755-f996-768793a9b0e6	{"fare": "1000.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "500.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 1, "ticket_no": 1}, {"fare": "500.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 3, "ticket_no": 2}], "to_stop": 3, "operator": "SRS Travels", "from_stop": 1, "reference": "CKGAZA", "arrives_at": "2026-12-13T00:50:00+05:30", "departs_at": "2026-12-12T22:00:00+05:30", "expires_at": "2026-12-01T13:20:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 07:40:00+00
2	phone:+919845012345	c230ac9a-0343-464a-9eb2-e15138145377	confirm	627203c9-bd00-0e02-65c2-13aa9f69121f	{"fare": "1000.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "booked", "tickets": [{"fare": "500.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "500.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 3, "ticket_no": 2}], "to_stop": 3, "operator": "SRS Travels", "from_stop": 1, "reference": "CKGAZA", "arrives_at": "2026-12-13T00:50:00+05:30", "departs_at": "2026-12-12T22:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 07:40:00+00
2	phone:+919845012345	81bf18df-4c9e-45f7-aa66-a39b648a679b	hold	f9f6601b-06c4-75c4-25d3-13e81f24fd3d	{"fare": "1000.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "held", "tickets": [{"fare": "500.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 2, "ticket_no": 1}, {"fare": "500.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 4, "ticket_no": 2}], "to_stop": 3, "operator": "SRS Travels", "from_stop": 1, "reference": "CQLLVF", "arrives_at": "2026-12-13T00:50:00+05:30", "departs_at": "2026-12-12T22:00:00+05:30", "expires_at": "2026-12-01T13:20:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 07:40:00+00
2	phone:+919845012345	e0f730e2-4b4a-4d5c-86d6-5757c314782c	release	09a4a96d-7f46-5ec1-5675-e83d51cebeed	{"fare": "1000.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "0.00", "status": "cancelled", "tickets": [{"fare": "500.00", "name": null, "refund": "0.00", "status": "cancelled", "seat_no": 2, "ticket_no": 1}, {"fare": "500.00", "name": null, "refund": "0.00", "status": "cancelled", "seat_no": 4, "ticket_no": 2}], "to_stop": 3, "operator": "SRS Travels", "from_stop": 1, "reference": "CQLLVF", "arrives_at": "2026-12-13T00:50:00+05:30", "departs_at": "2026-12-12T22:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 07:40:00+00
2	phone:+919845012345	3d3f9fa9-d915-4a2f-869c-8cfc399e6bcf	cancel	8dde3e95-313c-ed5d-ab18-29b2d6618b42	{"fare": "1000.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "250.00", "status": "booked", "tickets": [{"fare": "500.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}, {"fare": "500.00", "name": null, "refund": "250.00", "status": "cancelled", "seat_no": 3, "ticket_no": 2}], "to_stop": 3, "operator": "SRS Travels", "from_stop": 1, "reference": "CKGAZA", "arrives_at": "2026-12-13T00:50:00+05:30", "departs_at": "2026-12-12T22:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 07:40:00+00
701		004cb1e9-68d3-4ed7-806c-6a0080696def	book	aa1638a6-f33f-3700-d794-5d6ba8cab5ac	{"fare": "62000.00", "kind": "flight", "name": "AS 701", "bus_id": 701, "origin": "New York JFK", "refund": "0.00", "status": "booked", "tickets": [{"fare": "62000.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 2, "operator": "Atlantic Star", "from_stop": 1, "reference": "7BHKV9W", "arrives_at": "2026-12-16T10:35:00+05:30", "departs_at": "2026-12-15T10:00:00-05:00", "destination": "Delhi Airport", "travel_date": "2026-12-15"}	2026-12-01 07:40:00+00
701		0731d5d7-f1ed-4850-b9f9-10b1409839cc	book	aa1638a6-f33f-3700-d794-5d6ba8cab5ac	{"fare": "62000.00", "kind": "flight", "name": "AS 701", "bus_id": 701, "origin": "New York JFK", "refund": "0.00", "status": "booked", "tickets": [{"fare": "62000.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 2, "ticket_no": 1}], "to_stop": 2, "operator": "Atlantic Star", "from_stop": 1, "reference": "7BFHQPV", "arrives_at": "2026-12-16T10:35:00+05:30", "departs_at": "2026-12-15T10:00:00-05:00", "destination": "Delhi Airport", "travel_date": "2026-12-15"}	2026-12-01 07:40:00+00
701		faa36b22-cba5-4708-9f3d-5057b88faefd	book	aa1638a6-f33f-3700-d794-5d6ba8cab5ac	{"fare": "62000.00", "kind": "flight", "name": "AS 701", "bus_id": 701, "origin": "New York JFK", "refund": "0.00", "status": "booked", "tickets": [{"fare": "62000.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 3, "ticket_no": 1}], "to_stop": 2, "operator": "Atlantic Star", "from_stop": 1, "reference": "7BZGNDY", "arrives_at": "2026-12-16T10:35:00+05:30", "departs_at": "2026-12-15T10:00:00-05:00", "destination": "Delhi Airport", "travel_date": "2026-12-15"}	2026-12-01 07:40:00+00
701		ad22b842-0fde-419d-b814-a6b7a3f49557	book	aa1638a6-f33f-3700-d794-5d6ba8cab5ac	{"fare": "62000.00", "kind": "flight", "name": "AS 701", "bus_id": 701, "origin": "New York JFK", "refund": "0.00", "status": "booked", "tickets": [{"fare": "62000.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 4, "ticket_no": 1}], "to_stop": 2, "operator": "Atlantic Star", "from_stop": 1, "reference": "7BTUAE7", "arrives_at": "2026-12-16T10:35:00+05:30", "departs_at": "2026-12-15T10:00:00-05:00", "destination": "Delhi Airport", "travel_date": "2026-12-15"}	2026-12-01 07:40:00+00
701		e081bba5-5169-4007-9e7f-d89175ae2a85	book	aa1638a6-f33f-3700-d794-5d6ba8cab5ac	{"fare": "62000.00", "kind": "flight", "name": "AS 701", "bus_id": 701, "origin": "New York JFK", "refund": "0.00", "status": "pending", "tickets": [{"fare": "62000.00", "name": null, "refund": "0.00", "status": "pending", "seat_no": null, "ticket_no": 1}], "to_stop": 2, "operator": "Atlantic Star", "position": 1, "from_stop": 1, "reference": "7B97VSY", "arrives_at": "2026-12-16T10:35:00+05:30", "departs_at": "2026-12-15T10:00:00-05:00", "destination": "Delhi Airport", "travel_date": "2026-12-15"}	2026-12-01 07:40:00+00
701	ref:7BHKV9W	43d82400-a7a8-460a-adbe-56c1311aa309	cancel	9d02c026-c44e-fe5c-481b-211e88d02e9a	{"fare": "62000.00", "kind": "flight", "name": "AS 701", "bus_id": 701, "origin": "New York JFK", "refund": "31000.00", "status": "cancelled", "tickets": [{"fare": "62000.00", "name": null, "refund": "31000.00", "status": "cancelled", "seat_no": 1, "ticket_no": 1}], "to_stop": 2, "operator": "Atlantic Star", "from_stop": 1, "reference": "7BHKV9W", "arrives_at": "2026-12-16T10:35:00+05:30", "departs_at": "2026-12-15T10:00:00-05:00", "destination": "Delhi Airport", "travel_date": "2026-12-15"}	2026-12-01 07:40:00+00
803		665e7b7d-8d49-4f95-a982-923de5bf41d6	book	8a1a5029-6aef-6b6d-36a4-5f342988f77f	{"fare": "600.00", "kind": "show", "name": "Hayavadana", "bus_id": 803, "origin": "Ranga Hall, doors", "refund": "0.00", "status": "booked", "tickets": [{"fare": "300.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 7, "ticket_no": 1}, {"fare": "300.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 8, "ticket_no": 2}], "to_stop": 2, "operator": "Ranga Players", "from_stop": 1, "reference": "BAVWXYXR", "arrives_at": "2026-12-05T20:45:00+05:30", "departs_at": "2026-12-05T18:30:00+05:30", "destination": "Ranga Hall, curtain", "travel_date": "2026-12-05"}	2026-12-01 07:40:00+00
803		72fc519d-6225-4378-9b8e-ea1a698667f0	book	b9d347df-ac5d-f6e0-1b0f-c047ff1dfa6c	{"fare": "300.00", "kind": "show", "name": "Hayavadana", "bus_id": 803, "origin": "Ranga Hall, doors", "refund": "0.00", "status": "booked", "tickets": [{"fare": "300.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 9, "ticket_no": 1}], "to_stop": 2, "operator": "Ranga Players", "from_stop": 1, "reference": "BAVWHVFG", "arrives_at": "2026-12-05T20:45:00+05:30", "departs_at": "2026-12-05T18:30:00+05:30", "destination": "Ranga Hall, curtain", "travel_date": "2026-12-05"}	2026-12-01 07:40:00+00
901		6d02b589-e70d-442a-8025-11460c2dd436	hold	a5704ef8-e6da-1193-7699-11fc66435f43	{"fare": "4800.00", "kind": "hotel", "name": "Brindavan House", "bus_id": 901, "origin": "Brindavan House", "refund": "0.00", "status": "held", "tickets": [{"fare": "4800.00", "name": null, "refund": "0.00", "status": "held", "seat_no": 1, "ticket_no": 1}], "to_stop": 11, "operator": "Brindavan", "from_stop": 9, "reference": "BEFXUJGR", "arrives_at": "2026-12-10T11:00:00+05:30", "departs_at": "2026-12-08T14:00:00+05:30", "expires_at": "2026-12-01T13:20:00+05:30", "destination": "Brindavan House", "travel_date": "2026-11-30"}	2026-12-01 07:40:00+00
901	ref:BEFXUJGR	64a71f8b-70fb-4444-a2b9-84f62a1f0abe	confirm	7fefb3e9-4061-8317-f798-6c07c8a89e85	{"fare": "4800.00", "kind": "hotel", "name": "Brindavan House", "bus_id": 901, "origin": "Brindavan House", "refund": "0.00", "status": "booked", "tickets": [{"fare": "4800.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 1, "ticket_no": 1}], "to_stop": 11, "operator": "Brindavan", "from_stop": 9, "reference": "BEFXUJGR", "arrives_at": "2026-12-10T11:00:00+05:30", "departs_at": "2026-12-08T14:00:00+05:30", "destination": "Brindavan House", "travel_date": "2026-11-30"}	2026-12-01 07:40:00+00
2	phone:+919845012345	cdc85eec-6fa6-4e41-8aba-cb6be88ef246	change_seat	4c95340c-8b1e-545a-cf8e-a276cff548b7	{"fare": "1000.00", "kind": "bus", "name": "Night Sleeper", "bus_id": 2, "origin": "Bengaluru", "refund": "250.00", "status": "booked", "tickets": [{"fare": "500.00", "name": null, "refund": "0.00", "status": "booked", "seat_no": 4, "ticket_no": 1}, {"fare": "500.00", "name": null, "refund": "250.00", "status": "cancelled", "seat_no": 3, "ticket_no": 2}], "to_stop": 3, "operator": "SRS Travels", "from_stop": 1, "reference": "CKGAZA", "arrives_at": "2026-12-13T00:50:00+05:30", "departs_at": "2026-12-12T22:00:00+05:30", "destination": "Mysuru", "travel_date": "2026-12-12"}	2026-12-01 07:40:00+00
\.


--
-- Data for Name: route_table; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.route_table (bus_id, stop_no, place, arrives, departs, km, fare) FROM stdin;
1	1	BLRU	\N	10:00:00	0.0	0.00
1	2	RMNG	10:50:00	10:55:00	50.0	90.00
1	3	MNDY	11:45:00	11:50:00	100.0	180.00
1	4	SRPT	12:20:00	12:25:00	128.0	230.00
1	5	MYSU	12:45:00	\N	145.0	260.00
2	1	BLRU	\N	22:00:00	0.0	0.00
2	2	MNDY	23:40:00	23:45:00	100.0	350.00
2	3	MYSU	24:50:00	25:00:00	145.0	500.00
2	4	OOTY	29:30:00	\N	270.0	900.50
3	1	MYSU	\N	07:00:00	0.0	0.00
3	2	OOTY	11:00:00	\N	125.0	700.00
4	1	MNDY	\N	08:00:00	0.0	0.00
4	2	MYSU	09:00:00	\N	45.0	80.00
701	1	JFK	\N	10:00:00	0.0	0.00
701	2	DEL	24:05:00	\N	11760.0	62000.00
803	1	RANGA-DOORS	\N	18:30:00	0.0	0.00
803	2	RANGA-CURTAIN	20:45:00	\N	0.0	300.00
901	1	HOTEL	\N	14:00:00	0.0	0.00
901	2	HOTEL	35:00:00	38:00:00	0.0	2400.00
901	3	HOTEL	59:00:00	62:00:00	0.0	4800.00
901	4	HOTEL	83:00:00	86:00:00	0.0	7200.00
901	5	HOTEL	107:00:00	110:00:00	0.0	9600.00
901	6	HOTEL	131:00:00	134:00:00	0.0	12000.00
901	7	HOTEL	155:00:00	158:00:00	0.0	14400.00
901	8	HOTEL	179:00:00	182:00:00	0.0	16800.00
901	9	HOTEL	203:00:00	206:00:00	0.0	19200.00
901	10	HOTEL	227:00:00	230:00:00	0.0	21600.00
901	11	HOTEL	251:00:00	254:00:00	0.0	24000.00
901	12	HOTEL	275:00:00	278:00:00	0.0	26400.00
901	13	HOTEL	299:00:00	302:00:00	0.0	28800.00
901	14	HOTEL	323:00:00	326:00:00	0.0	31200.00
901	15	HOTEL	347:00:00	350:00:00	0.0	33600.00
901	16	HOTEL	371:00:00	374:00:00	0.0	36000.00
901	17	HOTEL	395:00:00	398:00:00	0.0	38400.00
901	18	HOTEL	419:00:00	422:00:00	0.0	40800.00
901	19	HOTEL	443:00:00	446:00:00	0.0	43200.00
901	20	HOTEL	467:00:00	470:00:00	0.0	45600.00
901	21	HOTEL	491:00:00	494:00:00	0.0	48000.00
901	22	HOTEL	515:00:00	518:00:00	0.0	50400.00
901	23	HOTEL	539:00:00	542:00:00	0.0	52800.00
901	24	HOTEL	563:00:00	566:00:00	0.0	55200.00
901	25	HOTEL	587:00:00	590:00:00	0.0	57600.00
901	26	HOTEL	611:00:00	614:00:00	0.0	60000.00
901	27	HOTEL	635:00:00	638:00:00	0.0	62400.00
901	28	HOTEL	659:00:00	662:00:00	0.0	64800.00
901	29	HOTEL	683:00:00	\N	0.0	67200.00
\.


--
-- Data for Name: seat_plan; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.seat_plan (bus_id, seat_no, deck, row_no, column_no, kind) FROM stdin;
1	1	main	2	1	seat
1	2	main	2	2	seat
1	3	main	2	4	seat
1	4	main	2	5	seat
1	5	main	3	1	seat
1	6	main	3	2	seat
1	7	main	3	4	seat
1	8	main	3	5	seat
2	1	lower	2	1	berth
2	2	lower	2	3	berth
2	3	upper	1	1	berth
2	4	upper	1	3	berth
3	1	main	1	3	seat
4	1	main	1	1	seat
4	2	main	1	2	seat
701	1	main	1	1	seat
701	2	main	1	3	seat
701	3	main	2	1	seat
701	4	main	2	3	seat
803	1	main	1	1	seat
803	2	main	1	2	seat
803	3	main	1	3	seat
803	4	main	1	4	seat
803	5	main	1	5	seat
803	6	main	2	1	seat
803	7	main	2	2	seat
803	8	main	2	3	seat
803	9	main	2	4	seat
803	10	main	2	5	seat
803	11	main	3	1	seat
803	12	main	3	2	seat
803	13	main	3	3	seat
803	14	main	3	4	seat
803	15	main	3	5	seat
803	16	main	4	1	seat
803	17	main	4	2	seat
803	18	main	4	3	seat
803	19	main	4	4	seat
803	20	main	4	5	seat
803	21	main	5	1	seat
803	22	main	5	2	seat
803	23	main	5	3	seat
803	24	main	5	4	seat
803	25	main	5	5	seat
901	1	ground	1	1	room
901	2	ground	1	2	room
901	3	ground	1	3	room
901	4	ground	1	4	room
901	5	ground	1	5	room
901	6	first	1	1	room
901	7	first	1	2	room
901	8	first	1	3	room
901	9	first	1	4	room
901	10	first	1	5	room
\.


--
-- Data for Name: seats; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.seats (bus_id, travel_date, seat_no, taken) FROM stdin;
1	2026-12-01	3	{}
1	2026-12-01	4	{}
1	2026-12-01	5	{}
1	2026-12-01	6	{}
1	2026-12-01	7	{}
1	2026-12-01	8	{}
1	2026-12-02	1	{}
1	2026-12-02	2	{}
1	2026-12-02	3	{}
1	2026-12-02	4	{}
1	2026-12-02	5	{}
1	2026-12-02	6	{}
1	2026-12-02	7	{}
1	2026-12-02	8	{}
1	2026-12-03	1	{}
1	2026-12-03	2	{}
1	2026-12-03	3	{}
1	2026-12-03	4	{}
1	2026-12-03	5	{}
1	2026-12-03	6	{}
1	2026-12-03	7	{}
1	2026-12-03	8	{}
1	2026-12-04	1	{}
1	2026-12-04	2	{}
1	2026-12-04	3	{}
1	2026-12-04	4	{}
1	2026-12-04	5	{}
1	2026-12-04	6	{}
1	2026-12-04	7	{}
1	2026-12-04	8	{}
1	2026-12-05	4	{}
1	2026-12-05	8	{}
1	2026-12-06	1	{}
1	2026-12-06	2	{}
1	2026-12-06	3	{}
1	2026-12-06	4	{}
1	2026-12-06	5	{}
1	2026-12-06	6	{}
1	2026-12-06	7	{}
1	2026-12-06	8	{}
1	2026-12-07	2	{}
1	2026-12-07	3	{}
1	2026-12-07	4	{}
1	2026-12-07	5	{}
1	2026-12-07	6	{}
1	2026-12-07	7	{}
1	2026-12-07	8	{}
1	2026-12-08	3	{}
1	2026-12-08	4	{}
1	2026-12-08	5	{}
1	2026-12-08	6	{}
1	2026-12-08	7	{}
1	2026-12-08	8	{}
1	2026-12-09	4	{}
1	2026-12-09	5	{}
1	2026-12-09	6	{}
1	2026-12-09	7	{}
1	2026-12-09	8	{}
1	2026-12-10	6	{}
1	2026-12-10	7	{}
1	2026-12-10	8	{}
1	2026-12-11	3	{}
1	2026-12-11	4	{}
1	2026-12-12	3	{}
1	2026-12-12	4	{}
1	2026-12-12	5	{}
1	2026-12-12	6	{}
1	2026-12-12	7	{}
1	2026-12-11	1	{[1,5)}
1	2026-12-11	7	{}
1	2026-12-11	8	{[1,2)}
1	2026-12-11	5	{[1,5)}
1	2026-12-11	2	{}
1	2026-12-11	6	{}
1	2026-12-05	1	{[1,5)}
1	2026-12-05	5	{[1,2)}
1	2026-12-12	1	{}
1	2026-12-12	2	{}
1	2026-12-05	7	{}
1	2026-12-05	2	{}
1	2026-12-05	6	{[1,5)}
1	2026-12-05	3	{[1,3)}
1	2026-12-09	3	{[1,5)}
1	2026-12-07	1	{}
1	2026-12-08	2	{}
1	2026-12-10	1	{[1,5)}
1	2026-12-08	1	{[1,5)}
1	2026-12-01	1	{[2,4)}
1	2026-12-09	2	{}
1	2026-12-01	2	{}
1	2026-12-09	1	{[1,5)}
1	2026-12-10	2	{[1,5)}
1	2026-12-10	3	{[1,5)}
1	2026-12-10	4	{[1,5)}
1	2026-12-10	5	{[1,5)}
1	2026-12-12	8	{}
1	2026-12-13	1	{}
1	2026-12-13	2	{}
1	2026-12-13	3	{}
1	2026-12-13	4	{}
1	2026-12-13	5	{}
1	2026-12-13	6	{}
1	2026-12-13	7	{}
1	2026-12-13	8	{}
1	2026-12-14	1	{}
1	2026-12-14	2	{}
1	2026-12-14	3	{}
1	2026-12-14	4	{}
1	2026-12-14	5	{}
1	2026-12-14	6	{}
1	2026-12-14	7	{}
1	2026-12-14	8	{}
1	2026-12-15	1	{}
1	2026-12-15	2	{}
1	2026-12-15	3	{}
1	2026-12-15	4	{}
1	2026-12-15	5	{}
1	2026-12-15	6	{}
1	2026-12-15	7	{}
1	2026-12-15	8	{}
2	2026-12-01	1	{}
2	2026-12-01	2	{}
2	2026-12-01	3	{}
2	2026-12-01	4	{}
2	2026-12-02	1	{}
2	2026-12-02	2	{}
2	2026-12-02	3	{}
2	2026-12-02	4	{}
2	2026-12-03	1	{}
2	2026-12-03	2	{}
2	2026-12-03	3	{}
2	2026-12-03	4	{}
2	2026-12-04	1	{}
2	2026-12-04	2	{}
2	2026-12-04	3	{}
2	2026-12-04	4	{}
2	2026-12-05	1	{}
2	2026-12-05	2	{}
2	2026-12-05	3	{}
2	2026-12-05	4	{}
2	2026-12-07	2	{}
2	2026-12-07	3	{}
2	2026-12-07	4	{}
2	2026-12-08	1	{}
2	2026-12-08	2	{}
2	2026-12-08	3	{}
2	2026-12-08	4	{}
2	2026-12-09	1	{}
2	2026-12-09	2	{}
2	2026-12-09	3	{}
2	2026-12-09	4	{}
2	2026-12-10	1	{}
2	2026-12-10	2	{}
2	2026-12-10	3	{}
2	2026-12-10	4	{}
2	2026-12-11	1	{}
2	2026-12-11	2	{}
2	2026-12-11	3	{}
2	2026-12-11	4	{}
2	2026-12-13	1	{}
2	2026-12-13	2	{}
2	2026-12-13	3	{}
2	2026-12-13	4	{}
2	2026-12-14	1	{}
2	2026-12-14	2	{}
2	2026-12-14	3	{}
2	2026-12-14	4	{}
2	2026-12-15	1	{}
2	2026-12-15	2	{}
2	2026-12-15	3	{}
2	2026-12-15	4	{}
3	2026-12-01	1	{}
3	2026-12-02	1	{}
3	2026-12-03	1	{}
3	2026-12-06	1	{}
4	2026-12-01	1	{}
4	2026-12-01	2	{}
4	2026-12-02	1	{}
4	2026-12-02	2	{}
3	2026-12-05	1	{[1,2)}
2	2026-12-12	4	{}
2	2026-12-07	1	{[1,2)}
3	2026-12-04	1	{[1,2)}
2	2026-12-06	3	{[1,4)}
2	2026-12-06	4	{[1,4)}
2	2026-12-12	1	{}
2	2026-12-12	3	{}
2	2026-12-06	1	{[1,4)}
2	2026-12-06	2	{[1,4)}
2	2026-12-12	2	{}
4	2026-12-03	1	{}
4	2026-12-03	2	{}
4	2026-12-04	1	{}
4	2026-12-04	2	{}
4	2026-12-05	1	{}
4	2026-12-05	2	{}
4	2026-12-06	1	{}
4	2026-12-06	2	{}
701	2026-11-30	1	{}
701	2026-11-30	2	{}
701	2026-11-30	3	{}
701	2026-11-30	4	{}
701	2026-12-01	1	{}
701	2026-12-01	2	{}
701	2026-12-01	3	{}
701	2026-12-01	4	{}
701	2026-12-02	1	{}
701	2026-12-02	2	{}
701	2026-12-02	3	{}
701	2026-12-02	4	{}
701	2026-12-03	1	{}
701	2026-12-03	2	{}
701	2026-12-03	3	{}
701	2026-12-03	4	{}
701	2026-12-04	1	{}
701	2026-12-04	2	{}
701	2026-12-04	3	{}
701	2026-12-04	4	{}
701	2026-12-05	1	{}
701	2026-12-05	2	{}
701	2026-12-05	3	{}
701	2026-12-05	4	{}
701	2026-12-06	1	{}
701	2026-12-06	2	{}
701	2026-12-06	3	{}
701	2026-12-06	4	{}
701	2026-12-07	1	{}
701	2026-12-07	2	{}
701	2026-12-07	3	{}
701	2026-12-07	4	{}
701	2026-12-08	1	{}
701	2026-12-08	2	{}
701	2026-12-08	3	{}
701	2026-12-08	4	{}
701	2026-12-09	1	{}
701	2026-12-09	2	{}
701	2026-12-09	3	{}
701	2026-12-09	4	{}
701	2026-12-10	1	{}
701	2026-12-10	2	{}
701	2026-12-10	3	{}
701	2026-12-10	4	{}
701	2026-12-11	1	{}
701	2026-12-11	2	{}
701	2026-12-11	3	{}
701	2026-12-11	4	{}
701	2026-12-12	1	{}
701	2026-12-12	2	{}
701	2026-12-12	3	{}
701	2026-12-12	4	{}
701	2026-12-13	1	{}
701	2026-12-13	2	{}
701	2026-12-13	3	{}
701	2026-12-13	4	{}
701	2026-12-14	1	{}
701	2026-12-14	2	{}
701	2026-12-14	3	{}
701	2026-12-14	4	{}
803	2026-12-01	1	{}
803	2026-12-01	2	{}
803	2026-12-01	3	{}
803	2026-12-01	4	{}
803	2026-12-01	5	{}
803	2026-12-01	6	{}
803	2026-12-01	7	{}
803	2026-12-01	8	{}
803	2026-12-01	9	{}
803	2026-12-01	10	{}
803	2026-12-01	11	{}
803	2026-12-01	12	{}
803	2026-12-01	13	{}
803	2026-12-01	14	{}
803	2026-12-01	15	{}
803	2026-12-01	16	{}
803	2026-12-01	17	{}
803	2026-12-01	18	{}
803	2026-12-01	19	{}
803	2026-12-01	20	{}
803	2026-12-01	21	{}
803	2026-12-01	22	{}
803	2026-12-01	23	{}
701	2026-12-15	2	{[1,2)}
701	2026-12-15	3	{[1,2)}
701	2026-12-15	4	{[1,2)}
701	2026-12-15	1	{[1,2)}
803	2026-12-01	24	{}
803	2026-12-01	25	{}
803	2026-12-02	1	{}
803	2026-12-02	2	{}
803	2026-12-02	3	{}
803	2026-12-02	4	{}
803	2026-12-02	5	{}
803	2026-12-02	6	{}
803	2026-12-02	7	{}
803	2026-12-02	8	{}
803	2026-12-02	9	{}
803	2026-12-02	10	{}
803	2026-12-02	11	{}
803	2026-12-02	12	{}
803	2026-12-02	13	{}
803	2026-12-02	14	{}
803	2026-12-02	15	{}
803	2026-12-02	16	{}
803	2026-12-02	17	{}
803	2026-12-02	18	{}
803	2026-12-02	19	{}
803	2026-12-02	20	{}
803	2026-12-02	21	{}
803	2026-12-02	22	{}
803	2026-12-02	23	{}
803	2026-12-02	24	{}
803	2026-12-02	25	{}
803	2026-12-03	1	{}
803	2026-12-03	2	{}
803	2026-12-03	3	{}
803	2026-12-03	4	{}
803	2026-12-03	5	{}
803	2026-12-03	6	{}
803	2026-12-03	7	{}
803	2026-12-03	8	{}
803	2026-12-03	9	{}
803	2026-12-03	10	{}
803	2026-12-03	11	{}
803	2026-12-03	12	{}
803	2026-12-03	13	{}
803	2026-12-03	14	{}
803	2026-12-03	15	{}
803	2026-12-03	16	{}
803	2026-12-03	17	{}
803	2026-12-03	18	{}
803	2026-12-03	19	{}
803	2026-12-03	20	{}
803	2026-12-03	21	{}
803	2026-12-03	22	{}
803	2026-12-03	23	{}
803	2026-12-03	24	{}
803	2026-12-03	25	{}
803	2026-12-04	1	{}
803	2026-12-04	2	{}
803	2026-12-04	3	{}
803	2026-12-04	4	{}
803	2026-12-04	5	{}
803	2026-12-04	6	{}
803	2026-12-04	7	{}
803	2026-12-04	8	{}
803	2026-12-04	9	{}
803	2026-12-04	10	{}
803	2026-12-04	11	{}
803	2026-12-04	12	{}
803	2026-12-04	13	{}
803	2026-12-04	14	{}
803	2026-12-04	15	{}
803	2026-12-04	16	{}
803	2026-12-04	17	{}
803	2026-12-04	18	{}
803	2026-12-04	19	{}
803	2026-12-04	20	{}
803	2026-12-04	21	{}
803	2026-12-04	22	{}
803	2026-12-04	23	{}
803	2026-12-04	24	{}
803	2026-12-04	25	{}
803	2026-12-05	1	{}
803	2026-12-05	2	{}
803	2026-12-05	3	{}
803	2026-12-05	4	{}
803	2026-12-05	5	{}
803	2026-12-05	6	{}
803	2026-12-05	10	{}
803	2026-12-05	11	{}
803	2026-12-05	12	{}
803	2026-12-05	13	{}
803	2026-12-05	14	{}
803	2026-12-05	15	{}
803	2026-12-05	16	{}
803	2026-12-05	17	{}
803	2026-12-05	18	{}
803	2026-12-05	7	{[1,2)}
803	2026-12-05	8	{[1,2)}
803	2026-12-05	9	{[1,2)}
803	2026-12-05	19	{}
803	2026-12-05	20	{}
803	2026-12-05	21	{}
803	2026-12-05	22	{}
803	2026-12-05	23	{}
803	2026-12-05	24	{}
803	2026-12-05	25	{}
803	2026-12-06	1	{}
803	2026-12-06	2	{}
803	2026-12-06	3	{}
803	2026-12-06	4	{}
803	2026-12-06	5	{}
803	2026-12-06	6	{}
803	2026-12-06	7	{}
803	2026-12-06	8	{}
803	2026-12-06	9	{}
803	2026-12-06	10	{}
803	2026-12-06	11	{}
803	2026-12-06	12	{}
803	2026-12-06	13	{}
803	2026-12-06	14	{}
803	2026-12-06	15	{}
803	2026-12-06	16	{}
803	2026-12-06	17	{}
803	2026-12-06	18	{}
803	2026-12-06	19	{}
803	2026-12-06	20	{}
803	2026-12-06	21	{}
803	2026-12-06	22	{}
803	2026-12-06	23	{}
803	2026-12-06	24	{}
803	2026-12-06	25	{}
803	2026-12-07	1	{}
803	2026-12-07	2	{}
803	2026-12-07	3	{}
803	2026-12-07	4	{}
803	2026-12-07	5	{}
803	2026-12-07	6	{}
803	2026-12-07	7	{}
803	2026-12-07	8	{}
803	2026-12-07	9	{}
803	2026-12-07	10	{}
803	2026-12-07	11	{}
803	2026-12-07	12	{}
803	2026-12-07	13	{}
803	2026-12-07	14	{}
803	2026-12-07	15	{}
803	2026-12-07	16	{}
803	2026-12-07	17	{}
803	2026-12-07	18	{}
803	2026-12-07	19	{}
803	2026-12-07	20	{}
803	2026-12-07	21	{}
803	2026-12-07	22	{}
803	2026-12-07	23	{}
803	2026-12-07	24	{}
803	2026-12-07	25	{}
901	2026-11-30	3	{}
901	2026-11-30	4	{}
901	2026-11-30	5	{}
901	2026-11-30	6	{}
901	2026-11-30	7	{}
901	2026-11-30	9	{}
901	2026-11-30	10	{}
1	2026-12-16	1	{}
1	2026-12-16	2	{}
1	2026-12-16	3	{}
1	2026-12-16	4	{}
1	2026-12-16	5	{}
1	2026-12-16	6	{}
1	2026-12-16	7	{}
1	2026-12-16	8	{}
901	2026-11-30	2	{}
901	2026-11-30	8	{}
1	2026-12-17	1	{}
1	2026-12-17	2	{}
1	2026-12-17	3	{}
1	2026-12-17	4	{}
1	2026-12-17	5	{}
1	2026-12-17	6	{}
1	2026-12-17	7	{}
1	2026-12-17	8	{}
901	2026-11-30	1	{[2,3),[6,8),[9,11)}
\.


--
-- Data for Name: seeds_loaded; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.seeds_loaded (name, digest, loaded_at) FROM stdin;
\.


--
-- Data for Name: tokens; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.tokens (digest, username, created_at, expires_at) FROM stdin;
\\x577d9c781fe55d1d10060fd1d8136ba876aa677f4971a263e0de9b4912016f26	warden	2026-12-01 03:30:30+00	2026-12-31 03:30:30+00
\\x4b8e6f199f5c204db74c0c1873b9f1b80de148f18085310cf9a053471ab46b98	asha	2026-12-01 04:32:00+00	2026-12-31 04:32:00+00
\\x47a59fc6abe263c9550ebd113c5a21b546aa93f9d1f98fac1886de219c5d8d32	asha	2026-12-01 04:32:30+00	2026-12-31 04:32:30+00
\\x41db768c1cbbb65e32f7e423950a90f35eccf7204a47c72ce86e9a7b13ac63db	mallory	2026-12-01 04:32:30+00	2026-12-31 04:32:30+00
\\x093bab5bd0bf230744a3074968a1bab311072627e04b3eca08ed96bef384c1e7	conductor	2026-12-01 04:32:30+00	2026-12-31 04:32:30+00
\\x2ffe56ad5264b2e5098e653816c37db89454f04e267f60c238cdfcf6882aa6b1	boss	2026-12-01 04:32:30+00	2026-12-31 04:32:30+00
\.


--
-- Data for Name: trips; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.trips (bus_id, travel_date, state, reason, settle_at) FROM stdin;
1	2026-12-02	open	\N	\N
1	2026-12-03	open	\N	\N
1	2026-12-04	open	\N	\N
1	2026-12-06	open	\N	\N
1	2026-12-13	open	\N	\N
1	2026-12-14	open	\N	\N
1	2026-12-15	open	\N	\N
2	2026-12-01	open	\N	\N
2	2026-12-02	open	\N	\N
2	2026-12-03	open	\N	\N
2	2026-12-04	open	\N	\N
2	2026-12-05	open	\N	\N
2	2026-12-07	open	\N	\N
2	2026-12-08	open	\N	\N
2	2026-12-09	open	\N	\N
2	2026-12-10	open	\N	\N
2	2026-12-11	open	\N	\N
2	2026-12-13	open	\N	\N
2	2026-12-14	open	\N	\N
2	2026-12-15	open	\N	\N
3	2026-12-01	open	\N	\N
3	2026-12-02	open	\N	\N
3	2026-12-03	open	\N	\N
3	2026-12-06	open	\N	\N
4	2026-12-01	open	\N	\N
4	2026-12-02	open	\N	\N
4	2026-12-03	open	\N	\N
701	2026-11-30	open	\N	\N
701	2026-12-01	open	\N	\N
701	2026-12-02	open	\N	\N
701	2026-12-03	open	\N	\N
701	2026-12-04	open	\N	\N
701	2026-12-05	open	\N	\N
701	2026-12-06	open	\N	\N
701	2026-12-07	open	\N	\N
701	2026-12-08	open	\N	\N
701	2026-12-09	open	\N	\N
701	2026-12-10	open	\N	\N
701	2026-12-11	open	\N	\N
701	2026-12-12	open	\N	\N
701	2026-12-13	open	\N	\N
701	2026-12-14	open	\N	\N
803	2026-12-01	open	\N	\N
803	2026-12-02	open	\N	\N
803	2026-12-03	open	\N	\N
803	2026-12-04	open	\N	\N
803	2026-12-05	open	\N	\N
803	2026-12-06	open	\N	\N
803	2026-12-07	open	\N	\N
1	2026-12-11	open	\N	2026-12-01 03:35:00+00
1	2026-12-16	open	\N	\N
1	2026-12-12	cancelled	Landslide.	\N
3	2026-12-04	open	\N	2026-12-04 01:30:00+00
1	2026-12-05	open	\N	2026-12-01 04:35:00+00
1	2026-12-08	open	\N	2026-12-01 04:40:00+00
2	2026-12-06	open	\N	2026-12-06 16:30:00+00
1	2026-12-09	open	\N	\N
1	2026-12-17	open	\N	\N
1	2026-12-07	cancelled	The road is closed.	\N
1	2026-12-01	open	\N	\N
4	2026-12-04	cancelled	The service has ended.	\N
4	2026-12-05	cancelled	The service has ended.	\N
4	2026-12-06	cancelled	The service has ended.	\N
1	2026-12-10	open	\N	2026-12-01 08:00:00+00
3	2026-12-05	open	\N	2026-12-05 01:30:00+00
701	2026-12-15	open	\N	2026-12-15 15:00:00+00
901	2026-11-30	open	\N	2026-12-01 07:50:00+00
2	2026-12-12	cancelled	Landslide at Maddur.	\N
\.


--
-- Name: bus_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.bus_id_seq', 10001, false);


--
-- Name: client_no_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.client_no_seq', 76, true);


--
-- Name: message_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.message_id_seq', 70, true);


--
-- Name: process_no_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.process_no_seq', 1, true);


--
-- Name: queue_no_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.queue_no_seq', 14, true);


--
-- Name: accounts accounts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (username);


--
-- Name: bus_info bus_info_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bus_info
    ADD CONSTRAINT bus_info_pkey PRIMARY KEY (bus_id);


--
-- Name: clients clients_client_no_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_client_no_key UNIQUE (client_no);


--
-- Name: clients clients_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (process_no, connection_no);


--
-- Name: layouts layouts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.layouts
    ADD CONSTRAINT layouts_pkey PRIMARY KEY (name);


--
-- Name: messages messages_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_key_key UNIQUE (key);


--
-- Name: messages messages_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (message_id);


--
-- Name: messages_read messages_read_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.messages_read
    ADD CONSTRAINT messages_read_pkey PRIMARY KEY (reader);


--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);


--
-- Name: passengers passengers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.passengers
    ADD CONSTRAINT passengers_pkey PRIMARY KEY (bus_id, reference, ticket_no);


--
-- Name: payments payments_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (bus_id, reference, ticket_no, payment_no);


--
-- Name: places places_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.places
    ADD CONSTRAINT places_pkey PRIMARY KEY (code);


--
-- Name: processes processes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.processes
    ADD CONSTRAINT processes_pkey PRIMARY KEY (process_no);


--
-- Name: requests requests_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (bus_id, caller, key);


--
-- Name: route_table route_table_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.route_table
    ADD CONSTRAINT route_table_pkey PRIMARY KEY (bus_id, stop_no);


--
-- Name: seat_plan seat_plan_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seat_plan
    ADD CONSTRAINT seat_plan_pkey PRIMARY KEY (bus_id, seat_no);


--
-- Name: seats seats_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seats
    ADD CONSTRAINT seats_pkey PRIMARY KEY (bus_id, travel_date, seat_no);


--
-- Name: seeds_loaded seeds_loaded_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seeds_loaded
    ADD CONSTRAINT seeds_loaded_pkey PRIMARY KEY (name);


--
-- Name: passengers stretch_sold_once; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.passengers
    ADD CONSTRAINT stretch_sold_once EXCLUDE USING gist (bus_id WITH =, travel_date WITH =, seat_no WITH =, segment WITH &&) WHERE ((status = ANY (ARRAY['held'::text, 'booked'::text])));


--
-- Name: tokens tokens_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (digest);


--
-- Name: trips trips_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trips
    ADD CONSTRAINT trips_pkey PRIMARY KEY (bus_id, travel_date);


--
-- Name: attempts_of; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX attempts_of ON public.attempts USING btree (subject, at);


--
-- Name: messages_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX messages_age ON public.messages USING btree (at);


--
-- Name: messages_of_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX messages_of_account ON public.messages USING btree (account) WHERE (account IS NOT NULL);


--
-- Name: messages_of_booking; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX messages_of_booking ON public.messages USING btree (reference) WHERE (reference IS NOT NULL);


--
-- Name: messages_of_trip; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX messages_of_trip ON public.messages USING btree (bus_id, travel_date) WHERE (audience = 'trip'::text);


--
-- Name: messages_to_all; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX messages_to_all ON public.messages USING btree (message_id) WHERE (audience = 'all'::text);


--
-- Name: passengers_of_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX passengers_of_account ON public.passengers USING btree (account, created_at, reference) WHERE ((account IS NOT NULL) AND (ticket_no = 1));


--
-- Name: passengers_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX passengers_waiting ON public.passengers USING btree (bus_id, travel_date) WHERE (status = ANY (ARRAY['held'::text, 'pending'::text]));


--
-- Name: places_part_of; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX places_part_of ON public.places USING btree (part_of);


--
-- Name: places_words; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX places_words ON public.places USING gin (public.place_words(code, name, aliases));


--
-- Name: requests_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_age ON public.requests USING brin (at);


--
-- Name: route_table_place; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX route_table_place ON public.route_table USING btree (place, bus_id, stop_no);


--
-- Name: tokens_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tokens_age ON public.tokens USING btree (expires_at);


--
-- Name: tokens_of; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tokens_of ON public.tokens USING btree (username, created_at);


--
-- Name: trips_by_date; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX trips_by_date ON public.trips USING btree (travel_date);


--
-- Name: trips_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX trips_due ON public.trips USING btree (settle_at) WHERE (settle_at IS NOT NULL);


--
-- Name: clients clients_process_no_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_process_no_fkey FOREIGN KEY (process_no) REFERENCES public.processes(process_no) ON DELETE CASCADE;


--
-- Name: passengers passengers_bus_id_travel_date_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.passengers
    ADD CONSTRAINT passengers_bus_id_travel_date_fkey FOREIGN KEY (bus_id, travel_date) REFERENCES public.trips(bus_id, travel_date);


--
-- Name: passengers passengers_bus_id_travel_date_seat_no_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.passengers
    ADD CONSTRAINT passengers_bus_id_travel_date_seat_no_fkey FOREIGN KEY (bus_id, travel_date, seat_no) REFERENCES public.seats(bus_id, travel_date, seat_no);


--
-- Name: payments payments_bus_id_reference_ticket_no_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_bus_id_reference_ticket_no_fkey FOREIGN KEY (bus_id, reference, ticket_no) REFERENCES public.passengers(bus_id, reference, ticket_no);


--
-- Name: places places_part_of_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.places
    ADD CONSTRAINT places_part_of_fkey FOREIGN KEY (part_of) REFERENCES public.places(code);


--
-- Name: route_table route_table_bus_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.route_table
    ADD CONSTRAINT route_table_bus_id_fkey FOREIGN KEY (bus_id) REFERENCES public.bus_info(bus_id);


--
-- Name: route_table route_table_place_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.route_table
    ADD CONSTRAINT route_table_place_fkey FOREIGN KEY (place) REFERENCES public.places(code);


--
-- Name: seat_plan seat_plan_bus_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seat_plan
    ADD CONSTRAINT seat_plan_bus_id_fkey FOREIGN KEY (bus_id) REFERENCES public.bus_info(bus_id);


--
-- Name: seats seats_bus_id_travel_date_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seats
    ADD CONSTRAINT seats_bus_id_travel_date_fkey FOREIGN KEY (bus_id, travel_date) REFERENCES public.trips(bus_id, travel_date);


--
-- Name: tokens tokens_username_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_username_fkey FOREIGN KEY (username) REFERENCES public.accounts(username) ON DELETE CASCADE;


--
-- Name: trips trips_bus_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trips
    ADD CONSTRAINT trips_bus_id_fkey FOREIGN KEY (bus_id) REFERENCES public.bus_info(bus_id);


--
-- Name: SCHEMA api; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA api TO busware;


--
-- Name: FUNCTION add_operator(username text, password_hash text, operator text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.add_operator(username text, password_hash text, operator text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_operator(username text, password_hash text, operator text) TO busware;


--
-- Name: FUNCTION add_service(bus_id bigint, name text, operator text, layout text, stops text, bus_type text, ac boolean, runs_on text, kind text, time_zone text, refund_percent numeric, alight_refund_percent numeric, sells_until interval, max_seats integer, phone_required boolean, sales_days integer, first_date date, last_date date, nouns jsonb, replace boolean); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.add_service(bus_id bigint, name text, operator text, layout text, stops text, bus_type text, ac boolean, runs_on text, kind text, time_zone text, refund_percent numeric, alight_refund_percent numeric, sells_until interval, max_seats integer, phone_required boolean, sales_days integer, first_date date, last_date date, nouns jsonb, replace boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_service(bus_id bigint, name text, operator text, layout text, stops text, bus_type text, ac boolean, runs_on text, kind text, time_zone text, refund_percent numeric, alight_refund_percent numeric, sells_until interval, max_seats integer, phone_required boolean, sales_days integer, first_date date, last_date date, nouns jsonb, replace boolean) TO busware;


--
-- Name: FUNCTION add_trip(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.add_trip(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.add_trip(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION call(method text, args jsonb, caller text, key text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.call(method text, args jsonb, caller text, key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.call(method text, args jsonb, caller text, key text) TO busware;


--
-- Name: FUNCTION alight(reference text, at jsonb, phone text, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.alight(reference text, at jsonb, phone text, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.alight(reference text, at jsonb, phone text, tickets integer[]) TO busware;


--
-- Name: FUNCTION alight_at(b api.opened, tickets integer[], place text, stop_no integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.alight_at(b api.opened, tickets integer[], place text, stop_no integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.alight_at(b api.opened, tickets integer[], place text, stop_no integer) TO busware;


--
-- Name: TABLE bus_info; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.bus_info TO busware;


--
-- Name: TABLE route_table; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.route_table TO busware;


--
-- Name: FUNCTION alight_refused(service public.bus_info, b api.opened, tickets integer[], stop public.route_table, named text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.alight_refused(service public.bus_info, b api.opened, tickets integer[], stop public.route_table, named text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.alight_refused(service public.bus_info, b api.opened, tickets integer[], stop public.route_table, named text) TO busware;


--
-- Name: FUNCTION alighting_stop(b api.opened, tickets integer[], place text, stop_no integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.alighting_stop(b api.opened, tickets integer[], place text, stop_no integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.alighting_stop(b api.opened, tickets integer[], place text, stop_no integer) TO busware;


--
-- Name: FUNCTION already_ended(b api.opened, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.already_ended(b api.opened, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.already_ended(b api.opened, tickets integer[]) TO busware;


--
-- Name: FUNCTION attempts(subjects text[], since interval); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.attempts(subjects text[], since interval) FROM PUBLIC;
GRANT ALL ON FUNCTION api.attempts(subjects text[], since interval) TO busware;


--
-- Name: FUNCTION audit(); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.audit() FROM PUBLIC;
GRANT ALL ON FUNCTION api.audit() TO busware;


--
-- Name: FUNCTION refusal(reason text, message text, data jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.refusal(reason text, message text, data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.refusal(reason text, message text, data jsonb) TO busware;


--
-- Name: FUNCTION bad_request(field text, takes text, message text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.bad_request(field text, takes text, message text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.bad_request(field text, takes text, message text) TO busware;


--
-- Name: FUNCTION batch(calls jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.batch(calls jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.batch(calls jsonb) TO busware;


--
-- Name: FUNCTION body_refused(body text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.body_refused(body text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.body_refused(body text) TO busware;


--
-- Name: FUNCTION book(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer, seats integer[], count integer, phone text, passengers jsonb, waitlist boolean); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.book(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer, seats integer[], count integer, phone text, passengers jsonb, waitlist boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.book(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer, seats integer[], count integer, phone text, passengers jsonb, waitlist boolean) TO busware;


--
-- Name: FUNCTION booking(reference text, phone text, account text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.booking(reference text, phone text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.booking(reference text, phone text, account text) TO busware;


--
-- Name: FUNCTION booking_sells_until(booking api.opened); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.booking_sells_until(booking api.opened) FROM PUBLIC;
GRANT ALL ON FUNCTION api.booking_sells_until(booking api.opened) TO busware;


--
-- Name: FUNCTION booking_states(bus_ids bigint[], refs text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.booking_states(bus_ids bigint[], refs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.booking_states(bus_ids bigint[], refs text[]) TO busware;


--
-- Name: FUNCTION bookings(account text, kind text, current boolean, page integer, after text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.bookings(account text, kind text, current boolean, page integer, after text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.bookings(account text, kind text, current boolean, page integer, after text) TO busware;


--
-- Name: FUNCTION cancel(reference text, phone text, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.cancel(reference text, phone text, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel(reference text, phone text, tickets integer[]) TO busware;


--
-- Name: FUNCTION cancel_booking(b api.opened, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.cancel_booking(b api.opened, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel_booking(b api.opened, tickets integer[]) TO busware;


--
-- Name: FUNCTION cancel_quote(reference text, phone text, tickets integer[], account text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.cancel_quote(reference text, phone text, tickets integer[], account text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel_quote(reference text, phone text, tickets integer[], account text) TO busware;


--
-- Name: FUNCTION cancel_terms(b api.opened, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.cancel_terms(b api.opened, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel_terms(b api.opened, tickets integer[]) TO busware;


--
-- Name: FUNCTION cancel_trip(bus_id bigint, travel_date date, reason text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.cancel_trip(bus_id bigint, travel_date date, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel_trip(bus_id bigint, travel_date date, reason text) TO busware;


--
-- Name: FUNCTION change_password(username text, password_hash text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.change_password(username text, password_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.change_password(username text, password_hash text) TO busware;


--
-- Name: FUNCTION change_seat(reference text, ticket_no integer, seat_no integer, phone text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.change_seat(reference text, ticket_no integer, seat_no integer, phone text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.change_seat(reference text, ticket_no integer, seat_no integer, phone text) TO busware;


--
-- Name: FUNCTION choose_seats(bus_id bigint, travel_date date, segment int4range, n integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.choose_seats(bus_id bigint, travel_date date, segment int4range, n integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.choose_seats(bus_id bigint, travel_date date, segment int4range, n integer) TO busware;


--
-- Name: FUNCTION confirm(reference text, phone text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.confirm(reference text, phone text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.confirm(reference text, phone text) TO busware;


--
-- Name: FUNCTION confirm_hold(b api.opened); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.confirm_hold(b api.opened) FROM PUBLIC;
GRANT ALL ON FUNCTION api.confirm_hold(b api.opened) TO busware;


--
-- Name: FUNCTION count_tickets(); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.count_tickets() FROM PUBLIC;
GRANT ALL ON FUNCTION api.count_tickets() TO busware;


--
-- Name: FUNCTION counted(n bigint, noun text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.counted(n bigint, noun text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.counted(n bigint, noun text) TO busware;


--
-- Name: FUNCTION date_refused(origins text[], date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.date_refused(origins text[], date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.date_refused(origins text[], date date) TO busware;


--
-- Name: FUNCTION departed(booking api.opened); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.departed(booking api.opened) FROM PUBLIC;
GRANT ALL ON FUNCTION api.departed(booking api.opened) TO busware;


--
-- Name: FUNCTION departures(origins text[], destinations text[], date date, until date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.departures(origins text[], destinations text[], date date, until date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.departures(origins text[], destinations text[], date date, until date) TO busware;


--
-- Name: FUNCTION digest(method text, args jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.digest(method text, args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.digest(method text, args jsonb) TO busware;


--
-- Name: TABLE trips; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.trips TO busware;


--
-- Name: FUNCTION dispatch(method text, a api.request, trip public.trips); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.dispatch(method text, a api.request, trip public.trips) FROM PUBLIC;
GRANT ALL ON FUNCTION api.dispatch(method text, a api.request, trip public.trips) TO busware;


--
-- Name: FUNCTION due_trips(); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.due_trips() FROM PUBLIC;
GRANT ALL ON FUNCTION api.due_trips() TO busware;


--
-- Name: FUNCTION earlier_answer(bus_id bigint, caller text, key text, method text, args jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.earlier_answer(bus_id bigint, caller text, key text, method text, args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.earlier_answer(bus_id bigint, caller text, key text, method text, args jsonb) TO busware;


--
-- Name: FUNCTION end_service(bus_id bigint, last_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.end_service(bus_id bigint, last_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.end_service(bus_id bigint, last_date date) TO busware;


--
-- Name: FUNCTION end_tickets(b api.opened, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.end_tickets(b api.opened, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.end_tickets(b api.opened, tickets integer[]) TO busware;


--
-- Name: FUNCTION enlist(role text, name text, before integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.enlist(role text, name text, before integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.enlist(role text, name text, before integer) TO busware;


--
-- Name: FUNCTION find(phone text, date date, place text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.find(phone text, date date, place text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.find(phone text, date date, place text) TO busware;


--
-- Name: FUNCTION find_stretch(service public.bus_info, travel_date date, origin text, destination text, from_stop integer, to_stop integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.find_stretch(service public.bus_info, travel_date date, origin text, destination text, from_stop integer, to_stop integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.find_stretch(service public.bus_info, travel_date date, origin text, destination text, from_stop integer, to_stop integer) TO busware;


--
-- Name: FUNCTION forget_service(bus_id bigint); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.forget_service(bus_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.forget_service(bus_id bigint) TO busware;


--
-- Name: FUNCTION hold(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer, seats integer[], count integer, phone text, passengers jsonb, seconds integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.hold(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer, seats integer[], count integer, phone text, passengers jsonb, seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.hold(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer, seats integer[], count integer, phone text, passengers jsonb, seconds integer) TO busware;


--
-- Name: FUNCTION instant(travel_date date, since_midnight interval, zone text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.instant(travel_date date, since_midnight interval, zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.instant(travel_date date, since_midnight interval, zone text) TO busware;


--
-- Name: FUNCTION is_alive(process_no integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.is_alive(process_no integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.is_alive(process_no integer) TO busware;


--
-- Name: FUNCTION is_current(bus_id bigint, reference text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.is_current(bus_id bigint, reference text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.is_current(bus_id bigint, reference text) TO busware;


--
-- Name: FUNCTION is_trip(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.is_trip(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.is_trip(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION issue(sales api.sale[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.issue(sales api.sale[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.issue(sales api.sale[]) TO busware;


--
-- Name: TABLE messages; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.messages TO busware;


--
-- Name: FUNCTION last_message(); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.last_message() FROM PUBLIC;
GRANT ALL ON FUNCTION api.last_message() TO busware;


--
-- Name: FUNCTION layout_seats(layout text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.layout_seats(layout text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.layout_seats(layout text) TO busware;


--
-- Name: FUNCTION leave(process_no integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.leave(process_no integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.leave(process_no integer) TO busware;


--
-- Name: FUNCTION listed(numbers integer[], noun text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.listed(numbers integer[], noun text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.listed(numbers integer[], noun text) TO busware;


--
-- Name: FUNCTION lock_trip(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.lock_trip(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.lock_trip(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION manifest(account text, bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.manifest(account text, bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.manifest(account text, bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION mark_read(readers text[], message_id bigint); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.mark_read(readers text[], message_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.mark_read(readers text[], message_id bigint) TO busware;


--
-- Name: FUNCTION messages_after(n bigint, at_most integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.messages_after(n bigint, at_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.messages_after(n bigint, at_most integer) TO busware;


--
-- Name: FUNCTION missed_messages(readers text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.missed_messages(readers text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.missed_messages(readers text[]) TO busware;


--
-- Name: FUNCTION move_ticket(b api.opened, ticket_no integer, seat_no integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.move_ticket(b api.opened, ticket_no integer, seat_no integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.move_ticket(b api.opened, ticket_no integer, seat_no integer) TO busware;


--
-- Name: FUNCTION nearest_places(place text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.nearest_places(place text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.nearest_places(place text) TO busware;


--
-- Name: FUNCTION new_reference(bus_id bigint); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.new_reference(bus_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.new_reference(bus_id bigint) TO busware;


--
-- Name: FUNCTION next_time(after interval, clock text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.next_time(after interval, clock text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.next_time(after interval, clock text) TO busware;


--
-- Name: FUNCTION no_hold(b api.opened); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.no_hold(b api.opened) FROM PUBLIC;
GRANT ALL ON FUNCTION api.no_hold(b api.opened) TO busware;


--
-- Name: FUNCTION not_for_sale(service public.bus_info, trip public.trips, s api.stretch); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.not_for_sale(service public.bus_info, trip public.trips, s api.stretch) FROM PUBLIC;
GRANT ALL ON FUNCTION api.not_for_sale(service public.bus_info, trip public.trips, s api.stretch) TO busware;


--
-- Name: FUNCTION not_on_route(service public.bus_info, origin text, destination text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.not_on_route(service public.bus_info, origin text, destination text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.not_on_route(service public.bus_info, origin text, destination text) TO busware;


--
-- Name: FUNCTION not_yours(account text, bus_id bigint); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.not_yours(account text, bus_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.not_yours(account text, bus_id bigint) TO busware;


--
-- Name: FUNCTION note_attempts(subjects text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.note_attempts(subjects text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.note_attempts(subjects text[]) TO busware;


--
-- Name: FUNCTION notice(body text, client_no bigint, reference text, bus_id bigint, travel_date date, key uuid, sender text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.notice(body text, client_no bigint, reference text, bus_id bigint, travel_date date, key uuid, sender text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.notice(body text, client_no bigint, reference text, bus_id bigint, travel_date date, key uuid, sender text) TO busware;


--
-- Name: FUNCTION notice_by(account text, bus_id bigint, travel_date date, body text, key uuid); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.notice_by(account text, bus_id bigint, travel_date date, body text, key uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.notice_by(account text, bus_id bigint, travel_date date, body text, key uuid) TO busware;


--
-- Name: FUNCTION now(); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.now() FROM PUBLIC;
GRANT ALL ON FUNCTION api.now() TO busware;


--
-- Name: FUNCTION on_sale_until(origins text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.on_sale_until(origins text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.on_sale_until(origins text[]) TO busware;


--
-- Name: FUNCTION open_booking(reference text, phone text, account text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.open_booking(reference text, phone text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.open_booking(reference text, phone text, account text) TO busware;


--
-- Name: FUNCTION open_calls(calls jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.open_calls(calls jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.open_calls(calls jsonb) TO busware;


--
-- Name: FUNCTION open_dates(account text, bus_id bigint, from_date date, to_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.open_dates(account text, bus_id bigint, from_date date, to_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.open_dates(account text, bus_id bigint, from_date date, to_date date) TO busware;


--
-- Name: FUNCTION open_sales(bus_id bigint, from_date date, to_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.open_sales(bus_id bigint, from_date date, to_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.open_sales(bus_id bigint, from_date date, to_date date) TO busware;


--
-- Name: FUNCTION operates(account text, bus_id bigint); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.operates(account text, bus_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.operates(account text, bus_id bigint) TO busware;


--
-- Name: FUNCTION parse_stops(stops text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.parse_stops(stops text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.parse_stops(stops text) TO busware;


--
-- Name: FUNCTION party_refused(service public.bus_info, seats integer[], wanted integer, contact text, passengers jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.party_refused(service public.bus_info, seats integer[], wanted integer, contact text, passengers jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.party_refused(service public.bus_info, seats integer[], wanted integer, contact text, passengers jsonb) TO busware;


--
-- Name: FUNCTION place_codes(place text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.place_codes(place text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.place_codes(place text) TO busware;


--
-- Name: FUNCTION places(kind text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.places(kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.places(kind text) TO busware;


--
-- Name: FUNCTION post(message public.messages); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.post(message public.messages) FROM PUBLIC;
GRANT ALL ON FUNCTION api.post(message public.messages) TO busware;


--
-- Name: FUNCTION presence(process_no integer, present jsonb, gone bigint[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.presence(process_no integer, present jsonb, gone bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.presence(process_no integer, present jsonb, gone bigint[]) TO busware;


--
-- Name: FUNCTION present(); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.present() FROM PUBLIC;
GRANT ALL ON FUNCTION api.present() TO busware;


--
-- Name: FUNCTION promote(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.promote(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.promote(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION purge_accounts(since interval); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.purge_accounts(since interval) FROM PUBLIC;
GRANT ALL ON FUNCTION api.purge_accounts(since interval) TO busware;


--
-- Name: FUNCTION purge_messages(keep interval); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.purge_messages(keep interval) FROM PUBLIC;
GRANT ALL ON FUNCTION api.purge_messages(keep interval) TO busware;


--
-- Name: FUNCTION purge_requests(keep interval); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.purge_requests(keep interval) FROM PUBLIC;
GRANT ALL ON FUNCTION api.purge_requests(keep interval) TO busware;


--
-- Name: FUNCTION queue_position(bus_id bigint, travel_date date, queue_no bigint); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.queue_position(bus_id bigint, travel_date date, queue_no bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.queue_position(bus_id bigint, travel_date date, queue_no bigint) TO busware;


--
-- Name: FUNCTION read(method text, args jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.read(method text, args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.read(method text, args jsonb) TO busware;


--
-- Name: FUNCTION recent_messages(at_most integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.recent_messages(at_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.recent_messages(at_most integer) TO busware;


--
-- Name: FUNCTION record_payments(bus_ids bigint[], refs text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.record_payments(bus_ids bigint[], refs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.record_payments(bus_ids bigint[], refs text[]) TO busware;


--
-- Name: FUNCTION record_requests(calls jsonb, done integer[], bus_ids bigint[], refs text[], replies jsonb[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.record_requests(calls jsonb, done integer[], bus_ids bigint[], refs text[], replies jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.record_requests(calls jsonb, done integer[], bus_ids bigint[], refs text[], replies jsonb[]) TO busware;


--
-- Name: FUNCTION recount(bus_id bigint, travel_date date, seat_nos integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.recount(bus_id bigint, travel_date date, seat_nos integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.recount(bus_id bigint, travel_date date, seat_nos integer[]) TO busware;


--
-- Name: FUNCTION recount_for(args jsonb); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.recount_for(args jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.recount_for(args jsonb) TO busware;


--
-- Name: FUNCTION reference_bus(reference text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.reference_bus(reference text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.reference_bus(reference text) TO busware;


--
-- Name: TABLE passengers; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.passengers TO busware;


--
-- Name: FUNCTION refund_of(ticket public.passengers); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.refund_of(ticket public.passengers) FROM PUBLIC;
GRANT ALL ON FUNCTION api.refund_of(ticket public.passengers) TO busware;


--
-- Name: FUNCTION register(username text, password_hash text, phone text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.register(username text, password_hash text, phone text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.register(username text, password_hash text, phone text) TO busware;


--
-- Name: FUNCTION release(reference text, phone text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.release(reference text, phone text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.release(reference text, phone text) TO busware;


--
-- Name: FUNCTION release_hold(b api.opened); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.release_hold(b api.opened) FROM PUBLIC;
GRANT ALL ON FUNCTION api.release_hold(b api.opened) TO busware;


--
-- Name: FUNCTION rfc3339(at timestamp with time zone, zone text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.rfc3339(at timestamp with time zone, zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.rfc3339(at timestamp with time zone, zone text) TO busware;


--
-- Name: FUNCTION riders(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.riders(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.riders(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION say(body text, key uuid, address text, a_minute integer, process_no integer, connection_no bigint, line text, face text, reference text, account text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.say(body text, key uuid, address text, a_minute integer, process_no integer, connection_no bigint, line text, face text, reference text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.say(body text, key uuid, address text, a_minute integer, process_no integer, connection_no bigint, line text, face text, reference text, account text) TO busware;


--
-- Name: FUNCTION search(origin text, destination text, date date, until date, kind text, bus_type text, ac boolean, seats integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.search(origin text, destination text, date date, until date, kind text, bus_type text, ac boolean, seats integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.search(origin text, destination text, date date, until date, kind text, bus_type text, ac boolean, seats integer) TO busware;


--
-- Name: FUNCTION seat_map(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.seat_map(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.seat_map(bus_id bigint, travel_date date, origin text, destination text, from_stop integer, to_stop integer) TO busware;


--
-- Name: FUNCTION seats_free(bus_id bigint, travel_date date, segment int4range); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.seats_free(bus_id bigint, travel_date date, segment int4range) FROM PUBLIC;
GRANT ALL ON FUNCTION api.seats_free(bus_id bigint, travel_date date, segment int4range) TO busware;


--
-- Name: FUNCTION seats_now(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.seats_now(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.seats_now(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION seats_of(b api.opened, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.seats_of(b api.opened, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.seats_of(b api.opened, tickets integer[]) TO busware;


--
-- Name: FUNCTION seats_refused(service public.bus_info, travel_date date, s api.stretch, seats integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.seats_refused(service public.bus_info, travel_date date, s api.stretch, seats integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.seats_refused(service public.bus_info, travel_date date, s api.stretch, seats integer[]) TO busware;


--
-- Name: FUNCTION sell(r api.request, trip public.trips, hold_for interval); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.sell(r api.request, trip public.trips, hold_for interval) FROM PUBLIC;
GRANT ALL ON FUNCTION api.sell(r api.request, trip public.trips, hold_for interval) TO busware;


--
-- Name: FUNCTION session(digest bytea); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.session(digest bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION api.session(digest bytea) TO busware;


--
-- Name: FUNCTION set_password_hash(username text, old_hash text, new_hash text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.set_password_hash(username text, old_hash text, new_hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.set_password_hash(username text, old_hash text, new_hash text) TO busware;


--
-- Name: FUNCTION settle(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.settle(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.settle(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION settle_by(bus_id bigint, travel_date date, due timestamp with time zone); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.settle_by(bus_id bigint, travel_date date, due timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION api.settle_by(bus_id bigint, travel_date date, due timestamp with time zone) TO busware;


--
-- Name: FUNCTION show_bookings(bus_ids bigint[], refs text[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.show_bookings(bus_ids bigint[], refs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.show_bookings(bus_ids bigint[], refs text[]) TO busware;


--
-- Name: FUNCTION show_trip(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.show_trip(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.show_trip(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION sign_in(username text, digest bytea, lasts interval, at_most integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.sign_in(username text, digest bytea, lasts interval, at_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.sign_in(username text, digest bytea, lasts interval, at_most integer) TO busware;


--
-- Name: FUNCTION sign_out(digest bytea, everywhere boolean); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.sign_out(digest bytea, everywhere boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.sign_out(digest bytea, everywhere boolean) TO busware;


--
-- Name: FUNCTION sold_out(service public.bus_info, travel_date date, s api.stretch, wanted integer, waitlist boolean); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.sold_out(service public.bus_info, travel_date date, s api.stretch, wanted integer, waitlist boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.sold_out(service public.bus_info, travel_date date, s api.stretch, wanted integer, waitlist boolean) TO busware;


--
-- Name: FUNCTION stats(); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.stats() FROM PUBLIC;
GRANT ALL ON FUNCTION api.stats() TO busware;


--
-- Name: FUNCTION status_now(status text, expires_at timestamp with time zone); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.status_now(status text, expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION api.status_now(status text, expires_at timestamp with time zone) TO busware;


--
-- Name: FUNCTION stop_name(bus_id bigint, stop_no integer); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.stop_name(bus_id bigint, stop_no integer) FROM PUBLIC;
GRANT ALL ON FUNCTION api.stop_name(bus_id bigint, stop_no integer) TO busware;


--
-- Name: FUNCTION stops_of(service public.bus_info); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.stops_of(service public.bus_info) FROM PUBLIC;
GRANT ALL ON FUNCTION api.stops_of(service public.bus_info) TO busware;


--
-- Name: FUNCTION take(bus_id bigint, travel_date date, seat_nos integer[], segment int4range); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.take(bus_id bigint, travel_date date, seat_nos integer[], segment int4range) FROM PUBLIC;
GRANT ALL ON FUNCTION api.take(bus_id bigint, travel_date date, seat_nos integer[], segment int4range) TO busware;


--
-- Name: FUNCTION trip_cancelled(service public.bus_info, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.trip_cancelled(service public.bus_info, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.trip_cancelled(service public.bus_info, travel_date date) TO busware;


--
-- Name: FUNCTION trip_ends_at(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.trip_ends_at(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.trip_ends_at(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION trip_of(args jsonb, OUT bus_id bigint, OUT travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.trip_of(args jsonb, OUT bus_id bigint, OUT travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.trip_of(args jsonb, OUT bus_id bigint, OUT travel_date date) TO busware;


--
-- Name: FUNCTION trips(account text, date date, page integer, after text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.trips(account text, date date, page integer, after text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.trips(account text, date date, page integer, after text) TO busware;


--
-- Name: FUNCTION trips_in_use(date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.trips_in_use(date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.trips_in_use(date date) TO busware;


--
-- Name: TABLE clients; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.clients TO busware;


--
-- Name: FUNCTION unknown_client(client_no bigint, client public.clients); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.unknown_client(client_no bigint, client public.clients) FROM PUBLIC;
GRANT ALL ON FUNCTION api.unknown_client(client_no bigint, client public.clients) TO busware;


--
-- Name: FUNCTION unknown_place(place text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.unknown_place(place text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.unknown_place(place text) TO busware;


--
-- Name: FUNCTION unknown_seat(service public.bus_info, travel_date date, seats integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.unknown_seat(service public.bus_info, travel_date date, seats integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.unknown_seat(service public.bus_info, travel_date date, seats integer[]) TO busware;


--
-- Name: FUNCTION unknown_tickets(b api.opened, tickets integer[]); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.unknown_tickets(b api.opened, tickets integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.unknown_tickets(b api.opened, tickets integer[]) TO busware;


--
-- Name: FUNCTION unknown_trip(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.unknown_trip(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.unknown_trip(bus_id bigint, travel_date date) TO busware;


--
-- Name: FUNCTION weekdays(runs_on text); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.weekdays(runs_on text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.weekdays(runs_on text) TO busware;


--
-- Name: FUNCTION why_cancelled(bus_id bigint, travel_date date); Type: ACL; Schema: api; Owner: -
--

REVOKE ALL ON FUNCTION api.why_cancelled(bus_id bigint, travel_date date) FROM PUBLIC;
GRANT ALL ON FUNCTION api.why_cancelled(bus_id bigint, travel_date date) TO busware;


--
-- Name: TABLE accounts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.accounts TO busware;


--
-- Name: TABLE attempts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.attempts TO busware;


--
-- Name: TABLE places; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.places TO busware;


--
-- Name: TABLE bookings; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.bookings TO busware;


--
-- Name: TABLE layouts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.layouts TO busware;


--
-- Name: TABLE manifest; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.manifest TO busware;


--
-- Name: TABLE messages_read; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.messages_read TO busware;


--
-- Name: TABLE migrations; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.migrations TO busware;


--
-- Name: TABLE payments; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.payments TO busware;


--
-- Name: TABLE processes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.processes TO busware;


--
-- Name: TABLE requests; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.requests TO busware;


--
-- Name: TABLE seat_plan; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.seat_plan TO busware;


--
-- Name: TABLE seats; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.seats TO busware;


--
-- Name: TABLE seeds_loaded; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.seeds_loaded TO busware;


--
-- Name: TABLE tokens; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.tokens TO busware;


--
-- Name: TABLE vacancy; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.vacancy TO busware;


--
-- PostgreSQL database dump complete
--
