-- The seats of a trip on a segment, each free, held or taken.
CREATE OR REPLACE FUNCTION api.seat_map(
    bus_id bigint, travel_date date, origin text DEFAULT NULL, destination text DEFAULT NULL,
    from_stop int DEFAULT NULL, to_stop int DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service bus_info;
    s       api.found_segment;
    seats   jsonb;
BEGIN
    SELECT i.* INTO service FROM bus_info i JOIN trips t USING (bus_id)
    WHERE t.bus_id = seat_map.bus_id AND t.travel_date = seat_map.travel_date;
    IF NOT FOUND THEN
        RETURN api.refusal_unknown_trip(bus_id, travel_date);
    END IF;
    s := api.find_segment(service, travel_date, origin, destination, from_stop, to_stop);
    IF s.refusal IS NOT NULL THEN
        RETURN s.refusal;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('seat_no', p.seat_no, 'deck', p.deck, 'row', p.row_no, 'column', p.column_no,
            'kind', p.kind, 'state', CASE WHEN NOT n.taken && s.segment THEN 'free'
                                          WHEN h.seat_no IS NOT NULL THEN 'held' ELSE 'taken' END)
        ORDER BY p.seat_no)
    INTO seats
    FROM api.seats_now(seat_map.bus_id, seat_map.travel_date) AS n
    JOIN seat_plan p ON p.bus_id = seat_map.bus_id AND p.seat_no = n.seat_no
    LEFT JOIN (
        SELECT DISTINCT h.seat_no FROM passengers h
        WHERE h.bus_id = seat_map.bus_id AND h.travel_date = seat_map.travel_date
          AND h.status = 'held' AND h.expires_at > api.now() AND h.segment && s.segment
    ) AS h ON h.seat_no = p.seat_no;
    RETURN jsonb_build_object('layout', service.layout, 'fare', s.fare::text, 'seats', seats, 'max_seats', service.max_seats);
END $$;

-- The refusal for a trip or a service that does not exist. It has the nearest dates with a trip of the service.
CREATE OR REPLACE FUNCTION api.refusal_unknown_trip(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service bus_info;
    dates   jsonb;
BEGIN
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = refusal_unknown_trip.bus_id;
    IF NOT FOUND THEN
        RETURN api.refusal('unknown_trip', format('There is no bus %s. A search lists the numbers of the buses.', bus_id));
    END IF;
    SELECT coalesce(jsonb_agg(near.travel_date ORDER BY near.travel_date), '[]') INTO dates FROM (
        SELECT t.travel_date FROM trips t
        WHERE t.bus_id = refusal_unknown_trip.bus_id AND t.state = 'open'
          AND t.travel_date >= (api.now() AT TIME ZONE service.time_zone)::date
        ORDER BY abs(t.travel_date - refusal_unknown_trip.travel_date), t.travel_date LIMIT 3
    ) AS near;
    RETURN api.refusal('unknown_trip',
        format('%s (%s %s) has no trip on %s.', service.name, service.nouns ->> 'service', bus_id, travel_date)
        || CASE WHEN jsonb_array_length(dates) = 0 THEN ''
           ELSE ' The nearest: ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(dates)), ', ') || '.' END,
        jsonb_build_object('dates', dates));
END $$;
