-- Segments of a trip, found by places or by stop numbers; the trip of a boarding date.

-- The stops of a service at one of the origins that have a later stop at one of the destinations. to_stop: the first
-- such stop; if some are not in `skipped`, the first of these.
CREATE OR REPLACE FUNCTION api.boarding_stops(bus_id bigint, origins text[], destinations text[], skipped int[] DEFAULT NULL)
RETURNS TABLE (from_stop int, place text, departs interval, to_stop int)
LANGUAGE sql STABLE AS $$
    SELECT a.stop_no, a.place, a.departs, coalesce(a.served_stop, a.to_stop)
    FROM (
        SELECT r.stop_no, r.place, r.departs,
               min(r.stop_no) FILTER (WHERE r.place = ANY (destinations) AND r.arrives IS NOT NULL) OVER later AS to_stop,
               CASE WHEN skipped IS NOT NULL THEN min(r.stop_no) FILTER (WHERE r.place = ANY (destinations)
                   AND r.arrives IS NOT NULL AND r.stop_no <> ALL (skipped)) OVER later END AS served_stop
        FROM route_table r WHERE r.bus_id = boarding_stops.bus_id
        WINDOW later AS (ORDER BY r.stop_no DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ) AS a
    WHERE a.place = ANY (origins) AND a.departs IS NOT NULL AND a.to_stop IS NOT NULL
$$;

-- The pairs of an origin and a destination between which a service goes. bus_id, kind: only that service, or only services of
-- that kind; NULL: any.
CREATE OR REPLACE FUNCTION api.connections(origins text[], destinations text[], bus_id bigint, kind text)
RETURNS TABLE (from_place text, to_place text)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT a.place, b.place
    FROM route_table a
    JOIN bus_info s ON s.bus_id = a.bus_id
    JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no > a.stop_no
    WHERE a.place = ANY (origins) AND b.place = ANY (destinations) AND a.departs IS NOT NULL AND b.arrives IS NOT NULL
      AND (connections.bus_id IS NULL OR a.bus_id = connections.bus_id)
      AND (connections.kind IS NULL OR s.kind = connections.kind)
$$;

-- The places, of those that two names may mean, between which a service goes, as in api.connections. Both results are NULL if
-- no service goes between any of the places.
CREATE OR REPLACE FUNCTION api.connected_places(
    origins text[], destinations text[], bus_id bigint DEFAULT NULL, kind text DEFAULT NULL,
    OUT from_places text[], OUT to_places text[]
) RETURNS record
LANGUAGE sql STABLE AS $$
    SELECT array_agg(DISTINCT c.from_place), array_agg(DISTINCT c.to_place)
    FROM api.connections(origins, destinations, connected_places.bus_id, connected_places.kind) AS c
$$;

-- The travel date of the trip that leaves the origin (a place or a stop number) on a boarding date; NULL if there is
-- none. If several trips leave it on that date, or one trip several times, the first stop that still sells decides.
CREATE OR REPLACE FUNCTION api.travel_date_of(bus_id bigint, boarding_date date, origin text, destination text, from_stop int) RETURNS date
LANGUAGE plpgsql STABLE AS $$
DECLARE
    origins      text[] := api.place_codes(origin);
    destinations text[] := api.place_codes(destination);
BEGIN
    RETURN (
        SELECT t.travel_date
        FROM bus_info s
        CROSS JOIN LATERAL (
            SELECT r.stop_no, r.place, r.departs FROM route_table r
            WHERE r.bus_id = s.bus_id AND r.stop_no = travel_date_of.from_stop
            UNION ALL
            SELECT c.from_stop, c.place, c.departs FROM api.boarding_stops(s.bus_id, origins, destinations) AS c
        ) AS a
        JOIN places p ON p.code = a.place
        CROSS JOIN LATERAL api.trips_boarding(s.bus_id, a.departs, s.time_zone, travel_date_of.boarding_date, p.time_zone) AS t
        WHERE s.bus_id = travel_date_of.bus_id
        ORDER BY t.state <> 'open' OR api.sells_until(s, t, a.stop_no, a.departs) <= api.now(),
                 a.stop_no, t.travel_date
        LIMIT 1);
END $$;

-- The date on which a trip leaves a stop, in the time zone of the place.
CREATE OR REPLACE FUNCTION api.boarding_date(service bus_info, travel_date date, stop_no int) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT api.date_at(boarding_date.travel_date, r.departs, service.time_zone, p.time_zone)
    FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = service.bus_id AND r.stop_no = boarding_date.stop_no
$$;

-- Find a segment. If several stops of the route match, it begins at the first of them that still sells, or else at the
-- first of them. With a boarding date, a stop that the trip leaves on that date comes before the others. A segment after the end of the service is refused. An
-- ambiguous name is refused if several of its places fit the route. trip: all columns are NULL if it does not matter.
CREATE OR REPLACE FUNCTION api.find_segment(
    service bus_info, trip trips, origin text, destination text, from_stop int, to_stop int, boarding_date date DEFAULT NULL
) RETURNS api.found_segment
LANGUAGE plpgsql STABLE AS $$
DECLARE
    s            api.found_segment;
    origins      text[];
    destinations text[];
    connected    record;   -- of api.connected_places
BEGIN
    IF from_stop IS NULL OR to_stop IS NULL THEN
        origins := api.place_codes(origin);
        destinations := api.place_codes(destination);
        s.refusal := CASE WHEN origin IS NULL OR destination IS NULL THEN
                              api.refusal_bad_request('origin', 'the names of two places, or the numbers of two stops',
                                  'Give origin and destination, or from_stop and to_stop.')
                          WHEN origins IS NULL THEN api.refusal_unknown_place(origin)
                          WHEN destinations IS NULL THEN api.refusal_unknown_place(destination) END;
        IF s.refusal IS NULL AND (cardinality(origins) > 1 OR cardinality(destinations) > 1) THEN
            SELECT * INTO connected FROM api.connected_places(origins, destinations, bus_id => service.bus_id);
            IF connected.from_places IS NOT NULL THEN
                s.refusal := coalesce(api.check_place(origin, connected.from_places),
                                      api.check_place(destination, connected.to_places));
            END IF;
        END IF;
        IF s.refusal IS NOT NULL THEN
            RETURN s;
        END IF;
        SELECT c.from_stop, c.to_stop INTO from_stop, to_stop
        FROM api.boarding_stops(service.bus_id, origins, destinations, trip.skipped) AS c
        ORDER BY trip.skipped && ARRAY[c.from_stop, c.to_stop], CASE WHEN find_segment.boarding_date IS NOT NULL THEN
                     NOT (api.can_be_on(find_segment.boarding_date, trip.travel_date, c.departs)
                          AND api.boarding_date(service, trip.travel_date, c.from_stop) = find_segment.boarding_date)
                 END,
                 api.sells_until(service, trip, c.from_stop, c.departs) <= api.now(),
                 c.from_stop
        LIMIT 1;
    END IF;

    SELECT a.stop_no, b.stop_no, int4range(a.stop_no, b.stop_no),
           api.expected(trip, a.stop_no, a.departs, service.time_zone),
           api.sells_until(service, trip, a.stop_no, a.departs), api.round_charge(api.segment_fare(a, b.stop_no, b.fare), service), '{}', NULL
    INTO s
    FROM route_table a, route_table b
    WHERE a.bus_id = service.bus_id AND a.stop_no = from_stop AND a.departs IS NOT NULL
      AND b.bus_id = service.bus_id AND b.stop_no = to_stop AND b.arrives IS NOT NULL
      AND a.stop_no < b.stop_no AND NOT api.is_after_end(service, trip.travel_date, b.arrives);
    IF NOT FOUND THEN
        s.refusal := api.refusal_not_on_route(service, coalesce(origin, 'stop ' || from_stop), coalesce(destination, 'stop ' || to_stop));
    END IF;
    IF trip.skipped && ARRAY[s.from_stop, s.to_stop] THEN
        s.refusal := api.refusal_stop_skipped(service, trip, CASE WHEN api.serves(trip, s.from_stop) THEN s.to_stop ELSE s.from_stop END);
    END IF;
    IF service.alight_refund_percent > 0 THEN
        s.alight_refunds := ARRAY(
            -- percent of what is left of the fare after the journey up to the stop; a later stop never refunds more
            SELECT api.round_charge(greatest(s.fare - max(api.segment_fare(a, r.stop_no, r.fare)) OVER (ORDER BY r.stop_no), 0)
                         * service.alight_refund_percent / 100, service)
            FROM route_table a, route_table r
            WHERE a.bus_id = service.bus_id AND a.stop_no = s.from_stop AND r.bus_id = service.bus_id AND r.stop_no > s.from_stop AND r.stop_no < s.to_stop
            ORDER BY r.stop_no);
    END IF;
    RETURN s;
END $$;

-- The refusal of a stop that the trip skips. It lists the stops that are served.
CREATE OR REPLACE FUNCTION api.refusal_stop_skipped(service bus_info, trip trips, stop_no int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    stops text[] := ARRAY(SELECT p.name FROM route_table r JOIN places p ON p.code = r.place
        WHERE r.bus_id = trip.bus_id AND api.serves(trip, r.stop_no) ORDER BY r.stop_no);
BEGIN
    RETURN api.refusal('stop_skipped', format('%s (%s %s) of %s does not stop at %s on this trip. It stops at: %s.', service.name,
            service.nouns ->> 'service', service.bus_id, trip.travel_date, api.stop_name(trip.bus_id, stop_no), array_to_string(stops, ' – ')),
        jsonb_build_object('stops', to_jsonb(stops)));
END $$;

-- The names of a service's stops, in order. A place with several stops in a row, such as a hotel, is named once.
CREATE OR REPLACE FUNCTION api.stop_names(service bus_info) RETURNS text[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(p.name ORDER BY r.stop_no)
    FROM (SELECT r.stop_no, r.place, lag(r.place) OVER (ORDER BY r.stop_no) AS previous
          FROM route_table r WHERE r.bus_id = service.bus_id) AS r
    JOIN places p ON p.code = r.place
    WHERE r.place IS DISTINCT FROM r.previous
$$;

-- The name of the place at a stop.
CREATE OR REPLACE FUNCTION api.stop_name(bus_id bigint, stop_no int) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT p.name FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = stop_name.bus_id AND r.stop_no = stop_name.stop_no
$$;

-- The end of a sentence about seats: where they are taken or free. The ends of a stay are one place, so its dates are meant.
CREATE OR REPLACE FUNCTION api.format_segment(bus_id bigint, s api.found_segment) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN origin = destination THEN 'on these dates' ELSE format('between %s and %s', origin, destination) END
    FROM (SELECT api.stop_name(bus_id, s.from_stop) AS origin, api.stop_name(bus_id, s.to_stop) AS destination) AS ends
$$;

CREATE OR REPLACE FUNCTION api.refusal_not_on_route(service bus_info, origin text, destination text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    stops text[] := api.stop_names(service);
BEGIN
    RETURN api.refusal('not_on_route',
        format('%s (%s %s) does not go from %s to %s. Its stops: %s.', service.name, service.nouns ->> 'service',
               service.bus_id, origin, destination, array_to_string(stops, ' – ')),
        jsonb_build_object('stops', to_jsonb(stops)));
END $$;
