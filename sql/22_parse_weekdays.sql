-- The ISO weekdays of 'daily', 'never' or a list of weekdays and ranges of them: 'Mon Wed Fri', 'Mon-Thu, Saturday'.
-- A range may begin late in the week, as in 'Fri-Mon'. fault: what is wrong with any other text; days is NULL then.
CREATE OR REPLACE FUNCTION api.read_weekdays(runs_on text, OUT days int[], OUT fault text)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    names CONSTANT text[] := '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}';
    typed CONSTANT text := fold_name(api.plain_spaces(runs_on));
    named int[] := '{}';
    part  text;
    ends  text[];
    first int;
    last  int;
    day   int;
BEGIN
    IF typed IN ('daily', 'never') THEN
        days := CASE typed WHEN 'daily' THEN '{1,2,3,4,5,6,7}' ELSE named END;
        RETURN;
    END IF;
    FOREACH part IN ARRAY regexp_split_to_array(regexp_replace(typed, '\s*[-–]\s*', '-', 'g'), '\s*,\s*|\s+') LOOP
        ends := string_to_array(part, '-');
        SELECT min(n) FILTER (WHERE ends[1] IN (name, left(name, 3))),
               min(n) FILTER (WHERE ends[cardinality(ends)] IN (name, left(name, 3)))
        INTO first, last FROM unnest(names) WITH ORDINALITY AS weekday (name, n);
        IF first IS NULL OR last IS NULL OR cardinality(ends) > 2 THEN
            fault := format('%s is not a weekday or a range of weekdays, in %s. Write daily, never, or weekdays such as: '
                'Mon Wed Fri, Mon-Fri, or Saturday, Sunday.', api.quoted(part), api.quoted(runs_on));
            RETURN;
        END IF;
        FOR n IN first .. last + CASE WHEN last < first THEN 7 ELSE 0 END LOOP
            day := (n - 1) % 7 + 1;
            IF day <> ALL (named) THEN
                named := named || day;
            END IF;
        END LOOP;
    END LOOP;
    days := named;
END $$;

-- The ISO weekdays of a valid text; NULL for any other text.
CREATE OR REPLACE FUNCTION api.parse_weekdays(runs_on text) RETURNS int[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (api.read_weekdays(runs_on)).days;
END $$;
