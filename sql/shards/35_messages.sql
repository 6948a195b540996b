-- Messages. What clients and operators write is in the database of the proxy. What a shard tells the passengers of a booking, because of
-- an offer for example, is in that shard. `messages` shows both. The functions of 24_messages.sql, 25_notice.sql and 25_send_message.sql
-- are executed here; what they ask about a booking or a trip is asked from its shard.

CREATE OR REPLACE FUNCTION shards.trip_of_booking(
    reference text, OUT bus_id bigint, OUT travel_date date, OUT boarding_date date, OUT made_at timestamptz, OUT account text, OUT is_open boolean
) RETURNS record
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at_booking($1);
    SELECT (q.x).* FROM (SELECT api.trip_of_booking_here($1) AS x FROM api.enter_shard_of($1, false) OFFSET 0) AS q;
$$;

CREATE OR REPLACE FUNCTION api.trip_of_booking(
    reference text, OUT bus_id bigint, OUT travel_date date, OUT boarding_date date, OUT made_at timestamptz, OUT account text, OUT is_open boolean
) RETURNS record
LANGUAGE sql AS $$
    SELECT t.* FROM shards.trip_of_booking(reference) AS t WHERE reference IS NOT NULL
$$;

-- Its boarding date; NULL while its database is away, because it only completes the text of a message.
CREATE OR REPLACE FUNCTION api.booking_boarding_date(bus_id bigint, reference text) RETURNS date
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT t.boarding_date FROM api.trip_of_booking(reference) AS t);
EXCEPTION WHEN internal_error OR SQLSTATE 'BW065' THEN
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION api.trip_exists(bus_id bigint, travel_date date) RETURNS boolean
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1); SELECT api.trip_exists_here($1, $2) FROM api.enter_shard(ARRAY[$1], false);
$$;

CREATE OR REPLACE FUNCTION shards.check_operator(bus_id bigint, accounts jsonb, account text) RETURNS jsonb
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1); SELECT api.check_operator_here($3, $1) FROM api.enter_shard(ARRAY[$1], false, $2);
$$;

CREATE OR REPLACE FUNCTION api.check_operator(account text, bus_id bigint) RETURNS jsonb
LANGUAGE sql
RETURN shards.check_operator(bus_id, shards.accounts_of(ARRAY[account]), account);

CREATE OR REPLACE FUNCTION shards.record_notice(bus_id bigint, notice jsonb, message_no bigint) RETURNS jsonb
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1, true); SELECT api.record_notice_here($2, $3) FROM api.enter_shard(ARRAY[$1]);
$$;

-- Record the event of a notice in the shard, before the notice is committed here. If that fails, the event is recorded again with the next
-- attempt.
CREATE OR REPLACE FUNCTION api.record_notice(message messages, message_id bigint) RETURNS void
LANGUAGE sql AS $$
    SELECT shards.record_notice(message.bus_id, to_jsonb(message), message_id) WHERE message.audience IN ('trip', 'booking')
$$;

CREATE OR REPLACE FUNCTION api.count_reached(bus_id bigint, travel_date date, reference text DEFAULT NULL) RETURNS jsonb
LANGUAGE plproxy AS $$
    CLUSTER 'busware'; RUN ON shards.at($1); SELECT api.count_reached_here($1, $2, $3) FROM api.enter_shard(ARRAY[$1], false);
$$;

-- The messages that some readers have not read: those of this database, as api.missed_messages of a single one. The bookings of a reader
-- are asked from the shards; without those that are away.
CREATE OR REPLACE FUNCTION api.missed_messages(readers text[]) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    name text;
    t    record;
    day  date;   -- the boarding date of the reader's booking
    sent bigint[];
    row  record;
    all_missed jsonb := '[]';
BEGIN
    FOREACH name IN ARRAY readers LOOP
        day := NULL;
        IF name LIKE 'account:%' THEN
            sent := ARRAY(SELECT m.message_id FROM messages m WHERE m.account = substr(name, 9) AND m.audience IN ('booking', 'client'));
        ELSE
            BEGIN
                t := api.trip_of_booking(name);
            EXCEPTION WHEN internal_error OR SQLSTATE 'BW065' THEN
                CONTINUE;
            END;
            day := t.boarding_date;
            sent := ARRAY(
                SELECT m.message_id FROM messages m WHERE m.reference = name AND m.audience IN ('booking', 'client') AND m.at >= t.made_at
                UNION
                SELECT m.message_id FROM messages m WHERE m.bus_id = t.bus_id AND m.travel_date = t.travel_date AND m.audience = 'trip'
                    AND m.at >= t.made_at AND t.is_open
                UNION
                SELECT m.message_id FROM messages m WHERE m.audience = 'all' AND m.at >= t.made_at);
        END IF;
        all_missed := all_missed || (SELECT coalesce(jsonb_agg(jsonb_build_object('reader', name, 'message', to_jsonb(m) || jsonb_build_object(
                'boarding_date', CASE WHEN m.reference IS NOT NULL THEN api.booking_boarding_date(m.bus_id, m.reference) ELSE day END))
                ORDER BY m.message_id), '[]')
            FROM (SELECT n.* FROM messages n WHERE n.message_id = ANY (sent)
                AND n.message_id > coalesce((SELECT r.read_to FROM messages_read r WHERE r.reader = name), 0)
                ORDER BY n.message_id DESC LIMIT 20) AS m);
    END LOOP;
    RETURN all_missed;
END $$;

-- The last 100 messages about a booking, from the shard and from here, in the order of their times.
CREATE OR REPLACE FUNCTION shards.messages(accounts jsonb, args jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    own  CONSTANT jsonb := (SELECT r.answer FROM shards.read_of(shards.home_of(args), accounts, 'messages', args) AS r);
    trip record;
BEGIN
    IF own ? 'reason' THEN
        RETURN own;
    END IF;
    trip := api.trip_of_booking(upper(args ->> 'reference'));
    RETURN (SELECT jsonb_build_object('messages', coalesce(jsonb_agg(f.message ORDER BY f.at), '[]')) FROM (
        SELECT b.message, b.at FROM (
            SELECT e.message, (e.message ->> 'at')::timestamptz AS at FROM jsonb_array_elements(own -> 'messages') AS e (message)
            UNION ALL
            SELECT api.show_message(m, 'UTC'), m.at FROM api.messages_since(trip.bus_id, trip.travel_date, upper(args ->> 'reference'), trip.made_at) AS m
        ) AS b ORDER BY b.at DESC LIMIT 100) AS f);
END $$;
