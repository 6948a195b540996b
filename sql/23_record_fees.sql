-- The fees of providers. A fee is known after its payment or refund: the worker asks the provider for it, from the outbox. The fee of a
-- manual payment is what the operator says.

-- Record the fee of a payment, or of a refund. refund: all its columns are NULL for the fee of the payment. named: the fee that the
-- operator gives; if it is NULL and the provider is not `manual`, the worker asks the provider for the fee. A fee that is known is not
-- recorded again.
CREATE OR REPLACE FUNCTION api.record_fee(payment payment_intents, refund refunds, named numeric DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    at_provider CONSTANT text := CASE WHEN refund.refund_id IS NULL THEN payment.provider_reference ELSE refund.provider_reference END;
BEGIN
    IF named IS NOT NULL THEN
        INSERT INTO provider_fees (bus_id, payment_id, transaction_id, refund_id, amount, net, currency, at)
        VALUES (payment.bus_id, payment.payment_id, coalesce(refund.refund_id, payment.payment_id)::text, refund.refund_id, named,
                coalesce(-refund.amount, payment.received) - named, payment.received_currency, api.now())
        ON CONFLICT DO NOTHING;
    ELSIF payment.provider <> 'manual' AND at_provider IS NOT NULL THEN
        PERFORM api.enqueue('fee', jsonb_build_object('bus_id', payment.bus_id, 'payment_id', payment.payment_id,
            'refund_id', refund.refund_id, 'provider', payment.provider, 'provider_reference', at_provider), payment.bus_id, payment.reference);
    END IF;
END $$;
