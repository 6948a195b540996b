-- Places by name, code or alias.

-- The codes of the places whose name, code or alias is `place`, and of the places that are part of them. NULL if
-- there is none.
CREATE OR REPLACE FUNCTION api.place_codes(place text) RETURNS text[]
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE matching AS (
        SELECT code FROM places WHERE place_words(code, name, aliases) @> ARRAY[lower(place)]
        UNION
        SELECT places.code FROM places JOIN matching ON places.part_of = matching.code
    )
    SELECT array_agg(code) FROM matching
$$;

-- Up to five names that are similar to a mistyped one, the most similar first.
CREATE OR REPLACE FUNCTION api.nearest_places(place text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(name ORDER BY similarity DESC, name), '[]')
    FROM (
        SELECT name, max(similarity(lower(word), lower(place))) AS similarity
        FROM places, LATERAL unnest(array[name, code] || aliases) AS word
        GROUP BY code, name
        HAVING max(similarity(lower(word), lower(place))) >= 0.2
        ORDER BY similarity DESC, name
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
            WHEN jsonb_array_length(nearest) = 0 THEN ', and no name is similar.'
            ELSE '. Did you mean ' || array_to_string(ARRAY(SELECT jsonb_array_elements_text(nearest)), ', ') || '?' END,
        jsonb_build_object('nearest', nearest));
END $$;
