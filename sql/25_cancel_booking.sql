-- Cancel a booking, or some of its tickets. Its event says in data.cancelled what this call has cancelled and refunded.
CREATE OR REPLACE FUNCTION api.cancel_booking(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    terms api.cancel_terms := api.cancel_terms(b, tickets);
BEGIN
    IF terms.refusal IS NULL THEN
        PERFORM api.end_tickets(b, terms.tickets);
        PERFORM api.record_events('booking.cancelled', ARRAY[b.bus_id], ARRAY[b.reference], jsonb_build_object('cancelled', jsonb_build_object(
            'tickets', ARRAY(SELECT DISTINCT unnest(terms.tickets) AS ticket_no ORDER BY ticket_no),
            'refund', api.amount_text(terms.refund, api.currency_of(b.bus_id)))));
    END IF;
    RETURN terms.refusal;
END $$;

-- Cancel tickets that are held, booked, pending or displaced: record their refunds, free their seats, promote the waitlist. The
-- seats that an open offer holds for them are released; it is declined when none of its tickets is left.
CREATE OR REPLACE FUNCTION api.end_tickets(b api.opened_booking, tickets int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH ended AS (
        UPDATE passengers p SET status = 'cancelled', refund = p.refund + api.refund_of(p), ended_at = api.now()
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
        RETURNING p.seat_no, p.segment
    )
    UPDATE seats s SET taken = s.taken - int4multirange(ended.segment) FROM ended
    WHERE s.bus_id = b.bus_id AND s.travel_date = b.travel_date AND s.seat_no = ended.seat_no;
    DELETE FROM holders h WHERE h.bus_id = b.bus_id AND h.reference = b.reference AND h.ticket_no = ANY (tickets);
    PERFORM CASE WHEN EXISTS (SELECT FROM passengers p
            WHERE p.bus_id = o.bus_id AND p.reference = o.reference AND p.ticket_no = ANY (o.tickets) AND p.status IN ('booked', 'displaced'))
        THEN api.release_offered(o, end_tickets.tickets) ELSE api.close_offer(o, 'declined') END
    FROM offers o
    WHERE o.bus_id = b.bus_id AND o.travel_date = b.travel_date AND o.reference = b.reference AND o.state = 'open';
    PERFORM api.promote(b.bus_id, b.travel_date);
END $$;

-- The seats of some tickets of a booking.
CREATE OR REPLACE FUNCTION api.seats_of(b api.opened_booking, tickets int[]) RETURNS int[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(p.seat_no) FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets) AND p.seat_no IS NOT NULL
$$;
