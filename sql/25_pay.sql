-- Payments of a hold, or of an exchange, to a provider. No function here calls a provider: server/payments does so, outside of any
-- transaction, and records the provider's report with api.settle_payment.

-- What must be paid to a provider before a hold is booked; 0: nothing. Counter sales are paid in cash.
CREATE OR REPLACE FUNCTION api.payment_due(bus_id bigint, reference text) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(p.fare), 0) FROM passengers p
    WHERE p.bus_id = payment_due.bus_id AND p.reference = payment_due.reference AND p.status IN ('held', 'expired') AND p.sold_by IS NULL
$$;

-- Check that a hold can be booked without a payment. If a payment is due, the refusal asks for it; that of an expired hold says that
-- the hold cannot be paid any more.
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

-- Check that a sale without a hold needs no payment to a provider.
CREATE OR REPLACE FUNCTION api.check_unpaid_sale(service bus_info, sale api.sale) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    due CONSTANT numeric := (SELECT sum(t.fare) FROM unnest(sale.prices) AS t);
BEGIN
    RETURN CASE WHEN due > 0 THEN api.refusal_payment_required(service, due, format('%s (%s %s) is paid before it is booked. Hold the '
        'seats, and pay %s for the hold.', service.name, service.nouns ->> 'service', service.bus_id, api.format_amount(due, service.currency))) END;
END $$;

-- Whether the hold of a booking has expired: none of its tickets is held any more.
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

-- Ask for the payment of a hold, or of the exchange in the request `a`: the reply is the payment. When the provider has accepted the
-- payment of a hold, api.settle_payment holds the seats for the time of the payment. Nothing is held for an exchange.
CREATE OR REPLACE FUNCTION api.pay(b api.opened_booking, a api.request) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    service bus_info;
    due     CONSTANT numeric := api.payment_due(b.bus_id, b.reference);
BEGIN
    IF api.names_exchange(a) THEN
        RETURN api.pay_exchange(b, a);
    END IF;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = b.bus_id;
    o.refusal := coalesce(api.check_hold(b), CASE
        WHEN service.payment = 'none' OR due = 0 THEN api.refusal('no_payment_due', format('Nothing is paid before booking %s is confirmed.', b.reference))
        WHEN api.is_expired_hold(b) THEN api.refusal_unpaid_expired(b.reference) END);
    IF o.refusal IS NULL THEN
        o.reply := api.ask_for_payment(b, service.payment, due, service.currency, NULL);
    END IF;
    RETURN o;
END $$;

-- Whether a request names what is to change: another trip, segment, class or seats.
CREATE OR REPLACE FUNCTION api.names_exchange(a api.request) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN num_nonnulls(a.bus_id::text, a.travel_date::text, a.boarding_date::text, a.origin, a.destination, a.from_stop::text, a.to_stop::text,
    a.seats::text, a.seat_class) > 0;

-- Ask for the payment of the amount that an exchange charges. The booking was paid to a provider before, and the new payment goes to
-- the same provider. The payment stores the trip and the stops of the exchange, so that exactly this exchange is executed when the
-- payment arrives.
CREATE OR REPLACE FUNCTION api.pay_exchange(b api.opened_booking, a api.request) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o     api.outcome := api.exchange(b, a, true);
    first CONSTANT payment_intents := api.payment_of(b.reference);
    due   CONSTANT numeric := o.reply ->> 'due';
BEGIN
    IF o.refusal IS NOT NULL OR o.deferred THEN
        RETURN o;
    ELSIF first.payment_id IS NULL OR due = 0 THEN
        o.refusal := api.refusal('no_payment_due', format('Nothing is paid before booking %s is exchanged.', b.reference));
    ELSE
        o.reply := api.ask_for_payment(b, first.provider, due, o.reply ->> 'currency', jsonb_strip_nulls(jsonb_build_object(
            'bus_id', o.reply #> '{journey,bus_id}', 'travel_date', o.reply #> '{journey,travel_date}',
            'from_stop', o.reply #> '{journey,from_stop}', 'to_stop', o.reply #> '{journey,to_stop}',
            'seats', to_jsonb(a.seats), 'seat_class', a.seat_class)));
    END IF;
    RETURN o;
END $$;

-- The open payment of an amount, as a reply; a new one if there is none. As long as the amount and the exchange stay the same it is one
-- payment, however often it is asked for.
CREATE OR REPLACE FUNCTION api.ask_for_payment(b api.opened_booking, provider text, due numeric, currency text, exchange jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    payment payment_intents;
    home    CONSTANT bigint := api.reference_bus(b.reference);
BEGIN
    SELECT * INTO payment FROM payment_intents i
    WHERE i.bus_id = home AND i.reference = b.reference AND i.state IN ('created', 'pending', 'failed')
      AND (i.amount, i.currency, i.provider) = (due, ask_for_payment.currency, ask_for_payment.provider)
      AND i.exchange IS NOT DISTINCT FROM ask_for_payment.exchange
    ORDER BY i.created_at DESC LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO payment_intents (bus_id, payment_id, reference, provider, provider_reference, amount, currency, exchange, created_at, checked_at)
        VALUES (home, gen_random_uuid(), b.reference, ask_for_payment.provider,
                CASE ask_for_payment.provider WHEN 'manual' THEN api.new_transfer_reference(home, b.reference) END,
                due, ask_for_payment.currency, ask_for_payment.exchange, api.now(), api.now())
        RETURNING * INTO payment;
        PERFORM api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('payment'));
    END IF;
    RETURN api.show_payment(payment);
END $$;

-- What the payer writes on a bank transfer: the reference of the booking; for its second payment with -2, and so on.
CREATE OR REPLACE FUNCTION api.new_transfer_reference(home bigint, reference text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT new_transfer_reference.reference || CASE WHEN count(*) > 0 THEN '-' || count(*) + 1 ELSE '' END
    FROM payment_intents i
    WHERE i.bus_id = home AND i.reference = new_transfer_reference.reference AND i.provider = 'manual'
$$;

-- Hold the seats of a live hold until payment_minutes after it began, but not longer than the boarding stop is on sale. Returns
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
