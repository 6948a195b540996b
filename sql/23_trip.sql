-- A trip under its lock. The row of trips is the one lock of a trip: every write takes it first, so
-- that all that follows in the transaction sees a trip that stands still.

-- Wait for the lock of a trip.
CREATE OR REPLACE FUNCTION api.lock_trip(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM trips t
    WHERE t.bus_id = lock_trip.bus_id AND t.travel_date = lock_trip.travel_date FOR UPDATE;
END $$;

-- Expire what has run out, then serve the queue. The caller holds the lock.
CREATE OR REPLACE FUNCTION api.settle(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    freed int[];
BEGIN
    WITH due AS (
        UPDATE passengers p SET status = 'expired', ended_at = api.now()
        WHERE p.bus_id = settle.bus_id AND p.travel_date = settle.travel_date
          AND p.status IN ('held', 'pending') AND p.expires_at <= api.now()
        RETURNING p.seat_no
    )
    SELECT array_agg(due.seat_no) INTO freed FROM due WHERE due.seat_no IS NOT NULL;
    PERFORM api.recount(bus_id, travel_date, freed);
    PERFORM api.promote(bus_id, travel_date);
    UPDATE trips t SET settle_at = (
        SELECT min(p.expires_at) FROM passengers p
        WHERE p.bus_id = settle.bus_id AND p.travel_date = settle.travel_date AND p.status IN ('held', 'pending'))
    WHERE t.bus_id = settle.bus_id AND t.travel_date = settle.travel_date;
END $$;

-- Be sure that the trip is settled by then. The caller holds the lock.
CREATE OR REPLACE FUNCTION api.settle_by(bus_id bigint, travel_date date, due timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE trips t SET settle_at = due
    WHERE t.bus_id = settle_by.bus_id AND t.travel_date = settle_by.travel_date
      AND (t.settle_at IS NULL OR t.settle_at > due)
$$;

-- Give stretches that are free to those who wait, in order of arrival. A party that does not fit
-- does not block those behind it; one that would not fit if it were alone is not even tried, since
-- seats only grow fewer here. The caller holds the lock.
CREATE OR REPLACE FUNCTION api.promote(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    party  record;
    chosen int[];
BEGIN
    IF NOT EXISTS (SELECT FROM passengers p   -- as it is nearly always, and told in a tenth of the time
            WHERE p.bus_id = promote.bus_id AND p.travel_date = promote.travel_date AND p.status = 'pending') THEN
        RETURN;
    END IF;
    FOR party IN
        SELECT p.reference, p.segment, array_agg(p.ticket_no ORDER BY p.ticket_no) AS tickets
        FROM trips t JOIN passengers p ON p.bus_id = t.bus_id AND p.travel_date = t.travel_date
        WHERE t.bus_id = promote.bus_id AND t.travel_date = promote.travel_date AND t.state = 'open'
          AND p.status = 'pending'
        GROUP BY p.reference, p.segment
        HAVING count(*) <= (SELECT count(*) FROM seats s
            WHERE s.bus_id = promote.bus_id AND s.travel_date = promote.travel_date AND NOT s.taken && p.segment)
        ORDER BY min(p.queue_no)
    LOOP
        chosen := api.choose_seats(bus_id, travel_date, party.segment, cardinality(party.tickets));
        CONTINUE WHEN chosen IS NULL;
        UPDATE passengers p
        SET status = 'booked', seat_no = c.seat_no, booked_at = api.now(), expires_at = NULL
        FROM unnest(party.tickets, chosen) AS c (ticket_no, seat_no)
        WHERE p.bus_id = promote.bus_id AND p.reference = party.reference AND p.ticket_no = c.ticket_no;
        PERFORM api.take(bus_id, travel_date, chosen, party.segment);
        PERFORM api.record_payments(ARRAY[bus_id], ARRAY[party.reference]);
    END LOOP;
END $$;
