-- Messages between travellers and operators; the processes that run, and their clients.

INSERT INTO migrations (name) VALUES ('11_messages');

-- api.insert_message numbers and commits messages under one lock, so that their numbers are committed in order. A
-- sequence alone does not ensure this order: a reader of "all messages after N" could miss a message with a lower
-- number that is committed later.
CREATE SEQUENCE message_id_seq;
CREATE TABLE messages (
    message_id  bigint PRIMARY KEY,
    key         uuid NOT NULL UNIQUE,          -- a message that is sent twice is stored once
    at          timestamptz NOT NULL,
    sender      text NOT NULL,                 -- operator, or a client by its number: client 7
    audience    text NOT NULL CHECK (audience IN ('operators', 'all', 'trip', 'booking', 'client')),
    -- The traveller who sent or receives it, if known.
    client_no   bigint,
    bus_id      bigint,
    travel_date date,
    reference   text,
    account     text,
    address     text,                          -- of the client that sent it
    body        text NOT NULL CHECK (length(body) BETWEEN 1 AND 2000 AND body !~ '[\x01-\x1f\x7f]'),
    CONSTRAINT a_trip_is_named CHECK (audience <> 'trip' OR bus_id IS NOT NULL AND travel_date IS NOT NULL),
    CONSTRAINT a_booking_is_named CHECK (audience <> 'booking' OR reference IS NOT NULL),
    CONSTRAINT a_client_is_named CHECK (audience <> 'client' OR client_no IS NOT NULL)
);
CREATE INDEX messages_of_trip ON messages (bus_id, travel_date) WHERE audience = 'trip';
CREATE INDEX messages_of_booking ON messages (reference) WHERE reference IS NOT NULL;
CREATE INDEX messages_of_account ON messages (account) WHERE account IS NOT NULL;
CREATE INDEX messages_to_all ON messages (message_id) WHERE audience = 'all';
CREATE INDEX messages_age ON messages (at);

-- The last message that was shown to a booking's passengers or to an account. Later messages are shown when
-- they connect again.
CREATE TABLE messages_read (
    reader      text PRIMARY KEY,              -- a reference, or account:name
    read_to     bigint NOT NULL                -- a message_id
);

-- The servers' processes and the operators' consoles, and their clients. A process is alive while the connection
-- that registered it holds an advisory lock on its number (api.register_process). Unlogged: after a crash of
-- PostgreSQL all of them register again.
CREATE SEQUENCE process_no_seq AS int CYCLE;
CREATE UNLOGGED TABLE processes (
    process_no  int PRIMARY KEY,
    role        text NOT NULL CHECK (role IN ('server', 'console')),
    name        text NOT NULL,                 -- address and process id
    since       timestamptz NOT NULL
);

CREATE SEQUENCE client_no_seq;
CREATE UNLOGGED TABLE clients (
    process_no  int NOT NULL REFERENCES processes ON DELETE CASCADE,
    connection_no bigint NOT NULL,             -- numbered by the process
    client_no   bigint NOT NULL UNIQUE DEFAULT nextval('client_no_seq'),   -- the number that operators see
    address     text NOT NULL,
    face        text NOT NULL,                 -- its protocol: text or json; '' before its first line
    reference   text,                          -- of the booking that it made or opened last
    account     text,
    since       timestamptz NOT NULL,
    left_at     timestamptz,                   -- the row stays for a minute
    PRIMARY KEY (process_no, connection_no)
);
