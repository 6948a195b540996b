-- Derive seats.taken of some seats from their live tickets. It repairs a trip whose tickets were changed in psql,
-- and frees segments if several tickets may share a seat. Returns the number of seats that changed. The caller
-- has locked the trip.
CREATE OR REPLACE FUNCTION api.recount(bus_id bigint, travel_date date, seat_nos int[]) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    changed int;
BEGIN
    UPDATE seats s SET taken = live.taken
    FROM seats AS present, LATERAL (
        SELECT coalesce(range_agg(p.segment), '{}') AS taken FROM passengers p
        WHERE p.bus_id = recount.bus_id AND p.travel_date = recount.travel_date
          AND p.seat_no = present.seat_no AND p.status IN ('held', 'booked')
    ) AS live
    WHERE present.bus_id = recount.bus_id AND present.travel_date = recount.travel_date
      AND present.seat_no = ANY (recount.seat_nos)
      AND s.bus_id = present.bus_id AND s.travel_date = present.travel_date AND s.seat_no = present.seat_no
      AND s.taken <> live.taken;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
