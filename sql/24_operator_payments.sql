-- A page of the payments to a provider of the services that an account may change, the last ones first. state: by default all.
-- page: their maximum number. after: `next` of the previous page, the microseconds and the payment_id of its last payment.
CREATE OR REPLACE FUNCTION api.operator_payments(account text, state text DEFAULT NULL, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    refusal jsonb := api.check_role(account);
    own     text := (SELECT a.operator FROM accounts a WHERE a.username = account AND a.role <> 'admin');   -- NULL: all
    size    int := coalesce(page, 50);
    shown   jsonb;
BEGIN
    IF after !~ '^\d{1,17}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        refusal := coalesce(refusal, api.refusal_bad_request('after', 'the `next` of an earlier page', '`after` is not the `next` of a page.'));
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT jsonb_agg(api.show_payment(i) || jsonb_build_object('bus_id', i.bus_id, 'position', found.position)
        ORDER BY found.created_at DESC, found.payment_id DESC)
    INTO shown FROM (
        SELECT p.bus_id, p.payment_id, p.created_at, api.microseconds(p.created_at) || '-' || p.payment_id AS position
        FROM bus_info s JOIN payment_intents p ON p.bus_id = s.bus_id
        WHERE (own IS NULL OR s.operator = own) AND (operator_payments.state IS NULL OR p.state = operator_payments.state)
          AND (after IS NULL OR (api.microseconds(p.created_at), p.payment_id)
              < (split_part(after, '-', 1)::bigint, substr(after, strpos(after, '-') + 1)::uuid))
        ORDER BY p.created_at DESC, p.payment_id DESC LIMIT size
    ) AS found
    JOIN payment_intents i ON i.bus_id = found.bus_id AND i.payment_id = found.payment_id;
    RETURN jsonb_build_object('payments', coalesce((SELECT jsonb_agg(one - 'position' ORDER BY n) FROM jsonb_array_elements(shown) WITH ORDINALITY AS e (one, n)), '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown -> -1 -> 'position') ELSE '{}' END;
END $$;

-- The microseconds since 1970 of a time.
CREATE OR REPLACE FUNCTION api.microseconds(at timestamptz) RETURNS bigint
LANGUAGE sql STABLE
RETURN (extract(epoch FROM at) * 1000000)::bigint;
