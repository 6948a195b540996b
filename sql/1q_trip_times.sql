-- Delays of a trip, and the stops that it skips.
--
-- Both are NULL for a trip that runs as the timetable says, so that a sale and a search skip them after one comparison.

INSERT INTO migrations (name) VALUES ('1q_trip_times');

ALTER TABLE trips
    ADD COLUMN delays interval[],   -- element n: the delay at stop n against the timetable; below 0: early
    ADD COLUMN skipped int[];       -- the stops at which nobody boards or alights
