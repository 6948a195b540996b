-- End a service after a date: cancel the later trips. A later last date opens them again (api.open_sales). NULL: the
-- service has no last date. A trip of a repeating route sells no segment that ends after the next day (api.is_after_end).
-- Raises an exception that names the later trips with passengers, or the last day on which a passenger alights.
CREATE OR REPLACE FUNCTION api.end_service(bus_id bigint, last_date date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.raise_refusal(e.answer) FROM api.end_service(NULL, bus_id, last_date, false) AS e WHERE e.refused;
END $$;

-- The same for an account, as api.put_service.
CREATE OR REPLACE FUNCTION api.end_service(account text, bus_id bigint, last_date date, plan boolean) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bus_info b WHERE b.bus_id = end_service.bus_id) THEN
        RETURN QUERY SELECT true, api.refusal_unknown_trip(bus_id, NULL);
    ELSE
        RETURN QUERY SELECT * FROM api.put_service(account, jsonb_build_object('bus_id', bus_id, 'last_date', last_date), plan);
    END IF;
END $$;

-- Whether a segment of a repeating route ends after the day that follows the last date of its service, so that it is not
-- on sale. arrives: at the end of the segment, in the timetable. The other services end with whole trips.
CREATE OR REPLACE FUNCTION api.is_after_end(service bus_info, travel_date date, arrives interval) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(service.repeat_legs > 0 AND travel_date + arrives >= service.last_date + 2, false);

-- Cancel the trips of a service after its last date, apart from those that have reached their last stop. The caller has locked
-- them, and has found no passenger (api.check_end).
CREATE OR REPLACE FUNCTION api.cancel_trips_after(bus_id bigint, last_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    dates date[];
BEGIN
    WITH ended AS (
        UPDATE trips t SET state = 'cancelled', reason = 'The service has ended.', cancelled_at = api.now(), ended = true
        WHERE t.bus_id = cancel_trips_after.bus_id AND t.travel_date > cancel_trips_after.last_date AND t.state = 'open'
          AND api.trip_ends_at(t.bus_id, t.travel_date) > api.now()
        RETURNING t.travel_date
    )
    SELECT array_agg(e.travel_date ORDER BY e.travel_date) INTO dates FROM ended e;
    DELETE FROM assignments a WHERE a.bus_id = cancel_trips_after.bus_id AND a.travel_date = ANY (dates);
    PERFORM api.record_trip_event('trip.cancelled', cancel_trips_after.bus_id, day) FROM unnest(dates) AS day;
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
