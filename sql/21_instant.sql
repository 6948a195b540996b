-- Times of a timetable, which are in the time zone of the service, and the travel dates to which they belong.

-- A time of a timetable on a travel date. As in GTFS, the time is counted from noon minus 12 hours, so that a change of
-- the clock at night changes no journey time. The days of the interval are days of the calendar: '1 day 14:00' is
-- 14:00 by the clock on the next day, '38:00' is 38 hours after the day began.
CREATE OR REPLACE FUNCTION api.instant(travel_date date, since_midnight interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (travel_date + date_trunc('day', since_midnight) + interval '12 hours') AT TIME ZONE zone
    - interval '12 hours' + (since_midnight - date_trunc('day', since_midnight));

-- The date at a place at a time of a timetable.
CREATE OR REPLACE FUNCTION api.date_at(travel_date date, since_midnight interval, zone text, place_zone text) RETURNS date
LANGUAGE sql STABLE
RETURN (api.instant(travel_date, since_midnight, zone) AT TIME ZONE place_zone)::date;

-- A time of a timetable, with the delay of a trip at the stop.
CREATE OR REPLACE FUNCTION api.delayed(at timestamptz, delays interval[], stop_no int) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN at + coalesce(delays[stop_no], interval '0');

-- The expected time of a trip at a stop: that of the timetable, and the delay of the trip there. The travel date and the
-- boarding dates stay those of the timetable.
CREATE OR REPLACE FUNCTION api.expected(trip trips, stop_no int, since_midnight interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN api.delayed(api.instant((trip).travel_date, since_midnight, zone), (trip).delays, stop_no);

-- Whether passengers may board and alight at a stop of a trip.
CREATE OR REPLACE FUNCTION api.serves(trip trips, stop_no int) RETURNS boolean
LANGUAGE sql STABLE
RETURN (trip).skipped IS NULL OR stop_no <> ALL ((trip).skipped);

-- The time until which a stop of a trip is on sale. departs: the stop's time in the timetable.
CREATE OR REPLACE FUNCTION api.sells_until(service bus_info, trip trips, stop_no int, departs interval) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN api.expected(trip, stop_no, departs + (service).sells_until, (service).time_zone);

-- Whether a time of a timetable can be on a date, in any time zone. It is faster than api.instant, and leaves out almost
-- all stops of a hotel before that is called.
CREATE OR REPLACE FUNCTION api.can_be_on(date date, travel_date date, since_midnight interval) RETURNS boolean
LANGUAGE sql STABLE
RETURN since_midnight BETWEEN make_interval(days => date - travel_date - 3) AND make_interval(days => date - travel_date + 3);

-- The last travel date whose trip leaves a stop before a date begins at the place of the stop. departs: the stop's time
-- in the timetable. It inverts api.instant.
CREATE OR REPLACE FUNCTION api.last_travel_date_before(date date, place_zone text, departs interval, zone text) RETURNS date
LANGUAGE sql STABLE
RETURN (((date - interval '1 microsecond') AT TIME ZONE place_zone - (departs - date_trunc('day', departs))
    + interval '12 hours') AT TIME ZONE zone - interval '12 hours')::date - extract(day FROM departs)::int;

-- The time at which a trip is expected at its last stop. The trip need not exist.
CREATE OR REPLACE FUNCTION api.trip_ends_at(bus_id bigint, travel_date date) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT api.instant(trip_ends_at.travel_date, r.arrives, s.time_zone) + coalesce((
        SELECT t.delays[r.stop_no] FROM trips t WHERE t.bus_id = r.bus_id AND t.travel_date = trip_ends_at.travel_date), '0')
    FROM route_table r JOIN bus_info s ON s.bus_id = r.bus_id
    WHERE r.bus_id = trip_ends_at.bus_id AND r.arrives IS NOT NULL ORDER BY r.stop_no DESC LIMIT 1
$$;
