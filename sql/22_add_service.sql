-- Add a service from a timetable in text, or edit one. Returns false, and changes nothing, if the bus_id exists and `replace` is
-- false, or if the service belongs to another database (api.keeps_service). With `replace`, an existing service gets the arguments
-- that are not NULL, and keeps everything else: its other fields, its cancelled and extra trips, its trips on sale. A new service
-- needs name, operator, layout and stops. The function is api.put_service for SQL: see there what an edit may change.
--
--   stops   one line for each stop:  place | arrives | departs | km from the origin | fare from the origin
--           "-" means no time. A time below the previous one is on the next day: 01:40 there means 25:40. 25:40 counts
--           the hours since the travel date began, also if the clock is changed at night. 5d 14:00 is 14:00 by the
--           clock, five days after the travel date.
--   layout  the name of a row in table layouts, or a drawing (see api.layout_seats)
--   runs_on 'daily', 'never' (trips are added one by one), or weekdays and ranges of them: 'Mon Wed Fri', 'Mon-Fri'
--   repeat_legs  the number of legs at the end of the route that repeat without end, as a hotel's nights do each week;
--           the service runs on 'never', and api.add_trip opens its one trip
--
-- Raises an exception with a hint for the first fault, or if the edit would move tickets.
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
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off AS $$   -- as in api.put_service
DECLARE
    lines   CONSTANT text[] := api.timetable_lines(stops);
    refusal jsonb;
    line    int;
BEGIN
    IF NOT api.keeps_service(bus_id) OR NOT replace AND EXISTS (SELECT FROM bus_info b WHERE b.bus_id = add_service.bus_id) THEN
        RETURN false;
    END IF;
    refusal := (SELECT p.answer FROM api.put_service(NULL, jsonb_strip_nulls(jsonb_build_object(
        'bus_id', bus_id, 'name', name, 'operator', operator, 'layout', layout, 'stops', api.parse_stops(lines),
        'bus_type', bus_type, 'ac', ac, 'runs_on', runs_on, 'kind', kind, 'time_zone', time_zone,
        'refund_percent', refund_percent::text, 'alight_refund_percent', alight_refund_percent::text,
        'sells_until', api.format_duration(sells_until), 'max_seats', max_seats, 'phone_required', phone_required,
        'sales_days', sales_days, 'first_date', first_date, 'last_date', last_date, 'nouns', nouns, 'queue_limit', queue_limit,
        'repeat_legs', repeat_legs))) AS p WHERE p.refused);
    IF refusal IS NOT NULL THEN
        line := substring(refusal ->> 'field' FROM '^stops\[(\d+)\]')::int + 1;
        PERFORM api.raise_refusal(refusal, format('Service %s: ', bus_id),
            CASE WHEN line > 0 THEN format('In the line %s.', api.quoted(lines[line])) END);
    END IF;
    RETURN true;
END $$;

-- Raise a refusal as an exception, for callers in SQL. The text of the exception is the first fault of a document, or else the
-- message of the refusal. hint: the hint of the exception for a fault; NULL: the hint names the field.
CREATE OR REPLACE FUNCTION api.raise_refusal(refusal jsonb, prefix text DEFAULT '', hint text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF refusal ? 'faults' THEN
        RAISE EXCEPTION '%', prefix || (refusal #>> '{faults,0,message}')
            USING HINT = coalesce(hint, format('It is in the field %s.', refusal ->> 'field'));
    END IF;
    RAISE EXCEPTION '%', refusal ->> 'message';
END $$;
