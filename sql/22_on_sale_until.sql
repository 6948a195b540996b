-- The last date on which a trip leaves one of the places.
CREATE OR REPLACE FUNCTION api.on_sale_until(origins text[]) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT max((t.last + r.departs)::date)
    FROM (SELECT bus_id, max(departs) AS departs FROM route_table WHERE place = ANY (origins) GROUP BY bus_id) AS r,
         LATERAL (SELECT max(travel_date) AS last FROM trips WHERE trips.bus_id = r.bus_id) AS t
$$;
