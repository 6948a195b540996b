-- Cancel a trip, as its operator. Every booked passenger whose journey has not ended gets a full refund; all holds
-- and waitlist entries are cancelled; the vehicle and the drivers are released. Displaced tickets keep their offers. Can be called in psql: it locks and settles the trip itself.
CREATE OR REPLACE FUNCTION api.cancel_trip(bus_id bigint, travel_date date, reason text DEFAULT NULL) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    trip    trips;
    refs    text[];
    tickets int;
    refund  numeric;
BEGIN
    SELECT * INTO trip FROM trips t
    WHERE t.bus_id = cancel_trip.bus_id AND t.travel_date = cancel_trip.travel_date FOR UPDATE;
    IF trip.settle_at <= api.now() THEN
        PERFORM api.settle(bus_id, travel_date);
    END IF;
    o.refusal := api.check_cancellable(trip, bus_id, travel_date);
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    WITH affected AS (
        SELECT * FROM api.tickets_of_cancelled_trip(bus_id, travel_date)
    ), ended AS (
        UPDATE passengers p SET status = 'cancelled', refund = p.refund + affected.amount, ended_at = api.now()
        FROM affected
        WHERE p.bus_id = cancel_trip.bus_id AND p.reference = affected.reference AND p.ticket_no = affected.ticket_no
        RETURNING p.reference, affected.amount
    )
    SELECT array_agg(DISTINCT ended.reference), count(*), coalesce(sum(ended.amount), 0) INTO refs, tickets, refund FROM ended;
    PERFORM api.recount(bus_id, travel_date, ARRAY(SELECT s.seat_no FROM seats s
        WHERE s.bus_id = cancel_trip.bus_id AND s.travel_date = cancel_trip.travel_date));
    DELETE FROM holders h WHERE h.bus_id = cancel_trip.bus_id AND h.reference = ANY (refs);
    PERFORM api.withdraw_offer(cancel_trip.bus_id, r) FROM unnest(refs) AS r;
    IF refs IS NOT NULL THEN
        PERFORM api.record_payments(array_fill(cancel_trip.bus_id, ARRAY[cardinality(refs)]), refs);
    END IF;
    DELETE FROM assignments a WHERE a.bus_id = cancel_trip.bus_id AND a.travel_date = cancel_trip.travel_date;
    UPDATE trips t SET state = 'cancelled', reason = cancel_trip.reason, cancelled_at = api.now(), ended = false,
        settle_at = api.offers_end_at(t.bus_id, t.travel_date)
    WHERE t.bus_id = cancel_trip.bus_id AND t.travel_date = cancel_trip.travel_date;
    PERFORM api.record_trip_event('trip.cancelled', bus_id, travel_date);
    IF refs IS NOT NULL THEN
        PERFORM api.record_events('booking.cancelled', array_fill(cancel_trip.bus_id, ARRAY[cardinality(refs)]), refs, api.because('trip', reason));
    END IF;
    o.reply := api.show_cancelled_trip(bus_id, travel_date, tickets, refund);
    RETURN o;
END $$;

-- What cancel_trip would answer now. The caller has locked and settled the trip; nothing is changed.
CREATE OR REPLACE FUNCTION api.plan_cancellation(trip trips, bus_id bigint, travel_date date) RETURNS api.outcome
LANGUAGE plpgsql STABLE AS $$
DECLARE
    o api.outcome;
BEGIN
    o.refusal := api.check_cancellable(trip, bus_id, travel_date);
    IF o.refusal IS NULL THEN
        SELECT api.show_cancelled_trip(plan_cancellation.bus_id, plan_cancellation.travel_date, count(*)::int, coalesce(sum(c.amount), 0))
        INTO o.reply FROM api.tickets_of_cancelled_trip(bus_id, travel_date) AS c;
    END IF;
    RETURN o;
END $$;

-- The answer about a cancelled trip.
CREATE OR REPLACE FUNCTION api.show_cancelled_trip(bus_id bigint, travel_date date, tickets int, refund numeric) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date, 'state', 'cancelled',
    'tickets', tickets, 'currency', api.currency_of(bus_id), 'refund', api.amount_text(refund, api.currency_of(bus_id)));

-- Check that a trip can be cancelled. trip: its row; all columns are NULL if it does not exist.
CREATE OR REPLACE FUNCTION api.check_cancellable(trip trips, bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE
    WHEN trip.bus_id IS NULL THEN api.refusal_unknown_trip(bus_id, travel_date)
    WHEN trip.state = 'cancelled' THEN api.refusal('already_cancelled', rtrim(format('The trip is already cancelled. %s', trip.reason)))
    WHEN api.trip_ends_at(bus_id, travel_date) <= api.now() THEN api.refusal('departed', 'The trip has ended.') END;

-- The tickets that end when a trip is cancelled now, and the refund of each.
CREATE OR REPLACE FUNCTION api.tickets_of_cancelled_trip(bus_id bigint, travel_date date)
RETURNS TABLE (reference text, ticket_no int, amount numeric)
LANGUAGE sql STABLE AS $$
    SELECT p.reference, p.ticket_no, CASE WHEN p.status = 'booked' THEN p.fare - p.refund ELSE 0 END
    FROM passengers p
    JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
    JOIN bus_info s ON s.bus_id = p.bus_id
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = upper(p.segment)
    WHERE p.bus_id = tickets_of_cancelled_trip.bus_id AND p.travel_date = tickets_of_cancelled_trip.travel_date
      AND p.status IN ('held', 'booked', 'pending')
      AND CASE p.status WHEN 'booked' THEN api.expected(t, r.stop_no, r.arrives, s.time_zone) ELSE p.expires_at END > api.now()
$$;
