-- Places are found by their names in any case, with any spacing and in any normalization form of Unicode, under every
-- collation of the database. Under a Turkish collation, lower('I') is 'ı', so "BIDADI" was not found.

INSERT INTO migrations (name) VALUES ('19_place_words');

-- A name for comparisons: the same for any case, spacing, and canonically equivalent characters. The letters A to Z are
-- changed under collation "C", which is the same everywhere, the others under the collation of the database.
CREATE FUNCTION fold_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(lower(btrim(regexp_replace(normalize(name, NFC),
    '[\t-\r\x1c-\x20\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+', ' ', 'g')) COLLATE "C") COLLATE "default");

-- The body is parsed here and not at its execution, because PostgreSQL builds an index with a search_path of its own.
CREATE OR REPLACE FUNCTION place_words(code text, name text, aliases text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT array_agg(fold_name(word)) FROM unnest(aliases || ARRAY[code, name]) AS word);

-- There are a few hundred places, so building the index again takes milliseconds.
-- squawk-ignore require-concurrent-reindex
REINDEX INDEX places_words;
