-- Add or edit vehicles and drivers. An edit keeps the fields that it does not name; null removes a value.

-- A registration as it is stored: KA 09 F-1234 is KA09F1234.
CREATE OR REPLACE FUNCTION api.registration(typed text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN upper(regexp_replace(typed, '[\s.-]', '', 'g'));

CREATE OR REPLACE FUNCTION api.put_vehicle(account text, operator text, registration text, edit jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    owner       record := api.operator_of(account, operator);
    before      vehicles;
    vehicle     vehicles;
    refusal     jsonb := owner.refusal;
BEGIN
    SELECT * INTO before FROM vehicles v
    WHERE v.operator = owner.operator AND v.registration = api.registration(put_vehicle.registration) FOR NO KEY UPDATE;
    vehicle := before;
    vehicle.operator := owner.operator;
    vehicle.registration := api.registration(registration);
    vehicle.in_service := coalesce(before.in_service, true);
    vehicle := jsonb_populate_record(vehicle, edit);
    vehicle.layout := api.plain_spaces(coalesce((SELECT l.drawing FROM layouts l WHERE l.name = api.plain_spaces(vehicle.layout)), vehicle.layout));
    vehicle.seat_classes := nullif(vehicle.seat_classes, '[]');
    vehicle.women_seats := nullif(vehicle.women_seats, '{}');
    vehicle.accessible_seats := nullif(vehicle.accessible_seats, '{}');
    refusal := coalesce(refusal,
        CASE WHEN vehicle.registration !~ '^[[:alnum:]]{1,16}$' THEN api.refusal_bad_request('registration',
            'a registration of up to 16 letters and digits', format('%s is not a registration.', api.quoted(registration))) END,
        api.check_layout(vehicle.layout), api.check_seats_of_vehicle(vehicle),
        CASE WHEN NOT vehicle.in_service OR vehicle.layout <> before.layout THEN
            api.check_unassigned(format('Vehicle %s', vehicle.registration), vehicle.operator, vehicle.registration, NULL,
                CASE WHEN vehicle.in_service THEN vehicle.layout END) END);
    IF refusal IS NULL THEN
        INSERT INTO vehicles AS v SELECT vehicle.*
        ON CONFLICT ON CONSTRAINT vehicles_pkey DO UPDATE SET (layout, name, notes, in_service, seat_classes, women_seats, accessible_seats)
            = (EXCLUDED.layout, EXCLUDED.name, EXCLUDED.notes, EXCLUDED.in_service, EXCLUDED.seat_classes, EXCLUDED.women_seats,
               EXCLUDED.accessible_seats);
    END IF;
    RETURN coalesce(refusal, api.show_vehicle(vehicle));
END $$;

CREATE OR REPLACE FUNCTION api.put_driver(account text, operator text, code text, edit jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    owner       record := api.operator_of(account, operator);
    driver      drivers;
    refusal     jsonb := owner.refusal;
BEGIN
    SELECT * INTO driver FROM drivers d
    WHERE d.operator = owner.operator AND d.code = upper(put_driver.code) FOR NO KEY UPDATE;
    driver.operator := owner.operator;
    driver.code := upper(code);
    driver.active := coalesce(driver.active, true);
    driver := jsonb_populate_record(driver, edit);
    refusal := coalesce(refusal,
        CASE WHEN driver.code !~ '^[[:alnum:]-]{1,16}$' THEN api.refusal_bad_request('code',
            'a code of up to 16 letters, digits and hyphens', format('%s is not a code.', api.quoted(code))) END,
        CASE WHEN driver.name IS NULL THEN api.refusal_bad_request('name', 'a name of up to 80 characters on one line',
            format('Driver %s is new: give the name.', driver.code)) END,
        CASE WHEN NOT driver.active THEN
            api.check_unassigned(format('Driver %s (%s)', driver.code, driver.name), driver.operator, NULL, driver.code, NULL) END);
    IF refusal IS NULL THEN
        INSERT INTO drivers AS d SELECT driver.*
        ON CONFLICT ON CONSTRAINT drivers_pkey DO UPDATE SET (name, phone, licence_no, active)
            = (EXCLUDED.name, EXCLUDED.phone, EXCLUDED.licence_no, EXCLUDED.active);
    END IF;
    RETURN coalesce(refusal, api.show_driver(driver));
END $$;

-- Check the layout of a vehicle: a drawing, or NULL.
CREATE OR REPLACE FUNCTION api.check_layout(layout text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- not one query: PostgreSQL 15 reads a layout of NULL before the condition that leaves it out
    fault CONSTANT text := CASE WHEN layout IS NULL THEN 'The vehicle is new: give its layout.'
                                ELSE (SELECT read.fault FROM api.read_layout(layout) AS read) END;
BEGIN
    RETURN CASE WHEN fault IS NOT NULL THEN
        api.refusal_bad_request('layout', 'the name of a layout, or a drawing of the seats', fault) END;
END $$;

-- Check the classes and the reserved seats of a vehicle: they are of its layout, and no seat is listed twice.
CREATE OR REPLACE FUNCTION api.check_seats_of_vehicle(vehicle vehicles) RETURNS jsonb
LANGUAGE sql STABLE
RETURN api.refusal_of_faults(api.check_seat_lists(jsonb_strip_nulls(to_jsonb(vehicle))) || api.check_fares(jsonb_strip_nulls(to_jsonb(vehicle))));

-- The trips of a vehicle or a driver that have not ended. layout: only trips with seats that it lacks; NULL: all.
CREATE OR REPLACE FUNCTION api.assigned_rows(company text, vehicle text, driver text, layout text) RETURNS TABLE (
    bus_id bigint, travel_date date, period tstzrange, name text, noun text, time_zone text
)
LANGUAGE sql STABLE AS $$
    SELECT a.bus_id, a.travel_date, a.period, s.name, s.nouns ->> 'service', s.time_zone
    FROM assignments a JOIN trips t USING (bus_id, travel_date) JOIN bus_info s USING (bus_id)
    WHERE a.operator = assigned_rows.company AND (a.vehicle = assigned_rows.vehicle OR a.driver = assigned_rows.driver) AND upper(a.period) > api.now()
      AND (assigned_rows.layout IS NULL OR api.missing_seats(t, assigned_rows.layout) IS NOT NULL)
$$;

-- Check that an edit of a vehicle or a driver leaves its trips possible. layout: of a vehicle that stays in service; else NULL.
CREATE OR REPLACE FUNCTION api.check_unassigned(resource text, company text, vehicle text, driver text, layout text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('already_assigned', format('%s is assigned to %s. The first is %s (%s %s) of %s: assign another one first.',
            resource, api.format_count(count(*) OVER (), 'trip'), r.name, r.noun, r.bus_id, r.travel_date),
        api.other_trip(r.bus_id, r.travel_date, r.name, r.period, r.time_zone))
    FROM api.assigned_rows(company, vehicle, driver, layout) AS r ORDER BY r.period LIMIT 1
$$;
