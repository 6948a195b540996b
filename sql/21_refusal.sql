-- A refusal. reason: one of those in server/PROTOCOL.md. message: for people. data: more fields for programs.
CREATE OR REPLACE FUNCTION api.refusal(reason text, message text, data jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('reason', reason, 'message', message) || data;

-- A refusal because of a field that is missing or invalid. takes: its valid values.
CREATE OR REPLACE FUNCTION api.refusal_bad_request(field text, takes text, message text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN api.refusal('bad_request', message, jsonb_build_object('field', field, 'takes', takes));

-- A fault of a document, as an array of one. field: its path, such as stops[2].fare; lists are numbered from 0. message: what
-- is wrong, and what would be right. takes: the valid values of the field, if it is wrong by itself.
CREATE OR REPLACE FUNCTION api.fault(field text, message text, takes text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('field', field, 'message', message, 'takes', takes)));

-- The refusal of a document with faults; NULL if it has none. Of several faults of a field, it has the first.
CREATE OR REPLACE FUNCTION api.refusal_of_faults(faults jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT api.refusal('bad_request', string_agg(format('%s: %s', f ->> 'field', f ->> 'message'), E'\n' ORDER BY n),
        jsonb_build_object('faults', jsonb_agg(f - 'takes' ORDER BY n), 'field', jsonb_agg(f -> 'field' ORDER BY n) -> 0,
                           'takes', jsonb_agg(coalesce(f -> 'takes', f -> 'message') ORDER BY n) -> 0))
    FROM (SELECT DISTINCT ON (f -> 'field') f, n FROM jsonb_array_elements(faults) WITH ORDINALITY AS e (f, n)
          ORDER BY f -> 'field', n) AS first
    HAVING count(*) > 0
$$;

-- A number with its noun: '1 seat', '3 seats'.
CREATE OR REPLACE FUNCTION api.format_count(n bigint, noun text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN n || ' ' || noun || CASE WHEN n = 1 THEN '' ELSE 's' END;

-- A noun with a list of numbers: 'Seat 7', 'Seats 7 and 8', 'Rooms 1, 2 and 3'.
CREATE OR REPLACE FUNCTION api.format_numbers(numbers int[], noun text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN initcap(noun) || CASE WHEN cardinality(numbers) = 1 THEN ' ' || numbers[1] ELSE
    's ' || array_to_string(numbers[:cardinality(numbers) - 1], ', ') || ' and ' || numbers[cardinality(numbers)] END;
