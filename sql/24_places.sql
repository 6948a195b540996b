-- The places at which services stop, and the places that contain them. kinds: the kinds of these services.
-- on_sale_from, on_sale_until: the first date on which a trip from one of the places can be on sale, and the last. With an
-- origin, the places are those that services on sale from there go to, and the dates are those of the origin.
CREATE OR REPLACE FUNCTION api.places(kind text DEFAULT NULL, origin text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    origins text[] := api.place_codes(origin);
    served_origins text[];   -- the origins that services of the kind leave
    refusal jsonb := CASE WHEN origin IS NOT NULL THEN api.check_place(origin, origins) END;
BEGIN
    IF refusal ->> 'reason' = 'ambiguous_place' THEN
        served_origins := ARRAY(SELECT DISTINCT r.place FROM route_table r JOIN bus_info s USING (bus_id)
            WHERE r.place = ANY (origins) AND r.departs IS NOT NULL AND (places.kind IS NULL OR s.kind = places.kind));
        IF served_origins <> '{}' THEN
            origins := served_origins;
            refusal := api.check_place(origin, origins);
        END IF;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    RETURN (
        WITH RECURSIVE served AS (
            SELECT DISTINCT r.place AS code, s.kind
            FROM route_table r JOIN bus_info s USING (bus_id)
            WHERE origin IS NULL AND (places.kind IS NULL OR s.kind = places.kind)
            UNION
            SELECT r.code, r.kind_of_service FROM api.reached(origins, places.kind) AS r
            UNION
            SELECT p.part_of, served.kind FROM served JOIN places p USING (code) WHERE p.part_of IS NOT NULL
        ), place AS (
            SELECT p.code, p.name, p.aliases, p.part_of, jsonb_agg(served.kind ORDER BY served.kind) AS kinds
            FROM served JOIN places p USING (code)
            GROUP BY p.code
        )
        SELECT jsonb_build_object('places', coalesce(jsonb_agg(
            jsonb_build_object('code', code, 'name', name, 'aliases', to_jsonb(aliases), 'kinds', kinds)
                || CASE WHEN part_of IS NULL THEN '{}' ELSE jsonb_build_object('part_of', part_of) END ORDER BY name), '[]'),
            'on_sale_from', api.on_sale_from(coalesce(origins, array_agg(code))),
            'on_sale_until', api.on_sale_until(coalesce(origins, array_agg(code))))
        FROM place);
END $$;

-- The places to which services on sale go from one of the origins, each with the kind of the service. A service is on
-- sale if its last open trip is on sale, because the sales of earlier trips end before.
CREATE OR REPLACE FUNCTION api.reached(origins text[], kind text) RETURNS TABLE (code text, kind_of_service text)
LANGUAGE sql STABLE AS $$
    -- MATERIALIZED, so that the planner does not find the first stop again for each later one
    WITH start AS MATERIALIZED (
        SELECT s AS service, t.travel_date, (
                SELECT min(o.stop_no) FROM route_table o
                WHERE o.bus_id = s.bus_id AND o.place = ANY (origins) AND o.departs IS NOT NULL
                  AND api.sells_until(s, t, o.stop_no, o.departs) > api.now()) AS stop_no
        FROM (SELECT DISTINCT o.bus_id FROM route_table o WHERE o.place = ANY (origins)) AS stopping
        JOIN bus_info s ON s.bus_id = stopping.bus_id AND (reached.kind IS NULL OR s.kind = reached.kind)
        CROSS JOIN LATERAL (
            SELECT t.* FROM trips t WHERE t.bus_id = s.bus_id AND t.state = 'open' ORDER BY t.travel_date DESC LIMIT 1
        ) AS t
    )
    SELECT DISTINCT r.place, (start.service).kind
    FROM start
    JOIN route_table r ON r.bus_id = (start.service).bus_id AND r.stop_no > start.stop_no
    WHERE r.arrives IS NOT NULL AND NOT api.is_after_end(start.service, start.travel_date, r.arrives)
$$;
