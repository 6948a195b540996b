-- Promo codes. A use of a code is a ticket that has it and was ever booked, or is held or on the waitlist. So a hold that
-- expires or is released unpaid gives its uses back, and nothing else counts them.

-- The uses of a promo code: of all tickets, and of those of an account or a phone number.
CREATE OR REPLACE FUNCTION api.promo_code_uses(
    promo_no bigint, account text DEFAULT NULL, phone text DEFAULT NULL, OUT uses bigint, OUT own bigint
) RETURNS record
LANGUAGE sql STABLE AS $$
    SELECT count(*), count(*) FILTER (WHERE p.account = promo_code_uses.account OR p.phone = promo_code_uses.phone)
    FROM passengers p
    WHERE p.promo_no = promo_code_uses.promo_no
      AND (p.booked_at IS NOT NULL OR api.status_now(p.status, p.expires_at) IN ('held', 'pending'))
$$;

-- Lock a promo code until the end of the transaction, so that two transactions cannot both use what is left of it. Returns
-- false if another transaction has locked it and the caller does not wait.
CREATE OR REPLACE FUNCTION api.lock_promo_code(promo_no bigint, wait boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    prom CONSTANT int := 1886547821;   -- its name in ASCII
BEGIN
    IF wait THEN
        PERFORM pg_advisory_xact_lock(prom, hashint8(promo_no));
    END IF;
    RETURN wait OR pg_try_advisory_xact_lock(prom, hashint8(promo_no));
END $$;

-- The promo code that a request names, on a service.
CREATE OR REPLACE FUNCTION api.promo_code(service bus_info, code text) RETURNS promo_codes
LANGUAGE sql STABLE AS $$
    SELECT p FROM promo_codes p WHERE p.operator = service.operator AND p.code = upper(btrim(promo_code.code))
$$;

-- Whether some promo code is valid on a service today.
CREATE OR REPLACE FUNCTION api.has_promo_codes(service bus_info) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM promo_codes p
        WHERE p.operator = service.operator AND p.currency = service.currency AND (p.services IS NULL OR service.bus_id = ANY (p.services))
          AND (api.now() AT TIME ZONE service.time_zone)::date BETWEEN coalesce(p.first_date, '-infinity')
                                                                   AND coalesce(p.last_date, 'infinity'))
$$;

-- Check that a party may use a promo code now: it exists, it is valid on the service and today, and its limits allow as
-- many tickets more. The caller has locked it.
CREATE OR REPLACE FUNCTION api.check_promo_code(
    promo promo_codes, service bus_info, code text, tickets int, account text, phone text
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    today date := (api.now() AT TIME ZONE service.time_zone)::date;
    used  record;
BEGIN
    IF promo.promo_no IS NULL OR service.bus_id <> ALL (promo.services) OR promo.currency <> service.currency THEN
        RETURN api.refusal('unknown_promo_code', format('%s has no promo code %s for this %s.',
            service.operator, api.quoted(code), service.nouns ->> 'service'));
    ELSIF today < promo.first_date OR today > promo.last_date THEN
        RETURN api.refusal('unknown_promo_code', format('The promo code %s is valid %s.', promo.code,
            CASE WHEN today < promo.first_date THEN 'from ' || promo.first_date || ' on' ELSE 'up to ' || promo.last_date END));
    ELSIF num_nonnulls(promo.max_uses, promo.max_uses_per_account) = 0 THEN
        RETURN NULL;
    ELSIF promo.max_uses_per_account IS NOT NULL AND account IS NULL AND phone IS NULL THEN
        RETURN api.refusal_bad_request('phone', 'a phone number', format('The promo code %s requires a phone number.', promo.code));
    END IF;
    used := api.promo_code_uses(promo.promo_no, account, phone);
    RETURN CASE WHEN used.uses + tickets > promo.max_uses THEN
                    api.refusal_promo_code_used_up(promo.code, promo.max_uses - used.uses, tickets)
                WHEN used.own + tickets > promo.max_uses_per_account THEN
                    api.refusal_promo_code_used_up(promo.code, promo.max_uses_per_account - used.own, tickets) END;
END $$;

-- The refusal of a promo code that can be used for fewer tickets than requested.
CREATE OR REPLACE FUNCTION api.refusal_promo_code_used_up(code text, uses_left bigint, tickets int) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN api.refusal('promo_code_used_up', format('The promo code %s can be used for %s; you asked for %s.', code,
        CASE WHEN uses_left <= 0 THEN 'no more tickets' ELSE api.format_count(uses_left, 'more ticket') END, tickets),
    jsonb_build_object('uses_left', greatest(uses_left, 0)));

-- Lock the promo code of a call, if it has one: that of the request, or of the booking with the reference.
CREATE OR REPLACE FUNCTION api.wait_for_promo_code(bus_id bigint, args jsonb) RETURNS void
LANGUAGE sql AS $$
    SELECT api.lock_promo_code(coalesce(
        (SELECT (api.promo_code(s, args ->> 'promo_code')).promo_no FROM bus_info s WHERE s.bus_id = wait_for_promo_code.bus_id),
        (SELECT min(p.promo_no) FROM passengers p
         WHERE p.bus_id = wait_for_promo_code.bus_id AND p.reference = upper(btrim(args ->> 'reference')))), wait => true)
$$;
