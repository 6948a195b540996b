-- The shortest segment that a service sells: bus_info.shortest_segment_km. Shorter ones are sold from
-- bus_info.short_segments_open before the departure on, so that they do not take the seats of long journeys early.

-- Whether a service sells segments of this length at present. departs_at: of the boarding stop.
CREATE OR REPLACE FUNCTION api.sells_length(service bus_info, km numeric, departs_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN coalesce(km >= service.shortest_segment_km OR departs_at - service.short_segments_open <= api.now(),
                service.shortest_segment_km IS NULL);

-- Check that a segment is long enough to be sold at present. The refusal names the stops that are far enough.
CREATE OR REPLACE FUNCTION api.check_length(service bus_info, s api.found_segment) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    origin record;
    km     numeric;
    stops  text[];
BEGIN
    SELECT r.km, p.name, p.time_zone INTO origin FROM route_table r JOIN places p ON p.code = r.place
    WHERE r.bus_id = service.bus_id AND r.stop_no = s.from_stop;
    SELECT r.km - origin.km INTO km FROM route_table r WHERE r.bus_id = service.bus_id AND r.stop_no = s.to_stop;
    IF api.sells_length(service, km, s.departs_at) THEN
        RETURN NULL;
    END IF;
    stops := ARRAY(SELECT p.name FROM route_table r JOIN places p ON p.code = r.place
        WHERE r.bus_id = service.bus_id AND r.stop_no > s.to_stop AND r.km - origin.km >= service.shortest_segment_km
        ORDER BY r.stop_no);
    RETURN api.refusal('too_short', format('%s (%s %s) sells journeys of %s km or more; from %s to %s it is %s km.%s%s',
            service.name, service.nouns ->> 'service', service.bus_id, trim_scale(service.shortest_segment_km), origin.name,
            api.stop_name(service.bus_id, s.to_stop), trim_scale(km),
            ' Stops that are far enough: ' || nullif(array_to_string(stops, ', '), '') || '.',
            ' It sells shorter journeys from ' || to_char(
                (s.departs_at - service.short_segments_open) AT TIME ZONE origin.time_zone, 'YYYY-MM-DD HH24:MI') || ' on.'),
        jsonb_strip_nulls(jsonb_build_object('shortest_km', trim_scale(service.shortest_segment_km)::text, 'stops', to_jsonb(stops),
            'sold_from', api.rfc3339(s.departs_at - service.short_segments_open, origin.time_zone))));
END $$;
