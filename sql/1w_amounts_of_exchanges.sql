-- Amounts of exchanges have the decimals of their currency, which may be more than two. No row is rewritten.

INSERT INTO migrations (name) VALUES ('1w_amounts_of_exchanges');

SELECT alter_with_dependents('exchanges', '{fare,refund,kept,amount}', $$
    DROP CONSTRAINT exchanges_kept_check,
    DROP CONSTRAINT exchanges_check,
    ALTER COLUMN fare TYPE numeric,
    ALTER COLUMN refund TYPE numeric,
    ALTER COLUMN kept TYPE numeric,
    ALTER COLUMN amount TYPE numeric,
    ADD CONSTRAINT exchanged_is_amount
        CHECK (kept >= 0 AND greatest(fare, refund, kept, abs(amount)) < 1000000000
               AND greatest(min_scale(fare), min_scale(refund), min_scale(kept), min_scale(amount)) <= 4) NOT VALID,
    ADD CONSTRAINT kept_with_amount CHECK ((kept IS NULL) = (amount IS NULL)) NOT VALID
$$);
