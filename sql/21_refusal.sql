-- A refusal. reason: one of those in server/PROTOCOL.md. message: for people. data: more fields for programs.
CREATE OR REPLACE FUNCTION api.refusal(reason text, message text, data jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('reason', reason, 'message', message) || data;

-- A refusal because of a field that is missing or invalid. takes: its valid values.
CREATE OR REPLACE FUNCTION api.refusal_bad_request(field text, takes text, message text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN api.refusal('bad_request', message, jsonb_build_object('field', field, 'takes', takes));

-- A number with its noun: '1 seat', '3 seats'.
CREATE OR REPLACE FUNCTION api.format_count(n bigint, noun text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN n || ' ' || noun || CASE WHEN n = 1 THEN '' ELSE 's' END;

-- A noun with a list of numbers: 'Seat 7', 'Seats 7 and 8', 'Rooms 1, 2 and 3'.
CREATE OR REPLACE FUNCTION api.format_numbers(numbers int[], noun text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN initcap(noun) || CASE WHEN cardinality(numbers) = 1 THEN ' ' || numbers[1] ELSE
    's ' || array_to_string(numbers[:cardinality(numbers) - 1], ', ') || ' and ' || numbers[cardinality(numbers)] END;
