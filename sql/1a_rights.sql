-- A process of 0.1.0 reads tables and calls functions that processes of later versions do not use. While a process of 0.1.0 is
-- alive, the server's database role keeps its rights on them (api.server_rights). The default value is for processes of 0.1.0,
-- because 0.1.0 does not know the column.

ALTER TABLE processes ADD COLUMN needs_previous_rights boolean NOT NULL DEFAULT true;
INSERT INTO migrations (name) VALUES ('1a_rights');
