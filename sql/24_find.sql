-- Find lost references: those of the open bookings that have this phone number and a passenger who boards at this
-- place on this date. A name that may mean several places stands for all of them. The date is in the time zone of the
-- place. The server limits how often a client may call this function.
CREATE OR REPLACE FUNCTION api.find(phone text, date date, place text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- a short name can be the code of a place of one kind of service, and the beginning of one of another kind
    codes text[] := api.place_codes(place) || (SELECT array_agg(b.code) FROM api.places_beginning(place) AS b);
BEGIN
    IF codes IS NULL THEN
        RETURN api.refusal_unknown_place(place);
    END IF;
    RETURN (
        SELECT jsonb_build_object('references', coalesce(jsonb_agg(DISTINCT p.reference), '[]'))
        FROM route_table a
        JOIN places pa ON pa.code = a.place
        JOIN bus_info s ON s.bus_id = a.bus_id
        CROSS JOIN LATERAL api.trips_boarding(a.bus_id, a.departs, s.time_zone, find.date, pa.time_zone) AS t
        -- UNION ALL: each part has a partial index of its own
        CROSS JOIN LATERAL (
            SELECT h.reference, h.segment, h.phone, h.expires_at FROM passengers h
            WHERE h.bus_id = a.bus_id AND h.travel_date = t.travel_date AND h.status IN ('held', 'booked')
            UNION ALL
            SELECT w.reference, w.segment, w.phone, w.expires_at FROM passengers w
            WHERE w.bus_id = a.bus_id AND w.travel_date = t.travel_date AND w.status = 'pending'
            UNION ALL
            SELECT d.reference, d.segment, d.phone, NULL
            FROM offers o JOIN passengers d ON d.bus_id = o.bus_id AND d.reference = o.reference AND d.status = 'displaced'
            WHERE o.bus_id = a.bus_id AND o.travel_date = t.travel_date AND o.state = 'open'
        ) AS p
        WHERE a.place = ANY (codes) AND a.departs IS NOT NULL
          AND lower(p.segment) = a.stop_no AND p.phone = find.phone
          AND (p.expires_at IS NULL OR p.expires_at > api.now())
    );
END $$;
