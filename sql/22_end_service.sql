-- End a service after a date: cancel the later trips. A later last date opens them again (api.open_sales). NULL: the
-- service has no last date. Raises an exception that names the later trips with passengers, if there are any.
CREATE OR REPLACE FUNCTION api.end_service(bus_id bigint, last_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    service bus_info;
BEGIN
    SELECT * INTO service FROM bus_info b WHERE b.bus_id = end_service.bus_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no service %.', bus_id USING HINT = 'List the services with SELECT bus_id, name FROM bus_info.';
    ELSIF last_date < service.first_date THEN
        RAISE EXCEPTION 'Service % begins on %, after %.', bus_id, service.first_date, last_date
            USING HINT = 'Choose a last date that is not before the first date.';
    END IF;
    UPDATE bus_info b SET last_date = end_service.last_date WHERE b.bus_id = end_service.bus_id;
    PERFORM api.cancel_trips_after(bus_id, last_date);
    PERFORM api.open_sales(bus_id);
END $$;

-- Cancel the trips of a service after its last date, apart from those that have reached their last stop. The caller
-- has locked the service. Raises an exception that names the trips with passengers, if there are any.
CREATE OR REPLACE FUNCTION api.cancel_trips_after(bus_id bigint, last_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    later date[];
    sold  text;
BEGIN
    PERFORM api.lock_trips(bus_id, last_date + 1);
    later := ARRAY(SELECT t.travel_date FROM trips t
        WHERE t.bus_id = cancel_trips_after.bus_id AND t.travel_date > cancel_trips_after.last_date
          AND api.trip_ends_at(t.bus_id, t.travel_date) > api.now());
    SELECT string_agg(DISTINCT p.travel_date::text, ', ') INTO sold FROM passengers p
    WHERE p.bus_id = cancel_trips_after.bus_id AND p.travel_date = ANY (later)
      AND p.status IN ('held', 'booked', 'pending');
    IF sold IS NOT NULL THEN
        RAISE EXCEPTION 'Service % has passengers after %: on %.', bus_id, last_date, sold
            USING HINT = 'Choose a later last date, or cancel those trips first.';
    END IF;
    UPDATE trips t SET state = 'cancelled', reason = 'The service has ended.', ended = true
    WHERE t.bus_id = cancel_trips_after.bus_id AND t.travel_date = ANY (later) AND t.state = 'open';
END $$;

-- Lock the trips of a service from a date on, in the order of their dates, and settle those that are due. So no
-- ticket is sold on them until the end of the transaction, and no hold that has expired counts as one.
CREATE OR REPLACE FUNCTION api.lock_trips(bus_id bigint, from_date date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM trips t WHERE t.bus_id = lock_trips.bus_id AND t.travel_date >= lock_trips.from_date
    ORDER BY t.travel_date FOR UPDATE;
    PERFORM api.settle(t.bus_id, t.travel_date) FROM trips t
    WHERE t.bus_id = lock_trips.bus_id AND t.travel_date >= lock_trips.from_date AND t.settle_at <= api.now();
END $$;
