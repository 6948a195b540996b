-- Open the trips of a service from one date (default: today) to another (default: sales_days ahead), with their
-- seats, and the trips that an earlier last date of the service cancelled (trips.ended). Other trips are not changed,
-- even if they are cancelled. A route whose last legs repeat is extended up to that date instead (api.extend_route).
-- Returns the number of trips opened.
CREATE OR REPLACE FUNCTION api.open_sales(bus_id bigint, from_date date DEFAULT NULL, to_date date DEFAULT NULL) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    service  bus_info;
    today    date;
    opened   date[];
    reopened date[];
BEGIN
    -- the lock: no other session changes the calendar or the seats of the service until the end of the transaction
    SELECT * INTO service FROM bus_info b WHERE b.bus_id = open_sales.bus_id FOR NO KEY UPDATE;
    today := (api.now() AT TIME ZONE service.time_zone)::date;
    to_date := least(coalesce(to_date, today + service.sales_days), service.last_date);
    WITH added AS (
        INSERT INTO trips (bus_id, travel_date)
        SELECT service.bus_id, day FROM api.running_days(service, coalesce(from_date, today), to_date) AS day
        ON CONFLICT DO NOTHING
        RETURNING travel_date
    )
    SELECT array_agg(travel_date) INTO opened FROM added;
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT p.bus_id, day, p.seat_no FROM seat_plan p, unnest(opened) AS day
    WHERE p.bus_id = open_sales.bus_id;
    PERFORM api.block_on_trips(service, opened);
    WITH restored AS (
        UPDATE trips t SET state = 'open', reason = NULL, cancelled_at = NULL, ended = false
        WHERE t.bus_id = service.bus_id AND t.travel_date >= today AND t.ended
          AND (t.travel_date <= service.last_date OR service.last_date IS NULL)
        RETURNING t.travel_date
    )
    SELECT array_agg(r.travel_date ORDER BY r.travel_date) INTO reopened FROM restored r;
    PERFORM api.record_trip_event('trip.restored', service.bus_id, day) FROM unnest(reopened) AS day;
    IF service.repeat_legs IS NOT NULL THEN
        PERFORM api.extend_route(service, to_date);
    END IF;
    RETURN coalesce(cardinality(opened), 0) + coalesce(cardinality(reopened), 0);
END $$;

-- Open one trip: an extra trip, also on a day on which its service does not run, or a cancelled trip again, whose
-- tickets stay cancelled. Returns false if the trip is open already, or its service belongs to another database. Raises an exception if the route of the service is
-- repeating (bus_info.repeat_legs) and another open trip overlaps it.
CREATE OR REPLACE FUNCTION api.add_trip(bus_id bigint, travel_date date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    restored boolean;
BEGIN
    IF NOT api.keeps_service(bus_id) THEN
        RETURN false;
    END IF;
    PERFORM FROM bus_info b WHERE b.bus_id = add_trip.bus_id FOR NO KEY UPDATE;   -- as in api.open_sales
    INSERT INTO trips AS t (bus_id, travel_date) VALUES (bus_id, travel_date)
    ON CONFLICT ON CONSTRAINT trips_pkey
    DO UPDATE SET state = 'open', reason = NULL, cancelled_at = NULL, ended = false, reopened = true
    WHERE t.state = 'cancelled'
    RETURNING t.reopened INTO restored;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT t.bus_id, t.travel_date, p.seat_no FROM trips t, api.positions_of_seats(t.bus_id, t.own_seats ->> 'layout') AS p
    WHERE t.bus_id = add_trip.bus_id AND t.travel_date = add_trip.travel_date ON CONFLICT DO NOTHING;
    PERFORM api.block_on_trips(b, ARRAY[add_trip.travel_date]) FROM bus_info b WHERE b.bus_id = add_trip.bus_id;
    IF EXISTS (SELECT FROM api.overlapping_trips(bus_id)) THEN
        RAISE EXCEPTION 'Service % is on sale on % in another trip.', bus_id, travel_date
            USING HINT = 'Its route is extended instead, with SELECT api.open_sales(…).';
    END IF;
    IF restored THEN
        PERFORM api.record_trip_event('trip.restored', bus_id, travel_date);
    END IF;
    PERFORM api.settle(bus_id, travel_date);   -- a trip that was cancelled by an UPDATE can have a waitlist
    RETURN true;
END $$;
