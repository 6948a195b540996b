-- Payments to a provider, and the refunds of these payments. The table `payments` stays the ledger of the tickets: what each
-- was charged and refunded. These tables have what was asked of a payer and a provider, and what they did.

INSERT INTO migrations (name) VALUES ('1y_payment_intents');

ALTER TABLE bus_info
    ADD COLUMN payment text NOT NULL DEFAULT 'none',       -- the provider to which a hold is paid before it can be confirmed
    ADD COLUMN payment_minutes int NOT NULL DEFAULT 60,    -- how long seats are held for a payment
    ADD CONSTRAINT known_payment CHECK (payment IN ('none', 'manual', 'stripe')) NOT VALID,
    ADD CONSTRAINT payment_minutes_in_range CHECK (payment_minutes BETWEEN 10 AND 20160) NOT VALID;

-- Refuse a change of the column state that is not an argument of the trigger. An argument such as 'created>pending' is a
-- transition, '>created' a first state. The function is not in schema api, which an upgrade drops and creates again.
CREATE FUNCTION public.check_transition() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former CONSTANT text := CASE TG_OP WHEN 'UPDATE' THEN OLD.state ELSE '' END;
BEGIN
    IF former <> NEW.state AND former || '>' || NEW.state <> ALL (TG_ARGV) THEN
        RAISE check_violation USING MESSAGE = format('A row of %I in state %L cannot change to %L.', TG_TABLE_NAME, former, NEW.state);
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION public.check_transition() FROM PUBLIC;

-- One row for each payment that a caller asked for, and for each receipt without such a payment. It has no foreign key: its
-- booking may move to another service.
CREATE TABLE payment_intents (
    bus_id          bigint NOT NULL,               -- home service of the booking: see api.reference_bus
    payment_id      uuid NOT NULL,                 -- idempotency key at the provider
    reference       text NOT NULL,                 -- of the booking
    provider        text NOT NULL CHECK (provider IN ('manual', 'stripe')),
    provider_reference text,                       -- of the payment at the provider; manual: what the payer writes on the transfer
    amount          numeric NOT NULL CHECK (amount > 0),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    state           text NOT NULL DEFAULT 'created' CHECK (state IN ('created', 'pending', 'succeeded', 'failed', 'cancelled')),
    received        numeric CHECK (received > 0),
    received_currency text CHECK (received_currency ~ '^[A-Z]{3}$'),
    receipt         text,                          -- of a manual payment: its line in the bank's file
    problem         text,                          -- why it failed, or why it booked nothing
    created_at      timestamptz NOT NULL,
    checked_at      timestamptz NOT NULL,          -- when the provider was asked last
    succeeded_at    timestamptz,
    booked_at       timestamptz,                   -- when it confirmed its booking; NULL: it has not
    PRIMARY KEY (bus_id, payment_id),
    CONSTRAINT one_payment_of_reference UNIQUE (bus_id, provider, provider_reference),
    CONSTRAINT succeeded_is_received CHECK (
        (state = 'succeeded') = (num_nonnulls(received, received_currency, succeeded_at) = 3)
        AND num_nonnulls(received, received_currency, succeeded_at) IN (0, 3)),
    CONSTRAINT booked_is_paid CHECK (booked_at IS NULL OR state = 'succeeded' AND (received, received_currency) = (amount, currency))
);
CREATE INDEX payment_intents_of_booking ON payment_intents (bus_id, reference);
CREATE UNIQUE INDEX payment_books_once ON payment_intents (bus_id, reference) WHERE booked_at IS NOT NULL;
CREATE INDEX payment_intents_open ON payment_intents (checked_at) WHERE state IN ('created', 'pending', 'failed');
CREATE TRIGGER known_transition BEFORE INSERT OR UPDATE OF state ON payment_intents FOR EACH ROW
    EXECUTE FUNCTION public.check_transition('>created', 'created>pending', 'created>succeeded', 'created>failed', 'created>cancelled',
        'pending>succeeded', 'pending>failed', 'pending>cancelled', 'failed>pending', 'failed>succeeded', 'failed>cancelled',
        'cancelled>succeeded');

-- What the provider or the operator gives back of a payment: for refunds of the ledger, or the whole of a payment that booked nothing. A refund that
-- failed is still owed.
CREATE TABLE refunds (
    bus_id          bigint NOT NULL,               -- as in payment_intents
    refund_id       uuid NOT NULL,                 -- idempotency key at the provider
    payment_id      uuid NOT NULL,
    amount          numeric NOT NULL CHECK (amount > 0),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    tickets         int[],                         -- whose refunds in the ledger it gives back; NULL: the payment booked nothing
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'succeeded', 'failed')),
    provider_reference text,
    problem         text,                          -- why it failed
    account         text,                          -- that paid it back by hand
    created_at      timestamptz NOT NULL,
    checked_at      timestamptz NOT NULL,
    succeeded_at    timestamptz,
    PRIMARY KEY (bus_id, refund_id),
    FOREIGN KEY (bus_id, payment_id) REFERENCES payment_intents,
    CONSTRAINT succeeded_has_time CHECK ((state = 'succeeded') = (succeeded_at IS NOT NULL))
);
CREATE INDEX refunds_of_payment ON refunds (bus_id, payment_id);
CREATE INDEX refunds_open ON refunds (checked_at) WHERE state IN ('waiting', 'sent', 'failed');
CREATE TRIGGER known_transition BEFORE INSERT OR UPDATE OF state ON refunds FOR EACH ROW
    EXECUTE FUNCTION public.check_transition('>waiting', 'waiting>sent', 'waiting>succeeded', 'waiting>failed', 'sent>succeeded',
        'sent>failed', 'failed>sent', 'failed>succeeded', 'succeeded>failed');
