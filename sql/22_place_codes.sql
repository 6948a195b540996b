-- Places as people name them.

-- The codes that a name, code or alias stands for, with all that it contains; NULL when it is none.
CREATE OR REPLACE FUNCTION api.place_codes(place text) RETURNS text[]
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE found AS (
        SELECT code FROM places WHERE place_words(code, name, aliases) @> ARRAY[lower(place)]
        UNION
        SELECT places.code FROM places JOIN found ON places.part_of = found.code
    )
    SELECT array_agg(code) FROM found
$$;

-- The names most like a mistyped one, the likest first, at most five.
CREATE OR REPLACE FUNCTION api.nearest_places(place text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(name ORDER BY likeness DESC, name), '[]')
    FROM (
        SELECT name, max(similarity(lower(word), lower(place))) AS likeness
        FROM places, LATERAL unnest(array[name, code] || aliases) AS word
        GROUP BY code, name
        HAVING max(similarity(lower(word), lower(place))) >= 0.2
        ORDER BY likeness DESC, name
        LIMIT 5
    ) AS nearest
$$;

CREATE OR REPLACE FUNCTION api.refusal_unknown_place(place text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    nearest jsonb := api.nearest_places(place);
BEGIN
    RETURN api.refusal('unknown_place',
        'No place is called "' || place || '"' || CASE
            WHEN jsonb_array_length(nearest) = 0 THEN ', nor anything like it.'
            ELSE '. Did you mean ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(nearest)), ', ') || '?' END,
        jsonb_build_object('nearest', nearest));
END $$;
