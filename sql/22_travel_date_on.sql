-- The travel date of a service's trip of a date. If it has no trip with this travel date, of the trip that is under way
-- on that date, such as a hotel's; if there is none, the date.
CREATE OR REPLACE FUNCTION api.travel_date_on(bus_id bigint, date date) RETURNS date
LANGUAGE sql STABLE
RETURN coalesce((SELECT max(t.travel_date) FROM trips t
    WHERE t.bus_id = travel_date_on.bus_id AND t.travel_date <= travel_date_on.date
      AND (t.travel_date = travel_date_on.date OR api.trip_ends_at(t.bus_id, t.travel_date) > travel_date_on.date)), date);
