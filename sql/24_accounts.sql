-- The accounts of an operator: its money by day and currency. The amounts are sums of `payments`, and each payment is in one row; and the fees of
-- providers by the day on which they were charged.

CREATE OR REPLACE FUNCTION api.accounts(account text, operator text, from_date date, to_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record := api.operator_of(account, operator);
BEGIN
    owner.refusal := coalesce(owner.refusal, api.check_period(from_date, to_date));
    RETURN coalesce(owner.refusal, (
        WITH day AS MATERIALIZED (
            SELECT r.date, r.currency, sum(r.charges) AS charges, sum(r.refunds) AS refunds, sum(r.tax) AS tax, sum(r.kept) AS kept,
                   sum(r.commission) AS commission, sum(r.fees) AS fees
            FROM api.account_rows(owner.operator, from_date, to_date) AS r
            GROUP BY r.date, r.currency
        )
        SELECT jsonb_build_object('operator', owner.operator, 'rows', coalesce((
                SELECT jsonb_agg(jsonb_build_object('date', d.date) || api.show_accounts(d.currency, d.charges, d.refunds, d.tax, d.kept, d.commission, d.fees)
                    ORDER BY d.date, d.currency) FROM day d), '[]'),
            'totals', coalesce((SELECT jsonb_agg(api.show_accounts(t.currency, t.charges, t.refunds, t.tax, t.kept, t.commission, t.fees) ORDER BY t.currency)
                FROM (SELECT d.currency, sum(d.charges) AS charges, sum(d.refunds) AS refunds, sum(d.tax) AS tax, sum(d.kept) AS kept,
                             sum(d.commission) AS commission, sum(d.fees) AS fees FROM day d GROUP BY d.currency) AS t), '[]'))));
END $$;

-- The sums of a day in a currency; with shards, a row for each database that has entries of the day.
CREATE OR REPLACE FUNCTION api.account_rows(operator text, from_date date, to_date date) RETURNS TABLE (
    date date, currency text, charges numeric, refunds numeric, tax numeric, kept numeric, commission numeric, fees numeric
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = on SET enable_hashjoin = on SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    since CONSTANT timestamptz := from_date::timestamp AT TIME ZONE 'UTC' - interval '14 hours';   -- the day begins nowhere earlier
    until CONSTANT timestamptz := (to_date + 1)::timestamp AT TIME ZONE 'UTC' + interval '12 hours';   -- and ends nowhere later
BEGIN
    RETURN QUERY
        SELECT e.date, e.currency, sum(e.charge), sum(e.refund), sum(e.tax), sum(e.kept), sum(e.commission), sum(e.fee)
        FROM busware_reports.account_entries e
        WHERE e.operator = account_rows.operator AND e.date BETWEEN from_date AND to_date AND e.about_at >= since AND e.about_at < until
        GROUP BY e.date, e.currency;
END $$;

-- Sums of money in one currency, as fields of a reply.
CREATE OR REPLACE FUNCTION api.show_accounts(currency text, charges numeric, refunds numeric, tax numeric, kept numeric, commission numeric, fees numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('currency', currency, 'charges', api.amount_text(charges, currency), 'refunds', api.amount_text(refunds, currency),
    'income', api.amount_text(charges - refunds, currency), 'tax', api.amount_text(tax, currency),
    'kept', api.amount_text(kept, currency), 'commission', api.amount_text(commission, currency),
    'fees', api.amount_text(fees, currency));

-- Check the period of a report.
CREATE OR REPLACE FUNCTION api.check_period(from_date date, to_date date) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    longest CONSTANT int := 366;   -- days
BEGIN
    RETURN CASE WHEN NOT to_date - from_date BETWEEN 0 AND longest - 1 THEN api.refusal_bad_request('to', 'a date',
        format('`to` must be a date from `from` on, at most %s days in all.', longest)) END;
END $$;
