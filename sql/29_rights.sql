-- The functions of schema api are not public. server/db/schema.py grants the server's role the rights of
-- api.server_rights.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA api FROM PUBLIC;

-- Entry points look for functions and operators in schema public too. Up to PostgreSQL 14, every role may create some
-- there, and a database keeps this right when PostgreSQL is upgraded.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
