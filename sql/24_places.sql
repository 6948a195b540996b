-- The places at which services stop, and the places that contain them. kinds: the kinds of these services.
-- on_sale_from, on_sale_until: the first date on which a trip from one of the places can be on sale, and the last.
CREATE OR REPLACE FUNCTION api.places(kind text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE served AS (
        SELECT DISTINCT r.place AS code, s.kind FROM route_table r JOIN bus_info s USING (bus_id)
        UNION
        SELECT p.part_of, served.kind FROM served JOIN places p USING (code) WHERE p.part_of IS NOT NULL
    ), place AS (
        SELECT p.code, p.name, p.aliases, p.part_of, jsonb_agg(served.kind ORDER BY served.kind) AS kinds
        FROM served JOIN places p USING (code)
        WHERE places.kind IS NULL OR served.kind = places.kind
        GROUP BY p.code
    )
    SELECT jsonb_build_object('places', coalesce(jsonb_agg(
        jsonb_build_object('code', code, 'name', name, 'aliases', to_jsonb(aliases), 'kinds', kinds)
            || CASE WHEN part_of IS NULL THEN '{}' ELSE jsonb_build_object('part_of', part_of) END ORDER BY name), '[]'),
        'on_sale_from', api.on_sale_from(array_agg(code)), 'on_sale_until', api.on_sale_until(array_agg(code)))
    FROM place
$$;
