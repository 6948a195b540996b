-- Accounts, their tokens, failed credentials, and the account of a booking.
--
-- passengers.account is not a foreign key: passengers can be sharded by bus_id, and a foreign key would require a
-- copy of accounts on every shard.

INSERT INTO migrations (name) VALUES ('12_accounts');

CREATE TABLE accounts (
    username        text PRIMARY KEY CHECK (username = lower(username COLLATE "C") AND username <> ''),
    password_hash   text NOT NULL,             -- Argon2id, with its parameters and its salt
    phone           text,                      -- E.164
    role            text NOT NULL DEFAULT 'traveller' CHECK (role IN ('traveller', 'operator', 'admin')),
    operator        text,                      -- whose services (bus_info.operator) it may change
    created_at      timestamptz NOT NULL,
    CONSTRAINT operator_runs_something CHECK ((role = 'operator') = (operator IS NOT NULL))
);

-- Sessions. Only the digest of a token is stored.
CREATE TABLE tokens (
    digest          bytea PRIMARY KEY,         -- SHA-256 of the token
    username        text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL
);
CREATE INDEX tokens_of ON tokens (username, created_at);
CREATE INDEX tokens_age ON tokens (expires_at);

-- Failed passwords and references of the last minutes, for the rate limits. Unlogged: a crash of PostgreSQL
-- resets them.
CREATE UNLOGGED TABLE attempts (
    subject         text NOT NULL,             -- account:…, booking:…, phone:…, address:…
    at              timestamptz NOT NULL
);
CREATE INDEX attempts_of ON attempts (subject, at);

-- The account that made the booking; NULL for a guest. The same for all tickets of a party.
ALTER TABLE passengers ADD COLUMN account text;
-- No ticket has an account yet, so the index is empty.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX passengers_of_account ON passengers (account, created_at, reference)
    WHERE account IS NOT NULL AND ticket_no = 1;
