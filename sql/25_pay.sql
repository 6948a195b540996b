-- Payments of a hold to a provider. A function here asks no provider: server/payments does, outside of any transaction, and
-- reports what the provider says with api.settle_payment.

-- What must be paid to a provider before a hold is booked; 0: nothing. Counter sales are paid in cash.
CREATE OR REPLACE FUNCTION api.payment_due(bus_id bigint, reference text) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(p.fare), 0) FROM passengers p
    WHERE p.bus_id = payment_due.bus_id AND p.reference = payment_due.reference AND p.status IN ('held', 'expired') AND p.sold_by IS NULL
$$;

-- Check that nothing is to be paid before a hold is booked, or that it is live. An expired hold cannot be paid.
CREATE OR REPLACE FUNCTION api.check_paid(service bus_info, b api.opened_booking) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    due CONSTANT numeric := api.payment_due(b.bus_id, b.reference);
BEGIN
    RETURN CASE WHEN service.payment = 'none' OR due = 0 THEN NULL
        WHEN api.is_expired_hold(b) THEN api.refusal_unpaid_expired(b.reference)
        ELSE api.refusal_payment_required(service, due, format('Booking %s is not paid yet. Pay %s, then confirm it.', b.reference,
            api.format_amount(due, service.currency))) END;
END $$;

-- Check that nothing is to be paid to a provider for a sale, which has not been a hold before.
CREATE OR REPLACE FUNCTION api.check_unpaid_sale(service bus_info, sale api.sale) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    due CONSTANT numeric := (SELECT sum(t.fare) FROM unnest(sale.prices) AS t);
BEGIN
    RETURN CASE WHEN due > 0 THEN api.refusal_payment_required(service, due, format('%s (%s %s) is paid before it is booked. Hold the '
        'seats, and pay %s for the hold.', service.name, service.nouns ->> 'service', service.bus_id, api.format_amount(due, service.currency))) END;
END $$;

-- Whether the hold of a booking has expired, in whole.
CREATE OR REPLACE FUNCTION api.is_expired_hold(b api.opened_booking) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (SELECT FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
        AND api.status_now(p.status, p.expires_at) = 'held')
$$;

CREATE OR REPLACE FUNCTION api.refusal_unpaid_expired(reference text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN api.refusal('hold_expired', format('The hold has expired. %s Hold the seats again.', api.money_of_ended(reference)));

CREATE OR REPLACE FUNCTION api.refusal_payment_required(service bus_info, due numeric, message text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN api.refusal('payment_required', message,
    jsonb_build_object('amount', api.amount_text(due, service.currency), 'currency', service.currency));

-- Ask for the payment of a hold: the reply is the payment. As long as the amount stays the same it is one payment, however often
-- it is asked for. When its provider has accepted it, api.settle_payment holds the seats for it.
CREATE OR REPLACE FUNCTION api.pay(b api.opened_booking) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    service bus_info;
    payment payment_intents;
    due     CONSTANT numeric := api.payment_due(b.bus_id, b.reference);
    home    CONSTANT bigint := api.reference_bus(b.reference);
BEGIN
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = b.bus_id;
    o.refusal := coalesce(api.check_hold(b), CASE
        WHEN service.payment = 'none' OR due = 0 THEN api.refusal('no_payment_due', format('Nothing is paid before booking %s is confirmed.', b.reference))
        WHEN api.is_expired_hold(b) THEN api.refusal_unpaid_expired(b.reference) END);
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    SELECT * INTO payment FROM payment_intents i
    WHERE i.bus_id = home AND i.reference = b.reference AND i.state IN ('created', 'pending', 'failed')
      AND (i.amount, i.currency, i.provider) = (due, service.currency, service.payment)
    ORDER BY i.created_at DESC LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO payment_intents (bus_id, payment_id, reference, provider, provider_reference, amount, currency, created_at, checked_at)
        VALUES (home, gen_random_uuid(), b.reference, service.payment,
                CASE service.payment WHEN 'manual' THEN api.new_transfer_reference(home, b.reference) END,
                due, service.currency, api.now(), api.now())
        RETURNING * INTO payment;
        PERFORM api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('payment'));
    END IF;
    o.reference := NULL;   -- the reply is not the booking
    o.reply := api.show_payment(payment);
    RETURN o;
END $$;

-- What the payer writes on a bank transfer: the reference of the booking; for its second payment with -2, and so on.
CREATE OR REPLACE FUNCTION api.new_transfer_reference(home bigint, reference text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT new_transfer_reference.reference || CASE WHEN count(*) > 0 THEN '-' || count(*) + 1 ELSE '' END
    FROM payment_intents i
    WHERE i.bus_id = home AND i.reference = new_transfer_reference.reference AND i.provider = 'manual'
$$;

-- Hold the seats of a live hold until payment_minutes after it began, at most until the boarding stop is not on sale. Returns
-- whether that is longer than before.
CREATE OR REPLACE FUNCTION api.hold_for_payment(b api.opened_booking) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    minutes   CONSTANT interval := (SELECT make_interval(mins => s.payment_minutes) FROM bus_info s WHERE s.bus_id = b.bus_id);
    on_sale   CONSTANT timestamptz := api.booking_sells_until(b);
    is_longer boolean;
BEGIN
    WITH held AS (
        UPDATE passengers p SET expires_at = least(p.created_at + minutes, on_sale)
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND api.status_now(p.status, p.expires_at) = 'held'
          AND p.expires_at < least(p.created_at + minutes, on_sale)
        RETURNING p.ticket_no, p.expires_at
    ), recorded AS (
        UPDATE holders h SET expires_at = held.expires_at FROM held
        WHERE h.bus_id = b.bus_id AND h.reference = b.reference AND h.ticket_no = held.ticket_no
    )
    SELECT EXISTS (SELECT FROM held) INTO is_longer;
    RETURN is_longer;
END $$;
