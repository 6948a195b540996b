-- The amounts of services and promo codes have the decimals of their currency, which may be more than two. A promo code takes its
-- amount off fares of its currency. Both tables stay small.

INSERT INTO migrations (name) VALUES ('1w_amounts_of_services');

SELECT alter_with_dependents('bus_info', '{exchange_fee}', $$
    DROP CONSTRAINT exchange_fee_not_negative,
    ALTER COLUMN exchange_fee TYPE numeric,
    ALTER COLUMN exchange_fee SET DEFAULT 0.00,   -- functions of the previous version show it as it is stored
    ADD CONSTRAINT exchange_fee_is_amount
        CHECK (exchange_fee >= 0 AND exchange_fee < 100000000 AND min_scale(exchange_fee) <= 4) NOT VALID
$$);

SELECT alter_with_dependents('promo_codes', '{amount}', $$
    DROP CONSTRAINT promo_codes_amount_check,
    ALTER COLUMN amount TYPE numeric,
    ALTER COLUMN amount SET DEFAULT 0.00,
    ADD COLUMN currency text NOT NULL DEFAULT 'INR',
    ADD CONSTRAINT discount_is_amount CHECK (amount >= 0 AND amount < 100000000 AND min_scale(amount) <= 4) NOT VALID
$$);
