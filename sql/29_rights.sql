-- The functions of schema api are not public. server/db/schema.py grants the server's role EXECUTE on them, and
-- SELECT on the tables. Functions that write for that role are SECURITY DEFINER. All others run with the caller's
-- rights.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA api FROM PUBLIC;
