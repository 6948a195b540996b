-- The manifest of a trip, for operators: the passengers who board and alight at each stop, and the seats that become
-- free there.

-- The earlier names of a ticket, for operators: each with the time of the transfer, and the account that made it.
CREATE OR REPLACE FUNCTION api.earlier_names(bus_id bigint, reference text, ticket_no int) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(jsonb_build_object('name', t.from_name, 'account', t.account,
        'until', api.rfc3339(t.at, s.time_zone)) ORDER BY t.transfer_no)
    FROM transfers t JOIN bus_info s ON s.bus_id = t.bus_id
    WHERE t.bus_id = earlier_names.bus_id AND t.reference = earlier_names.reference AND t.ticket_no = earlier_names.ticket_no
$$;

-- The stops of a trip with the booked passengers who board and alight there (NULL: none). A passenger without
-- phone number is listed with the phone number of the account. come_free: the seats of alighting passengers that are
-- not taken on the next leg. A no-show boards and does not alight.
CREATE OR REPLACE FUNCTION api.trip_stops(bus_id bigint, travel_date date)
RETURNS TABLE (stop_no int, place text, time_zone text, arrives interval, departs interval,
               boards jsonb, alights jsonb, come_free int[])
LANGUAGE sql STABLE AS $$
    WITH booked AS MATERIALIZED (
        SELECT coalesce(p.seat_no, p.former_seat) AS seat_no, lower(p.segment) AS from_stop, upper(p.segment) AS to_stop,
               jsonb_build_object('reference', p.reference, 'ticket_no', p.ticket_no, 'seat_no', coalesce(p.seat_no, p.former_seat), 'name', p.name,
                   'phone', coalesce(p.phone, (SELECT a.phone FROM accounts a WHERE a.username = p.account)))
               || jsonb_strip_nulls(jsonb_build_object('seat_class', api.name_in(p.fare_parts, 'class'),
                   'concession', api.name_in(p.fare_parts, 'concession'), 'infant', p.infant, 'gender', p.gender,
                   'accessible', p.accessible, 'sold_by', p.sold_by, 'email', c.email, 'email_bounced', CASE WHEN b.address IS NOT NULL THEN true END,
                   'checked_in_at', api.rfc3339(p.checked_in_at, s.time_zone), 'no_show_at', api.rfc3339(p.no_show_at, s.time_zone),
                   'earlier_names', api.earlier_names(p.bus_id, p.reference, p.ticket_no))) AS passenger,
               p.no_show_at IS NOT NULL AS no_show
        FROM passengers p JOIN bus_info s ON s.bus_id = p.bus_id
        LEFT JOIN contacts c ON c.bus_id = api.reference_bus(p.reference) AND c.reference = p.reference
        LEFT JOIN bounces b ON b.address = lower(c.email)
        WHERE p.bus_id = trip_stops.bus_id AND p.travel_date = trip_stops.travel_date AND p.status = 'booked'
    ), seat AS MATERIALIZED (
        SELECT * FROM api.seats_now(trip_stops.bus_id, trip_stops.travel_date)
    )
    SELECT r.stop_no, c.name, c.time_zone, r.arrives, r.departs,
           (SELECT jsonb_agg(b.passenger ORDER BY b.seat_no) FROM booked b WHERE b.from_stop = r.stop_no),
           (SELECT jsonb_agg(b.passenger ORDER BY b.seat_no) FROM booked b WHERE b.to_stop = r.stop_no AND NOT b.no_show),
           (SELECT array_agg(b.seat_no ORDER BY b.seat_no) FROM booked b JOIN seat USING (seat_no)
            WHERE b.to_stop = r.stop_no AND NOT seat.taken @> r.stop_no)
    FROM route_table r JOIN places c ON c.code = r.place
    WHERE r.bus_id = trip_stops.bus_id
$$;

-- A trip with its stops, without those at which no passenger boards or alights and no seat becomes free.
CREATE OR REPLACE FUNCTION api.trip_manifest(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    trip jsonb := api.show_trip(bus_id, travel_date);
BEGIN
    IF trip IS NULL THEN
        RETURN api.refusal_unknown_trip(bus_id, travel_date);
    END IF;
    RETURN trip || jsonb_build_object('stops', coalesce((
        SELECT jsonb_agg(jsonb_build_object('stop_no', r.stop_no, 'place', r.place,
                'arrives_at', api.rfc3339(api.expected(t, r.stop_no, r.arrives, s.time_zone), r.time_zone),
                'departs_at', api.rfc3339(api.expected(t, r.stop_no, r.departs, s.time_zone), r.time_zone),
                'boards', coalesce(r.boards, '[]'), 'alights', coalesce(r.alights, '[]'),
                'comes_free', coalesce(to_jsonb(r.come_free), '[]'))
                || api.scheduled_times(t.delays, r.stop_no, api.instant(t.travel_date, r.departs, s.time_zone), r.time_zone,
                    r.stop_no, api.instant(t.travel_date, r.arrives, s.time_zone), r.time_zone)
                || CASE WHEN api.expected(t, r.stop_no, r.departs, s.time_zone) <= api.now() THEN '{"departed": true}' ELSE '{}' END::jsonb
            ORDER BY r.stop_no)
        FROM api.trip_stops(trip_manifest.bus_id, trip_manifest.travel_date) AS r
        JOIN trips t ON t.bus_id = trip_manifest.bus_id AND t.travel_date = trip_manifest.travel_date
        JOIN bus_info s ON s.bus_id = t.bus_id
        WHERE r.boards IS NOT NULL OR r.alights IS NOT NULL OR r.come_free IS NOT NULL
    ), '[]')) || api.blocks_if_any(bus_id, travel_date);
END $$;

-- The manifest of a trip, for an account that may change the service.
CREATE OR REPLACE FUNCTION api.manifest(account text, bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN coalesce(api.check_operator(account, bus_id), api.trip_manifest(bus_id, travel_date));
