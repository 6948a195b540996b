-- Messages between travellers and operators, and who is connected where.

INSERT INTO migrations (name) VALUES ('11_messages');

-- A message is numbered and committed under one lock (api.insert_message), so that the numbers commit in order:
-- numbers of a sequence alone do not, and whoever reads "everything after N" would miss one that was
-- drawn before N and committed after it.
CREATE SEQUENCE message_id_seq;
CREATE TABLE messages (
    message_id  bigint PRIMARY KEY,
    key         uuid NOT NULL UNIQUE,          -- what is sent twice is kept once
    at          timestamptz NOT NULL,
    sender      text NOT NULL,                 -- operator, or a client as operators know it: client 7
    audience    text NOT NULL CHECK (audience IN ('operators', 'all', 'trip', 'booking', 'client')),
    -- The traveller's side of it, whether sender or receiver, as far as it is known.
    client_no   bigint,
    bus_id      bigint,
    travel_date date,
    reference   text,
    account     text,
    address     text,                          -- from where a traveller said it
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

-- How far a booking's passengers, or an account, have read. Whatever came after is shown when they come back.
CREATE TABLE messages_read (
    reader      text PRIMARY KEY,              -- a reference, or account:name
    read_to     bigint NOT NULL                -- a message_id
);

-- The processes that serve, or that an operator sits at, and their clients. A process is there for as
-- long as the connection that entered it, which holds an advisory lock on its number (api.register_process).
-- Unlogged: after a crash everybody enters anew.
CREATE SEQUENCE process_no_seq AS int CYCLE;
CREATE UNLOGGED TABLE processes (
    process_no  int PRIMARY KEY,
    role        text NOT NULL CHECK (role IN ('server', 'console')),
    name        text NOT NULL,                 -- where it serves, which operating-system process it is
    since       timestamptz NOT NULL
);

CREATE SEQUENCE client_no_seq;
CREATE UNLOGGED TABLE clients (
    process_no  int NOT NULL REFERENCES processes ON DELETE CASCADE,
    connection_no bigint NOT NULL,             -- the process's own number of it
    client_no   bigint NOT NULL UNIQUE DEFAULT nextval('client_no_seq'),   -- by which operators know it
    address     text NOT NULL,
    face        text NOT NULL,                 -- text, json; '' until it has said something
    reference   text,                          -- of the booking it made or opened last
    account     text,
    since       timestamptz NOT NULL,
    left_at     timestamptz,                   -- kept for a while, so that short visits are seen too
    PRIMARY KEY (process_no, connection_no)
);
