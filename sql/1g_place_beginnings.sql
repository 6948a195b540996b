-- An index that finds a place by the beginning of its name, code or an alias. There are a few hundred places, so building
-- it takes milliseconds.

INSERT INTO migrations (name) VALUES ('1g_place_beginnings');

-- Code, name and aliases of a place for comparisons, each after a line break. It is not in schema api because an index
-- uses it.
CREATE FUNCTION place_beginnings(code text, name text, aliases text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT string_agg(E'\n' || fold_name(word), '') FROM unnest(aliases || ARRAY[code, name]) AS word);

-- Trigrams, because an index of an array finds whole elements only.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX places_beginnings ON places USING gin (place_beginnings(code, name, aliases) gin_trgm_ops);
