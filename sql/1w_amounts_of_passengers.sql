-- Fares and refunds have the decimals of their currency, which may be more than two. PostgreSQL neither rewrites nor checks a row, so
-- the lock is short: if the old constraint stayed, PostgreSQL would check it for every row after the change of type.

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
