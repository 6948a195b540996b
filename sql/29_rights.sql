-- Nobody executes a function of schema api unless it is granted to them. Whoever starts the database
-- makes the server's role and grants it these functions and the reading of the tables (server/db/schema.py):
-- those that write for it run with their owner's rights, all others with the caller's own.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA api FROM PUBLIC;
