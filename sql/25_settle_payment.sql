-- Record what a provider says of a payment, under the lock of the trip of its booking. A payment that succeeded confirms its
-- hold. If the hold has expired, it confirms only at an unchanged fare and with the seats free (api.renew_hold). A payment of an exchange
-- exchanges its booking, if that still costs the same. A payment that does neither is refunded as a whole.

-- said: provider, state, and payment_id or provider_reference; of a payment that succeeded: amount, currency, and the receipt and
-- perhaps the fee of a manual payment; problem: why it failed. trip: of the booking; all columns are NULL if there is none.
-- The outcome in the reply is booked, exchanged, refunded, recorded (another state), or unchanged: what is said was known.
CREATE OR REPLACE FUNCTION api.settle_payment(reference text, said jsonb, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    ref     CONSTANT text := upper(btrim(reference));
    b       api.opened_booking := api.booking_of_payment(ref);
    state   CONSTANT text := said ->> 'state';
    named   CONSTANT payment_intents := api.named_payment(ref, said);
    payment payment_intents;
    done    text := 'recorded';
    reference_there CONSTANT text := CASE WHEN said ->> 'provider' <> 'manual' THEN said ->> 'provider_reference' END;
    another boolean;   -- it is another receipt under the reference of a payment that has succeeded
BEGIN
    o.deferred := api.has_moved(b, trip);
    IF o.deferred THEN
        RETURN o;
    END IF;
    SELECT * INTO payment FROM payment_intents i
    WHERE (i.bus_id, i.payment_id) = (named.bus_id, named.payment_id) FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        o.deferred := named.payment_id IS NOT NULL;
        o.refusal := CASE WHEN NOT o.deferred THEN api.refusal('unknown_payment', format('No payment has the reference %s.',
            coalesce(said ->> 'provider_reference', said ->> 'payment_id'))) END;
        RETURN o;
    END IF;
    another := state = 'succeeded' AND api.is_other_receipt(payment, said);
    IF another THEN
        payment := api.add_receipt(payment, said);
    END IF;
    IF state = 'succeeded' AND payment.state <> 'succeeded' THEN
        SELECT c.done, c.deferred INTO done, o.deferred FROM api.complete_payment(payment, said, b) AS c;
        IF o.deferred THEN
            DELETE FROM payment_intents i WHERE another AND i.bus_id = payment.bus_id AND i.payment_id = payment.payment_id;
            RETURN o;
        END IF;
    ELSIF (payment.state, state) = ('succeeded', 'succeeded') THEN
        UPDATE payment_intents i
        SET receipt = coalesce(i.receipt, settle_payment.said ->> 'receipt'),
            provider_reference = coalesce(i.provider_reference, reference_there)
        WHERE i.bus_id = payment.bus_id AND i.payment_id = payment.payment_id;
        PERFORM api.record_fee(payment, NULL, (said ->> 'fee')::numeric) WHERE said ? 'fee';
        done := 'unchanged';
    ELSIF payment.state IN ('succeeded', state) OR payment.state = 'cancelled' OR (payment.state, state) = ('failed', 'pending')
          AND said ->> 'retried' IS NULL THEN
        done := 'unchanged';
    ELSE
        UPDATE payment_intents i
        SET state = settle_payment.said ->> 'state', problem = settle_payment.said ->> 'problem',
            provider_reference = coalesce(reference_there, i.provider_reference)
        WHERE i.bus_id = payment.bus_id AND i.payment_id = payment.payment_id
        RETURNING i.* INTO payment;
        IF payment.state = 'failed' THEN
            PERFORM api.record_payment_event('payment.failed', payment);
        ELSIF payment.state = 'pending' AND api.hold_for_payment(b) THEN   -- its provider has accepted it
            PERFORM api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('payment'));
        END IF;
    END IF;
    IF done = 'exchanged' THEN
        b := api.booking_of_payment(ref);
        o.bus_id := b.bus_id;
    END IF;
    o.reply := jsonb_build_object('outcome', done, 'bus_id', b.bus_id, 'travel_date', b.travel_date, 'payment', (
        SELECT api.show_payment(i) FROM payment_intents i WHERE i.bus_id = payment.bus_id AND i.payment_id = payment.payment_id));
    RETURN o;
END $$;

-- The booking of a payment; refusal: it was deleted.
CREATE OR REPLACE FUNCTION api.booking_of_payment(reference text) RETURNS api.opened_booking
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b api.opened_booking;
BEGIN
    b.reference := reference;
    b.bus_id := api.booking_bus(reference);
    SELECT p.travel_date INTO b.travel_date FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference LIMIT 1;
    IF NOT FOUND THEN
        b.refusal := api.refusal('unknown_booking', format('There is no booking %s.', reference));
    END IF;
    RETURN b;
END $$;

-- What identifies the money of a payment: the receipt of a manual payment, else the reference at the provider.
CREATE OR REPLACE FUNCTION api.money_key(provider text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE provider WHEN 'manual' THEN 'receipt' ELSE 'provider_reference' END;

-- The payment that a provider speaks of; all columns are NULL if there is none. It is the payment of the booking that this money is
-- known for. Else, as a payer may write the reference of an earlier payment on a transfer, it is the open manual payment of this
-- amount; and else the payment that is named.
CREATE OR REPLACE FUNCTION api.named_payment(reference text, said jsonb) RETURNS payment_intents
LANGUAGE sql STABLE
RETURN (SELECT i FROM payment_intents named
    JOIN payment_intents i ON i.bus_id = named.bus_id AND i.reference = named.reference AND i.provider = named.provider
    WHERE named.bus_id = api.reference_bus(named_payment.reference) AND named.reference = named_payment.reference
      AND named.provider = said ->> 'provider'
      AND coalesce(named.payment_id = (said ->> 'payment_id')::uuid, named.provider_reference = said ->> 'provider_reference')
    ORDER BY coalesce(i.state = 'succeeded' AND to_jsonb(i) ->> api.money_key(i.provider) = said ->> api.money_key(i.provider), false) DESC,
        coalesce(i.provider = 'manual' AND i.state IN ('created', 'pending', 'failed')
            AND (i.amount, i.currency) = ((said ->> 'amount')::numeric, said ->> 'currency'), false) DESC,
        i.payment_id = named.payment_id DESC, i.created_at DESC, i.payment_id
    LIMIT 1);

-- Whether what arrived is other money than that of a payment that has succeeded. A payment that was settled by hand has no
-- receipt: the first one of its amount in a bank's file is its own.
CREATE OR REPLACE FUNCTION api.is_other_receipt(payment payment_intents, said jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN payment.state = 'succeeded' AND said ->> api.money_key(payment.provider) IS NOT NULL AND coalesce(
    to_jsonb(payment) ->> api.money_key(payment.provider) <> said ->> api.money_key(payment.provider),
    ((said ->> 'amount')::numeric, said ->> 'currency') <> (payment.received, payment.received_currency));

-- Complete a payment whose money has arrived: confirm the hold or exchange the booking, or refund it. done: booked, exchanged or refunded.
-- deferred: another transaction has locked what that needs, and nothing was written.
CREATE OR REPLACE FUNCTION api.complete_payment(payment payment_intents, said jsonb, b api.opened_booking, OUT done text, OUT deferred boolean) RETURNS record
LANGUAGE plpgsql AS $$
DECLARE
    arrived  CONSTANT numeric := said ->> 'amount';
    code     CONSTANT text := said ->> 'currency';
    why      text;   -- it confirms nothing
    confirmed api.outcome;
BEGIN
    IF (arrived, code) <> (payment.amount, payment.currency) THEN
        why := format('%s arrived, and %s was asked for.', api.amount_text(arrived, code) || ' ' || code,
            api.amount_text(payment.amount, payment.currency) || ' ' || payment.currency);
    ELSE
        confirmed := CASE WHEN payment.exchange IS NULL THEN api.confirm_paid(payment, b) ELSE api.exchange_paid(payment, b) END;
        why := confirmed.refusal ->> 'message';
        deferred := confirmed.deferred;
        IF deferred THEN
            RETURN;
        END IF;
    END IF;
    UPDATE payment_intents i
    SET state = 'succeeded', received = arrived, received_currency = code, succeeded_at = api.now(),
        receipt = said ->> 'receipt', problem = why,
        provider_reference = CASE i.provider WHEN 'manual' THEN i.provider_reference
            ELSE coalesce(said ->> 'provider_reference', i.provider_reference) END,
        booked_at = CASE WHEN why IS NULL THEN api.now() END
    WHERE i.bus_id = payment.bus_id AND i.payment_id = payment.payment_id
    RETURNING i.* INTO payment;
    IF why IS NULL THEN
        b.bus_id := coalesce(confirmed.bus_id, b.bus_id);
        PERFORM api.record_payments(ARRAY[b.bus_id], ARRAY[b.reference]);
    ELSE
        PERFORM api.add_refund(payment, arrived, NULL);
    END IF;
    PERFORM api.record_fee(payment, NULL, (said ->> 'fee')::numeric);
    PERFORM api.record_payment_event('payment.succeeded', payment);
    IF why IS NULL AND payment.exchange IS NULL THEN
        PERFORM api.record_events('booking.booked', ARRAY[b.bus_id], ARRAY[b.reference], api.because('payment'));
    ELSIF why IS NULL THEN
        PERFORM api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('exchange'));
    END IF;
    done := CASE WHEN why IS NOT NULL THEN 'refunded' WHEN payment.exchange IS NULL THEN 'booked' ELSE 'exchanged' END;
END $$;

-- Whether a booking was made after a payment with its reference, because the reference was free again: it is another booking.
CREATE OR REPLACE FUNCTION api.check_booking_of_payment(payment payment_intents, b api.opened_booking) RETURNS jsonb
LANGUAGE sql STABLE
RETURN coalesce(b.refusal, CASE WHEN EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.created_at > payment.created_at)
    THEN api.refusal('unknown_booking', 'The booking of the payment was deleted.') END);

-- Exchange a booking as a payment for it says. The exchange charges what was paid, or is refused.
CREATE OR REPLACE FUNCTION api.exchange_paid(payment payment_intents, b api.opened_booking) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o api.outcome;
    a api.request := jsonb_populate_record(NULL::api.request, payment.exchange);
BEGIN
    o.refusal := coalesce(api.check_booking_of_payment(payment, b), api.check_not_departed(b));
    a.due := payment.amount;
    RETURN CASE WHEN o.refusal IS NULL THEN api.exchange(b, a, false, paid => payment.amount) ELSE o END;
END $$;

-- Confirm a hold that is paid.
CREATE OR REPLACE FUNCTION api.confirm_paid(payment payment_intents, b api.opened_booking) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o api.outcome;
BEGIN
    o.refusal := coalesce(api.check_booking_of_payment(payment, b), api.check_hold(b), api.check_not_departed(b),
        CASE WHEN api.payment_due(b.bus_id, b.reference) <> payment.amount THEN api.refusal('other_amount', format(
            'Booking %s has another amount.', b.reference)) END);
    RETURN CASE WHEN o.refusal IS NULL THEN api.confirm_hold(b, NULL, NULL, paid => true) ELSE o END;
END $$;

-- Add a payment for other money that arrived under the reference of a payment that has succeeded. It is completed like any other:
-- it confirms the hold if the first one has not.
CREATE OR REPLACE FUNCTION api.add_receipt(payment payment_intents, said jsonb) RETURNS payment_intents
LANGUAGE sql AS $$
    INSERT INTO payment_intents (bus_id, payment_id, reference, provider, provider_reference, amount, currency, created_at, checked_at)
    VALUES (payment.bus_id, gen_random_uuid(), payment.reference, payment.provider,
            CASE WHEN payment.provider <> 'manual' THEN said ->> 'provider_reference' END,
            (said ->> 'amount')::numeric, said ->> 'currency', payment.created_at, api.now())
    RETURNING *
$$;

-- The refusal of other money than that of a payment that has succeeded, if it has no receipt: the same request again would be more
-- money.
CREATE OR REPLACE FUNCTION api.check_receipt_given(payment payment_intents, said jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN payment.state = 'succeeded' AND said ->> 'receipt' IS NULL
        AND ((said ->> 'amount')::numeric, said ->> 'currency') <> (payment.received, payment.received_currency)
    THEN api.refusal_bad_request('receipt', 'what tells this receipt from others, such as the number that the bank gave it',
        format('%s %s has arrived for %s. If %s %s has arrived too, give its receipt.',
            api.amount_text(payment.received, payment.received_currency), payment.received_currency, payment.provider_reference,
            api.amount_text((said ->> 'amount')::numeric, said ->> 'currency'), said ->> 'currency')) END;

-- Settle a manual payment by hand, as the operator of its service: the money is in the account. a.plan: show what that would do,
-- and undo it.
CREATE OR REPLACE FUNCTION api.settle_by_hand(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    payment CONSTANT payment_intents := api.named_payment(upper(btrim(a.reference)), a.payment);
BEGIN
    IF payment.payment_id IS NULL THEN
        o.refusal := api.refusal('unknown_payment', format('No payment has the reference %s.', a.payment ->> 'provider_reference'));
    ELSE
        o.refusal := coalesce(api.check_operator(a.account, payment.bus_id),
            api.check_amount_given('amount', (a.payment ->> 'amount')::numeric, a.payment ->> 'currency'),
            api.check_amount_given('fee', (a.payment ->> 'fee')::numeric, a.payment ->> 'currency'),
            api.check_receipt_given(payment, a.payment));
    END IF;
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    BEGIN
        o := api.settle_payment(a.reference, a.payment || jsonb_build_object('state', 'succeeded'), trip);
        IF a.plan THEN
            RAISE SQLSTATE 'BW001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- undone
    END;
    RETURN o;
END $$;
