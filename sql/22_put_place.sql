-- Add a place, or edit one, from its document: the columns of places. An edit changes only the fields that data names and that
-- differ. account: an operator may add a place whose names no other place has; an admin may also edit places; NULL is the owner
-- of the database, who may do both. plan: return the answer, and write nothing.
--
-- The answer: code; created, whether the place is new; changes, {field, from, to} for each field.
CREATE OR REPLACE FUNCTION api.put_place(account text, data jsonb, plan boolean DEFAULT false) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    before  jsonb;
    wanted  jsonb;
    changes jsonb := '[]';
BEGIN
    SELECT to_jsonb(p) INTO before FROM places p WHERE p.code = data ->> 'code' FOR UPDATE;
    wanted := coalesce(before, '{"aliases": [], "time_zone": "Asia/Kolkata"}') || data;
    answer := api.refusal_of_faults(api.check_place_document(wanted));
    IF answer IS NULL AND before IS NULL AND (SELECT a.role FROM accounts a WHERE a.username = account) <> 'admin' THEN
        answer := api.refusal_of_faults(api.check_names_are_new(jsonb_populate_record(NULL::places, wanted)));
    END IF;
    IF answer IS NULL AND before IS NOT NULL THEN
        changes := api.changes(before, to_jsonb(jsonb_populate_record(NULL::places, wanted)));
        IF changes <> '[]' AND (SELECT a.role FROM accounts a WHERE a.username = account) <> 'admin' THEN
            answer := api.refusal('not_yours', format('The place %s exists already, and only an admin can change it.', data ->> 'code'));
        END IF;
    END IF;
    refused := answer IS NOT NULL;
    IF NOT refused THEN
        answer := jsonb_build_object('code', data ->> 'code', 'created', before IS NULL, 'changes', changes);
        IF NOT plan AND (before IS NULL OR changes <> '[]') THEN
            INSERT INTO places AS p SELECT n.* FROM jsonb_populate_record(NULL::places, wanted) AS n
            ON CONFLICT ON CONSTRAINT places_pkey DO UPDATE SET
                name = excluded.name, aliases = excluded.aliases, part_of = excluded.part_of, time_zone = excluded.time_zone,
                latitude = excluded.latitude, longitude = excluded.longitude;
        END IF;
    END IF;
    RETURN NEXT;
END $$;

-- The faults of the document of a place, with all its fields.
CREATE OR REPLACE FUNCTION api.check_place_document(document jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('field', field, 'message', message) ORDER BY n), '[]') FROM (
        SELECT 1, key, format('There is no field %s. The fields are: code, name, aliases, part_of, time_zone, latitude, longitude.', api.quoted(key))
        FROM jsonb_object_keys(document - '{code,name,aliases,part_of,time_zone,latitude,longitude}'::text[]) AS key
        UNION ALL
        SELECT 2, 'code', 'A code has 2 to 16 characters of A-Z, 0-9 and -, such as CKPT.'
        WHERE (document ->> 'code' ~ '^[A-Z0-9-]{2,16}$') IS NOT TRUE
        UNION ALL
        SELECT 3, 'name', coalesce(v.fault, 'It is missing.') FROM api.read_value(document -> 'name', 'name') AS v
        WHERE v.canonical IS NULL
        UNION ALL
        SELECT 4, 'aliases', 'It is a list of names.' WHERE jsonb_typeof(document -> 'aliases') <> 'array'
        UNION ALL
        SELECT 5, format('aliases[%s]', alias.n - 1), v.fault
        FROM jsonb_path_query(document, '$.aliases[*]') WITH ORDINALITY AS alias (value, n), api.read_value(alias.value, 'name') AS v
        WHERE v.canonical IS NULL
        UNION ALL
        SELECT 6, 'part_of', format('No place has the code %s.', api.quoted(document ->> 'part_of'))
        WHERE document ->> 'part_of' NOT IN (SELECT p.code FROM places p)
        UNION ALL
        SELECT 7, 'part_of', format('The place %s is a part of this place.', document ->> 'part_of')
        WHERE (document ->> 'part_of') IN (
            WITH RECURSIVE part AS (
                SELECT document ->> 'code' AS code
                UNION
                SELECT p.code FROM places p JOIN part ON p.part_of = part.code
            )
            SELECT part.code FROM part)
        UNION ALL
        SELECT 8, axis.field, format('It is a number of degrees, from -%1$s to %1$s, such as 12.97.', axis.most)
        FROM (VALUES ('latitude', 90), ('longitude', 180)) AS axis (field, most)
        WHERE CASE WHEN document ->> axis.field ~ '^-?[0-9]{1,3}(\.[0-9]{1,17})?(e-[0-9]{1,2})?$'
                   THEN abs((document ->> axis.field)::double precision) > axis.most ELSE document ->> axis.field IS NOT NULL END
        UNION ALL
        SELECT 9, 'time_zone', v.fault FROM api.read_value(document -> 'time_zone', 'time_zone') AS v WHERE v.canonical IS NULL
    ) AS wrong (n, field, message));
END $$;

-- A place as JSON, for the reply to put_place.
CREATE OR REPLACE FUNCTION api.show_place(p places) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('code', p.code, 'name', p.name, 'aliases', p.aliases, 'part_of', p.part_of, 'time_zone', p.time_zone);

-- Check that no other place has the name, the code or an alias of a place that an operator adds: if two places have one name,
-- every traveller must choose between them.
CREATE OR REPLACE FUNCTION api.check_names_are_new(place places) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', 'name', 'message', format('%s is called %s already. Use that place, or choose '
        'another name.', p.code, api.quoted(word)))), '[]')
    FROM unnest(place_words(place.code, place.name, place.aliases)) AS word
    JOIN places p ON p.code <> place.code AND place_words(p.code, p.name, p.aliases) @> ARRAY[word]
$$;
