-- What providers charge for payments and refunds. An amount is stored once for each transaction of a provider.

INSERT INTO migrations (name) VALUES ('1z_provider_fees');

CREATE TABLE provider_fees (
    bus_id          bigint NOT NULL,               -- as in payment_intents
    payment_id      uuid NOT NULL,
    transaction_id  text NOT NULL,                 -- at the provider; of a fee that an operator names, the id of the payment or the refund
    refund_id       uuid,                          -- the refund of the payment that it is for; NULL: it is for the payment
    amount          numeric NOT NULL,              -- of the fee; below 0: the provider gave it back
    net             numeric NOT NULL,              -- what the transaction added to the balance at the provider
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),   -- of the balance
    at              timestamptz NOT NULL,          -- when the provider charged it
    PRIMARY KEY (bus_id, payment_id, transaction_id),
    FOREIGN KEY (bus_id, payment_id) REFERENCES payment_intents,
    FOREIGN KEY (bus_id, refund_id) REFERENCES refunds
);
CREATE INDEX provider_fees_by_time ON provider_fees (at);

-- Kind fee: the provider is asked for the fee of a payment or a refund.
-- squawk-ignore ban-drop-constraint
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('mail', 'sms', 'webhook', 'refund', 'fee')) NOT VALID;

-- Ask for the fees of what was paid and refunded before.
INSERT INTO outbox (key, kind, bus_id, reference, payload, created_at, due_at)
SELECT gen_random_uuid(), 'fee', i.bus_id, i.reference, jsonb_build_object('bus_id', i.bus_id, 'payment_id', i.payment_id,
    'refund_id', paid.refund_id, 'provider', i.provider, 'provider_reference', paid.provider_reference), now(), now()
FROM payment_intents i
CROSS JOIN LATERAL (
    SELECT NULL::uuid AS refund_id, i.provider_reference WHERE i.state = 'succeeded'
    UNION ALL
    SELECT r.refund_id, r.provider_reference FROM refunds r
    WHERE r.bus_id = i.bus_id AND r.payment_id = i.payment_id AND r.state IN ('succeeded', 'failed')
) AS paid
WHERE i.provider <> 'manual' AND paid.provider_reference IS NOT NULL;
