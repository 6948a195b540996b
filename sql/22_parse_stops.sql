-- The stops of a timetable in text (see api.add_service) as rows of route_table. Raises an exception that quotes
-- the line if a place is unknown, a time is invalid, or km or fare decrease. A departure time below the arrival
-- time is on the next day; if that is more than 12 hours after the arrival, the time is invalid too.
CREATE OR REPLACE FUNCTION api.parse_stops(stops text)
RETURNS TABLE (stop_no int, place text, arrives interval, departs interval, km numeric, fare numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    line    text;
    cells   text[];
    meant   places[];
    last_time interval := '0';
    last_km numeric := 0;
    last_fare numeric := 0;
    time_format CONSTANT text := '^(-|([0-9]{1,4}d )?[0-9]{1,4}:[0-5][0-9])$';
    hint CONSTANT text := 'A line is: place | arrives | departs | km | fare, as in "Mandya | 23:40 | 23:45 | 100 | 180".';
BEGIN
    stop_no := 0;
    FOREACH line IN ARRAY string_to_array(stops, E'\n') LOOP
        line := api.plain_spaces(line);
        CONTINUE WHEN line = '' OR line LIKE '#%';
        cells := ARRAY(SELECT btrim(cell) FROM unnest(string_to_array(line, '|')) WITH ORDINALITY AS c (cell, i) ORDER BY i);
        IF cardinality(cells) <> 5 OR cells[2] !~ time_format OR cells[3] !~ time_format
           OR cells[4] !~ '^[0-9]{1,6}(\.[0-9])?$' OR cells[5] !~ '^[0-9]{1,8}(\.[0-9]{1,2})?$' THEN
            RAISE EXCEPTION 'Not a line of a timetable: %.', api.quoted(line) USING HINT = hint;
        END IF;
        meant := ARRAY(SELECT m FROM api.places_meant(cells[1]) AS m WHERE api.is_called(m, cells[1]));
        place := meant[1].code;
        IF place IS NULL THEN
            RAISE EXCEPTION 'No place is called %, in the line %.', api.quoted(cells[1]), api.quoted(line)
                USING HINT = 'Insert it into places (code, name) first. Similar names: ' || (api.nearest_places(cells[1]) #>> '{}');
        ELSIF cardinality(meant) > 1 THEN
            RAISE EXCEPTION 'Several places are called %: %; in the line %.', api.quoted(cells[1]), api.list_places(meant), api.quoted(line)
                USING HINT = 'Write the code instead of the name.';
        END IF;
        arrives := api.next_time(last_time, cells[2]);
        departs := api.next_time(coalesce(arrives, last_time), cells[3]);
        IF departs - arrives > interval '12 hours' AND departs <> nullif(cells[3], '-')::interval THEN
            RAISE EXCEPTION 'It departs before it arrives: %.', api.quoted(line)
                USING HINT = 'If it stops for that long, count the hours past midnight, as in 18:00 | 32:00.';
        END IF;
        IF cells[2] LIKE '%d%' AND arrives <> cells[2]::interval OR cells[3] LIKE '%d%' AND departs <> cells[3]::interval THEN
            RAISE EXCEPTION 'A time is before the previous one: %.', api.quoted(line)
                USING HINT = 'Only a time without a day, as in 14:00, is moved to a later day. 5d 14:00 is not.';
        END IF;
        last_time := coalesce(departs, arrives, last_time);
        km := cells[4];
        fare := cells[5];
        stop_no := stop_no + 1;
        IF arrives IS NULL AND departs IS NULL OR km < last_km OR fare < last_fare THEN
            RAISE EXCEPTION 'A stop needs a time, and km and fare that do not decrease: %.', api.quoted(line) USING HINT = hint;
        END IF;
        last_km := km;
        last_fare := fare;
        RETURN NEXT;
    END LOOP;
    IF stop_no < 2 THEN
        RAISE EXCEPTION 'A timetable has at least two stops.' USING HINT = hint;
    END IF;
END $$;

-- `clock` as a time of api.instant. If it is before `after`, the same time of day on the first day on which it is not
-- before `after`: a day of the calendar if `after` has such days, else 24 hours later. NULL for "-".
CREATE OR REPLACE FUNCTION api.next_time(after interval, clock text) RETURNS interval
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN clock = '-' THEN NULL
            WHEN clock::interval >= after THEN clock::interval
            ELSE clock::interval + ceil(extract(epoch FROM after - clock::interval) / 86400)
                * CASE WHEN extract(day FROM after) > 0 THEN interval '1 day' ELSE interval '24 hours' END END;

-- The ISO weekdays of 'daily', 'never' or a list of weekdays and ranges of them: 'Mon Wed Fri', 'Mon-Thu, Saturday'.
-- A range may begin late in the week, as in 'Fri-Mon'. NULL for NULL. Raises an exception for anything else.
CREATE OR REPLACE FUNCTION api.parse_weekdays(runs_on text) RETURNS int[]
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    names CONSTANT text[] := '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}';
    typed CONSTANT text := fold_name(api.plain_spaces(runs_on));
    days  int[] := '{}';
    part  text;
    ends  text[];
    first int;
    last  int;
    day   int;
BEGIN
    IF typed IN ('daily', 'never') THEN
        RETURN CASE typed WHEN 'daily' THEN '{1,2,3,4,5,6,7}' ELSE days END;
    END IF;
    FOREACH part IN ARRAY regexp_split_to_array(regexp_replace(typed, '\s*[-–]\s*', '-', 'g'), '\s*,\s*|\s+') LOOP
        ends := string_to_array(part, '-');
        SELECT min(n) FILTER (WHERE ends[1] IN (name, left(name, 3))),
               min(n) FILTER (WHERE ends[cardinality(ends)] IN (name, left(name, 3)))
        INTO first, last FROM unnest(names) WITH ORDINALITY AS weekday (name, n);
        IF first IS NULL OR last IS NULL OR cardinality(ends) > 2 THEN
            RAISE EXCEPTION '% is not a weekday or a range of weekdays, in %.', api.quoted(part), api.quoted(runs_on)
                USING HINT = 'Write daily, never, or weekdays such as: Mon Wed Fri, Mon-Fri, or Saturday, Sunday.';
        END IF;
        FOR n IN first .. last + CASE WHEN last < first THEN 7 ELSE 0 END LOOP
            day := (n - 1) % 7 + 1;
            IF day <> ALL (days) THEN
                days := days || day;
            END IF;
        END LOOP;
    END LOOP;
    RETURN days;
END $$;
