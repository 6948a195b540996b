-- The amounts in the document of a service have the decimals of its currency.

-- Check that no amount has more decimals than the currency has, or than the payment provider of the service can charge. document: an
-- invalid value is null in it.
CREATE OR REPLACE FUNCTION api.check_amounts(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', a.path, 'message', CASE
            WHEN min_scale(a.amount) > api.currency_decimals(c.currency)
                THEN format('%s has more decimals than %s has, %s.', a.amount, c.currency, api.currency_decimals(c.currency))
            ELSE format('Stripe does not charge %s %s: the last of three decimals must be 0.', a.amount, c.currency) END) ORDER BY a.path), '[]')
    FROM (SELECT CASE WHEN document ? 'currency' THEN document ->> 'currency' ELSE 'INR' END) AS c (currency), LATERAL (
        SELECT f.field AS path, (document ->> f.field)::numeric AS amount
        FROM api.service_fields() AS f WHERE f.list = '' AND f.kind = 'amount'
        UNION ALL
        SELECT format('%s[%s].%s', f.list, e.n - 1, f.field), (e.value ->> f.field)::numeric
        FROM api.service_fields() AS f, jsonb_array_elements(document -> f.list) WITH ORDINALITY AS e (value, n)
        WHERE f.list <> '' AND f.kind IN ('amount', 'surcharge')
    ) AS a
    WHERE min_scale(a.amount) > api.charged_decimals(c.currency, document ->> 'payment') AND c.currency IS NOT NULL
$$;

-- A document whose amounts are written with the decimals of its currency: 520.00, or 5.250 in KWD.
CREATE OR REPLACE FUNCTION api.with_amounts(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT document || coalesce(jsonb_object_agg(coalesce(nullif(f.list, ''), f.field), CASE f.list
            WHEN '' THEN to_jsonb(api.amount_text((document ->> f.field)::numeric, document ->> 'currency'))
            ELSE (SELECT coalesce(jsonb_agg(CASE WHEN e.value ->> f.field IS NULL THEN e.value ELSE e.value || jsonb_build_object(
                        f.field, api.amount_text((e.value ->> f.field)::numeric, document ->> 'currency')) END ORDER BY e.n), '[]')
                  FROM jsonb_array_elements(document -> f.list) WITH ORDINALITY AS e (value, n)) END), '{}')
    FROM api.service_fields() AS f
    WHERE f.kind IN ('amount', 'surcharge') AND document ? coalesce(nullif(f.list, ''), f.field)
$$;

-- Check that an amount of a request has no more decimals than its currency.
CREATE OR REPLACE FUNCTION api.check_amount_given(field text, amount numeric, currency text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN min_scale(amount) > api.currency_decimals(currency) THEN api.refusal_bad_request(field, format('an amount of money in %s', currency),
    format('%s has more decimals than %s has, %s.', amount, currency, api.currency_decimals(currency))) END;
