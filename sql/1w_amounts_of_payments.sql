-- Payments have a currency: that of the service. Their amounts have its decimals, which may be more than two. No row is
-- rewritten or checked. All services of earlier releases are paid in INR.

INSERT INTO migrations (name) VALUES ('1w_amounts_of_payments');

SELECT alter_with_dependents('payments', '{amount}', $$
    DROP CONSTRAINT payments_amount_check,
    ALTER COLUMN amount TYPE numeric,
    ADD COLUMN currency text NOT NULL DEFAULT 'INR',
    ADD CONSTRAINT payment_is_amount CHECK (amount >= 0 AND amount < 1000000000 AND min_scale(amount) <= 4) NOT VALID
$$);

UPDATE payments y SET currency = s.currency FROM bus_info s WHERE s.bus_id = y.bus_id AND s.currency <> 'INR';
