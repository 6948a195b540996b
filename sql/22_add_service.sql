-- Add a service from a timetable in text. Returns false if the bus_id exists and `replace` is false: the
-- service stays as it is. A service with tickets cannot be replaced.
--
--   stops   one line for each stop:  place | arrives | departs | km from the origin | fare from the origin
--           "-" means no time; a time below the previous one is on the next day (01:40, or 25:40)
--   layout  the name of a row in table layouts, or a drawing (see api.layout_seats)
--   runs_on 'daily', 'never' (trips are added one by one), or weekdays and ranges of them: 'Mon Wed Fri', 'Mon-Fri'
--
-- Raises an exception with a hint if an argument is invalid.
CREATE OR REPLACE FUNCTION api.add_service(
    bus_id bigint, name text, operator text, layout text, stops text,
    bus_type text DEFAULT NULL, ac boolean DEFAULT NULL, runs_on text DEFAULT 'daily', kind text DEFAULT 'bus',
    time_zone text DEFAULT 'Asia/Kolkata', refund_percent numeric DEFAULT 50,
    alight_refund_percent numeric DEFAULT 0, sells_until interval DEFAULT '0', max_seats int DEFAULT 6,
    phone_required boolean DEFAULT true, sales_days int DEFAULT 60,
    first_date date DEFAULT NULL, last_date date DEFAULT NULL,
    nouns jsonb DEFAULT '{"service": "bus", "seat": "seat"}', replace boolean DEFAULT false
) RETURNS boolean
-- A session that adds thousands of services reuses the plans that it made while the tables were empty. Without
-- enable_seqscan = off, these plans scan whole tables.
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    drawing text := api.plain_spaces(coalesce(
        (SELECT l.drawing FROM layouts l WHERE l.name = api.plain_spaces(add_service.layout)), layout));
    similar_names text;
BEGIN
    IF EXISTS (SELECT FROM bus_info b WHERE b.bus_id = add_service.bus_id) THEN
        IF NOT replace THEN
            RETURN false;
        END IF;
        PERFORM api.delete_service(bus_id);
    END IF;
    IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = add_service.time_zone) THEN
        RAISE EXCEPTION 'Service %: there is no time zone %.', bus_id, api.quoted(time_zone)
            USING HINT = 'Write it as in Asia/Kolkata or Europe/London.';
    END IF;
    IF drawing ~ '^[^\n]*[ \d][^\n]*$' THEN    -- a name: no row of a drawing has a space or a digit
        SELECT string_agg(format('"%s"', l.name), ', ' ORDER BY similarity(l.name, layout) DESC, l.name) INTO similar_names
        FROM layouts l WHERE similarity(l.name, layout) >= 0.3;
        RAISE EXCEPTION 'Service %: no layout is called %.', bus_id, api.quoted(layout)
            USING HINT = coalesce('Similar names: ' || similar_names || '.', 'List the layouts with SELECT name FROM layouts, or write a drawing instead of a name.');
    END IF;
    INSERT INTO bus_info (bus_id, kind, name, operator, bus_type, ac, layout, runs_on, first_date, last_date,
        sales_days, time_zone, refund_percent, alight_refund_percent, sells_until, max_seats, phone_required, nouns)
    VALUES (bus_id, kind, name, operator, bus_type, ac, drawing, api.parse_weekdays(runs_on),
        first_date, last_date, sales_days, time_zone, refund_percent, alight_refund_percent, sells_until,
        max_seats, phone_required, nouns);
    INSERT INTO seat_plan SELECT add_service.bus_id, plan.* FROM api.layout_seats(drawing) AS plan;
    INSERT INTO route_table SELECT add_service.bus_id, route.* FROM api.parse_stops(stops) AS route;
    PERFORM api.open_sales(bus_id);
    RETURN true;
END $$;

-- Delete a service that never sold a ticket, with its trips.
CREATE OR REPLACE FUNCTION api.delete_service(bus_id bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    sold bigint;
BEGIN
    -- lock the trips, so that no ticket is sold between the check and the deletion
    PERFORM FROM trips t WHERE t.bus_id = delete_service.bus_id ORDER BY t.travel_date FOR UPDATE;
    SELECT count(*) INTO sold FROM passengers p WHERE p.bus_id = delete_service.bus_id;
    IF sold > 0 THEN
        RAISE EXCEPTION 'Service % has %, so it cannot be replaced.', bus_id, api.format_count(sold, 'ticket')
            USING HINT = format('End it with SELECT api.end_service(%s, DATE ''…''), which keeps the tickets, '
                'and add the new timetable under a new bus_id.', bus_id);
    END IF;
    DELETE FROM seats s WHERE s.bus_id = delete_service.bus_id;
    DELETE FROM trips t WHERE t.bus_id = delete_service.bus_id;
    DELETE FROM route_table r WHERE r.bus_id = delete_service.bus_id;
    DELETE FROM seat_plan p WHERE p.bus_id = delete_service.bus_id;
    DELETE FROM bus_info b WHERE b.bus_id = delete_service.bus_id;
END $$;
