-- Add the missing payments of some bookings: the fare of each ticket that was ever booked, and the part of its refund that is not
-- recorded yet; and have the refunds paid back that were paid to a provider. api.record_exchange adds the payments of exchanges.
-- bus_ids[i] and refs[i] name a booking; duplicates are allowed. A charge that is recorded already conflicts, and is left out.
CREATE OR REPLACE FUNCTION api.record_payments(bus_ids bigint[], refs text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    refund record;   -- arrays with an element for each refund that is recorded
BEGIN
    WITH recorded AS (
        INSERT INTO payments (bus_id, reference, ticket_no, payment_no, kind, amount, currency, at, agent)
        SELECT p.bus_id, p.reference, p.ticket_no, due.payment_no, due.kind, due.amount, s.currency, api.now(), p.sold_by
        FROM unnest(bus_ids, refs) AS named (bus_id, reference)
        JOIN passengers p ON p.bus_id = named.bus_id AND p.reference = named.reference
        JOIN bus_info s ON s.bus_id = p.bus_id
        CROSS JOIN LATERAL (
            SELECT 1, 'charge', p.fare WHERE p.booked_at IS NOT NULL
            UNION ALL
            SELECT before.last_no + 1, 'refund', p.refund - before.refund
            FROM (
                SELECT coalesce(max(y.payment_no), 1) AS last_no, coalesce(sum(y.amount) FILTER (WHERE y.kind = 'refund'), 0)
                    - api.refunded_before(p.bus_id, p.reference, p.ticket_no) AS refund
                FROM payments y WHERE y.bus_id = p.bus_id AND y.reference = p.reference AND y.ticket_no = p.ticket_no
            ) AS before
            WHERE p.refund > 0 AND p.refund > before.refund
        ) AS due (payment_no, kind, amount)
        ON CONFLICT DO NOTHING
        RETURNING kind, reference, ticket_no, amount
    )
    SELECT array_agg(r.reference) AS refs, array_agg(r.ticket_no) AS ticket_nos, array_agg(r.amount) AS amounts INTO refund
    FROM recorded r WHERE r.kind = 'refund';
    IF refund.refs IS NOT NULL THEN
        PERFORM api.refund_online(refund.refs, refund.ticket_nos, refund.amounts);
    END IF;
END $$;

-- What was refunded of a ticket up to its last exchange, and with it.
CREATE OR REPLACE FUNCTION api.refunded_before(bus_id bigint, reference text, ticket_no int) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(e.refund + greatest(-e.amount, 0)), 0) FROM exchanges e
    WHERE e.bus_id = refunded_before.bus_id AND e.reference = refunded_before.reference
      AND e.ticket_no = refunded_before.ticket_no AND e.amount IS NOT NULL
$$;
