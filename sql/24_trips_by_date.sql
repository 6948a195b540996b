-- The number of trips that a search finds on each date around a boarding date, with or without free seats; also the first and
-- the last date on which trips from the origin can be on sale.
CREATE OR REPLACE FUNCTION api.trips_by_date(origin text, destination text, date date, days_around int, kind text, bus_type text, ac boolean)
RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$   -- SQL would plan the query in each call
DECLARE
    origins      CONSTANT text[] := api.place_codes(origin);
    destinations CONSTANT text[] := api.place_codes(destination);
    first        CONSTANT date := trips_by_date.date - days_around;
    last         CONSTANT date := trips_by_date.date + days_around;
BEGIN
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'on_sale_from', api.on_sale_from(origins), 'on_sale_until', api.on_sale_until(origins), 'dates', (
        WITH found AS MATERIALIZED (SELECT * FROM api.found_dates(origins, destinations, first, last, kind, bus_type, ac))
        SELECT jsonb_agg(jsonb_build_object('date', d.date::date, 'trips', (
            SELECT coalesce(sum(f.trips), 0) FROM found AS f WHERE f.date = d.date)) ORDER BY d.date)
        FROM generate_series(first, last, interval '1 day') AS d (date))));
END $$;

-- The number of trips on each date, if there are any.
CREATE OR REPLACE FUNCTION api.found_dates(origins text[], destinations text[], first date, last date, kind text, bus_type text, ac boolean)
RETURNS TABLE (date date, trips bigint)
LANGUAGE plpgsql STABLE AS $$   -- SQL would plan the query in each call
BEGIN
    RETURN QUERY
    -- MATERIALIZED, because the planner misjudges the filters below, which are NULL in most calls
    WITH departure AS MATERIALIZED (
        SELECT api.date_at(t.travel_date, pair.departs, s.time_zone, pair.zone) AS date, s.kind, s.bus_type, s.ac
        FROM (   -- OFFSET 0: the pairs of stops are found once, not for each trip
            SELECT DISTINCT ON (a.bus_id, a.stop_no, b.place) a.bus_id, a.stop_no AS from_stop, a.departs, pa.time_zone AS zone,
                   b.stop_no AS to_stop, b.arrives, b.km - a.km AS km
            FROM route_table a
            JOIN places pa ON pa.code = a.place
            JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no > a.stop_no AND b.place = ANY (destinations) AND b.arrives IS NOT NULL
            WHERE a.place = ANY (origins) AND a.departs IS NOT NULL
            ORDER BY a.bus_id, a.stop_no, b.place, b.stop_no
            OFFSET 0
        ) AS pair
        JOIN bus_info s ON s.bus_id = pair.bus_id
        JOIN trips t ON t.bus_id = pair.bus_id AND t.state = 'open'
            AND t.travel_date BETWEEN (first - pair.departs)::date - 1 AND (last - pair.departs)::date + 1
        WHERE api.serves(t, pair.from_stop) AND api.serves(t, pair.to_stop) AND NOT api.is_after_end(s, t.travel_date, pair.arrives)
          AND api.sells_until(s, t, pair.from_stop, pair.departs) > api.now()
          AND api.sells_length(s, pair.km, api.expected(t, pair.from_stop, pair.departs, s.time_zone))
    )
    SELECT d.date, count(*) FROM departure AS d
    WHERE d.date BETWEEN first AND last
      AND (found_dates.kind IS NULL OR d.kind = found_dates.kind)
      AND (found_dates.bus_type IS NULL OR d.bus_type = found_dates.bus_type)
      AND (found_dates.ac IS NULL OR d.ac = found_dates.ac)
    GROUP BY d.date;
END $$;
