-- The stops of a timetable in text (see api.add_service).

-- The lines of the text, without empty lines and comments. NULL for NULL.
CREATE OR REPLACE FUNCTION api.timetable_lines(stops text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN stops IS NOT NULL THEN ARRAY(
    SELECT api.plain_spaces(l.line) FROM string_to_table(stops, E'\n') WITH ORDINALITY AS l (line, n)
    WHERE api.plain_spaces(l.line) !~ '^(#|$)' ORDER BY l.n) END;

-- The lines as the stops of a document. A time that is less than the previous one is moved to the next day. A time with a day
-- is not moved, and neither is a departure that would then be more than 12 hours after the arrival. Raises an exception for a
-- line without five cells. NULL for NULL.
CREATE OR REPLACE FUNCTION api.parse_stops(lines text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    stops   jsonb := '[]';
    line    text;
    cells   text[];
    arrives text;
    departs text;
    last    interval := '0';
BEGIN
    FOREACH line IN ARRAY lines LOOP
        cells := ARRAY(SELECT nullif(btrim(cell), '-') FROM unnest(string_to_array(line, '|')) WITH ORDINALITY AS c (cell, i) ORDER BY i);
        IF cardinality(cells) <> 5 THEN
            RAISE EXCEPTION 'Not a line of a timetable: %.', api.quoted(line)
                USING HINT = 'A line is: place | arrives | departs | km | fare, as in "Mandya | 23:40 | 23:45 | 100 | 180".';
        END IF;
        arrives := api.time_after(last, cells[2]);
        departs := api.time_after(coalesce(api.time_of(arrives), last), cells[3]);
        IF api.time_of(departs) - api.time_of(arrives) > interval '12 hours' AND departs <> cells[3] THEN
            departs := cells[3];   -- it stays before the arrival, which the check of the document reports
        END IF;
        last := coalesce(api.time_of(departs), api.time_of(arrives), last);
        stops := stops || jsonb_build_object('place', cells[1], 'arrives', arrives, 'departs', departs, 'km', cells[4], 'fare', cells[5]);
    END LOOP;
    RETURN stops;
END $$;

-- A text as a time of api.instant; NULL if it is none.
CREATE OR REPLACE FUNCTION api.time_of(clock text) RETURNS interval
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN clock ~ '^([0-9]{1,4}d )?[0-9]{1,4}:[0-5][0-9]$' THEN clock::interval END;

-- Move a time without a day to the first day on which it is not before `after`. Any other text stays as it is.
CREATE OR REPLACE FUNCTION api.time_after(after interval, clock text) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN clock NOT LIKE '%d%' AND api.time_of(clock) < after THEN api.format_time(api.next_time(after, clock)) ELSE clock END;
