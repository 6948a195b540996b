-- What a server reads and writes about payments without api.batch: the open payments and refunds to check, and the reports of
-- providers about refunds and fees. A refund moves no ticket, so it needs no lock of a trip.

-- A payment as it is now; NULL: there is none.
CREATE OR REPLACE FUNCTION api.payment_now(reference text, payment_id uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT api.show_payment(i) FROM payment_intents i
    WHERE i.bus_id = api.reference_bus(payment_now.reference) AND i.payment_id = payment_now.payment_id
$$;

-- The open payments that were not checked for a time, the oldest first, each for one caller. ended: the booking is no longer held, or
-- another payment was begun since, so this payment is to be cancelled. A payment of an exchange has ended payment_minutes after it
-- was begun, or when its booking is no longer booked.
CREATE OR REPLACE FUNCTION api.due_payments(older_than interval, count int) RETURNS TABLE (payment jsonb, ended boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH due AS (
        SELECT i.bus_id, i.payment_id FROM payment_intents i
        WHERE i.state IN ('created', 'pending', 'failed') AND i.checked_at <= api.now() - older_than
        ORDER BY i.checked_at LIMIT due_payments.count FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE payment_intents i SET checked_at = api.now() FROM due
        WHERE i.bus_id = due.bus_id AND i.payment_id = due.payment_id
        RETURNING i.bus_id, i.payment_id
    )
    SELECT api.show_payment(i),
           NOT EXISTS (SELECT FROM passengers p JOIN bus_info s USING (bus_id)
               WHERE p.bus_id = api.booking_bus(i.reference) AND p.reference = i.reference
                 AND CASE WHEN i.exchange IS NULL THEN api.status_now(p.status, p.expires_at) = 'held'
                     ELSE p.status IN ('booked', 'displaced') AND i.created_at + make_interval(mins => s.payment_minutes) > api.now() END)
           OR EXISTS (SELECT FROM payment_intents n WHERE n.bus_id = i.bus_id AND n.reference = i.reference AND n.created_at > i.created_at)
    FROM claimed c JOIN payment_intents i ON i.bus_id = c.bus_id AND i.payment_id = c.payment_id
$$;

-- The refunds that a provider has not completed and that were not checked for a time, each for one caller: see api.refund_order.
CREATE OR REPLACE FUNCTION api.due_refunds(older_than interval, count int) RETURNS TABLE (refund jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH due AS (
        SELECT r.bus_id, r.refund_id FROM refunds r
        WHERE r.state = 'sent' AND r.checked_at <= api.now() - older_than
        ORDER BY r.checked_at LIMIT due_refunds.count FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE refunds r SET checked_at = api.now() FROM due WHERE r.bus_id = due.bus_id AND r.refund_id = due.refund_id
        RETURNING r.bus_id, r.refund_id, r.payment_id
    )
    SELECT api.refund_order(r, i)
    FROM claimed c
    JOIN refunds r ON r.bus_id = c.bus_id AND r.refund_id = c.refund_id
    JOIN payment_intents i ON i.bus_id = c.bus_id AND i.payment_id = c.payment_id
$$;

-- Record a provider's report of a refund: sent, succeeded or failed. Returns whether the report is new. A bank may return a refund
-- that had succeeded: then it fails. After a refund has failed, only the report of another attempt, with another reference at the
-- provider, is new. If both the operator, by hand, and the provider have paid a refund back, the traveller has the amount twice, and
-- `problem` says so.
CREATE OR REPLACE FUNCTION api.note_refund(bus_id bigint, refund_id uuid, state text, provider_reference text, problem text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    refund  refunds;
    payment payment_intents;
    changed boolean;   -- whether the report changes the state
BEGIN
    UPDATE refunds r
    SET state = note_refund.state, problem = note_refund.problem, checked_at = api.now(),
        provider_reference = coalesce(note_refund.provider_reference, r.provider_reference),
        succeeded_at = CASE note_refund.state WHEN 'succeeded' THEN api.now() END
    WHERE r.bus_id = note_refund.bus_id AND r.refund_id = note_refund.refund_id
      AND r.state <> note_refund.state AND CASE r.state
          WHEN 'succeeded' THEN note_refund.state = 'failed' AND r.account IS NULL AND r.provider_reference = note_refund.provider_reference
          WHEN 'failed' THEN r.provider_reference IS DISTINCT FROM note_refund.provider_reference
          ELSE true END
    RETURNING r.* INTO refund;
    changed := FOUND;
    IF NOT changed THEN
        UPDATE refunds r
        SET provider_reference = note_refund.provider_reference, problem = format('Paid back by hand by %s, and by the provider, too.', r.account)
        WHERE r.bus_id = note_refund.bus_id AND r.refund_id = note_refund.refund_id AND note_refund.state = 'succeeded'
          AND r.account IS NOT NULL AND r.provider_reference IS DISTINCT FROM note_refund.provider_reference
        RETURNING r.* INTO refund;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    SELECT * INTO payment FROM payment_intents i WHERE i.bus_id = refund.bus_id AND i.payment_id = refund.payment_id;
    PERFORM api.record_fee(payment, refund) WHERE refund.state <> 'sent';
    PERFORM api.record_payment_event('refund.' || refund.state, payment, api.show_refund(refund, 'UTC')) WHERE changed AND refund.state <> 'sent';
    RETURN true;
END $$;

-- Whether a refund is still to be carried out: an operator may have paid it back by hand.
CREATE OR REPLACE FUNCTION api.is_refund_open(bus_id bigint, refund_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM refunds r
        WHERE r.bus_id = is_refund_open.bus_id AND r.refund_id = is_refund_open.refund_id AND r.state <> 'succeeded')
$$;

-- Record the fees that a provider reports for a payment, or for a refund of it. fees: an array of the fields transaction_id, amount, net,
-- currency and at. A transaction that is known is left out. Returns how many are new.
CREATE OR REPLACE FUNCTION api.note_fees(bus_id bigint, payment_id uuid, refund_id uuid, fees jsonb) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH recorded AS (
        INSERT INTO provider_fees (bus_id, payment_id, transaction_id, refund_id, amount, net, currency, at)
        SELECT note_fees.bus_id, note_fees.payment_id, f.transaction_id, note_fees.refund_id, f.amount, f.net, f.currency, f.at
        FROM jsonb_to_recordset(fees) AS f (transaction_id text, amount numeric, net numeric, currency text, at timestamptz)
        ON CONFLICT DO NOTHING
        RETURNING transaction_id
    )
    SELECT count(*)::int FROM recorded
$$;

-- Record that an operator has paid back a refund by hand: one of a manual payment, or one that failed. args: account, reference,
-- refund_id, and perhaps the fee of the bank.
CREATE OR REPLACE FUNCTION api.settle_refund(args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    home    CONSTANT bigint := api.reference_bus(args ->> 'reference');
    refund  refunds;
    payment payment_intents;
BEGIN
    SELECT r.* INTO refund FROM refunds r WHERE r.bus_id = home AND r.refund_id = (args ->> 'refund_id')::uuid FOR UPDATE;
    SELECT i.* INTO payment FROM payment_intents i
    WHERE i.bus_id = home AND i.payment_id = refund.payment_id AND i.reference = args ->> 'reference';
    answer := CASE WHEN payment.payment_id IS NULL THEN api.refusal('unknown_payment', format('Booking %s has no such refund.', args ->> 'reference'))
        ELSE coalesce(api.check_operator(args ->> 'account', home), api.check_amount_given('fee', (args ->> 'fee')::numeric, refund.currency)) END;
    IF answer IS NULL AND refund.state <> 'succeeded' THEN
        IF NOT api.is_by_hand(refund) THEN
            answer := api.refusal('refund_under_way', format('%s carries out this refund. It is %s.', initcap(payment.provider), refund.state));
        ELSE
            UPDATE refunds r SET state = 'succeeded', account = args ->> 'account', succeeded_at = api.now()
            WHERE r.bus_id = home AND r.refund_id = refund.refund_id RETURNING r.* INTO refund;
            PERFORM api.record_fee(payment, refund, (args ->> 'fee')::numeric) WHERE args ->> 'fee' IS NOT NULL;
            PERFORM api.record_payment_event('refund.succeeded', payment, api.show_refund(refund, 'UTC'));
        END IF;
    END IF;
    answer := coalesce(answer, (SELECT api.show_payment(payment)));
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;
