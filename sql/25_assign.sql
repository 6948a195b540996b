-- Assign a vehicle and drivers to the open trips of a service between two dates, both included (default: one date).
-- assigned: the fields vehicle and drivers of the request; null removes, and a field that is missing changes nothing. Its field plan:
-- change nothing, and answer the same.
--
-- Locks the service, its trips, the vehicle and the drivers, in this order, as an edit of the service does: so dispatchers
-- take turns for a vehicle, and its layout does not change meanwhile. A batch skips a trip that is locked. The exclusion
-- constraints decide whether the vehicle and the drivers are free, also against SQL that is typed by hand.
CREATE OR REPLACE FUNCTION api.assign(account text, bus_id bigint, from_date date, to_date date, assigned jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service  bus_info;
    dates    date[];
    plate    text := api.registration(assigned ->> 'vehicle');
    codes    text[] := ARRAY(SELECT upper(code) FROM jsonb_array_elements_text(nullif(assigned -> 'drivers', 'null')) AS code);
    wanted   assignments[];
    refusal  jsonb;
    reply    jsonb;
BEGIN
    to_date := coalesce(to_date, from_date);
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = assign.bus_id FOR SHARE;
    refusal := coalesce(api.check_operator(account, bus_id), CASE
        WHEN to_date < from_date THEN
            api.refusal_bad_request('until', 'a date, not before the travel date', 'The last date is before the first.')
        WHEN service.repeat_legs IS NOT NULL THEN
            api.refusal_bad_request('bus_id', 'a service whose trips end', format('The trip of %s (%s %s) has no end.',
                service.name, service.nouns ->> 'service', bus_id)) END);
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    PERFORM FROM trips t WHERE t.bus_id = assign.bus_id AND t.travel_date BETWEEN from_date AND to_date
    ORDER BY t.travel_date FOR UPDATE;
    dates := ARRAY(SELECT t.travel_date FROM trips t
        WHERE t.bus_id = assign.bus_id AND t.travel_date BETWEEN from_date AND to_date AND t.state = 'open' ORDER BY t.travel_date);
    PERFORM FROM vehicles v WHERE v.operator = service.operator AND v.registration = plate FOR NO KEY UPDATE;
    PERFORM FROM drivers d WHERE d.operator = service.operator AND d.code = ANY (codes) ORDER BY d.code FOR NO KEY UPDATE;
    refusal := coalesce(
        CASE WHEN dates = '{}' THEN coalesce(api.check_trip_runs(service, from_date, 1), api.refusal_unknown_trip(bus_id, from_date)) END,
        api.check_vehicle(service, dates, plate), api.check_drivers(service, dates, codes));
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT array_agg(ROW(service.bus_id, day, r.n, service.operator, r.vehicle, r.driver,
                         api.trip_period(service, day))::assignments) INTO wanted
    FROM unnest(dates) AS day, (
        SELECT 0 AS n, plate AS vehicle, NULL AS driver WHERE plate IS NOT NULL
        UNION ALL
        SELECT n, NULL, code FROM unnest(codes) WITH ORDINALITY AS d (code, n)
    ) AS r;
    refusal := api.check_overlap(wanted);
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    BEGIN
        DELETE FROM assignments a WHERE a.bus_id = assign.bus_id AND a.travel_date = ANY (dates)
            AND assigned ? CASE a.assignment_no WHEN 0 THEN 'vehicle' ELSE 'drivers' END;
        INSERT INTO assignments SELECT * FROM unnest(wanted);
        reply := jsonb_build_object('assigned', cardinality(dates), 'trip', api.show_trip(bus_id, dates[1]));
        IF (assigned ->> 'plan')::boolean THEN
            RAISE SQLSTATE 'BW001';
        END IF;
    EXCEPTION
        WHEN exclusion_violation THEN
            reply := coalesce(api.check_overlap(wanted), api.refusal('busy', 'The assignments have changed meanwhile: try again.'));
        WHEN SQLSTATE 'BW001' THEN NULL;   -- the changes of the plan are rolled back
    END;
    RETURN reply;
END $$;

-- Check that a vehicle (NULL: none) may run on a service: it exists, is in service, and has the seats. dates: its trips.
CREATE OR REPLACE FUNCTION api.check_vehicle(service bus_info, dates date[], vehicle text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v        vehicles;
    missing  int[];
    free     text[];
BEGIN
    SELECT * INTO v FROM vehicles f WHERE f.operator = service.operator AND f.registration = check_vehicle.vehicle;
    missing := (SELECT api.missing_seats(t, v.layout) FROM api.trips_by_layout(service.bus_id, dates) AS t
        WHERE api.missing_seats(t, v.layout) IS NOT NULL ORDER BY t.travel_date LIMIT 1);
    IF vehicle IS NULL OR v.in_service AND missing IS NULL THEN
        RETURN NULL;
    END IF;
    free := api.vehicles_free(service, dates);
    RETURN api.refusal(
        CASE WHEN v.registration IS NULL THEN 'unknown_vehicle' WHEN v.in_service THEN 'wrong_layout' ELSE 'not_in_service' END,
        format('%s %s', CASE WHEN v.registration IS NULL THEN format('%s has no vehicle %s.', service.operator, vehicle)
            WHEN v.in_service THEN format('Vehicle %s does not have %s of %s (%s %s).', vehicle,
                lower(api.format_numbers(missing, service.nouns ->> 'seat')), service.name, service.nouns ->> 'service', service.bus_id)
            ELSE format('Vehicle %s is not in service.', vehicle) END,
            coalesce(format('Vehicles that are free and have the seats: %s.', array_to_string(free, ', ')),
                'No vehicle is free and has the seats.')),
        jsonb_build_object('vehicles', coalesce(to_jsonb(free), '[]'))
            || CASE WHEN v.in_service THEN jsonb_build_object('seats', to_jsonb(missing)) ELSE '{}' END);
END $$;

-- Check that drivers exist, are active, and are named once. dates: their trips.
CREATE OR REPLACE FUNCTION api.check_drivers(service bus_info, dates date[], drivers text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    wrong  text := (SELECT named.code FROM unnest(drivers) AS named (code) WHERE NOT EXISTS (SELECT FROM drivers d
        WHERE d.operator = service.operator AND d.code = named.code AND d.active) LIMIT 1);
    known  boolean := EXISTS (SELECT FROM drivers d WHERE d.operator = service.operator AND d.code = wrong);
    free   text[];
BEGIN
    IF wrong IS NULL THEN
        RETURN CASE WHEN drivers[1] = drivers[2] THEN
            api.refusal_bad_request('drivers', 'at most two different codes of drivers', 'A driver is named twice.') END;
    END IF;
    free := api.drivers_free(service, dates);
    RETURN api.refusal(CASE WHEN known THEN 'not_in_service' ELSE 'unknown_driver' END,
        format('%s %s', CASE WHEN known THEN format('Driver %s is not active.', wrong)
                             ELSE format('%s has no driver %s.', service.operator, wrong) END,
            coalesce(format('Drivers that are free: %s.', array_to_string(free, ', ')), 'No driver is free.')),
        jsonb_build_object('drivers', coalesce(to_jsonb(free), '[]')));
END $$;
