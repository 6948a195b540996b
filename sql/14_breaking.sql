-- Breaking migrations. A server does not start on a database with a breaking migration that it does not know,
-- and a running server stops before such a migration runs (server/db/schema.py, docs/upgrading.md). A migration
-- states in its own record that it is breaking:
--     INSERT INTO migrations (name, breaking) VALUES ('99_example', true);

ALTER TABLE migrations ADD COLUMN breaking boolean NOT NULL DEFAULT false;
INSERT INTO migrations (name) VALUES ('14_breaking');
