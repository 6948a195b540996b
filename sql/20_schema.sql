-- Schema api and its composite types. All booking logic that must be atomic is in its functions.
--
-- An upgrade (server/db/schema.py) runs sql/2*.sql in one transaction. While the types below stay as they
-- are, it replaces functions and views in place, drops those that no file defines any more, and keeps
-- grants and views of your own that use schema api. When a type changes, or a function or view cannot be
-- replaced in place (another result type, another name of a parameter), it drops the schema and makes it
-- anew; views of your own that use it go with it.
--
-- How to read them: 21 words, 22 the timetable, 23 a trip under its lock, 24 reads, 25 writes,
-- 26 the entry points the server calls, 27 the audit, 28 views for psql, 29 rights.
--
-- Every function answers with the JSON a client receives, or with a refusal (api.refusal): a value,
-- not an exception, so that a refusal leaves nothing behind and costs no subtransaction. A function
-- checks first and writes after. A parameter is always qualified by its function's name.

DROP SCHEMA IF EXISTS api CASCADE;
CREATE SCHEMA api;

-- A booking that was opened (api.open_booking), or the refusal.
CREATE TYPE api.opened_booking AS (bus_id bigint, reference text, travel_date date, refusal jsonb);

-- What a cancellation ends and gives back (api.cancel_terms), or the refusal.
CREATE TYPE api.cancel_terms AS (tickets int[], refund numeric, refusal jsonb);

-- A stretch of a trip, found by places or by positions, with what people need to know of it.
-- It does not ask whether the trip exists, nor whether the stop still sells: see sells_until.
CREATE TYPE api.found_segment AS (
    from_stop   int,
    to_stop     int,
    segment     int4range,
    departs_at  timestamptz,
    sells_until timestamptz,   -- when the boarding stop ceases to sell
    fare        numeric,       -- of one seat
    refusal     jsonb          -- unknown_place, not_on_route or bad_request; then the rest is NULL
);

-- What a write asks for: the fields of every method, those of others NULL.
CREATE TYPE api.request AS (
    bus_id bigint, travel_date date, origin text, destination text, from_stop int, to_stop int,
    seats int[], count int, phone text, passengers jsonb, waitlist boolean, seconds int,
    reference text, tickets int[], ticket_no int, seat_no int, at jsonb, reason text, account text
);

-- The tickets of a party that was sold its seats, before they are written (api.insert_tickets).
CREATE TYPE api.sale AS (
    bus_id bigint, travel_date date, reference text, seat_nos int[], party int, segment int4range, names jsonb,
    phone text, account text, fare numeric, refund_percent numeric, status text, expires_at timestamptz
);

-- What a write decides: the booking it is about, or why it is refused. The caller holds the trip's
-- lock, has settled the trip, and issues the tickets, records the money and shows the booking
-- afterwards (api.batch).
CREATE TYPE api.outcome AS (
    reference text,
    refusal   jsonb,
    reply     jsonb,       -- where it is no booking
    sale      api.sale
);
