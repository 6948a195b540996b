-- The clock of all functions. Only tests replace it.
CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN now();
