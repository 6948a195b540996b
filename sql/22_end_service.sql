-- End a service after a date: cancel the later trips. Raises an exception that names the later trips with
-- tickets, if there are any.
CREATE OR REPLACE FUNCTION api.end_service(bus_id bigint, last_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    sold text;
BEGIN
    PERFORM FROM trips t WHERE t.bus_id = end_service.bus_id AND t.travel_date > end_service.last_date
    ORDER BY t.travel_date FOR UPDATE;
    SELECT string_agg(DISTINCT p.travel_date::text, ', ') INTO sold FROM passengers p
    WHERE p.bus_id = end_service.bus_id AND p.travel_date > end_service.last_date
      AND p.status IN ('held', 'booked', 'pending');
    IF sold IS NOT NULL THEN
        RAISE EXCEPTION 'Service % has passengers after %: on %.', bus_id, last_date, sold
            USING HINT = 'Choose a later last date, or cancel those trips first.';
    END IF;
    UPDATE bus_info b SET last_date = end_service.last_date WHERE b.bus_id = end_service.bus_id;
    UPDATE trips t SET state = 'cancelled', reason = 'The service has ended.'
    WHERE t.bus_id = end_service.bus_id AND t.travel_date > end_service.last_date;
END $$;
