-- Indexes that find a place by its name, code or alias, and the places that are part of it. There are a
-- few hundred places, so building an index takes milliseconds. IF NOT EXISTS: earlier versions of 10_tables
-- created them.

INSERT INTO migrations (name) VALUES ('13_place_words');

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS places_part_of ON places (part_of);

-- Code, name and aliases of a place in lower case. It is not in schema api because an index uses it.
CREATE OR REPLACE FUNCTION place_words(code text, name text, aliases text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(lower(word)) FROM unnest(aliases || ARRAY[code, name]) AS word
$$;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS places_words ON places USING gin (place_words(code, name, aliases));
