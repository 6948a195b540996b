-- The travel date of a service's trip on a date: the date itself if the service has a trip with this travel date; otherwise the
-- travel date of a trip that is under way on the date, as a hotel's is; the date itself if there is none.
CREATE OR REPLACE FUNCTION api.travel_date_on(bus_id bigint, date date) RETURNS date
LANGUAGE sql STABLE
RETURN coalesce((SELECT max(t.travel_date) FROM trips t
    WHERE t.bus_id = travel_date_on.bus_id AND t.travel_date <= travel_date_on.date
      AND (t.travel_date = travel_date_on.date OR api.trip_ends_at(t.bus_id, t.travel_date) > travel_date_on.date)), date);
