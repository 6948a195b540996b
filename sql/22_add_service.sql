-- Add a service from a timetable in text, or edit one. Returns false if the bus_id exists and `replace` is false: the
-- service stays as it is. With `replace`, an existing service gets the arguments that are given, and keeps everything
-- else: its columns for which an argument is NULL, its cancelled and extra trips, its trips on sale. An edit that may
-- change the seats, the stops, the times or the dates of tickets is refused if the service has tickets: see
-- api.delete_unpaid_tickets. A new service has the defaults of the columns of bus_info for arguments that are NULL; it
-- needs name, operator, layout and stops.
--
--   stops   one line for each stop:  place | arrives | departs | km from the origin | fare from the origin
--           "-" means no time; a time below the previous one is on the next day (01:40, or 25:40). Such times are
--           hours after the day began, whatever the clock does; 5d 14:00 is 14:00 by the clock, five days later.
--   layout  the name of a row in table layouts, or a drawing (see api.layout_seats)
--   runs_on 'daily', 'never' (trips are added one by one), or weekdays and ranges of them: 'Mon Wed Fri', 'Mon-Fri'
--   repeat_legs  the number of legs at the end of the route that repeat without end, as a hotel's nights do each week;
--           the service runs on 'never', and api.add_trip opens its one trip
--
-- Raises an exception with a hint if an argument is invalid.
CREATE OR REPLACE FUNCTION api.add_service(
    bus_id bigint, name text DEFAULT NULL, operator text DEFAULT NULL, layout text DEFAULT NULL,
    stops text DEFAULT NULL, bus_type text DEFAULT NULL, ac boolean DEFAULT NULL, runs_on text DEFAULT NULL,
    kind text DEFAULT NULL, time_zone text DEFAULT NULL, refund_percent numeric DEFAULT NULL,
    alight_refund_percent numeric DEFAULT NULL, sells_until interval DEFAULT NULL, max_seats int DEFAULT NULL,
    phone_required boolean DEFAULT NULL, sales_days int DEFAULT NULL,
    first_date date DEFAULT NULL, last_date date DEFAULT NULL,
    nouns jsonb DEFAULT NULL, replace boolean DEFAULT false, queue_limit int DEFAULT NULL,
    repeat_legs int DEFAULT NULL
) RETURNS boolean
-- A session that adds thousands of services reuses the plans that it made while the tables were empty. Without
-- enable_seqscan = off, these plans scan whole tables.
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    drawing text := api.plain_spaces(coalesce(
        (SELECT l.drawing FROM layouts l WHERE l.name = api.plain_spaces(add_service.layout)), layout));
    similar_names text;
    before  bus_info;
    service bus_info;
    running date[];
BEGIN
    SELECT * INTO before FROM bus_info b WHERE b.bus_id = add_service.bus_id FOR NO KEY UPDATE;
    IF FOUND AND NOT replace THEN
        RETURN false;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = coalesce(add_service.time_zone, 'UTC')) THEN
        RAISE EXCEPTION 'Service %: there is no time zone %.', bus_id, api.quoted(time_zone)
            USING HINT = 'Write it as in Asia/Kolkata or Europe/London.';
    END IF;
    IF drawing ~ '^[^\n]*[ \d][^\n]*$' THEN    -- a name: no row of a drawing has a space or a digit
        SELECT string_agg(format('"%s"', l.name), ', ' ORDER BY similarity(l.name, layout) DESC, l.name) INTO similar_names
        FROM layouts l WHERE similarity(l.name, layout) >= 0.3;
        RAISE EXCEPTION 'Service %: no layout is called %.', bus_id, api.quoted(layout)
            USING HINT = coalesce('Similar names: ' || similar_names || '.', 'List the layouts with SELECT name FROM layouts, or write a drawing instead of a name.');
    END IF;
    IF before.bus_id IS NOT NULL THEN
        IF num_nonnulls(layout, stops, runs_on, time_zone, sells_until, first_date) > 0 THEN
            PERFORM api.delete_unpaid_tickets(before);
        END IF;
    ELSIF name IS NULL OR operator IS NULL OR layout IS NULL OR stops IS NULL THEN
        RAISE EXCEPTION 'Service % is new.', bus_id USING HINT = 'Give its name, operator, layout and stops.';
    ELSE
        INSERT INTO bus_info (bus_id, name, operator, layout) VALUES (bus_id, name, operator, drawing);
    END IF;

    running := api.trips_on_calendar(before);
    UPDATE bus_info b SET
        name = coalesce(add_service.name, b.name),
        operator = coalesce(add_service.operator, b.operator),
        layout = coalesce(drawing, b.layout),
        bus_type = coalesce(add_service.bus_type, b.bus_type),
        ac = coalesce(add_service.ac, b.ac),
        runs_on = coalesce(api.parse_weekdays(add_service.runs_on), b.runs_on),
        kind = coalesce(add_service.kind, b.kind),
        time_zone = coalesce(add_service.time_zone, b.time_zone),
        refund_percent = coalesce(add_service.refund_percent, b.refund_percent),
        alight_refund_percent = coalesce(add_service.alight_refund_percent, b.alight_refund_percent),
        sells_until = coalesce(add_service.sells_until, b.sells_until),
        max_seats = coalesce(add_service.max_seats, b.max_seats),
        queue_limit = coalesce(add_service.queue_limit, b.queue_limit),
        phone_required = coalesce(add_service.phone_required, b.phone_required),
        sales_days = coalesce(add_service.sales_days, b.sales_days),
        first_date = coalesce(add_service.first_date, b.first_date),
        last_date = coalesce(add_service.last_date, b.last_date),
        nouns = coalesce(add_service.nouns, b.nouns),
        repeat_legs = coalesce(add_service.repeat_legs, b.repeat_legs)
    WHERE b.bus_id = add_service.bus_id
    RETURNING * INTO service;
    IF stops IS NOT NULL THEN
        DELETE FROM route_table r WHERE r.bus_id = service.bus_id;
        INSERT INTO route_table SELECT service.bus_id, route.* FROM api.parse_stops(stops) AS route;
    END IF;
    IF drawing IS NOT NULL THEN
        DELETE FROM seat_plan p WHERE p.bus_id = service.bus_id;
        INSERT INTO seat_plan SELECT service.bus_id, plan.* FROM api.layout_seats(drawing) AS plan;
        DELETE FROM seats s WHERE s.bus_id = service.bus_id AND NOT EXISTS (
            SELECT FROM seat_plan p WHERE p.bus_id = s.bus_id AND p.seat_no = s.seat_no);
        INSERT INTO seats (bus_id, travel_date, seat_no)
        SELECT t.bus_id, t.travel_date, p.seat_no FROM trips t JOIN seat_plan p ON p.bus_id = t.bus_id
        WHERE t.bus_id = service.bus_id ON CONFLICT DO NOTHING;
    END IF;
    PERFORM api.delete_trips_off_calendar(service, running);
    PERFORM api.check_end(service);
    PERFORM api.cancel_trips_after(service.bus_id, service.last_date);
    PERFORM api.renew_assignments(service);
    PERFORM api.open_sales(service.bus_id);
    RETURN true;
END $$;

-- Delete the tickets of a service, if none of them is live and none was ever paid: expired and released holds, and
-- waitlist entries that were not promoted. With them go the answers to their requests. Locks all trips of the
-- service. Raises an exception if a ticket is live or was paid.
CREATE OR REPLACE FUNCTION api.delete_unpaid_tickets(service bus_info) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    paid         bigint;
    waiting      bigint;
    last_expires timestamptz;
BEGIN
    PERFORM api.lock_trips(service.bus_id, '-infinity');
    SELECT count(*) FILTER (WHERE p.booked_at IS NOT NULL), count(*) FILTER (WHERE p.status IN ('held', 'pending')),
           max(p.expires_at) FILTER (WHERE p.status IN ('held', 'pending'))
    INTO paid, waiting, last_expires FROM passengers p WHERE p.bus_id = service.bus_id;
    IF paid > 0 THEN
        RAISE EXCEPTION 'Service % has %, so its layout, stops, runs_on, time_zone, sells_until and first_date cannot change.',
            service.bus_id, api.format_count(paid, 'ticket')
            USING HINT = format('End it with SELECT api.end_service(%s, DATE ''…''), which keeps the tickets, '
                'and add the new timetable under a new bus_id.', service.bus_id);
    ELSIF waiting > 0 THEN
        RAISE EXCEPTION 'Service % has % on hold or on the waitlist until %, so its layout, stops, runs_on, time_zone, sells_until and first_date cannot change now.',
            service.bus_id, api.format_count(waiting, 'ticket'), to_char(last_expires AT TIME ZONE service.time_zone, 'YYYY-MM-DD HH24:MI:SS')
            USING HINT = 'Change them after that time, or cancel the trips first.';
    END IF;
    DELETE FROM idempotency_keys k WHERE k.bus_id = service.bus_id AND k.answer ? 'reference';
    DELETE FROM holders h WHERE h.bus_id = service.bus_id;
    DELETE FROM passengers p WHERE p.bus_id = service.bus_id;
END $$;
