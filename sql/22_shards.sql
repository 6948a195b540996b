-- What differs in a database that has some of the services only: sql/shards/ replaces these functions there. Here, a database has all.

-- Whether this database has the service, or may have it. A timetable leaves out the services of other databases.
CREATE OR REPLACE FUNCTION api.keeps_service(bus_id bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN true;

-- Whether services, with their events, can be moved from this database to another one.
CREATE OR REPLACE FUNCTION api.is_shard() RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN false;

-- Whether a booking may move from one service to the other, by an exchange or an offer.
CREATE OR REPLACE FUNCTION api.is_together(bus_id bigint, other bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN true;

-- The refusal of what a server with several databases does not support.
CREATE OR REPLACE FUNCTION api.refusal_unsupported(what text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN api.refusal('unsupported', format('%s is not supported by a server with several databases.', what));
