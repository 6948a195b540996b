-- The map of the proxy: which database has which virtual shard, and how PL/Proxy reaches it.

CREATE TABLE IF NOT EXISTS shards.databases (
    database_no int PRIMARY KEY CHECK (database_no > 0),
    url         text NOT NULL UNIQUE,                    -- in libpq's form, with the server's role
    away        boolean NOT NULL DEFAULT false           -- a server has found that it does not answer
);
CREATE TABLE IF NOT EXISTS shards.map (
    virtual_shard int PRIMARY KEY CHECK (virtual_shard BETWEEN 0 AND 63),
    database_no   int NOT NULL REFERENCES shards.databases,
    moves         boolean NOT NULL DEFAULT false         -- writes to its services wait, because it is being moved
);
-- The virtual shards that were moved, and the database that still has some of their rows.
CREATE TABLE IF NOT EXISTS shards.leaving (
    virtual_shard int PRIMARY KEY CHECK (virtual_shard BETWEEN 0 AND 63),
    database_no   int NOT NULL REFERENCES shards.databases
);
-- Its number changes with the map; PL/Proxy then reads the map again.
CREATE TABLE IF NOT EXISTS shards.version (
    version      int NOT NULL,
    list_seconds int NOT NULL DEFAULT 3                  -- BUSWARE_SHARD_LIST_SECONDS
);
-- The first databases have no list_seconds. ALTER TABLE would lock out all calls also if it adds nothing.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'shards.version'::regclass AND attname = 'list_seconds') THEN
        ALTER TABLE shards.version ADD COLUMN list_seconds int NOT NULL DEFAULT 3;
    END IF;
END $$;
INSERT INTO shards.version SELECT 1 WHERE NOT EXISTS (SELECT FROM shards.version);
COMMENT ON TABLE shards.databases IS 'The databases of the shards. The URLs have passwords: only the owner of the database reads them.';
COMMENT ON TABLE shards.map IS 'The database of each virtual shard.';
COMMENT ON TABLE shards.leaving IS 'The virtual shards that were moved, while their old database still has rows of them.';
COMMENT ON TABLE shards.version IS 'The version of the map.';

-- The numbers that were given to new services, by the account and the idempotency key of the request.
CREATE TABLE IF NOT EXISTS shards.numbers (
    account     text NOT NULL,
    key         text NOT NULL,
    bus_id      bigint NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (account, key)
);
COMMENT ON TABLE shards.numbers IS 'The numbers of new services, so that a repeated request gets the same one.';

CREATE SCHEMA IF NOT EXISTS plproxy;

-- In PL/pgSQL, because PL/Proxy asks for it in each call, and PostgreSQL before 18 plans the statement of an SQL function again each time.
CREATE OR REPLACE FUNCTION plproxy.get_cluster_version(cluster_name text) RETURNS int
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT v.version FROM shards.version v);
END $$;

-- A row for each virtual shard. Equal URLs share a connection.
CREATE OR REPLACE FUNCTION plproxy.get_cluster_partitions(cluster_name text) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT d.url FROM shards.map m JOIN shards.databases d USING (database_no) ORDER BY m.virtual_shard
$$;

-- A shard that does not answer ends a search or a list soon (`lists`). Other calls end by the statement_timeout of the server.
CREATE OR REPLACE FUNCTION plproxy.get_cluster_config(cluster_name text, OUT key text, OUT val text) RETURNS SETOF record
LANGUAGE sql STABLE AS $$
    SELECT 'connection_lifetime', '1800'
    UNION ALL
    SELECT 'query_timeout', v.list_seconds::text FROM shards.version v WHERE cluster_name = 'lists'
$$;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA plproxy, shards FROM PUBLIC;

-- The virtual shard of a service, for RUN ON. BW064: it is being moved, and the call writes; BW065: its database is away; nothing was done.
CREATE OR REPLACE FUNCTION shards.at(bus_id bigint, writes boolean DEFAULT false) RETURNS int
LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted CONSTANT int := shards.virtual_shard(bus_id);
    place  record;
BEGIN
    SELECT d.away, m.moves INTO place FROM shards.map m JOIN shards.databases d USING (database_no) WHERE m.virtual_shard = wanted;
    IF place.away THEN
        RAISE SQLSTATE 'BW065' USING MESSAGE = format('The database of the virtual shard %s is away.', wanted);
    ELSIF place.moves AND writes THEN
        RAISE SQLSTATE 'BW064' USING MESSAGE = format('The virtual shard %s is being moved.', wanted);
    END IF;
    RETURN wanted;
END $$;

-- The same for the service in a reference.
CREATE OR REPLACE FUNCTION shards.at_booking(reference text, writes boolean DEFAULT false) RETURNS int
LANGUAGE sql STABLE
RETURN shards.at(api.reference_bus(upper(btrim(reference))), writes);

-- A virtual shard of each database that is not away, for RUN ON.
CREATE OR REPLACE FUNCTION shards.present() RETURNS SETOF int
LANGUAGE sql STABLE AS $$
    SELECT min(m.virtual_shard) FROM shards.map m JOIN shards.databases d USING (database_no) WHERE NOT d.away GROUP BY d.database_no
$$;

-- A virtual shard of each database. BW065: one of them is away.
CREATE OR REPLACE FUNCTION shards.every() RETURNS SETOF int
LANGUAGE sql STABLE AS $$
    SELECT shards.at(min(m.virtual_shard)) FROM shards.map m GROUP BY m.database_no
$$;

-- The accounts that a request names, for the shard: see api.enter_shard. NULL: none.
CREATE OR REPLACE FUNCTION shards.accounts_of(usernames text[]) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT jsonb_agg(to_jsonb(a) - 'password_hash') FROM accounts a WHERE a.username = ANY (usernames));

-- The map for servers: the number of the database of each virtual shard from 0 on, and of each database whether it is away.
CREATE OR REPLACE FUNCTION api.shard_map() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN jsonb_build_object(
    'version', (SELECT v.version FROM shards.version v),
    'databases', (SELECT jsonb_agg(m.database_no ORDER BY m.virtual_shard) FROM shards.map m),
    'away', (SELECT coalesce(jsonb_agg(d.database_no), '[]') FROM shards.databases d WHERE d.away));

-- Record whether a database answers.
CREATE OR REPLACE FUNCTION api.note_shard(database_no int, away boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    UPDATE shards.databases d SET away = note_shard.away WHERE d.database_no = note_shard.database_no AND d.away <> note_shard.away
$$;
