-- Move a booking to another trip, segment or seats. It keeps its reference, and all its tickets move, so that a reference is
-- one booking on one trip.

-- Free the seats of some tickets of a booking that are about to move, so that the booking can have the same seats again. In
-- the same transaction, api.move_booking books the tickets, or the caller undoes this. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.set_aside(b api.opened_booking, tickets int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE passengers p SET status = 'cancelled'
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets);
    PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
END $$;

-- Record the exchange and the payments of tickets that get new prices. The nth ticket gets the nth price,
-- and the operator keeps the nth amount. Tickets after the last price have ended. The caller then changes the tickets.
CREATE OR REPLACE FUNCTION api.record_exchange(b api.opened_booking, tickets int[], prices api.ticket_price[], kept numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    written record;   -- arrays with an element for each payment that is recorded; a charge is below 0
BEGIN
    PERFORM api.record_payments(ARRAY[b.bus_id], ARRAY[b.reference]);   -- of earlier calls of the batch
    WITH recorded AS (
        INSERT INTO exchanges (bus_id, reference, ticket_no, exchange_no, from_bus_id, from_date, from_segment, from_seat_no,
                               fare, refund, kept, amount, at)
        SELECT p.bus_id, p.reference, p.ticket_no, done.exchange_no + 1, p.bus_id, p.travel_date, p.segment, coalesce(p.seat_no, p.former_seat),
               p.fare, p.refund, n.kept, n.fare - (p.fare - p.refund) + n.kept, api.now()
        FROM ROWS FROM (unnest(tickets), unnest(prices), unnest(kept)) AS n (ticket_no, fare, parts, alight_refunds, kept)
        JOIN passengers p ON p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = n.ticket_no
        CROSS JOIN LATERAL (SELECT coalesce(max(e.exchange_no), 0) AS exchange_no FROM exchanges e
            WHERE e.bus_id = p.bus_id AND e.reference = p.reference AND e.ticket_no = p.ticket_no) AS done
        RETURNING *
    ), paid AS (
    INSERT INTO payments (bus_id, reference, ticket_no, payment_no, kind, amount, currency, at, agent)
    SELECT r.bus_id, r.reference, r.ticket_no, last.payment_no + 1, CASE WHEN r.amount > 0 THEN 'charge' ELSE 'refund' END,
           abs(r.amount), api.currency_of(r.bus_id), r.at, p.sold_by
    FROM recorded r
    JOIN passengers p ON p.bus_id = r.bus_id AND p.reference = r.reference AND p.ticket_no = r.ticket_no
    CROSS JOIN LATERAL (SELECT max(y.payment_no) AS payment_no FROM payments y
        WHERE y.bus_id = r.bus_id AND y.reference = r.reference AND y.ticket_no = r.ticket_no) AS last
    WHERE r.amount <> 0
    RETURNING *
    )
    SELECT array_agg(w.reference) AS refs, array_agg(w.ticket_no) AS ticket_nos,
           array_agg(CASE w.kind WHEN 'refund' THEN w.amount ELSE -w.amount END) AS amounts
    INTO written FROM paid w;
    IF written.refs IS NOT NULL THEN
        PERFORM api.refund_online(written.refs, written.ticket_nos, written.amounts);
    END IF;
END $$;

-- Book some tickets of a booking on a segment of a trip: the nth of them gets the nth seat at the nth price, and the operator
-- keeps the nth amount (exchanges.kept). What is paid for a ticket so far pays for it; the difference is charged or refunded.
-- The other tickets of the booking have ended, and move without a seat. The terms of cancelling stay. The caller has locked
-- both trips, has freed the tickets' seats (api.set_aside), has checked that the new seats are free, and promotes the
-- waitlist of the trip that the booking leaves.
CREATE OR REPLACE FUNCTION api.move_booking(
    b api.opened_booking, tickets int[], bus_id bigint, travel_date date, segment int4range, seats int[],
    prices api.ticket_price[], kept numeric[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    home CONSTANT bigint := api.reference_bus(b.reference);
BEGIN
    -- the other tickets have neither a price nor an amount
    PERFORM api.record_exchange(b, tickets || ARRAY(SELECT p.ticket_no FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no <> ALL (tickets)), prices, kept);

    -- alight_refunds: NULL for a ticket that has ended, because they are refunds at stops of the trip that it leaves
    UPDATE passengers p
    SET bus_id = move_booking.bus_id, travel_date = move_booking.travel_date, segment = move_booking.segment,
        seat_no = n.seat_no, former_seat = NULL, alight_refunds = n.alight_refunds,
        status = CASE WHEN n.moves THEN 'booked' ELSE p.status END,
        fare = CASE WHEN n.moves THEN n.fare ELSE p.fare END,
        fare_parts = CASE WHEN n.moves THEN n.parts ELSE p.fare_parts END,
        promo_no = CASE WHEN NOT n.moves OR api.name_in(n.parts, 'promo') IS NOT NULL THEN p.promo_no END,
        refund = CASE WHEN n.moves THEN 0 ELSE p.refund END,
        expires_at = CASE WHEN n.moves THEN NULL ELSE p.expires_at END,
        checked_in_at = NULL, no_show_at = NULL, no_show_segment = NULL,   -- those of the trip that it leaves
        moved_at = CASE WHEN n.moves THEN api.now() ELSE p.moved_at END
    FROM passengers AS ticket
    CROSS JOIN LATERAL (SELECT m.*, m.ticket_no IS NOT NULL AS moves FROM (VALUES (1)) AS one
        LEFT JOIN ROWS FROM (unnest(tickets), unnest(seats), unnest(prices)) AS m (ticket_no, seat_no, fare, parts, alight_refunds)
            ON m.ticket_no = ticket.ticket_no) AS n
    WHERE ticket.bus_id = b.bus_id AND ticket.reference = b.reference
      AND p.bus_id = ticket.bus_id AND p.reference = ticket.reference AND p.ticket_no = ticket.ticket_no;
    PERFORM api.take_seats(bus_id, travel_date, seats, segment);

    DELETE FROM moved_bookings m WHERE m.bus_id = home AND m.reference = b.reference;
    INSERT INTO moved_bookings (bus_id, reference, now_bus_id)
    SELECT home, b.reference, move_booking.bus_id WHERE move_booking.bus_id <> home;
    -- for the new trip, the writer sends the notification
    PERFORM api.notify_trip(b.bus_id, b.travel_date);
END $$;

-- The prices of tickets that move to another segment and cost there what was paid for them. s: the segment.
CREATE OR REPLACE FUNCTION api.prices_paid(b api.opened_booking, tickets int[], s api.found_segment) RETURNS api.ticket_price[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(ROW(paid.fare,
        CASE WHEN p.refund = 0 THEN p.fare_parts
             ELSE jsonb_set(coalesce(p.fare_parts, '[{"part": "segment"}]'), '{0,amount}',
                to_jsonb(api.amount_text(coalesce((p.fare_parts #>> '{0,amount}')::numeric, p.fare) - p.refund, api.currency_of(b.bus_id)))) END,
        ARRAY(SELECT coalesce(api.round_charge(r.refund * paid.fare / nullif(s.fare, 0), service), 0)
            FROM unnest(s.alight_refunds) WITH ORDINALITY AS r (refund, n) ORDER BY r.n))::api.ticket_price ORDER BY p.ticket_no)
    FROM passengers p JOIN bus_info service ON service.bus_id = p.bus_id CROSS JOIN LATERAL (SELECT p.fare - p.refund AS fare) AS paid
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
$$;
