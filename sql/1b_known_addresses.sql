-- The addresses from which an account or a booking was opened with the right credentials. Failures at other addresses
-- do not delay attempts from a known one.

INSERT INTO migrations (name) VALUES ('1b_known_addresses');

-- Unlogged, like attempts: a crash of PostgreSQL deletes the rows.
CREATE UNLOGGED TABLE known_addresses (
    pair            text PRIMARY KEY,          -- address:… and account:…, booking:… or phone:…
    at              timestamptz NOT NULL       -- when it was opened last, within an hour
);
CREATE INDEX known_addresses_age ON known_addresses (at);
