-- The fare of a segment of a service, for each seat. from_stop: its first stop. to_stop, fare: number and fare of its last
-- stop.
CREATE OR REPLACE FUNCTION api.segment_fare(from_stop route_table, to_stop int, fare numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN coalesce((from_stop).fares[to_stop - (from_stop).stop_no], fare - (from_stop).fare);
