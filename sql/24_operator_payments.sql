-- A page of the payments to a provider of the services that an account may change, the last ones first. state: by default all.
-- page: their maximum number. after: `next` of the previous page, the microseconds and the payment_id of its last payment.
CREATE OR REPLACE FUNCTION api.operator_payments(account text, state text DEFAULT NULL, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    refusal jsonb := api.check_role(account);
    size    int := coalesce(page, 50);
    shown   jsonb[];
    positions text[];
BEGIN
    IF after !~ '^\d{1,17}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        refusal := coalesce(refusal, api.refusal_bad_request('after', 'the `next` of an earlier page', '`after` is not the `next` of a page.'));
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT array_agg(r.payment ORDER BY r.created_at DESC, r.payment_id DESC),
           array_agg(api.microseconds(r.created_at) || '-' || r.payment_id ORDER BY r.created_at DESC, r.payment_id DESC)
    INTO shown, positions FROM (
        SELECT f.* FROM api.payment_rows(api.own_operator(account), state, size, after) AS f
        ORDER BY f.created_at DESC, f.payment_id DESC LIMIT size
    ) AS r;
    RETURN jsonb_build_object('payments', to_jsonb(coalesce(shown, '{}')))
        || CASE WHEN cardinality(shown) = size THEN jsonb_build_object('next', positions[size]) ELSE '{}' END;
END $$;

-- The payments of a page. operator: NULL for all operators. With shards, a page of each database.
CREATE OR REPLACE FUNCTION api.payment_rows(operator text, state text, size int, after text) RETURNS TABLE (created_at timestamptz, payment_id uuid, payment jsonb)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
        SELECT i.created_at, i.payment_id, api.show_payment(i) || jsonb_build_object('bus_id', i.bus_id) FROM (
            SELECT p.bus_id, p.payment_id FROM bus_info s JOIN payment_intents p ON p.bus_id = s.bus_id
            WHERE (payment_rows.operator IS NULL OR s.operator = payment_rows.operator) AND (payment_rows.state IS NULL OR p.state = payment_rows.state)
              AND (after IS NULL OR (api.microseconds(p.created_at), p.payment_id)
                  < (split_part(after, '-', 1)::bigint, substr(after, strpos(after, '-') + 1)::uuid))
            ORDER BY p.created_at DESC, p.payment_id DESC LIMIT size
        ) AS found
        JOIN payment_intents i ON i.bus_id = found.bus_id AND i.payment_id = found.payment_id;
END $$;

-- The microseconds since 1970 of a time.
CREATE OR REPLACE FUNCTION api.microseconds(at timestamptz) RETURNS bigint
LANGUAGE sql STABLE
RETURN (extract(epoch FROM at) * 1000000)::bigint;
