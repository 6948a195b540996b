-- Derive `taken` from the live passengers anew, of some seats or of all: this is how a trip is mended that
-- somebody changed by hand, and how stretches are given back where more than one ticket may have had to
-- do with a seat. Answers how many seats changed. The caller holds the lock.
CREATE OR REPLACE FUNCTION api.recount(bus_id bigint, travel_date date, seat_nos int[]) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    changed int;
BEGIN
    UPDATE seats s SET taken = live.taken
    FROM seats AS mine, LATERAL (
        SELECT coalesce(range_agg(p.segment), '{}') AS taken FROM passengers p
        WHERE p.bus_id = recount.bus_id AND p.travel_date = recount.travel_date
          AND p.seat_no = mine.seat_no AND p.status IN ('held', 'booked')
    ) AS live
    WHERE mine.bus_id = recount.bus_id AND mine.travel_date = recount.travel_date
      AND mine.seat_no = ANY (recount.seat_nos)
      AND s.bus_id = mine.bus_id AND s.travel_date = mine.travel_date AND s.seat_no = mine.seat_no
      AND s.taken <> live.taken;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
