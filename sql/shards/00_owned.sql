-- Services are spread over 64 virtual shards, and these over databases: docs/scaling.md, Shards. The server runs the files of this
-- folder after sql/2*.sql, in the same transaction: 0x in the database of the proxy and in those of the shards, 1x in those of the
-- shards, 2x and later ones in the database of the proxy. An installation without shards does not read them.

CREATE SCHEMA IF NOT EXISTS shards;

-- Drop the functions that this folder creates again: with other parameters, a function would be added to the old one, and calls of it
-- would be ambiguous. CASCADE reaches functions of this folder only, because sql/2*.sql has just replaced the others. Calls that run now
-- are completed or repeated. A trigger's function has no parameters.
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'shards'::regnamespace AND p.prorettype <> 'trigger'::regtype LOOP
        EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', f);
    END LOOP;
END $$;

CREATE TABLE IF NOT EXISTS shards.owned (virtual_shard int PRIMARY KEY CHECK (virtual_shard BETWEEN 0 AND 63));
COMMENT ON TABLE shards.owned IS 'The virtual shards of this database. It has services of these only; the database of the proxy has none.';

-- The virtual shard of a service: its number modulo 64.
CREATE OR REPLACE FUNCTION shards.virtual_shard(bus_id bigint) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN (coalesce(bus_id, 0) & 63)::int;

-- Whether this database has the service, or may have it.
CREATE OR REPLACE FUNCTION api.keeps_service(bus_id bigint) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM shards.owned o WHERE o.virtual_shard = shards.virtual_shard(bus_id));

CREATE OR REPLACE FUNCTION api.is_shard() RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN true;

-- Whether a booking may move between two services: only within a virtual shard, because virtual shards are moved one by one.
CREATE OR REPLACE FUNCTION api.is_together(bus_id bigint, other bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN shards.virtual_shard(bus_id) = shards.virtual_shard(other);

-- Refuse a service that belongs to another database, also when it is inserted by hand.
CREATE OR REPLACE FUNCTION shards.check_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('shards.is_moving', true) IS DISTINCT FROM 'on' AND NOT api.keeps_service(NEW.bus_id) THEN
        RAISE EXCEPTION 'Service % belongs to another database.', NEW.bus_id
            USING HINT = format('It is in the virtual shard %s; busware-server shards list shows its database.', shards.virtual_shard(NEW.bus_id));
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER belongs_here BEFORE INSERT ON bus_info FOR EACH ROW EXECUTE FUNCTION shards.check_kept();
