-- The seats of a trip on a segment, each free, held or taken. Where the fare depends on the seat, `fare` is the lowest of a
-- free seat. account: the caller's; one that may change the service sees which seats are blocked.
CREATE OR REPLACE FUNCTION api.seat_map(
    bus_id bigint, travel_date date, origin text DEFAULT NULL, destination text DEFAULT NULL,
    from_stop int DEFAULT NULL, to_stop int DEFAULT NULL, boarding_date date DEFAULT NULL, account text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    trip    trips;
    service bus_info;
    s       api.found_segment;
    seats   jsonb;
    fares   jsonb;
    zone    text;   -- of the boarding place
BEGIN
    travel_date := coalesce(travel_date, api.travel_date_of(bus_id, boarding_date, origin, destination, from_stop));
    SELECT * INTO trip FROM trips t WHERE t.bus_id = seat_map.bus_id AND t.travel_date = seat_map.travel_date;
    IF NOT FOUND THEN
        RETURN api.refusal_unknown_trip(bus_id, travel_date, boarding_date, origin, destination, from_stop, to_stop);
    END IF;
    service := api.service_of(trip);
    s := api.find_segment(service, trip, origin, destination, from_stop, to_stop, boarding_date);
    s.refusal := coalesce(s.refusal, CASE WHEN service.shortest_segment_km IS NOT NULL THEN api.check_length(service, s) END);
    IF s.refusal IS NOT NULL THEN
        RETURN s.refusal;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('seat_no', p.seat_no, 'deck', p.deck, 'row', p.row_no, 'column', p.column_no,
            'kind', p.kind, 'state', CASE WHEN NOT n.taken && s.segment THEN 'free'
                                          WHEN h.seat_no IS NOT NULL THEN 'held' ELSE 'taken' END)
        ORDER BY p.seat_no)
    INTO seats
    FROM api.seats_now(seat_map.bus_id, seat_map.travel_date) AS n
    JOIN api.positions_of_seats(seat_map.bus_id, trip.own_seats ->> 'layout') AS p ON p.seat_no = n.seat_no
    LEFT JOIN (
        SELECT DISTINCT h.seat_no FROM passengers h
        WHERE h.bus_id = seat_map.bus_id AND h.travel_date = seat_map.travel_date
          AND h.status = 'held' AND h.expires_at > api.now() AND h.segment && s.segment
    ) AS h ON h.seat_no = p.seat_no;
    fares := api.shown_fares(service, travel_date, s);
    IF service.seat_classes IS NOT NULL THEN
        seats := api.seats_with_classes(service, seats, fares);
    END IF;
    IF num_nonnulls(service.women_seats, service.accessible_seats) > 0 THEN
        seats := api.seats_with_reservations(service, seats);
    END IF;
    IF api.operates(account, service.bus_id) THEN
        seats := api.seats_with_blocks(seats, service.bus_id, travel_date, s.segment);
    END IF;
    SELECT p.time_zone INTO zone FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = service.bus_id AND r.stop_no = s.from_stop;
    RETURN jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date,
        'boarding_date', api.boarding_date(service, travel_date, s.from_stop), 'from_stop', s.from_stop, 'to_stop', s.to_stop,
        'layout', service.layout, 'seats', seats, 'max_seats', service.max_seats, 'currency', service.currency)
        || fares || jsonb_strip_nulls(jsonb_build_object('concessions', service.concessions,
            'promo_codes', CASE WHEN api.has_promo_codes(service) THEN true END))
        || CASE WHEN service.refund_tiers IS NOT NULL THEN api.show_tiers(service.refund_tiers, s.departs_at, zone)
                ELSE jsonb_build_object('refund_percent', trim_scale(service.refund_percent)::text,
                                        'refund_until', api.rfc3339(s.sells_until, zone)) END;
END $$;

-- The seats of a seat map with their classes, and with their fares where they differ from the fare of the map. fares: as
-- of api.shown_fares.
CREATE OR REPLACE FUNCTION api.seats_with_classes(service bus_info, seats jsonb, fares jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(seat || jsonb_strip_nulls(jsonb_build_object('seat_class', c.seat_class,
            'fare', nullif(priced ->> 'fare', fares ->> 'fare'))) ORDER BY (seat ->> 'seat_no')::int)
    FROM jsonb_array_elements(seats) AS seat
    JOIN api.seats_by_class(service) AS c ON (seat ->> 'seat_no')::int = ANY (c.seats)
    JOIN jsonb_array_elements(fares -> 'classes') AS priced ON priced ->> 'name' IS NOT DISTINCT FROM c.seat_class
$$;

-- The seats of a seat map; reserved ones with reserved_for.
CREATE OR REPLACE FUNCTION api.seats_with_reservations(service bus_info, seats jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(seat || CASE
            WHEN (seat ->> 'seat_no')::int = ANY (service.women_seats) THEN '{"reserved_for": "women"}'
            WHEN (seat ->> 'seat_no')::int = ANY (service.accessible_seats) THEN '{"reserved_for": "accessible"}'
            ELSE '{}' END::jsonb ORDER BY n)
    FROM jsonb_array_elements(seats) WITH ORDINALITY AS s (seat, n)
$$;

-- The seats of a seat map, with `blocked` where the operator has blocked a part of the segment.
CREATE OR REPLACE FUNCTION api.seats_with_blocks(seats jsonb, bus_id bigint, travel_date date, segment int4range) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(seat || CASE WHEN t.blocked && segment THEN '{"blocked": true}' ELSE '{}' END::jsonb ORDER BY t.seat_no)
    FROM jsonb_array_elements(seats_with_blocks.seats) AS seat
    JOIN seats t ON t.bus_id = seats_with_blocks.bus_id AND t.travel_date = seats_with_blocks.travel_date
                AND t.seat_no = (seat ->> 'seat_no')::int
$$;

-- The refusal for a trip or a service that does not exist. It has the nearest dates with a trip of the service. If the
-- request has a boarding date instead of a travel date, these are boarding dates, of all stops that match the request; a
-- wrong segment is refused as such.
CREATE OR REPLACE FUNCTION api.refusal_unknown_trip(
    bus_id bigint, travel_date date, boarding_date date DEFAULT NULL, origin text DEFAULT NULL,
    destination text DEFAULT NULL, from_stop int DEFAULT NULL, to_stop int DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service bus_info;
    s       api.found_segment;
    wanted  date := coalesce(travel_date, boarding_date);
    origins      text[];   -- NULL, if the request has the numbers of the stops
    destinations text[];
    dates   jsonb;
BEGIN
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = refusal_unknown_trip.bus_id;
    IF NOT FOUND THEN
        RETURN api.refusal('unknown_trip', format('There is no bus %s. A search lists the numbers of the buses.', bus_id));
    END IF;
    IF travel_date IS NULL AND boarding_date IS NOT NULL THEN
        s := api.find_segment(service, NULL, origin, destination, from_stop, to_stop);
        IF s.refusal IS NOT NULL THEN
            RETURN s.refusal;
        END IF;
        IF from_stop IS NULL OR to_stop IS NULL THEN
            origins := api.place_codes(origin);
            destinations := api.place_codes(destination);
        END IF;
    END IF;
    SELECT coalesce(jsonb_agg(near.date ORDER BY near.date), '[]') INTO dates FROM (
        SELECT DISTINCT d.date, abs(d.date - wanted) AS days FROM trips t
        CROSS JOIN LATERAL (
            SELECT t.travel_date AS date WHERE s.from_stop IS NULL
            UNION ALL
            SELECT api.date_at(t.travel_date, a.departs, service.time_zone, p.time_zone)
            FROM (
                SELECT s.from_stop, s.to_stop
                UNION
                SELECT c.from_stop, c.to_stop FROM api.boarding_stops(service.bus_id, origins, destinations) AS c
            ) AS c
            JOIN route_table a ON a.bus_id = service.bus_id AND a.stop_no = c.from_stop
            JOIN route_table b ON b.bus_id = service.bus_id AND b.stop_no = c.to_stop
            JOIN places p ON p.code = a.place
            WHERE NOT api.is_after_end(service, t.travel_date, b.arrives)
        ) AS d
        WHERE t.bus_id = refusal_unknown_trip.bus_id AND t.state = 'open'
          AND d.date >= (api.now() AT TIME ZONE service.time_zone)::date
        ORDER BY days, d.date LIMIT 3
    ) AS near;
    RETURN api.refusal('unknown_trip',
        format('%s (%s %s) has no trip%s on %s.', service.name, service.nouns ->> 'service', bus_id,
            ' from ' || api.stop_name(bus_id, s.from_stop), wanted)
        || CASE WHEN jsonb_array_length(dates) = 0 THEN ''
           ELSE ' The nearest: ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(dates)), ', ') || '.' END,
        jsonb_build_object('dates', dates));
END $$;
