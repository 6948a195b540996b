-- The services that an account may change, in the order of bus_id. page: the maximum number of services. after: `next` of the
-- previous page.
CREATE OR REPLACE FUNCTION api.services(account text, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    size  CONSTANT int := coalesce(page, 50);
    shown jsonb;
BEGIN
    IF after !~ '^\d{1,18}$' THEN
        RETURN api.refusal_bad_request('after', 'the `next` of an earlier page', '`after` is not the `next` of a page.');
    END IF;
    SELECT jsonb_agg(jsonb_build_object('bus_id', s.bus_id, 'kind', s.kind, 'name', s.name, 'operator', s.operator,
            'source_id', s.source_id, 'origin', pa.name, 'destination', pb.name, 'departs', api.format_time(a.departs),
            'arrives', api.format_time(b.arrives), 'runs_on', api.format_weekdays(s.runs_on), 'first_date', s.first_date,
            'last_date', s.last_date, 'seats', api.seat_count(s.layout),
            'trips', (SELECT count(*) FROM trips t WHERE t.bus_id = s.bus_id AND t.state = 'open'
                AND t.travel_date >= (api.now() AT TIME ZONE s.time_zone)::date)) ORDER BY s.bus_id)
    INTO shown
    FROM (SELECT * FROM bus_info i WHERE i.bus_id > coalesce(after::bigint, 0) AND api.keeps_service(i.bus_id) AND api.operates(account, i.bus_id)
          ORDER BY i.bus_id LIMIT size) AS s
    CROSS JOIN LATERAL (SELECT min(r.stop_no) AS first, max(r.stop_no) AS last FROM route_table r WHERE r.bus_id = s.bus_id) AS ends
    JOIN route_table a ON a.bus_id = s.bus_id AND a.stop_no = ends.first
    JOIN route_table b ON b.bus_id = s.bus_id AND b.stop_no = ends.last
    JOIN places pa ON pa.code = a.place
    JOIN places pb ON pb.code = b.place;
    RETURN jsonb_build_object('services', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown #>> '{-1,bus_id}') ELSE '{}' END;
END $$;

-- The document of a service, for an account that may change it.
CREATE OR REPLACE FUNCTION api.operated_service(account text, bus_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(api.check_operator(account, bus_id), api.service(bus_id));
END $$;
