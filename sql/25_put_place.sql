-- Add a place, or edit one: {code, name, aliases, part_of, time_zone}. An edit keeps the fields that data does not name. An
-- operator's account adds places, under names that no other place has: a name of two places is ambiguous for every traveller.
-- Only an admin changes places. account: NULL for the owner of the database, who may do all.
CREATE OR REPLACE FUNCTION api.put_place(account text, data jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    is_admin CONSTANT boolean := account IS NULL OR EXISTS (SELECT FROM accounts a WHERE a.username = account AND a.role = 'admin');
    before   jsonb;
    wanted   record;
    place    places;
BEGIN
    SELECT api.show_place(p) INTO before FROM places p WHERE p.code = data ->> 'code' FOR NO KEY UPDATE;
    SELECT * INTO wanted FROM api.read_fields('{"aliases": [], "time_zone": "Asia/Kolkata"}' || coalesce(before, '{}') || data, 'place', '') AS r;
    IF wanted.faults <> '[]' THEN
        RETURN api.refusal_of_faults(wanted.faults);
    END IF;
    place := jsonb_populate_record(NULL::places, wanted.read);
    IF api.show_place(place) = before THEN
        RETURN before;
    ELSIF before IS NOT NULL AND NOT is_admin THEN
        RETURN api.refusal('not_yours', format('There is a place %s already: %s. Only an admin changes a place.', place.code, before ->> 'name'));
    END IF;
    wanted.faults := api.check_part_of(place) || CASE WHEN is_admin THEN '[]' ELSE api.check_names_are_new(place) END;
    IF wanted.faults <> '[]' THEN
        RETURN api.refusal_of_faults(wanted.faults);
    END IF;
    INSERT INTO places SELECT place.* ON CONFLICT (code) DO UPDATE
    SET name = EXCLUDED.name, aliases = EXCLUDED.aliases, part_of = EXCLUDED.part_of, time_zone = EXCLUDED.time_zone;
    RETURN api.show_place(place);
END $$;

CREATE OR REPLACE FUNCTION api.show_place(p places) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('code', p.code, 'name', p.name, 'aliases', p.aliases, 'part_of', p.part_of, 'time_zone', p.time_zone);

-- Check that a place is part of another one, and not of itself.
CREATE OR REPLACE FUNCTION api.check_part_of(place places) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE container AS (
        SELECT p.code, p.part_of FROM places p WHERE p.code = place.part_of
        UNION SELECT p.code, p.part_of FROM places p JOIN container c ON p.code = c.part_of
    )
    SELECT CASE WHEN place.part_of IS NOT NULL AND NOT EXISTS (SELECT FROM container)
                THEN api.fault('part_of', format('No place has the code %s.', place.part_of))
                WHEN place.code IN (SELECT c.code FROM container c)
                THEN api.fault('part_of', format('%s is a part of %s.', place.part_of, place.code)) ELSE '[]' END
$$;

-- Check that no other place has the name, the code or an alias of a place.
CREATE OR REPLACE FUNCTION api.check_names_are_new(place places) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', 'name', 'message', format('%s is called %s already. Use that place, or choose '
        'another name.', p.code, api.quoted(word)))), '[]')
    FROM unnest(place_words(place.code, place.name, place.aliases)) AS word
    JOIN places p ON p.code <> place.code AND place_words(p.code, p.name, p.aliases) @> ARRAY[word]
$$;
