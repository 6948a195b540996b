-- Accounts: who signs in, by which tokens, and who was wrong of late. Passengers may belong to one.
--
-- An account is known by its username alone, as a booking is by its bus: nothing of the sales refers to
-- it by a foreign key, since those tables are sharded by bus_id and this one is small and everywhere.

INSERT INTO migrations (name) VALUES ('12_accounts');

CREATE TABLE accounts (
    username        text PRIMARY KEY CHECK (username = lower(username COLLATE "C") AND username <> ''),
    password_hash   text NOT NULL,             -- Argon2id, with its parameters and its salt
    phone           text,                      -- E.164
    role            text NOT NULL DEFAULT 'traveller' CHECK (role IN ('traveller', 'operator', 'admin')),
    operator        text,                      -- the bus_info.operator whose services an operator runs
    created_at      timestamptz NOT NULL,
    CONSTRAINT operator_runs_something CHECK ((role = 'operator') = (operator IS NOT NULL))
);

-- Who is signed in. The token itself is nowhere kept, only what it is known by.
CREATE TABLE tokens (
    digest          bytea PRIMARY KEY,         -- SHA-256 of the token
    username        text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL
);
CREATE INDEX tokens_of ON tokens (username, created_at);
CREATE INDEX tokens_age ON tokens (expires_at);

-- The wrong passwords and the wrong references of the last minutes, by whatever they were wrong about.
-- Unlogged: after a crash everybody begins anew.
CREATE UNLOGGED TABLE attempts (
    subject         text NOT NULL,             -- account:…, booking:…, phone:…, address:…
    at              timestamptz NOT NULL
);
CREATE INDEX attempts_of ON attempts (subject, at);

-- Whose booking it is; NULL for a guest's. The same for the whole party.
ALTER TABLE passengers ADD COLUMN account text;
-- No ticket has an account yet, so that this index is made in no time.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX passengers_of_account ON passengers (account, created_at, reference)
    WHERE account IS NOT NULL AND ticket_no = 1;
