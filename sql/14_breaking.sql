-- Breaking migrations. A server refuses to start on a database with a breaking migration that it does not
-- know; one that serves stops before such a migration runs (server/db/schema.py, docs/upgrading.md). A migration
-- says in its own record that it is breaking:
--     INSERT INTO migrations (name, breaking) VALUES ('99_example', true);

ALTER TABLE migrations ADD COLUMN breaking boolean NOT NULL DEFAULT false;
INSERT INTO migrations (name) VALUES ('14_breaking');
