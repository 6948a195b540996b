-- Finding a place by whatever it is called, and what is part of it. There are some hundreds of places, so
-- that the indexes are made in no time; a database that was made while they stood in 10_tables has them.

INSERT INTO migrations (name) VALUES ('13_place_words');

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS places_part_of ON places (part_of);

-- What a place is called, in small letters. Here and not in schema api, since an index is made of it.
CREATE OR REPLACE FUNCTION place_words(code text, name text, aliases text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(lower(word)) FROM unnest(aliases || ARRAY[code, name]) AS word
$$;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS places_words ON places USING gin (place_words(code, name, aliases));
