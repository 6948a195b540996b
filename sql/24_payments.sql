-- Payments to a provider, as payers and operators see them.

CREATE OR REPLACE FUNCTION api.show_refund(refund refunds, time_zone text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('refund_id', refund.refund_id, 'state', refund.state,
        'amount', api.amount_text(refund.amount, refund.currency), 'currency', refund.currency,
        'created_at', api.rfc3339(refund.created_at, time_zone))
    || jsonb_strip_nulls(jsonb_build_object('tickets', to_jsonb(refund.tickets), 'problem', refund.problem,
        'provider_reference', refund.provider_reference, 'succeeded_at', api.rfc3339(refund.succeeded_at, time_zone)));

-- A payment, with its refunds.
CREATE OR REPLACE FUNCTION api.show_payment(payment payment_intents) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('payment_id', payment.payment_id, 'reference', payment.reference, 'provider', payment.provider,
            'state', payment.state, 'amount', api.amount_text(payment.amount, payment.currency), 'currency', payment.currency,
            'created_at', api.rfc3339(payment.created_at, s.time_zone), 'booked', payment.booked_at IS NOT NULL,
            'refunds', (SELECT coalesce(jsonb_agg(api.show_refund(r, s.time_zone) ORDER BY r.created_at, r.refund_id), '[]') FROM refunds r
                WHERE r.bus_id = payment.bus_id AND r.payment_id = payment.payment_id))
        || jsonb_strip_nulls(jsonb_build_object('provider_reference', payment.provider_reference, 'problem', payment.problem,
            'exchange', payment.exchange, 'received', api.amount_text(payment.received, payment.received_currency), 'received_currency', payment.received_currency,
            'succeeded_at', api.rfc3339(payment.succeeded_at, s.time_zone)))
    FROM bus_info s WHERE s.bus_id = payment.bus_id
$$;

-- All payments of a booking, for a caller who may open it.
CREATE OR REPLACE FUNCTION api.payments(reference text, phone text DEFAULT NULL, account text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b api.opened_booking := api.open_booking(reference, phone, account);
BEGIN
    RETURN coalesce(b.refusal, (SELECT jsonb_build_object('payments', coalesce(jsonb_agg(api.show_payment(i) ORDER BY i.created_at, i.payment_id), '[]'))
        FROM payment_intents i WHERE i.bus_id = api.reference_bus(b.reference) AND i.reference = b.reference));
END $$;

-- Who gets a refund back, and why: the name and the phone number of the first of its tickets that has them; why: the reason for
-- which the operator cancelled the trip of these tickets. Without tickets, the first of the booking that has them.
CREATE OR REPLACE FUNCTION api.payee(reference text, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'name', (array_agg(p.name ORDER BY p.ticket_no) FILTER (WHERE p.name IS NOT NULL))[1],
        'phone', (array_agg(coalesce(p.phone, a.phone) ORDER BY p.ticket_no) FILTER (WHERE coalesce(p.phone, a.phone) IS NOT NULL))[1],
        'why', max(t.reason) FILTER (WHERE tickets IS NOT NULL AND p.status = 'cancelled' AND p.ended_at = t.cancelled_at)))
    FROM passengers p
    JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
    LEFT JOIN accounts a ON a.username = p.account
    WHERE p.bus_id = api.booking_bus(payee.reference) AND p.reference = payee.reference
      AND (payee.tickets IS NULL OR p.ticket_no = ANY (payee.tickets))
$$;

-- The refunds that an operator has to pay back: those of manual payments, and those that failed. limit: of a page; after: the
-- `next` of the previous page.
CREATE OR REPLACE FUNCTION api.refunds(account text, "limit" int DEFAULT 100, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    refusal jsonb := api.check_role(account);
    page    CONSTANT int := coalesce("limit", 100);
BEGIN
    RETURN coalesce(refusal, (
        SELECT jsonb_build_object('refunds', coalesce(jsonb_agg(r.refund ORDER BY r.refund_id) FILTER (WHERE r.n <= page), '[]'))
            || CASE WHEN count(*) > page THEN jsonb_build_object('next', max(replace(r.refund_id::text, '-', '')) FILTER (WHERE r.n = page)) ELSE '{}' END
        FROM (
            SELECT f.refund_id, f.refund, row_number() OVER (ORDER BY f.refund_id) AS n
            FROM api.refund_rows(api.own_operator(account), page + 1, after) AS f
            ORDER BY f.refund_id LIMIT page + 1
        ) AS r));
END $$;

-- The refunds of a page. operator: NULL for all operators. With shards, a page of each database.
CREATE OR REPLACE FUNCTION api.refund_rows(operator text, size int, after text) RETURNS TABLE (refund_id uuid, refund jsonb)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT f.refund_id, jsonb_build_object('reference', i.reference, 'provider', i.provider, 'bus_id', f.bus_id) || api.show_refund(f, s.time_zone)
            || api.payee(i.reference, f.tickets)
        FROM refunds f
        JOIN payment_intents i ON i.bus_id = f.bus_id AND i.payment_id = f.payment_id
        JOIN bus_info s ON s.bus_id = f.bus_id
        WHERE f.state IN ('waiting', 'sent', 'failed') AND api.is_by_hand(f)
          AND (refund_rows.operator IS NULL OR s.operator = refund_rows.operator)
          AND (after IS NULL OR replace(f.refund_id::text, '-', '') > after)
        ORDER BY f.refund_id LIMIT size;
END $$;

-- What is paid, or is to be paid, to a provider, as a field of a booking: what is due while it is held, and what was asked for or
-- has arrived, also after its service has changed to another payment. status: of the booking.
CREATE OR REPLACE FUNCTION api.payment_of_booking(bus_id bigint, reference text, status text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service CONSTANT bus_info := (SELECT s FROM bus_info s WHERE s.bus_id = payment_of_booking.bus_id);
    due  CONSTANT numeric := CASE WHEN status = 'held' AND service.payment <> 'none' THEN api.payment_due(bus_id, reference) END;
    last payment_intents;
BEGIN
    SELECT * INTO last FROM payment_intents i
    WHERE i.bus_id = api.reference_bus(payment_of_booking.reference) AND i.reference = payment_of_booking.reference AND i.exchange IS NULL
    ORDER BY i.booked_at IS NOT NULL DESC, i.created_at DESC, i.payment_id LIMIT 1;
    RETURN CASE
        WHEN due > 0 AND last.amount = due AND last.state NOT IN ('succeeded', 'cancelled') AND last.currency = service.currency THEN jsonb_build_object('payment',
            jsonb_build_object('provider', last.provider, 'state', last.state, 'amount', api.amount_text(due, service.currency), 'currency', service.currency))
        WHEN due > 0 THEN jsonb_build_object('payment', jsonb_build_object('provider', service.payment, 'state', 'due',
            'amount', api.amount_text(due, service.currency), 'currency', service.currency))
        WHEN last.state = 'succeeded' THEN jsonb_build_object('payment', jsonb_build_object('provider', last.provider, 'state',
            CASE WHEN last.booked_at IS NULL THEN 'returned' ELSE 'succeeded' END, 'amount', api.amount_text(last.received, last.received_currency),
            'currency', last.received_currency))
        WHEN last.state = 'pending' AND status <> 'held' THEN jsonb_build_object('payment', jsonb_build_object('provider', last.provider, 'state', 'pending',
            'amount', api.amount_text(last.amount, last.currency), 'currency', last.currency))
        ELSE '{}' END;
END $$;
