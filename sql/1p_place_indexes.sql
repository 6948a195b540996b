-- Indexes of places that hold each new place at once. A pending list is scanned at each search until a vacuum: after an import
-- that adds thousands of places, each search of the same transaction took a hundred times as long.

INSERT INTO migrations (name) VALUES ('1p_place_indexes');

ALTER INDEX places_words SET (fastupdate = off);
ALTER INDEX places_beginnings SET (fastupdate = off);
-- Move the entries that are in the pending lists now.
SELECT gin_clean_pending_list('places_words'), gin_clean_pending_list('places_beginnings');
