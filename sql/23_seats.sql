-- Seats as they are now, and how they are taken and given back.

-- The seats of a trip with what is taken of them now: holds that have run out are left out of it.
CREATE OR REPLACE FUNCTION api.seats_now(bus_id bigint, travel_date date)
RETURNS TABLE (seat_no int, taken int4multirange)
LANGUAGE sql STABLE ROWS 40 AS $$
    SELECT s.seat_no, s.taken - coalesce(due.segments, '{}')
    FROM seats s LEFT JOIN (
        SELECT p.seat_no, range_agg(p.segment) AS segments FROM passengers p
        WHERE p.bus_id = seats_now.bus_id AND p.travel_date = seats_now.travel_date
          AND p.status = 'held' AND p.expires_at <= api.now()
        GROUP BY p.seat_no
    ) AS due ON due.seat_no = s.seat_no
    WHERE s.bus_id = seats_now.bus_id AND s.travel_date = seats_now.travel_date
$$;

-- How many seats are free over a whole segment.
CREATE OR REPLACE FUNCTION api.seats_free(bus_id bigint, travel_date date, segment int4range) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM api.seats_now(bus_id, travel_date) AS s WHERE NOT s.taken && segment
$$;

-- Take a segment of some seats. The caller holds the lock and has seen that they are free.
CREATE OR REPLACE FUNCTION api.take(bus_id bigint, travel_date date, seat_nos int[], segment int4range) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE seats s SET taken = s.taken + int4multirange(segment)
    WHERE s.bus_id = take.bus_id AND s.travel_date = take.travel_date AND s.seat_no = ANY (seat_nos);
END $$;

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
