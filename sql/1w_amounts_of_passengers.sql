-- Fares and refunds have the decimals of their currency, which may be more than two. No row is rewritten or checked, so nothing
-- waits: the new constraint replaces that of the old type, which PostgreSQL would check again.

INSERT INTO migrations (name) VALUES ('1w_amounts_of_passengers');

SELECT alter_with_dependents('passengers', '{fare,refund,alight_refunds}', $$
    DROP CONSTRAINT passengers_fare_check,
    ALTER COLUMN fare TYPE numeric,
    ALTER COLUMN refund TYPE numeric,
    ALTER COLUMN refund SET DEFAULT 0.00,   -- functions of the previous version show it as it is stored
    ALTER COLUMN alight_refunds TYPE numeric[],
    ADD CONSTRAINT fare_is_amount
        CHECK (fare >= 0 AND refund >= 0 AND greatest(fare, refund) < 100000000
               AND greatest(min_scale(fare), min_scale(refund)) <= 4) NOT VALID
$$);
