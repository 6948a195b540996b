-- The last date on which a trip leaves one of the places, in the time zone of the place, as a row. Departures of a repeating route
-- after the last date of its service do not count. With shards, there is a row for each shard.
CREATE OR REPLACE FUNCTION api.last_dates(origins text[]) RETURNS TABLE (date date)
LANGUAGE sql STABLE AS $$
    SELECT max(least(api.date_at(t.last, r.departs, s.time_zone, r.time_zone),
                     CASE WHEN s.repeat_legs IS NOT NULL THEN s.last_date END))
    FROM (SELECT a.bus_id, p.time_zone, max(a.departs) AS departs FROM route_table a JOIN places p ON p.code = a.place
          WHERE a.place = ANY (origins) GROUP BY a.bus_id, p.time_zone) AS r
    JOIN bus_info s ON s.bus_id = r.bus_id,
         LATERAL (SELECT max(travel_date) AS last FROM trips WHERE trips.bus_id = r.bus_id) AS t
$$;

-- The latest of api.last_dates.
CREATE OR REPLACE FUNCTION api.on_sale_until(origins text[]) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT max(l.date) FROM api.last_dates(origins) AS l
$$;
