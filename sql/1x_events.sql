-- The log of events: what happens to bookings and trips. The outbox: what has to happen outside of the database because of it.
--
-- Both are written in the transaction of the change (api.record_events, api.enqueue). So no committed change lacks its rows, and a
-- change that is rolled back has none. After the commit, api.publish_events and server/outbox process the rows.

INSERT INTO migrations (name) VALUES ('1x_events');

-- A booking writes an event, so the table has few indexes. A row is complete when it is inserted; only its position is added.
CREATE SEQUENCE event_no_seq;
CREATE TABLE events (
    event_no        bigint PRIMARY KEY,                -- in order for each booking, because its trip is locked
    event_id        uuid NOT NULL DEFAULT gen_random_uuid(),   -- by which receivers recognize it
    type            text NOT NULL,                     -- such as booking.booked: api.record_events
    bus_id          bigint,
    travel_date     date,
    reference       text,                              -- of the booking; NULL: the event is of the whole trip
    at              timestamptz NOT NULL,
    data            jsonb NOT NULL,                    -- the booking as api.show_bookings shows it, or the trip; with `cause` and `why`
    position        bigint                             -- order of publication, without gaps; NULL: not published yet
-- PostgreSQL compresses rows that are larger than this. With its default of 2 kB, it would compress most events. A row is updated
-- only once, when it gets its position.
) WITH (toast_tuple_target = 8160);
CREATE INDEX events_unpublished ON events (event_no) WHERE position IS NULL;
CREATE UNIQUE INDEX events_published ON events (position) WHERE position IS NOT NULL;

CREATE TABLE outbox (
    outbox_no       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    key             uuid NOT NULL UNIQUE,              -- the idempotency key: the same at each attempt
    kind            text NOT NULL CHECK (kind IN ('mail', 'sms', 'webhook', 'refund')),
    ordered_by      text,                              -- rows with the same value are carried out one at a time, in order
    event_no        bigint,                            -- the event that caused it
    bus_id          bigint,
    reference       text,
    payload         jsonb NOT NULL,
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'dead')),
    attempts        int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_at      timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,              -- of the next attempt; after a claim, the end of its lease
    done_at         timestamptz,
    error           text,                              -- of the last attempt
    CONSTRAINT ended_once CHECK ((state = 'waiting') = (done_at IS NULL))
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'waiting';
CREATE INDEX outbox_in_order ON outbox (ordered_by, outbox_no) WHERE state = 'waiting' AND ordered_by IS NOT NULL;
CREATE INDEX outbox_dead ON outbox (outbox_no) WHERE state = 'dead';
CREATE INDEX outbox_done ON outbox (done_at) WHERE state = 'done';
