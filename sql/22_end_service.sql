-- End a service after a date: cancel the later trips. A later last date opens them again (api.open_sales). NULL: the
-- service has no last date. A trip of a repeating route sells no segment that ends after the next day (api.is_after_end).
-- Raises an exception that names the later trips with passengers, or the last day on which a passenger alights.
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
    service.last_date := last_date;
    PERFORM api.check_end(service);
    PERFORM api.cancel_trips_after(bus_id, last_date);
    PERFORM api.open_sales(bus_id);
END $$;

-- Whether a segment of a repeating route ends after the day that follows the last date of its service, so that it is not
-- on sale. arrives: at the end of the segment, in the timetable. The other services end with whole trips.
CREATE OR REPLACE FUNCTION api.is_after_end(service bus_info, travel_date date, arrives interval) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(service.repeat_legs > 0 AND travel_date + arrives >= service.last_date + 2, false);

-- Check that no passenger of a repeating route alights after its end. Locks all trips of the service.
CREATE OR REPLACE FUNCTION api.check_end(service bus_info) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    until date;
BEGIN
    IF service.repeat_legs IS NULL OR service.last_date IS NULL THEN
        RETURN;
    END IF;
    PERFORM api.lock_trips(service.bus_id, '-infinity');
    SELECT max(p.travel_date + r.arrives)::date INTO until
    FROM passengers p JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = upper(p.segment)
    WHERE p.bus_id = service.bus_id AND p.status IN ('held', 'booked', 'pending')
      AND api.is_after_end(service, p.travel_date, r.arrives)
      AND api.instant(p.travel_date, r.arrives, service.time_zone) > api.now();
    IF until IS NOT NULL THEN
        RAISE EXCEPTION 'Service % has passengers after %: until %.', service.bus_id, service.last_date, until
            USING HINT = format('Choose %s or a later last date.', until - 1);
    END IF;
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
    DELETE FROM assignments a WHERE a.bus_id = cancel_trips_after.bus_id AND a.travel_date = ANY (later);
    UPDATE trips t SET state = 'cancelled', reason = 'The service has ended.', cancelled_at = api.now(), ended = true
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
