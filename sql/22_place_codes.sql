-- Places by name, code or alias, or by the beginning of one.

-- The places with a name, alias or code that begins with this text of three characters or more.
CREATE OR REPLACE FUNCTION api.places_beginning(place text) RETURNS SETOF places
LANGUAGE sql STABLE AS $$
    SELECT p.* FROM places p
    WHERE length(fold_name(place)) >= 3
      AND place_beginnings(p.code, p.name, p.aliases)
          LIKE E'%\n' || regexp_replace(fold_name(place), '([\\%_])', '\\\1', 'g') || '%'
$$;

-- The place that has this code, or else those that have this name or alias, or else those of api.places_beginning.
CREATE OR REPLACE FUNCTION api.places_named(place text) RETURNS SETOF places
LANGUAGE sql STABLE AS $$
    WITH named AS MATERIALIZED (
        SELECT p.* FROM places p
        WHERE place_words(p.code, p.name, p.aliases) @> ARRAY[fold_name(place)]
          AND (p.code = upper(fold_name(place) COLLATE "C") COLLATE "default"
               OR NOT EXISTS (SELECT FROM places c WHERE c.code = upper(fold_name(place) COLLATE "C") COLLATE "default"))
    )
    SELECT * FROM named
    UNION ALL
    SELECT b.* FROM api.places_beginning(place) AS b WHERE NOT EXISTS (SELECT FROM named)
$$;

-- Whether a place has this whole name, code or alias.
CREATE OR REPLACE FUNCTION api.is_called(place places, name text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN fold_name(name) = ANY (place_words(place.code, place.name, place.aliases));

-- The codes of the places that a name may mean, and of the places that are part of them. NULL if there is none. In PL/pgSQL, because
-- PostgreSQL before 18 plans the statement of an SQL function again in each search.
CREATE OR REPLACE FUNCTION api.place_codes(place text) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH RECURSIVE matching AS (
            SELECT code FROM api.places_named(place)
            UNION
            SELECT places.code FROM places JOIN matching ON places.part_of = matching.code
        )
        SELECT array_agg(code) FROM matching);
END $$;

-- The places that a name means: those that are not part of another one that it may mean. The name is ambiguous if there
-- are several.
CREATE OR REPLACE FUNCTION api.places_meant(place text) RETURNS SETOF places
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE named AS MATERIALIZED (
        SELECT * FROM api.places_named(place)
    ), part AS (
        SELECT p.* FROM places p JOIN named n ON p.part_of = n.code
        UNION
        SELECT p.* FROM places p JOIN part ON p.part_of = part.code
    )
    SELECT * FROM named EXCEPT SELECT * FROM part
$$;

-- Check that a name means one place. codes: those of api.place_codes that are possible; NULL if there is none.
CREATE OR REPLACE FUNCTION api.check_place(place text, codes text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    meant  places[];
BEGIN
    IF codes IS NULL THEN
        RETURN api.refusal_unknown_place(place);
    ELSIF cardinality(codes) > 1 THEN
        meant := ARRAY(
            WITH RECURSIVE possible AS (   -- the places of the codes, and those that contain them
                SELECT p.* FROM unnest(codes) AS c (code) JOIN places p USING (code)
                UNION
                SELECT p.* FROM places p JOIN possible ON p.code = possible.part_of
            )
            SELECT m::places FROM (SELECT * FROM api.places_meant(place) INTERSECT SELECT * FROM possible) AS m ORDER BY m.code);
        IF cardinality(meant) > 1 THEN
            RETURN api.refusal('ambiguous_place',
                format(CASE WHEN api.is_called(meant[1], place)
                            THEN 'Several places are called %s: %s. Give the code instead of the name.'
                            ELSE 'Several places begin with %s: %s. Give the whole name or the code.' END,
                    api.quoted(place), api.list_places(meant)),
                jsonb_build_object('places', (SELECT jsonb_agg(jsonb_build_object('code', m.code, 'name', m.name) ORDER BY m.code)
                                              FROM unnest(meant[:10]) AS m)));
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- The first ten places as text: 'Neustadt (NEUD), Neustadt (NEUW)'.
CREATE OR REPLACE FUNCTION api.list_places(places places[]) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(format('%s (%s)', p.name, p.code), ', ' ORDER BY p.code)
        || CASE WHEN cardinality(list_places.places) > 10 THEN format(' and %s more', cardinality(list_places.places) - 10) ELSE '' END
        FROM (SELECT * FROM unnest(list_places.places) ORDER BY code LIMIT 10) AS p);

-- Up to five names that are similar to a mistyped one, the most similar first.
CREATE OR REPLACE FUNCTION api.nearest_places(place text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(name ORDER BY similarity DESC, name), '[]')
    FROM (
        SELECT name, max(similarity(fold_name(word), fold_name(place))) AS similarity
        FROM places, LATERAL unnest(array[name, code] || aliases) AS word
        GROUP BY name
        HAVING max(similarity(fold_name(word), fold_name(place))) >= 0.2
        ORDER BY similarity DESC, name
        LIMIT 5
    ) AS nearest
$$;

CREATE OR REPLACE FUNCTION api.refusal_unknown_place(place text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    nearest jsonb := api.nearest_places(place);
    names   text[] := ARRAY(SELECT jsonb_array_elements_text(nearest));
BEGIN
    RETURN api.refusal('unknown_place',
        'No place is called ' || api.quoted(place) || CASE
            WHEN names = '{}' THEN ', and no name is similar.'
            ELSE '. Did you mean ' || concat_ws(' or ', nullif(array_to_string(trim_array(names, 1), ', '), ''),
                                                names[cardinality(names)]) || '?' END,
        jsonb_build_object('nearest', nearest));
END $$;
