-- The days from one date to another on which a service runs. A date of calendar_dates decides; else the season that contains
-- the day, by its weekdays; else the weekdays of the service. No day is before first_date. The last date is not considered:
-- an end of the service cancels later trips (api.end_service).
-- seasons, dates: of the service.
CREATE OR REPLACE FUNCTION api.running_days(service bus_info, from_date date, to_date date, seasons seasons[], dates calendar_dates[]) RETURNS SETOF date
LANGUAGE sql STABLE AS $$
    SELECT d.day::date
    FROM generate_series(   -- of timestamps: days in the session's time zone may have no midnight
        greatest(from_date, service.first_date)::timestamp, to_date, interval '1 day') AS d (day)
    LEFT JOIN unnest(dates) AS c ON c.travel_date = d.day
    LEFT JOIN unnest(seasons) AS s ON d.day BETWEEN s.first_date AND s.last_date
    WHERE coalesce(c.runs, extract(isodow FROM d.day) = ANY (coalesce(s.runs_on, service.runs_on)))
$$;

CREATE OR REPLACE FUNCTION api.running_days(service bus_info, from_date date, to_date date) RETURNS SETOF date
LANGUAGE sql STABLE AS $$
    SELECT api.running_days(service, from_date, to_date,
        ARRAY(SELECT s FROM seasons s WHERE s.bus_id = service.bus_id),
        ARRAY(SELECT c FROM calendar_dates c WHERE c.bus_id = service.bus_id))
$$;

-- Whether a service runs on a day.
CREATE OR REPLACE FUNCTION api.runs(service bus_info, day date) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM api.running_days(service, day, day))
$$;

-- The trips of a service from today on that are on its calendar: no extra trips, and none that an operator cancelled.
CREATE OR REPLACE FUNCTION api.trips_on_calendar(service bus_info) RETURNS date[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(t.travel_date) FROM trips t
    WHERE t.bus_id = service.bus_id AND t.travel_date >= (api.now() AT TIME ZONE service.time_zone)::date
      AND (t.state = 'open' OR t.ended) AND api.runs(service, t.travel_date)
$$;

-- Delete the trips that were on the calendar of a service before an edit (api.trips_on_calendar) and are not any more. The
-- caller has locked them and has found no ticket (api.check_trips_stay).
CREATE OR REPLACE FUNCTION api.delete_trips_off_calendar(service bus_info, before date[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    dates date[] := ARRAY(SELECT day FROM unnest(before) AS day WHERE NOT api.runs(service, day));
BEGIN
    DELETE FROM seats s WHERE s.bus_id = service.bus_id AND s.travel_date = ANY (dates);
    DELETE FROM trips t WHERE t.bus_id = service.bus_id AND t.travel_date = ANY (dates);
END $$;
