-- Schema api: all booking logic that must be atomic. The files sql/2*.sql hold nothing but functions
-- and views, so the whole schema is dropped and made again whenever one of them changes; views of
-- your own that build on it go with it, views on the tables stay.
--
-- How to read them: 21 words, 22 the timetable, 23 a trip under its lock, 24 reads, 25 writes,
-- 26 the entry points the server calls, 27 the audit, 28 views for psql, 29 rights.
--
-- Every function answers with the JSON a client receives, or with a refusal (api.refusal): a value,
-- not an exception, so that a refusal leaves nothing behind and costs no subtransaction. A function
-- checks first and writes after. A parameter is always qualified by its function's name.

DROP SCHEMA IF EXISTS api CASCADE;
CREATE SCHEMA api;

-- The clock of the whole house. Only tests replace it.
CREATE FUNCTION api.now() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN now();
