-- A process of 0.1.0 reads tables and calls functions that later ones do not. While one is alive, the server's database
-- role keeps the rights on them (api.server_rights). The default is for 0.1.0, which does not know the column.

ALTER TABLE processes ADD COLUMN needs_previous_rights boolean NOT NULL DEFAULT true;
INSERT INTO migrations (name) VALUES ('1a_rights');
