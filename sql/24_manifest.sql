-- For operators: at each stop of a trip who boards, who alights, and which seats come free there. Stops
-- at which nobody does are left out.
CREATE OR REPLACE FUNCTION api.manifest(account text, bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    trip    jsonb := api.show_trip(bus_id, travel_date);
    refusal jsonb := api.check_operator(account, bus_id);
BEGIN
    IF refusal IS NULL AND trip IS NULL THEN
        refusal := api.refusal_unknown_trip(bus_id, travel_date);
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    RETURN trip || jsonb_build_object('stops', coalesce((
        WITH riders AS MATERIALIZED (SELECT * FROM api.booked_passengers(manifest.bus_id, manifest.travel_date))
        SELECT jsonb_agg(jsonb_build_object('stop_no', r.stop_no, 'place', c.name,
                'arrives_at', api.rfc3339(api.instant(manifest.travel_date, r.arrives, s.time_zone), c.time_zone),
                'departs_at', api.rfc3339(api.instant(manifest.travel_date, r.departs, s.time_zone), c.time_zone),
                'boards', coalesce(boards.passengers, '[]'), 'alights', coalesce(alights.passengers, '[]'),
                'comes_free', coalesce(alights.seats, '[]')) ORDER BY r.stop_no)
        FROM route_table r
        JOIN bus_info s ON s.bus_id = r.bus_id
        JOIN places c ON c.code = r.place
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(one.passenger ORDER BY one.seat_no) AS passengers
            FROM riders AS one WHERE one.from_stop = r.stop_no
        ) AS boards
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(one.passenger ORDER BY one.seat_no) AS passengers,
                   jsonb_agg(one.seat_no ORDER BY one.seat_no) FILTER (WHERE NOT EXISTS (
                       SELECT FROM seats n WHERE n.bus_id = manifest.bus_id AND n.travel_date = manifest.travel_date
                         AND n.seat_no = one.seat_no AND n.taken @> r.stop_no)) AS seats
            FROM riders AS one WHERE one.to_stop = r.stop_no
        ) AS alights
        WHERE r.bus_id = manifest.bus_id AND (boards.passengers IS NOT NULL OR alights.passengers IS NOT NULL)
    ), '[]'));
END $$;

-- The passengers of a trip who are booked, with the phone of their account where they gave none.
CREATE OR REPLACE FUNCTION api.booked_passengers(bus_id bigint, travel_date date)
RETURNS TABLE (seat_no int, from_stop int, to_stop int, passenger jsonb)
LANGUAGE sql STABLE AS $$
    SELECT p.seat_no, lower(p.segment), upper(p.segment), jsonb_build_object('reference', p.reference,
        'ticket_no', p.ticket_no, 'seat_no', p.seat_no, 'name', p.name,
        'phone', coalesce(p.phone, (SELECT a.phone FROM accounts a WHERE a.username = p.account)))
    FROM passengers p
    WHERE p.bus_id = booked_passengers.bus_id AND p.travel_date = booked_passengers.travel_date AND p.status = 'booked'
$$;
