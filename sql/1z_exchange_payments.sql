-- A payment may pay for an exchange of a booking that was paid before.

INSERT INTO migrations (name) VALUES ('1z_exchange_payments');

ALTER TABLE payment_intents ADD COLUMN exchange jsonb;   -- the exchange that it pays for; NULL: it pays for the hold

-- squawk-ignore require-concurrent-index-deletion
DROP INDEX payment_books_once;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX payment_books_once ON payment_intents (bus_id, reference) WHERE booked_at IS NOT NULL AND exchange IS NULL;
