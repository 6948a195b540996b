-- The promo codes of an operator, for its accounts and for admins.

-- A promo code, with the number of its uses.
CREATE OR REPLACE FUNCTION api.show_promo_code(promo promo_codes) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('operator', promo.operator, 'code', promo.code, 'percent', trim_scale(promo.percent)::text,
    'amount', api.amount_text(promo.amount, promo.currency), 'currency', promo.currency, 'services', promo.services, 'first_date', promo.first_date, 'last_date', promo.last_date,
    'max_uses', promo.max_uses, 'max_uses_per_account', promo.max_uses_per_account,
    'uses', (api.promo_code_uses(promo.promo_no)).uses);

-- The promo codes of an operator, in the order of their names. page: the maximum number. after: `next` of the previous page.
CREATE OR REPLACE FUNCTION api.promo_codes(account text, operator text, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record := api.operator_of(account, operator);
    size  int := coalesce(page, 50);
    shown jsonb;
    last  text;
BEGIN
    SELECT jsonb_agg(api.show_promo_code(codes.c) ORDER BY (codes.c).code), max((codes.c).code) INTO shown, last FROM (
        SELECT c FROM promo_codes c
        WHERE c.operator = owner.operator AND c.code > coalesce(after, '') ORDER BY c.code LIMIT size
    ) AS codes;
    RETURN coalesce(owner.refusal, jsonb_build_object('promo_codes', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', last) ELSE '{}' END);
END $$;
