-- The clock of every function. Only tests replace it.
CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN now();
