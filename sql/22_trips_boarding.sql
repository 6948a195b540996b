-- The trips of a service that leave a stop on a boarding date, which is a date in the time zone of the stop's place.
-- departs: the stop's time in the timetable. Almost always it is one trip at most; at a change of the clock it can be two.
CREATE OR REPLACE FUNCTION api.trips_boarding(bus_id bigint, departs interval, zone text, boarding_date date, place_zone text)
RETURNS SETOF trips
LANGUAGE sql STABLE AS $$
    SELECT t.* FROM trips t
    WHERE t.bus_id = trips_boarding.bus_id
      AND t.travel_date > api.last_travel_date_before(boarding_date, place_zone, departs, zone)
      AND t.travel_date <= api.last_travel_date_before(boarding_date + 1, place_zone, departs, zone)
      AND EXISTS (SELECT FROM trips n   -- evaluated first, fast, and false for most stops of a hotel
          WHERE n.bus_id = trips_boarding.bus_id
            AND n.travel_date BETWEEN (boarding_date - departs)::date - 3 AND (boarding_date - departs)::date + 3)
    OFFSET 0   -- without it, the planner reads all trips of the service
$$;
