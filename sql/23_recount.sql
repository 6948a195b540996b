-- Derive seats.taken of some seats again, as the union of their blocked segments and those of their live tickets. This
-- frees the segments of ended tickets, and repairs a trip whose tickets were changed in psql. Returns the number of seats
-- that changed. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.recount(bus_id bigint, travel_date date, seat_nos int[]) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    changed int;
BEGIN
    UPDATE seats s SET taken = live.taken
    FROM seats AS seat, LATERAL (
        SELECT coalesce(range_agg(p.segment), '{}') + coalesce(seat.blocked, '{}') AS taken FROM passengers p
        WHERE p.bus_id = recount.bus_id AND p.travel_date = recount.travel_date
          AND p.seat_no = seat.seat_no AND p.status IN ('held', 'booked')
    ) AS live
    WHERE seat.bus_id = recount.bus_id AND seat.travel_date = recount.travel_date
      AND seat.seat_no = ANY (recount.seat_nos)
      AND s.bus_id = seat.bus_id AND s.travel_date = seat.travel_date AND s.seat_no = seat.seat_no
      AND s.taken <> live.taken;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
