-- Settle a trip: expire offers, holds and waitlist entries, then promote the waitlist. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.settle(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    freed int[];
    ended text[];
BEGIN
    PERFORM api.expire_offers(bus_id, travel_date);
    WITH due AS (
        UPDATE passengers p SET status = 'expired', ended_at = api.now()
        WHERE p.bus_id = settle.bus_id AND p.travel_date = settle.travel_date
          AND p.status IN ('held', 'pending') AND p.expires_at <= api.now()
        RETURNING p.reference, p.ticket_no, p.seat_no
    ), unrecorded AS (
        DELETE FROM holders h USING due
        WHERE h.bus_id = settle.bus_id AND h.reference = due.reference AND h.ticket_no = due.ticket_no
    )
    SELECT array_agg(due.seat_no) FILTER (WHERE due.seat_no IS NOT NULL), array_agg(DISTINCT due.reference) INTO freed, ended FROM due;
    PERFORM api.recount(bus_id, travel_date, freed);
    IF ended IS NOT NULL THEN
        PERFORM api.record_events('booking.expired', array_fill(bus_id, ARRAY[cardinality(ended)]), ended);
    END IF;
    PERFORM api.promote(bus_id, travel_date);
    UPDATE trips t SET settle_at = least((
        SELECT min(p.expires_at) FROM passengers p
        WHERE p.bus_id = settle.bus_id AND p.travel_date = settle.travel_date AND p.status IN ('held', 'pending')
    ), api.offers_end_at(t.bus_id, t.travel_date))
    WHERE t.bus_id = settle.bus_id AND t.travel_date = settle.travel_date;
END $$;

-- Schedule a trip to be settled at `due`, if it is not scheduled for an earlier time. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.settle_by(bus_id bigint, travel_date date, due timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE trips t SET settle_at = due
    WHERE t.bus_id = settle_by.bus_id AND t.travel_date = settle_by.travel_date
      AND (t.settle_at IS NULL OR t.settle_at > due)
$$;
