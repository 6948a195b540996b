-- The trips of a travel date that an account may change, in the order of bus_id. date: by default today. page: the maximum
-- number of trips. after: `next` of the previous page. legs: whether each trip has its legs.
CREATE OR REPLACE FUNCTION api.trips(
    account text, date date DEFAULT NULL, page int DEFAULT NULL, after text DEFAULT NULL, legs boolean DEFAULT false
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    size  int := coalesce(page, 50);
    day   date := coalesce(trips.date, api.operated_today(account));
    shown jsonb;
    last  bigint;
BEGIN
    IF after !~ '^\d{1,18}$' THEN
        RETURN api.refusal_bad_request('after', 'the `next` of an earlier page', '`after` is not the `next` of a page.');
    END IF;
    SELECT jsonb_agg(CASE WHEN legs THEN api.trip_load(t.bus_id, t.travel_date) ELSE api.show_trip(t.bus_id, t.travel_date) END
        ORDER BY t.bus_id), max(t.bus_id) INTO shown, last FROM (
        SELECT t.bus_id, t.travel_date FROM trips t
        WHERE t.travel_date = day AND t.bus_id > coalesce(after::bigint, 0) AND api.keeps_service(t.bus_id) AND api.operates(account, t.bus_id)
        ORDER BY t.bus_id LIMIT size
    ) AS t;
    RETURN jsonb_build_object('date', day, 'trips', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', last::text) ELSE '{}' END;
END $$;

-- The date of today for an account that runs services: in the time zone of most of them; for an admin, of most of all services.
CREATE OR REPLACE FUNCTION api.operated_today(account text) RETURNS date
LANGUAGE sql STABLE
RETURN (api.now() AT TIME ZONE coalesce(
    (SELECT CASE WHEN a.role = 'admin' THEN (SELECT mode() WITHIN GROUP (ORDER BY s.time_zone) FROM bus_info s)
                 ELSE api.operator_time_zone(a.operator) END
     FROM accounts a WHERE a.username = operated_today.account), 'UTC'))::date;

-- A trip as its operator sees it: its times, the numbers of booked, held and pending tickets, its vehicle and drivers.
-- load: the seats that are booked or held on the fullest leg.
CREATE OR REPLACE FUNCTION api.show_trip(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('bus_id', s.bus_id, 'kind', s.kind, 'name', s.name, 'operator', s.operator,
            'travel_date', t.travel_date, 'state', t.state, 'origin', pa.name, 'destination', pb.name,
            'departs_at', api.rfc3339(api.expected(t, a.stop_no, a.departs, s.time_zone), pa.time_zone),
            'arrives_at', api.rfc3339(api.expected(t, b.stop_no, b.arrives, s.time_zone), pb.time_zone),
            'seats', api.seat_count(coalesce(t.own_seats ->> 'layout', s.layout)),
            'booked', live.booked, 'held', live.held, 'pending', waiting.pending,
            'load', (SELECT max(l.booked + l.held) FROM api.leg_loads(s.bus_id, t.travel_date) AS l))
        || api.scheduled_times(t.delays, a.stop_no, api.instant(t.travel_date, a.departs, s.time_zone), pa.time_zone,
            b.stop_no, api.instant(t.travel_date, b.arrives, s.time_zone), pb.time_zone)
        || api.show_assignment(t.bus_id, t.travel_date)
        || CASE WHEN t.skipped IS NULL THEN '{}' ELSE jsonb_build_object('skipped_stops', (
            SELECT jsonb_agg(jsonb_build_object('stop_no', n, 'place', api.stop_name(t.bus_id, n)) ORDER BY n) FROM unnest(t.skipped) AS n)) END
        || CASE WHEN t.reason IS NULL THEN '{}' ELSE jsonb_build_object('why', t.reason) END
    FROM trips t
    JOIN bus_info s ON s.bus_id = t.bus_id
    CROSS JOIN (SELECT min(r.stop_no) AS first, max(r.stop_no) AS last FROM route_table r WHERE r.bus_id = show_trip.bus_id) AS ends
    JOIN route_table a ON a.bus_id = t.bus_id AND a.stop_no = ends.first
    JOIN route_table b ON b.bus_id = t.bus_id AND b.stop_no = ends.last
    JOIN places pa ON pa.code = a.place
    JOIN places pb ON pb.code = b.place
    -- two subqueries: each has a partial index of its own
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE p.status = 'booked') AS booked,
               count(*) FILTER (WHERE p.status = 'held' AND p.expires_at > api.now()) AS held
        FROM passengers p
        WHERE p.bus_id = t.bus_id AND p.travel_date = t.travel_date AND p.status IN ('held', 'booked')
    ) AS live
    CROSS JOIN LATERAL (
        SELECT count(*) AS pending FROM passengers p
        WHERE p.bus_id = t.bus_id AND p.travel_date = t.travel_date AND p.status = 'pending' AND p.expires_at > api.now()
    ) AS waiting
    WHERE t.bus_id = show_trip.bus_id AND t.travel_date = show_trip.travel_date
$$;
