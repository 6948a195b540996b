-- Segments of a trip, found by places or by stop numbers.

-- Find a segment. If several stops of the route match, it is the first origin that has a destination after it, and
-- the first such destination.
CREATE OR REPLACE FUNCTION api.find_segment(
    service bus_info, travel_date date, origin text, destination text, from_stop int, to_stop int
) RETURNS api.found_segment
LANGUAGE plpgsql STABLE AS $$
DECLARE
    s            api.found_segment;
    origins      text[];
    destinations text[];
BEGIN
    IF from_stop IS NULL OR to_stop IS NULL THEN
        origins := api.place_codes(origin);
        destinations := api.place_codes(destination);
        s.refusal := CASE WHEN origin IS NULL OR destination IS NULL THEN
                              api.refusal_bad_request('origin', 'the names of two places, or the numbers of two stops',
                                  'Give origin and destination, or from_stop and to_stop.')
                          WHEN origins IS NULL THEN api.refusal_unknown_place(origin)
                          WHEN destinations IS NULL THEN api.refusal_unknown_place(destination) END;
        IF s.refusal IS NOT NULL THEN
            RETURN s;
        END IF;
        SELECT a.stop_no, b.stop_no INTO from_stop, to_stop
        FROM route_table a JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no > a.stop_no
        WHERE a.bus_id = service.bus_id AND a.place = ANY (origins) AND b.place = ANY (destinations)
          AND a.departs IS NOT NULL AND b.arrives IS NOT NULL
        ORDER BY a.stop_no, b.stop_no LIMIT 1;
    END IF;

    SELECT a.stop_no, b.stop_no, int4range(a.stop_no, b.stop_no),
           api.instant(find_segment.travel_date, a.departs, service.time_zone), NULL, b.fare - a.fare, NULL
    INTO s
    FROM route_table a, route_table b
    WHERE a.bus_id = service.bus_id AND a.stop_no = from_stop AND a.departs IS NOT NULL
      AND b.bus_id = service.bus_id AND b.stop_no = to_stop AND b.arrives IS NOT NULL
      AND a.stop_no < b.stop_no;
    IF NOT FOUND THEN
        s.refusal := api.refusal_not_on_route(service, coalesce(origin, 'stop ' || from_stop), coalesce(destination, 'stop ' || to_stop));
    END IF;
    s.sells_until := s.departs_at + service.sells_until;
    RETURN s;
END $$;

-- The names of a service's stops, in order.
CREATE OR REPLACE FUNCTION api.stop_names(service bus_info) RETURNS text[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(p.name ORDER BY r.stop_no) FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = service.bus_id
$$;

-- The name of the place at a stop.
CREATE OR REPLACE FUNCTION api.stop_name(bus_id bigint, stop_no int) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT p.name FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = stop_name.bus_id AND r.stop_no = stop_name.stop_no
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
