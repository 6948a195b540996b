-- What some bookings have come to, in short: whoever sees another text than last time reads the booking
-- again. Named by bus and reference, pairwise.
CREATE OR REPLACE FUNCTION api.booking_states(bus_ids bigint[], refs text[]) RETURNS TABLE (reference text, state text)
LANGUAGE sql STABLE AS $$
    SELECT p.reference, string_agg(format('%s %s %s %s', p.ticket_no, api.status_now(p.status, p.expires_at),
        p.seat_no, p.refund), ', ' ORDER BY p.ticket_no) || ' to ' || coalesce(   -- as api.show_bookings has it
            max(upper(p.segment)) FILTER (WHERE api.status_now(p.status, p.expires_at) IN ('held', 'booked', 'pending')),
            max(upper(p.segment)))
    FROM unnest(bus_ids, refs) AS named (bus_id, reference)
    JOIN passengers p ON p.bus_id = named.bus_id AND p.reference = named.reference
    GROUP BY p.bus_id, p.reference
$$;
