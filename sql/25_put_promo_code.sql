-- Create a promo code, or replace what it gives. args: the request, with the account. Tickets that were sold with the code keep
-- their fares, and count for a new limit. The function locks the code, as a sale with the code does, so that no sale uses the
-- previous limit after the change.
CREATE OR REPLACE FUNCTION api.put_promo_code(args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    new   promo_codes := jsonb_populate_record(NULL::promo_codes, args - 'promo_no');
    owner record := api.operator_of(args ->> 'account', args ->> 'operator');
BEGIN
    new.operator := owner.operator;
    new.code := upper(btrim(new.code));
    new.currency := coalesce(new.currency, api.operator_currency(new.operator));
    SELECT c.promo_no INTO new.promo_no FROM promo_codes c WHERE c.operator = new.operator AND c.code = new.code;
    PERFORM api.lock_promo_code(new.promo_no, wait => true);
    answer := coalesce(owner.refusal, api.check_new_promo_code(new));
    IF answer IS NULL THEN
        INSERT INTO promo_codes AS c (operator, code, percent, amount, currency, services, first_date, last_date, max_uses, max_uses_per_account)
        VALUES (new.operator, new.code, coalesce(new.percent, 0), coalesce(new.amount, 0), new.currency, new.services, new.first_date,
                new.last_date, new.max_uses, new.max_uses_per_account)
        ON CONFLICT ON CONSTRAINT promo_code_of_operator DO UPDATE SET
            percent = EXCLUDED.percent, amount = EXCLUDED.amount, currency = EXCLUDED.currency, services = EXCLUDED.services,
            first_date = EXCLUDED.first_date, last_date = EXCLUDED.last_date, max_uses = EXCLUDED.max_uses,
            max_uses_per_account = EXCLUDED.max_uses_per_account
        RETURNING c.* INTO new;
        answer := api.show_promo_code(new);
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;

-- Check a promo code before it is stored.
CREATE OR REPLACE FUNCTION api.check_new_promo_code(new promo_codes) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE
    WHEN new.code !~ '^[A-Z0-9-]{3,20}$' THEN
        api.refusal_bad_request('code', '3 to 20 letters, digits or hyphens', 'A promo code has 3 to 20 letters, digits or hyphens.')
    WHEN NOT coalesce(new.percent > 0 OR new.amount > 0, false) THEN
        api.refusal_bad_request('percent', 'a percentage, above 0 and up to 100', 'A promo code takes a percentage or an amount off.')
    WHEN new.percent > 100 THEN
        api.refusal_bad_request('percent', 'a percentage, above 0 and up to 100', 'A promo code takes at most 100 percent off.')
    WHEN min_scale(new.amount) > api.currency_decimals(new.currency) THEN api.check_amount_given('amount', new.amount, new.currency)
    WHEN new.last_date < new.first_date THEN
        api.refusal_bad_request('last_date', 'a date, not before first_date', 'The last date is before the first.')
    WHEN new.max_uses < (api.promo_code_uses(new.promo_no)).uses THEN
        api.refusal_bad_request('max_uses', format('a number from %s on', (api.promo_code_uses(new.promo_no)).uses),
            format('%s tickets have the promo code %s. To end it, set last_date.', (api.promo_code_uses(new.promo_no)).uses, new.code))
    WHEN EXISTS (SELECT FROM unnest(new.services) AS n WHERE NOT EXISTS (
            SELECT FROM bus_info s WHERE s.bus_id = n AND s.operator = new.operator AND s.currency = new.currency)) THEN
        api.refusal_bad_request('services', 'numbers of services of the operator', format('%s does not run all of these services with fares in %s.', new.operator, new.currency))
    END;
