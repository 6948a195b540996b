-- Refunds of payments to a provider. The provider is asked after the commit, from the outbox (server/payments). A refund of a
-- manual payment waits for the operator, who pays it back and says so (settle_refund).

-- The payment that paid for a booking; all columns are NULL if it was not paid to a provider.
CREATE OR REPLACE FUNCTION api.payment_of(reference text) RETURNS payment_intents
LANGUAGE sql STABLE
RETURN (SELECT i FROM payment_intents i
    WHERE i.bus_id = api.reference_bus(payment_of.reference) AND i.reference = payment_of.reference AND i.booked_at IS NOT NULL
      AND i.exchange IS NULL);

-- What becomes of the money of a booking that has ended before it was booked, as a sentence.
CREATE OR REPLACE FUNCTION api.money_of_ended(reference text) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT CASE
        WHEN bool_or(i.state = 'pending') THEN 'A payment that still arrives is given back, unless it can book the same seats at the same fare.'
        WHEN bool_or(i.state = 'succeeded') THEN 'Its payment is given back.'
        ELSE 'Nothing was paid.' END
    FROM payment_intents i
    WHERE i.bus_id = api.reference_bus(money_of_ended.reference) AND i.reference = money_of_ended.reference);

-- Give back refunds of the ledger, for bookings that were paid to a provider. refs[i], ticket_nos[i], amounts[i]: a refund, or if the
-- amount is below 0, what an exchange charges for a ticket; only the rest of a booking's refunds is given back. A booking whose
-- exchange was paid has several payments: the one with the most left gives back first. Cash and fares that are paid on board are not
-- given back here.
CREATE OR REPLACE FUNCTION api.refund_online(refs text[], ticket_nos int[], amounts numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.add_refund(part.payment, part.amount, part.tickets)
    FROM (
        SELECT l.payment, due.tickets, least(l.rest, due.amount - (sum(l.rest) OVER w - l.rest)) AS amount
        FROM (
            SELECT r.reference, sum(r.amount) AS amount, array_agg(r.ticket_no ORDER BY r.ticket_no) FILTER (WHERE r.amount > 0) AS tickets
            FROM unnest(refs, ticket_nos, amounts) AS r (reference, ticket_no, amount) GROUP BY r.reference HAVING sum(r.amount) > 0
        ) AS due
        CROSS JOIN LATERAL (
            SELECT i AS payment, i.payment_id, i.received - coalesce((SELECT sum(f.amount) FROM refunds f
                WHERE f.bus_id = i.bus_id AND f.payment_id = i.payment_id), 0) AS rest
            FROM payment_intents i
            WHERE i.bus_id = api.reference_bus(due.reference) AND i.reference = due.reference AND i.booked_at IS NOT NULL
        ) AS l
        WINDOW w AS (PARTITION BY due.reference ORDER BY l.rest DESC, l.payment_id)
    ) AS part
    WHERE part.amount > 0;
END $$;

-- Add a refund of a payment, and to the outbox if its provider can carry it out. tickets: NULL if the payment booked nothing.
CREATE OR REPLACE FUNCTION api.add_refund(payment payment_intents, amount numeric, tickets int[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    refund refunds;
BEGIN
    INSERT INTO refunds (bus_id, refund_id, payment_id, amount, currency, tickets, created_at, checked_at)
    VALUES (payment.bus_id, gen_random_uuid(), payment.payment_id, add_refund.amount, payment.received_currency, add_refund.tickets,
            api.now(), api.now())
    RETURNING * INTO refund;
    IF payment.provider <> 'manual' THEN
        PERFORM api.enqueue('refund', api.refund_order(refund, payment), refund.bus_id, payment.reference, NULL, NULL, refund.refund_id);
    END IF;
END $$;

-- Whether an operator pays back a refund by hand: that of a manual payment, and one that its provider has not carried out and does
-- not try again.
CREATE OR REPLACE FUNCTION api.is_by_hand(refund refunds) RETURNS boolean
LANGUAGE sql STABLE
RETURN refund.state = 'failed' OR refund.state = 'waiting' AND NOT EXISTS (SELECT FROM outbox o
    WHERE o.key = refund.refund_id AND o.state = 'waiting');

-- What a provider must know to carry out a refund.
CREATE OR REPLACE FUNCTION api.refund_order(refund refunds, payment payment_intents) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('bus_id', refund.bus_id, 'refund_id', refund.refund_id, 'reference', payment.reference,
    'payment_id', payment.payment_id, 'provider', payment.provider, 'payment_reference', payment.provider_reference,
    'amount', api.amount_text(refund.amount, refund.currency), 'currency', refund.currency);

-- Record an event of a payment, or of one of its refunds: data.transaction has it. A booking that was deleted has no events.
CREATE OR REPLACE FUNCTION api.record_payment_event(type text, payment payment_intents, refund jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    now_bus_id CONSTANT bigint := api.booking_bus(payment.reference);   -- where the booking is now
BEGIN
    IF EXISTS (SELECT FROM passengers p WHERE p.bus_id = now_bus_id AND p.reference = payment.reference) THEN
        PERFORM api.record_events(type, ARRAY[now_bus_id], ARRAY[payment.reference],
            api.because('payment', payment.problem) || jsonb_build_object('transaction', coalesce(refund, api.show_payment(payment))));
    END IF;
END $$;
