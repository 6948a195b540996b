-- Find trips that leave the origin on a date, in the origin's time zone. For example, an overnight trip with travel
-- date Friday that leaves the origin at 01:30 is found on Saturday. until: the date on which they reach the
-- destination (a hotel's check-out). Left out are trips that are no longer on sale from the origin, and trips of services
-- that do not sell such a short segment. An ambiguous name is refused if services go from or to several of its places;
-- only services of the given kind count. If one name is ambiguous and the other one unknown, the unknown one is refused,
-- because the ambiguous one may be right.
CREATE OR REPLACE FUNCTION api.search(
    origin text, destination text, date date, until date DEFAULT NULL, kind text DEFAULT NULL,
    bus_type text DEFAULT NULL, ac boolean DEFAULT NULL, seats int DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    origins      text[] := api.place_codes(origin);
    destinations text[] := api.place_codes(destination);
    refusal      jsonb := CASE WHEN origins IS NOT NULL AND destinations IS NULL THEN api.refusal_unknown_place(destination)
        ELSE coalesce(api.check_place(origin, origins), api.check_place(destination, destinations)) END;
    connected    record;
    found        jsonb;
BEGIN
    IF refusal ->> 'reason' = 'ambiguous_place' THEN
        SELECT * INTO connected FROM api.connected_places(origins, destinations, kind => search.kind);
        IF connected.from_places IS NOT NULL THEN
            refusal := coalesce(api.check_place(origin, connected.from_places),
                                api.check_place(destination, connected.to_places));
        END IF;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    found := (
        SELECT jsonb_agg(f.trip ORDER BY f.departs_at, f.arrives_at, f.bus_id)
        FROM (   -- DISTINCT: while a virtual shard is moved, two shards may find its trips
            SELECT DISTINCT f.* FROM api.found_trips(origins, destinations, date, until, kind, bus_type, ac, seats) AS f) AS f);
    IF found IS NULL THEN
        RETURN coalesce(api.check_search_date(origins, search.date), '{"trips": []}');
    END IF;
    RETURN jsonb_build_object('trips', found);
END $$;

-- The trips that api.search finds: the values that order them, and the fields of each.
CREATE OR REPLACE FUNCTION api.found_trips(
    origins text[], destinations text[], date date, until date, kind text, bus_type text, ac boolean, seats int
) RETURNS TABLE (departs_at timestamptz, arrives_at timestamptz, bus_id bigint, trip jsonb)
LANGUAGE plpgsql STABLE AS $$   -- SQL would plan the query in each call
BEGIN
    -- MATERIALIZED, because the planner misjudges the filters below, which are NULL in most calls
    RETURN QUERY
    WITH departure AS MATERIALIZED (SELECT * FROM api.departures(origins, destinations, found_trips.date, found_trips.until))
    SELECT t.departs_at, t.arrives_at, t.bus_id, jsonb_build_object(
            'bus_id', t.bus_id, 'kind', t.kind, 'name', t.name, 'operator', t.operator, 'bus_type', t.bus_type,
            'ac', t.ac, 'travel_date', t.travel_date, 'boarding_date', found_trips.date, 'origin', t.origin, 'destination', t.destination,
            'from_stop', t.from_stop, 'to_stop', t.to_stop,
            'departs_at', api.rfc3339(t.departs_at, t.origin_zone),
            'arrives_at', api.rfc3339(t.arrives_at, t.destination_zone),
            'currency', t.currency, 'fare', api.amount_text(t.fare, t.currency), 'seats_free', t.seats_free) || t.scheduled
            || CASE WHEN t.reserves THEN
                api.reserved_free(t.bus_id, t.travel_date, int4range(t.from_stop, t.to_stop)) ELSE '{}' END
            || CASE WHEN t.has_rules THEN api.fares_found(t.bus_id, t.travel_date, t.from_stop, t.to_stop) ELSE '{}' END
    FROM (
        SELECT d.*, api.seats_free(d.bus_id, d.travel_date, int4range(d.from_stop, d.to_stop)) AS seats_free
        FROM departure AS d
        WHERE (found_trips.kind IS NULL OR d.kind = found_trips.kind)
          AND (found_trips.bus_type IS NULL OR d.bus_type = found_trips.bus_type)
          AND (found_trips.ac IS NULL OR d.ac = found_trips.ac)
    ) AS t
    WHERE found_trips.seats IS NULL OR t.seats_free >= found_trips.seats;
END $$;

-- The fares of a segment of a trip whose service has classes or fare rules: see api.shown_fares.
CREATE OR REPLACE FUNCTION api.fares_found(bus_id bigint, travel_date date, from_stop int, to_stop int) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.shown_fares(s, t.travel_date, api.find_segment(s, t, NULL, NULL, from_stop, to_stop))
    FROM trips t, api.service_of(t) AS s WHERE t.bus_id = fares_found.bus_id AND t.travel_date = fares_found.travel_date
$$;

-- How many of the free seats of a segment are reserved, as fields of a trip that is found.
CREATE OR REPLACE FUNCTION api.reserved_free(bus_id bigint, travel_date date, segment int4range) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'women_seats_free', CASE WHEN s.women_seats IS NOT NULL THEN
            api.seats_free(s.bus_id, reserved_free.travel_date, segment, s.women_seats) END,
        'accessible_seats_free', CASE WHEN s.accessible_seats IS NOT NULL THEN
            api.seats_free(s.bus_id, reserved_free.travel_date, segment, s.accessible_seats) END))
    FROM trips t, api.service_of(t) AS s WHERE t.bus_id = reserved_free.bus_id AND t.travel_date = reserved_free.travel_date
$$;

-- The departures on sale between places, on a boarding date. If a route calls at the destination twice, its
-- first stop there after the boarding stop counts.
CREATE OR REPLACE FUNCTION api.departures(origins text[], destinations text[], date date, until date)
RETURNS TABLE (bus_id bigint, travel_date date, kind text, name text, operator text, bus_type text, ac boolean,
               from_stop int, to_stop int, origin text, destination text,
               departs_at timestamptz, arrives_at timestamptz, scheduled jsonb, origin_zone text, destination_zone text, currency text, fare numeric, has_rules boolean, reserves boolean)
LANGUAGE sql STABLE AS $$
    SELECT s.bus_id, t.travel_date, s.kind, s.name, s.operator, s.bus_type, s.ac,
           a.stop_no, b.stop_no, pa.name, b.name,
           api.expected(t, a.stop_no, a.departs, s.time_zone), api.expected(t, b.stop_no, b.arrives, s.time_zone),
           api.scheduled_times(t.delays, a.stop_no, api.instant(t.travel_date, a.departs, s.time_zone), pa.time_zone,
               b.stop_no, api.instant(t.travel_date, b.arrives, s.time_zone), b.time_zone),
           pa.time_zone, b.time_zone, s.currency, api.segment_fare(a, b.stop_no, b.fare), num_nonnulls(s.seat_classes, s.fare_rules) > 0,
           num_nonnulls(s.women_seats, s.accessible_seats, t.own_seats) > 0
    FROM route_table a
    JOIN places pa ON pa.code = a.place
    JOIN bus_info s ON s.bus_id = a.bus_id
    JOIN (   -- most services do not go there; EXISTS would compare each stop of a hotel with all others
        SELECT r.bus_id, max(r.stop_no) AS stop_no FROM route_table r
        WHERE r.place = ANY (destinations)
          AND r.bus_id IN (SELECT o.bus_id FROM route_table o WHERE o.place = ANY (origins))
        GROUP BY r.bus_id
    ) AS last ON last.bus_id = a.bus_id AND last.stop_no > a.stop_no
    CROSS JOIN LATERAL api.trips_boarding(a.bus_id, a.departs, s.time_zone, departures.date, pa.time_zone) AS t
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (r.place) r.stop_no, r.km, r.fare, r.arrives, p.name, p.time_zone
        FROM route_table r JOIN places p ON p.code = r.place
        WHERE r.bus_id = a.bus_id AND r.stop_no > a.stop_no AND r.place = ANY (destinations) AND r.arrives IS NOT NULL
          AND NOT api.is_after_end(s, t.travel_date, r.arrives) AND api.serves(t, r.stop_no)
          AND (departures.until IS NULL OR api.can_be_on(departures.until, t.travel_date, r.arrives) AND
               api.date_at(t.travel_date, r.arrives, s.time_zone, p.time_zone) = departures.until)
        ORDER BY r.place, r.stop_no
    ) AS b
    WHERE a.place = ANY (origins) AND a.departs IS NOT NULL AND t.state = 'open' AND api.serves(t, a.stop_no)
      AND api.sells_until(s, t, a.stop_no, a.departs) > api.now()
      AND api.sells_length(s, b.km - a.km, api.expected(t, a.stop_no, a.departs, s.time_zone))
$$;

-- Check that trips can be on sale on a boarding date: at one of the places or more, it is today or later, and it is not after
-- the last date with a departure on sale.
CREATE OR REPLACE FUNCTION api.check_search_date(origins text[], date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    today date := api.on_sale_from(origins);
    last  date := api.on_sale_until(origins);
BEGIN
    RETURN CASE
        WHEN date < today THEN api.refusal_bad_request('date', format('a date from %s on', today),
            format('%s is in the past; today is %s.', date, today))
        WHEN date > last THEN api.refusal_bad_request('date', format('a date up to %s', last),
            format('Sales are open up to %s.', last)) END;
END $$;
