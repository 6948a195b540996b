-- Open a trip of a service, as its operator: an extra trip on a day on which it does not run, or a cancelled trip again, whose
-- tickets stay cancelled. A trip that is open stays as it is.
CREATE OR REPLACE FUNCTION api.open_trip(account text, bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service bus_info;
    today   date;
    earlier record;
    refusal jsonb := CASE WHEN account IS NOT NULL THEN api.check_operator(account, bus_id) END;
BEGIN
    SELECT * INTO service FROM bus_info b WHERE b.bus_id = open_trip.bus_id FOR NO KEY UPDATE;   -- as in api.open_sales
    today := (api.now() AT TIME ZONE service.time_zone)::date;
    SELECT o.travel_date, o.ends_at INTO earlier FROM api.trips_overlapping(service, open_trip.travel_date) AS o LIMIT 1;
    refusal := coalesce(refusal, CASE
        WHEN service.bus_id IS NULL THEN api.refusal_unknown_trip(bus_id, NULL)
        WHEN api.trip_ends_at(bus_id, travel_date) <= api.now() THEN api.refusal('departed', 'The trip has ended.')
        WHEN travel_date > today + 730 THEN api.refusal_bad_request('travel_date', format('a date up to %s', today + 730),
            'Trips open at most two years ahead.')
        WHEN travel_date > service.last_date THEN api.refusal_bad_request('travel_date', format('a date up to %s', service.last_date),
            format('Service %s ends on %s.', bus_id, service.last_date))
        WHEN earlier.travel_date IS NOT NULL THEN api.refusal_bad_request('travel_date', 'a day that no other trip sells',
            format('The trip of %s sells this day too, until %s.', earlier.travel_date, earlier.ends_at)) END);
    IF refusal IS NULL THEN
        PERFORM api.add_trip(bus_id, travel_date);
    END IF;
    RETURN coalesce(refusal, api.show_trip(bus_id, travel_date));
END $$;

-- The open trips of a repeating route that would overlap in time with its trip of a travel date. ends_at: the date on which
-- they end.
CREATE OR REPLACE FUNCTION api.trips_overlapping(service bus_info, travel_date date) RETURNS TABLE (travel_date date, ends_at date)
LANGUAGE sql STABLE AS $$
    SELECT t.travel_date, (t.travel_date + route.arrives)::date
    FROM trips t, (SELECT min(r.departs) AS departs, max(r.arrives) AS arrives FROM route_table r WHERE r.bus_id = service.bus_id) AS route
    WHERE service.repeat_legs IS NOT NULL AND t.bus_id = service.bus_id AND t.state = 'open' AND t.travel_date <> trips_overlapping.travel_date
      AND (t.travel_date + route.departs, t.travel_date + route.arrives)
          OVERLAPS (trips_overlapping.travel_date + route.departs, trips_overlapping.travel_date + route.arrives)
$$;
