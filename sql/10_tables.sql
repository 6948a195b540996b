-- Tables: timetable, trips, seats, tickets, payments, idempotency keys.
--
-- The files sql/1*.sql are migrations. Each runs once, in name order, in a transaction of its own, and records
-- itself in `migrations`. The server runs them when it starts; PostgreSQL's Docker image runs them with psql.
-- The statements of a migration never change after a release.
--
-- bus_id is the first column of every key of the timetable and of the sales, so that the database can be
-- sharded by it. A segment is a half-open range of stop numbers [from, to): a passenger who alights at a stop
-- frees the seat from that stop on.

CREATE EXTENSION IF NOT EXISTS btree_gist;   -- "=" beside "&&" in one exclusion constraint
CREATE EXTENSION IF NOT EXISTS pg_trgm;      -- finds the names that are similar to a mistyped place

CREATE TABLE migrations (
    name        text PRIMARY KEY,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO migrations (name) VALUES ('10_tables');

-- The seed files that were loaded. A file that has not changed is not loaded again.
CREATE TABLE seeds_loaded (
    name        text PRIMARY KEY,
    digest      text NOT NULL,
    loaded_at   timestamptz NOT NULL DEFAULT now()
);


-- Timetable -------------------------------------------------------------------------------------

CREATE TABLE places (
    code        text PRIMARY KEY CHECK (code ~ '^[A-Z0-9-]{2,16}$'),
    name        text NOT NULL,
    aliases     text[] NOT NULL DEFAULT '{}',
    part_of     text REFERENCES places,            -- the place that contains it: the country of an airport
    time_zone   text NOT NULL DEFAULT 'Asia/Kolkata'
);

-- Layouts that services share, by name. api.add_service copies the drawing into bus_info.layout.
CREATE TABLE layouts (
    name        text PRIMARY KEY,
    drawing     text NOT NULL
);

-- One row per service. A bus, a flight, a theatre and a hotel differ in these columns only.
CREATE TABLE bus_info (
    bus_id          bigint PRIMARY KEY CHECK (bus_id > 0),
    kind            text NOT NULL DEFAULT 'bus',
    name            text NOT NULL,
    operator        text NOT NULL,
    bus_type        text CHECK (bus_type IN ('SLEEPER', 'SEMI_SLEEPER', 'SEATER')),
    ac              boolean,
    layout          text NOT NULL,                 -- a drawing of the seats: see api.layout_seats
    runs_on         int[] NOT NULL DEFAULT '{1,2,3,4,5,6,7}'      -- ISO weekdays, 1 = Monday
                    CHECK (runs_on <@ '{1,2,3,4,5,6,7}'),
    first_date      date,                          -- NULL in first_date or last_date: no limit
    last_date       date,
    sales_days      int NOT NULL DEFAULT 60 CHECK (sales_days BETWEEN 1 AND 730),
    time_zone       text NOT NULL DEFAULT 'Asia/Kolkata',
    refund_percent  numeric(5,2) NOT NULL DEFAULT 50 CHECK (refund_percent BETWEEN 0 AND 100),
    alight_refund_percent numeric(5,2) NOT NULL DEFAULT 0 CHECK (alight_refund_percent BETWEEN 0 AND 100),
    sells_until     interval NOT NULL DEFAULT '0', -- how long a stop stays on sale after its departure
    max_seats       int NOT NULL DEFAULT 6 CHECK (max_seats BETWEEN 1 AND 100),   -- in one booking
    queue_limit     int NOT NULL DEFAULT 200 CHECK (queue_limit >= 0),   -- the most parties on the waitlist of a trip
    phone_required  boolean NOT NULL DEFAULT true, -- whether a booking without account needs a phone number
    nouns           jsonb NOT NULL DEFAULT '{"service": "bus", "seat": "seat"}',
    CHECK (first_date <= last_date)
);
CREATE SEQUENCE bus_id_seq OWNED BY bus_info.bus_id START 10001;
ALTER TABLE bus_info ALTER COLUMN bus_id SET DEFAULT nextval('bus_id_seq');

-- The seats that api.layout_seats finds in bus_info.layout.
CREATE TABLE seat_plan (
    bus_id      bigint NOT NULL REFERENCES bus_info,
    seat_no     int NOT NULL CHECK (seat_no > 0),
    deck        text NOT NULL,
    row_no      int NOT NULL,
    column_no   int NOT NULL,
    kind        text NOT NULL,                     -- seat, berth, room …
    PRIMARY KEY (bus_id, seat_no)
);

CREATE TABLE route_table (
    bus_id      bigint NOT NULL REFERENCES bus_info,
    stop_no     int NOT NULL CHECK (stop_no > 0),
    place       text NOT NULL REFERENCES places,
    arrives     interval,                          -- both since midnight of the travel date in the service's
    departs     interval,                          -- time zone; above 24 h on the days after it
    km          numeric(7,1) NOT NULL DEFAULT 0,
    fare        numeric(10,2) NOT NULL CHECK (fare >= 0),   -- from the first stop; a segment costs the difference
    PRIMARY KEY (bus_id, stop_no),
    CHECK (arrives <= departs),
    CHECK (arrives IS NOT NULL OR departs IS NOT NULL)
);
CREATE INDEX route_table_place ON route_table (place, bus_id, stop_no);


-- Trips and what is sold on them ----------------------------------------------------------------

-- One row per departure. Every write to a trip first locks this row.
CREATE TABLE trips (
    bus_id      bigint NOT NULL REFERENCES bus_info,
    travel_date date NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'cancelled')),
    reason      text,                              -- why it was cancelled
    settle_at   timestamptz,                       -- when its first hold or waitlist entry expires
    PRIMARY KEY (bus_id, travel_date)
) WITH (fillfactor = 80);
CREATE INDEX trips_due ON trips (settle_at) WHERE settle_at IS NOT NULL;
CREATE INDEX trips_by_date ON trips (travel_date);

CREATE TABLE seats (
    bus_id      bigint NOT NULL,
    travel_date date NOT NULL,
    seat_no     int NOT NULL CHECK (seat_no > 0),
    taken       int4multirange NOT NULL DEFAULT '{}',   -- the union of its live tickets' segments
    PRIMARY KEY (bus_id, travel_date, seat_no),
    FOREIGN KEY (bus_id, travel_date) REFERENCES trips
) WITH (fillfactor = 70);

CREATE SEQUENCE queue_no_seq;

-- One row per ticket; the tickets of a party share a reference. A ticket is live while its status is held or
-- booked, even after expires_at. 16_segment_sold_once renames the constraint stretch_sold_once.
CREATE TABLE passengers (
    bus_id          bigint NOT NULL,
    reference       text NOT NULL,
    ticket_no       int NOT NULL CHECK (ticket_no > 0),
    travel_date     date NOT NULL,
    seat_no         int,                           -- NULL while pending
    segment         int4range NOT NULL,
    name            text,
    phone           text,                          -- E.164
    fare            numeric(10,2) NOT NULL CHECK (fare >= 0),
    refund_percent  numeric(5,2) NOT NULL,         -- of the service, when the ticket was sold
    refund          numeric(10,2) NOT NULL DEFAULT 0,
    status          text NOT NULL,
    queue_no        bigint,                        -- the order of the waitlist
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,                   -- of a hold or a waitlist entry
    booked_at       timestamptz,
    ended_at        timestamptz,                   -- when it was cancelled or expired
    PRIMARY KEY (bus_id, reference, ticket_no),
    FOREIGN KEY (bus_id, travel_date) REFERENCES trips,
    FOREIGN KEY (bus_id, travel_date, seat_no) REFERENCES seats,
    CONSTRAINT known_status CHECK (status IN ('held', 'booked', 'pending', 'cancelled', 'expired')),
    CONSTRAINT live_has_a_seat CHECK (seat_no IS NOT NULL OR status NOT IN ('held', 'booked')),
    CONSTRAINT waiting_runs_out CHECK (expires_at IS NOT NULL OR status NOT IN ('held', 'pending')),
    CONSTRAINT real_segment CHECK (lower(segment) >= 1 AND NOT isempty(segment) AND NOT upper_inf(segment)),
    CONSTRAINT stretch_sold_once EXCLUDE USING gist
        (bus_id WITH =, travel_date WITH =, seat_no WITH =, segment WITH &&)
        WHERE (status IN ('held', 'booked'))
) WITH (fillfactor = 90);
CREATE INDEX passengers_waiting ON passengers (bus_id, travel_date) WHERE status IN ('held', 'pending');

-- Payments are recorded here, not carried out. Number 1 of a ticket is its charge, the others are refunds.
CREATE TABLE payments (
    bus_id      bigint NOT NULL,
    reference   text NOT NULL,
    ticket_no   int NOT NULL,
    payment_no  int NOT NULL CHECK (payment_no > 0),
    kind        text NOT NULL CHECK (kind IN ('charge', 'refund')),
    amount      numeric(10,2) NOT NULL CHECK (amount >= 0),
    at          timestamptz NOT NULL,
    PRIMARY KEY (bus_id, reference, ticket_no, payment_no),
    FOREIGN KEY (bus_id, reference, ticket_no) REFERENCES passengers,
    CONSTRAINT charge_comes_first CHECK ((kind = 'charge') = (payment_no = 1))
);

-- The answers to requests that succeeded, by idempotency key, written in the transaction of the request.
-- 15_idempotency_keys renames the table to idempotency_keys.
CREATE TABLE requests (
    bus_id      bigint NOT NULL,
    caller      text NOT NULL,
    key         text NOT NULL,
    method      text NOT NULL,
    digest      uuid NOT NULL,                     -- MD5 of the request's content
    answer      jsonb NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (bus_id, caller, key)
);
CREATE INDEX requests_age ON requests USING brin (at);
