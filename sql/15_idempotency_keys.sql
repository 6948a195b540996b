-- Table requests stores idempotency keys and is renamed accordingly. A view keeps the old name: servers of
-- version 0.1.0 read and write through it.
-- squawk-ignore-file renaming-table, renaming-object

INSERT INTO migrations (name) VALUES ('15_idempotency_keys');

ALTER TABLE requests RENAME TO idempotency_keys;
ALTER INDEX requests_pkey RENAME TO idempotency_keys_pkey;
ALTER INDEX requests_age RENAME TO idempotency_keys_age;

CREATE VIEW requests AS
SELECT bus_id, caller, key, method, digest, answer, at FROM idempotency_keys;
