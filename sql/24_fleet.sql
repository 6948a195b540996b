-- The vehicles and drivers of an operator, for its accounts and for admins.

-- A vehicle, and a driver, for their operator.
CREATE OR REPLACE FUNCTION api.show_vehicle(v vehicles) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_strip_nulls(to_jsonb(v)) || jsonb_build_object('seats', api.seat_count(v.layout));

CREATE OR REPLACE FUNCTION api.show_driver(d drivers) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_strip_nulls(to_jsonb(d));

-- A page of vehicles, in the order of their registrations. page: their maximum number. after: `next` of the previous page.
CREATE OR REPLACE FUNCTION api.vehicles(account text, operator text, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner       record := api.operator_of(account, operator);
    size        int := coalesce(page, 50);
    shown       jsonb;
BEGIN
    SELECT jsonb_agg(api.show_vehicle(v) ORDER BY v.registration) INTO shown FROM (
        SELECT v.* FROM vehicles v
        WHERE v.operator = owner.operator AND v.registration > coalesce(after, '') ORDER BY v.registration LIMIT size
    ) AS v;
    RETURN coalesce(owner.refusal, jsonb_build_object('vehicles', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown -> -1 -> 'registration') ELSE '{}' END);
END $$;

-- A page of drivers, in the order of their codes.
CREATE OR REPLACE FUNCTION api.drivers(account text, operator text, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner       record := api.operator_of(account, operator);
    size        int := coalesce(page, 50);
    shown       jsonb;
BEGIN
    SELECT jsonb_agg(api.show_driver(d) ORDER BY d.code) INTO shown FROM (
        SELECT d.* FROM drivers d
        WHERE d.operator = owner.operator AND d.code > coalesce(after, '') ORDER BY d.code LIMIT size
    ) AS d;
    RETURN coalesce(owner.refusal, jsonb_build_object('drivers', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown -> -1 -> 'code') ELSE '{}' END);
END $$;
