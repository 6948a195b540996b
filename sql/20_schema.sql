-- Schema api and its composite types. All booking logic that must be atomic is in its functions.
--
-- An upgrade (server/db/schema.py) runs sql/2*.sql in one transaction. It executes this file in a savepoint. If no
-- type below has changed, it rolls back to the savepoint, replaces functions and views in place, drops functions
-- that no file defines, and keeps the operator's own grants and views on schema api. If a type has changed, or a
-- function or view cannot be replaced in place (another result type, another parameter name), this file drops the
-- schema and creates it again; views that use it are dropped too.
--
-- Files: 21 references, refusals, texts, times; 22 timetables; 23 a trip under its lock; 24 reads; 25 writes;
-- 26 entry points of the server; 27 audit, and functions of earlier versions; 28 views; 29 comments, rights.
--
-- A refusal (api.refusal) is a JSON value and not an exception: it needs no subtransaction. A function checks
-- first and writes afterwards, so a refusal changes nothing. A function check_… returns NULL if the condition in
-- its name is true, and a refusal if it is false. A function refusal_… always returns a refusal. A parameter that
-- has the name of a column is qualified by the function's name.

DROP SCHEMA IF EXISTS api CASCADE;
CREATE SCHEMA api;

-- The result of api.open_booking: the booking, or the refusal.
CREATE TYPE api.opened_booking AS (bus_id bigint, reference text, travel_date date, refusal jsonb);

-- The result of api.cancel_terms: the tickets that a cancellation ends and their refund, or the refusal.
CREATE TYPE api.cancel_terms AS (tickets int[], refund numeric, refusal jsonb);

-- The result of api.find_segment: a segment of a trip, or the refusal. There is a segment even if
-- the trip does not exist or the boarding stop is no longer on sale.
CREATE TYPE api.found_segment AS (
    from_stop   int,
    to_stop     int,
    segment     int4range,
    departs_at  timestamptz,
    sells_until timestamptz,   -- the boarding stop is on sale until then
    fare        numeric,       -- of the segment, for each seat
    alight_refunds numeric[],  -- of that fare; as in passengers
    refusal     jsonb          -- unknown_place, ambiguous_place, not_on_route or bad_request; the rest is NULL
);

-- What a ticket costs: fare, fare_parts and alight_refunds as in passengers.
CREATE TYPE api.ticket_price AS (fare numeric, parts jsonb, alight_refunds numeric[]);

-- The arguments of a write. It has the fields of all methods; those that a method does not have are NULL.
CREATE TYPE api.request AS (
    bus_id bigint, travel_date date, boarding_date date, origin text, destination text, from_stop int, to_stop int,
    seats int[], count int, phone text, passengers jsonb, waitlist boolean, seconds int,
    reference text, tickets int[], ticket_no int, seat_no int, fare numeric, at jsonb, reason text, account text,
    seat_class text, promo_code text, name text, release boolean, offer_no int, minutes int, plan boolean, undo boolean,
    gender text, concession text, sold_by text, due numeric, refund numeric, email text, language text, sms boolean,
    payment jsonb
);

-- A sale whose tickets api.insert_tickets writes at the end of the batch.
CREATE TYPE api.sale AS (
    bus_id bigint, travel_date date, reference text, seat_nos int[], party int, segment int4range, names jsonb,
    phone text, account text, prices api.ticket_price[], promo_no bigint, refund_percent numeric, refund_tiers jsonb,
    status text, expires_at timestamptz,
    counted boolean   -- whether a later sale to the same phone number or account may count its tickets or read their names
);

-- The result of a write: the reference of its booking, or the refusal; or `deferred`: another transaction has locked
-- what the write needs or has moved the booking, nothing was written, and the server sends the call again. Before the write, api.batch locks and settles
-- the trip. After the write, it inserts tickets and payments and reads the booking.
CREATE TYPE api.outcome AS (
    reference text,
    refusal   jsonb,
    reply     jsonb,       -- further fields of the booking; all fields of a result that is not a booking
    sale      api.sale,
    deferred  boolean,
    bus_id    bigint       -- the service to which the write has moved the booking; NULL: it has not moved
);

-- A row of the outbox that a worker has claimed. age: since it was added. event: what caused it, a row of table events; NULL: nothing,
-- or it was deleted. webhook_no, operator: of a delivery to a webhook.
CREATE TYPE api.claimed_row AS (
    outbox_no   bigint,
    key         uuid,
    kind        text,
    payload     jsonb,
    bus_id      bigint,
    reference   text,
    attempts    int,
    created_at  timestamptz,
    age         interval,
    event       jsonb,
    webhook_no  bigint,
    operator    text
);
