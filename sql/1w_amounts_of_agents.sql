-- Amounts of agents have the decimals of their currency, which may be more than two. Both tables stay small.
--
-- PostgreSQL rewrites no rows when the type of a column changes from numeric(10,2) or numeric(12,2) to numeric.

INSERT INTO migrations (name) VALUES ('1w_amounts_of_agents');

SELECT alter_with_dependents('agents', '{credit_limit}', $$
    DROP CONSTRAINT agents_credit_limit_check,
    ALTER COLUMN credit_limit TYPE numeric,
    ADD CONSTRAINT credit_limit_is_amount
        CHECK (credit_limit >= 0 AND credit_limit < 10000000000 AND min_scale(credit_limit) <= 4) NOT VALID
$$);

-- PostgreSQL cannot change the type of a column that a generated column uses. So `balance` is dropped and added again. It was the
-- last column, so it keeps its place.
SELECT alter_with_dependents('settlements', '{carried,charges,refunds,commission,handed_over,balance}', $$
    DROP COLUMN balance,
    DROP CONSTRAINT settlements_charges_check,
    DROP CONSTRAINT settlements_refunds_check,
    DROP CONSTRAINT commission_is_a_part,
    ALTER COLUMN carried TYPE numeric,
    ALTER COLUMN charges TYPE numeric,
    ALTER COLUMN refunds TYPE numeric,
    ALTER COLUMN commission TYPE numeric,
    ALTER COLUMN handed_over TYPE numeric,
    ADD COLUMN balance numeric NOT NULL
        GENERATED ALWAYS AS (carried + charges - refunds - commission - handed_over) STORED,
    ADD COLUMN currency text NOT NULL DEFAULT 'INR',
    ADD CONSTRAINT settled_is_amount
        CHECK (charges >= 0 AND refunds >= 0 AND greatest(charges, refunds, abs(carried), abs(handed_over)) < 10000000000
               AND greatest(min_scale(charges), min_scale(refunds), min_scale(carried), min_scale(handed_over)) <= 4) NOT VALID,
    ADD CONSTRAINT commission_is_a_part   -- rounded to as many decimals as it has
        CHECK (commission = round((charges - refunds) * commission_percent / 100, scale(commission))
               AND scale(commission) <= 4) NOT VALID
$$);
