-- Lists of all shards, in order and page by page.

CREATE OR REPLACE FUNCTION shards.pages_of_bookings(account text, kind text, current boolean, size int, before timestamptz, before_reference text)
RETURNS TABLE (created_at timestamptz, reference text, booking jsonb)
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT b.* FROM api.page_of_bookings($1, $2, $3, $4, $5, $6) AS b;
$$;

CREATE OR REPLACE FUNCTION shards.booking_made_at(reference text, account text) RETURNS timestamptz
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at_booking($1); SELECT api.booking_made_at($2, $1) FROM api.enter_shard_of($1, false);
$$;

-- The bookings of an account, as api.bookings of a single database. Each shard gives a page, and the newest of all are shown.
CREATE OR REPLACE FUNCTION shards.bookings(accounts jsonb, args jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    account CONSTANT text := args ->> 'account';
    after   CONSTANT text := args ->> 'after';
    size    CONSTANT int := coalesce((args ->> 'limit')::int, 20);
    before  timestamptz;
    shown   jsonb[];
    refs    text[];
BEGIN
    IF after IS NOT NULL THEN
        before := shards.booking_made_at(after, account);
        IF before IS NULL THEN
            RETURN api.refusal_bad_request('after', 'the `next` of an earlier page', 'None of your bookings has that reference.');
        END IF;
    END IF;
    SELECT array_agg(b.booking), array_agg(b.reference) INTO shown, refs FROM (
        SELECT DISTINCT p.created_at, p.reference, p.booking
        FROM shards.pages_of_bookings(account, args ->> 'kind', (args ->> 'current')::boolean, size + 1, before, after) AS p
        ORDER BY p.created_at DESC, p.reference DESC LIMIT size + 1
    ) AS b;
    RETURN jsonb_build_object('bookings', to_jsonb(coalesce(shown[:size], '{}')))
        || CASE WHEN cardinality(refs) > size THEN jsonb_build_object('next', refs[size]) ELSE '{}' END;
END $$;

-- A page of `services` or `trips`, which are in the order of bus_id. Without a date, `trips` are those of today, which is the same date for
-- all: that of the first shard that answers with one.
CREATE OR REPLACE FUNCTION shards.page_by_bus(method text, accounts jsonb, args jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    size  CONSTANT int := coalesce((args ->> 'limit')::int, 50);
    found record;
    shown jsonb;
BEGIN
    IF method = 'trips' AND args ->> 'date' IS NULL THEN
        found := shards.results(accounts, method, args || '{"limit": 1}');
        IF found.answers IS NULL THEN
            RETURN found.refusal;
        END IF;
        args := args || (SELECT jsonb_build_object('date', min(a ->> 'date')) FROM unnest(found.answers) AS a);
    END IF;
    found := shards.results(accounts, method, args);
    IF found.answers IS NULL THEN
        RETURN found.refusal;
    END IF;
    shown := (SELECT jsonb_agg(e.row ORDER BY (e.row ->> 'bus_id')::bigint) FROM (
        SELECT DISTINCT r.row FROM unnest(found.answers) AS a, jsonb_array_elements(a -> method) AS r (row)
        ORDER BY 1) AS e);
    shown := (SELECT jsonb_agg(e.row ORDER BY e.n) FROM jsonb_array_elements(shown) WITH ORDINALITY AS e (row, n) WHERE e.n <= size);
    RETURN jsonb_build_object(method, coalesce(shown, '[]'))
        || CASE WHEN method = 'trips' THEN jsonb_build_object('date', args -> 'date') ELSE '{}' END
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown #>> '{-1,bus_id}') ELSE '{}' END;
END $$;

CREATE OR REPLACE FUNCTION shards.followed_of(virtual_shard int, refs text[]) RETURNS SETOF jsonb
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON $1; SELECT b FROM unnest(api.followed_bookings($2)) AS b WHERE b IS NOT NULL;
$$;

-- The bookings that clients follow. Those of a database that is away are left out.
CREATE OR REPLACE FUNCTION api.followed_bookings(refs text[]) RETURNS jsonb[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT array_agg(b) FROM (
        SELECT min(m.virtual_shard) AS virtual_shard, array_agg(r.reference) AS refs
        FROM unnest(refs) AS r (reference)
        JOIN shards.map m ON m.virtual_shard = shards.virtual_shard(api.reference_bus(r.reference))
        JOIN shards.databases d ON d.database_no = m.database_no AND NOT d.away
        GROUP BY m.database_no
    ) AS part, LATERAL shards.followed_of(part.virtual_shard, part.refs) AS b
$$;

CREATE OR REPLACE FUNCTION shards.count_tickets() RETURNS TABLE (status text, tickets bigint)
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT c.* FROM api.count_tickets() AS c;
$$;

CREATE OR REPLACE FUNCTION api.count_tickets() RETURNS TABLE (status text, tickets bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT c.status, sum(c.tickets)::bigint FROM shards.count_tickets() AS c GROUP BY c.status
$$;

-- The function of this database becomes shards.count_outbox, because the rows of this database count too.
ALTER FUNCTION api.count_outbox() SET SCHEMA shards;

CREATE OR REPLACE FUNCTION shards.count_outboxes() RETURNS TABLE (kind text, state text, count bigint, oldest timestamptz, age_seconds numeric)
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT c.* FROM api.count_outbox() AS c;
$$;

CREATE FUNCTION api.count_outbox() RETURNS TABLE (kind text, state text, count bigint, oldest timestamptz, age_seconds numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT c.kind, c.state, sum(c.count)::bigint, min(c.oldest), max(c.age_seconds) FROM (
        SELECT * FROM shards.count_outbox() UNION ALL SELECT * FROM shards.count_outboxes()) AS c
    GROUP BY c.kind, c.state
$$;

CREATE OR REPLACE FUNCTION shards.stats() RETURNS SETOF jsonb
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT api.stats();
$$;

-- The counts of all shards together. The messages are those of the database of the proxy.
CREATE OR REPLACE FUNCTION api.stats() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH shard AS MATERIALIZED (SELECT s FROM shards.stats() AS s)
    SELECT jsonb_build_object('services', sum((s ->> 'services')::bigint), 'trips', sum((s ->> 'trips')::bigint),
        'messages', (SELECT count(*) FROM messages),
        'tickets', (SELECT coalesce(jsonb_object_agg(c.key, c.n), '{}') FROM (
            SELECT e.key, sum(e.value::bigint) AS n FROM shard, jsonb_each_text(s -> 'tickets') AS e GROUP BY e.key) AS c),
        'outbox', (SELECT coalesce(jsonb_object_agg(c.key, c.n), '{}') FROM (
            SELECT e.key, sum(e.value::bigint) AS n FROM (
                SELECT s -> 'outbox' AS o FROM shard
                UNION ALL
                SELECT jsonb_object_agg(o.kind || ' ' || o.state, o.count) FROM shards.count_outbox() AS o) AS b, jsonb_each_text(b.o) AS e GROUP BY e.key) AS c))
    FROM shard
$$;

CREATE OR REPLACE FUNCTION shards.trips_in_use(date date) RETURNS SETOF jsonb
LANGUAGE plproxy AS $$
    CLUSTER 'lists'; RUN ON shards.present(); SELECT api.trips_in_use($1);
$$;

CREATE OR REPLACE FUNCTION api.trips_in_use(date date) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH shard AS MATERIALIZED (SELECT s FROM shards.trips_in_use(trips_in_use.date) AS s)
    SELECT jsonb_build_object(
        'trips', coalesce((SELECT jsonb_agg(t.trip ORDER BY t.trip ->> 'departs_at', t.trip -> 'bus_id')
            FROM shard, jsonb_array_elements(s -> 'trips') AS t (trip)), '[]'),
        'others', (SELECT sum((s ->> 'others')::bigint) FROM shard))
$$;
