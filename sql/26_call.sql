-- Execute one write; waits for the locks of its trips, its promo code and its agent. For psql, as the owner of the database,
-- and for a database sharded by bus_id. caller: without effect. In version 0.1.0 it named the owner of the key, which now
-- follows from args.
CREATE OR REPLACE FUNCTION api.call(method text, args jsonb, caller text DEFAULT '', key text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    trip   record;
    found  record := api.trips_of(method, args);
    locked record;
BEGIN
    LOOP   -- again, if the booking moved before its trips were locked
        PERFORM api.lock_trip(t.bus_id, t.travel_date) FROM unnest(found.bus_ids, found.dates) AS t (bus_id, travel_date);
        locked := found;
        found := api.trips_of(method, args);
        EXIT WHEN found IS NOT DISTINCT FROM locked;
    END LOOP;
    trip := api.trip_of(args);
    PERFORM api.wait_for_promo_code(trip.bus_id, args), api.wait_for_agent(trip.bus_id, args);
    RETURN (SELECT b.answer FROM api.batch(jsonb_build_array(
        jsonb_build_object('method', method, 'args', args, 'key', key))) AS b);
END $$;

-- The trips that a call locks, in the order in which every call locks them: its trip, and the other one of an exchange, of a payment
-- for one, or of an offer that is accepted.
CREATE OR REPLACE FUNCTION api.trips_of(method text, args jsonb, OUT bus_ids bigint[], OUT dates date[]) RETURNS record
LANGUAGE sql STABLE AS $$
    SELECT array_agg(t.bus_id ORDER BY t.bus_id, t.travel_date), array_agg(t.travel_date ORDER BY t.bus_id, t.travel_date) FROM (
        SELECT t.bus_id, t.travel_date FROM api.trip_of(args) AS t
        UNION
        SELECT e.bus_id, e.travel_date
        FROM api.open_booking(args ->> 'reference', args ->> 'phone', args ->> 'account') AS b,
             api.exchange_target(b, jsonb_populate_record(NULL::api.request, args)) AS e
        WHERE method IN ('exchange', 'exchange_quote', 'pay') AND b.refusal IS NULL
        UNION
        SELECT e.bus_id, e.travel_date
        FROM api.named_payment(upper(btrim(args ->> 'reference')), args -> 'payment') AS i,
             jsonb_populate_record(NULL::api.request, i.exchange) AS e
        WHERE method IN ('settle_payment', 'payment_result') AND i.exchange IS NOT NULL
        UNION
        SELECT h.bus_id, h.travel_date
        FROM api.open_booking(args ->> 'reference', args ->> 'phone', args ->> 'account') AS b,
             api.named_offer(b, (args ->> 'offer_no')::int) AS o
        JOIN passengers h ON h.bus_id = o.hold_bus_id AND h.reference = o.hold
        WHERE method = 'accept' AND b.refusal IS NULL AND o.state = 'open'
    ) AS t
$$;
