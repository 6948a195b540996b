-- Vehicles and drivers on trips: sql/1k_fleet.sql.

-- The time of a trip, from the departure at its first stop until the arrival at its last one.
CREATE OR REPLACE FUNCTION api.trip_period(service bus_info, travel_date date) RETURNS tstzrange
LANGUAGE sql STABLE AS $$
    SELECT tstzrange(api.instant(trip_period.travel_date, min(r.departs), service.time_zone),
                     api.instant(trip_period.travel_date, max(r.arrives), service.time_zone))
    FROM route_table r WHERE r.bus_id = service.bus_id
$$;

-- The seats of a trip that a drawing lacks, or has in another place. NULL: it has all of them.
CREATE OR REPLACE FUNCTION api.missing_seats(trip trips, layout text) RETURNS int[]
LANGUAGE sql STABLE STRICT AS $$
    SELECT array_agg(missing.seat_no ORDER BY missing.seat_no) FROM (
        SELECT p.seat_no, p.deck, p.row_no, p.column_no, p.kind FROM api.positions_of_seats(trip.bus_id, trip.own_seats ->> 'layout') AS p
        EXCEPT SELECT l.seat_no, l.deck, l.row_no, l.column_no, l.kind FROM api.layout_seats(missing_seats.layout) AS l
    ) AS missing
$$;

-- Of some trips of a service, the first with each layout.
CREATE OR REPLACE FUNCTION api.trips_by_layout(bus_id bigint, dates date[]) RETURNS SETOF trips
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (t.own_seats -> 'layout') t.* FROM trips t
    WHERE t.bus_id = trips_by_layout.bus_id AND t.travel_date = ANY (dates) ORDER BY t.own_seats -> 'layout', t.travel_date
$$;

-- The trips of the vehicles and drivers of an operator that overlap a time, of the services of this database.
CREATE OR REPLACE FUNCTION api.assignment_rows(company text, during tstzrange) RETURNS TABLE (
    bus_id bigint, travel_date date, vehicle text, driver text, period tstzrange, name text, noun text, time_zone text
)
LANGUAGE sql STABLE AS $$
    SELECT a.bus_id, a.travel_date, a.vehicle, a.driver, a.period, s.name, s.nouns ->> 'service', s.time_zone
    FROM assignments a JOIN bus_info s ON s.bus_id = a.bus_id
    WHERE a.operator = assignment_rows.company AND a.period && assignment_rows.during
$$;

-- The same of all services: sql/shards/ replaces this function.
CREATE OR REPLACE FUNCTION api.assignments_during(company text, during tstzrange) RETURNS TABLE (
    bus_id bigint, travel_date date, vehicle text, driver text, period tstzrange, name text, noun text, time_zone text
)
LANGUAGE sql STABLE AS $$
    SELECT r.* FROM api.assignment_rows(company, during) AS r
$$;

-- The vehicles and the drivers of the operator that could be assigned to all of these trips of a service.
CREATE OR REPLACE FUNCTION api.vehicles_free(service bus_info, dates date[]) RETURNS text[]
LANGUAGE sql STABLE AS $$
    WITH assigned AS MATERIALIZED (
        SELECT a.vehicle FROM unnest(dates) AS day, api.assignments_during(service.operator, api.trip_period(service, day)) AS a
    )
    SELECT array_agg(v.registration ORDER BY v.registration) FROM vehicles v
    WHERE v.operator = service.operator AND v.in_service
      AND NOT EXISTS (SELECT FROM api.trips_by_layout(service.bus_id, dates) AS t WHERE api.missing_seats(t, v.layout) IS NOT NULL)
      AND NOT EXISTS (SELECT FROM assigned a WHERE a.vehicle = v.registration)
$$;

CREATE OR REPLACE FUNCTION api.drivers_free(service bus_info, dates date[]) RETURNS text[]
LANGUAGE sql STABLE AS $$
    WITH assigned AS MATERIALIZED (
        SELECT a.driver FROM unnest(dates) AS day, api.assignments_during(service.operator, api.trip_period(service, day)) AS a
    )
    SELECT array_agg(d.code ORDER BY d.code) FROM drivers d
    WHERE d.operator = service.operator AND d.active AND NOT EXISTS (SELECT FROM assigned a WHERE a.driver = d.code)
$$;

-- The vehicle and the drivers of a trip, as fields of the trip for its operator.
CREATE OR REPLACE FUNCTION api.show_assignment(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('vehicle', min(a.vehicle),
        'drivers', jsonb_agg(jsonb_build_object('code', d.code, 'name', d.name, 'phone', d.phone) ORDER BY a.assignment_no)
            FILTER (WHERE d.code IS NOT NULL)))
    FROM assignments a LEFT JOIN drivers d ON d.operator = a.operator AND d.code = a.driver
    WHERE a.bus_id = show_assignment.bus_id AND a.travel_date = show_assignment.travel_date
$$;

-- The trip of an assignment, as a field of a refusal.
CREATE OR REPLACE FUNCTION api.other_trip(bus_id bigint, travel_date date, name text, period tstzrange, time_zone text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('other_trip', jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date, 'name', name,
    'departs_at', api.rfc3339(lower(period), time_zone), 'arrives_at', api.rfc3339(upper(period), time_zone)));

-- Check that assignments put no vehicle and no driver on two trips at once. wanted: for each of their trips, which are of one
-- operator, all assignments of the kind that changes, vehicle or drivers.
CREATE OR REPLACE FUNCTION api.check_overlap(wanted assignments[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH other AS MATERIALIZED (
        SELECT w.bus_id, w.travel_date, w.vehicle, w.driver, w.period, s.name, s.nouns ->> 'service' AS noun, s.time_zone
        FROM unnest(wanted) AS w JOIN bus_info s ON s.bus_id = w.bus_id
        UNION ALL
        SELECT a.* FROM (
            SELECT w.operator, tstzrange(min(lower(w.period)), max(upper(w.period))) AS during FROM unnest(wanted) AS w GROUP BY w.operator
        ) AS span, api.assignments_during(span.operator, span.during) AS a
        WHERE (a.bus_id, a.travel_date) NOT IN (SELECT c.bus_id, c.travel_date FROM unnest(wanted) AS c)
    )
    SELECT api.refusal('already_assigned', format('%s is on %s (%s %s) from %s to %s.',
            coalesce('Vehicle ' || c.vehicle, format('Driver %s (%s)', d.code, d.name)),
            o.name, o.noun, o.bus_id,
            to_char(lower(o.period) AT TIME ZONE o.time_zone, 'YYYY-MM-DD HH24:MI'),
            to_char(upper(o.period) AT TIME ZONE o.time_zone, 'YYYY-MM-DD HH24:MI')),
        api.other_trip(o.bus_id, o.travel_date, o.name, o.period, o.time_zone))
    FROM unnest(wanted) AS c
    JOIN other o ON (o.vehicle = c.vehicle OR o.driver = c.driver) AND o.period && c.period AND (o.bus_id, o.travel_date) <> (c.bus_id, c.travel_date)
    LEFT JOIN drivers d ON d.operator = c.operator AND d.code = c.driver
    ORDER BY lower(c.period), c.assignment_no, lower(o.period) LIMIT 1
$$;

-- Adapt the assignments of trips that have not ended to an edit of their service. The vehicles and drivers of another
-- operator are removed. The others follow the times of the trips. Returns a refusal if a vehicle or a driver would be on
-- two trips at once, or if a vehicle lacks seats of the new layout. The caller has locked the service.
CREATE OR REPLACE FUNCTION api.renew_assignments(service bus_info) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    renewed assignments[];
    unfit   record;
    refusal jsonb;
BEGIN
    DELETE FROM assignments a
    WHERE a.bus_id = service.bus_id AND a.operator <> service.operator AND upper(a.period) > api.now();
    SELECT array_agg(ROW(a.bus_id, a.travel_date, a.assignment_no, a.operator, a.vehicle, a.driver,
                         api.trip_period(service, a.travel_date))::assignments)
    INTO renewed FROM assignments a WHERE a.bus_id = service.bus_id AND upper(a.period) > api.now();
    IF renewed IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM vehicles v JOIN unnest(renewed) AS a ON a.operator = v.operator AND a.vehicle = v.registration
    ORDER BY v.registration FOR NO KEY UPDATE OF v;   -- as api.assign does
    PERFORM FROM drivers d JOIN unnest(renewed) AS a ON a.operator = d.operator AND a.driver = d.code
    ORDER BY d.code FOR NO KEY UPDATE OF d;
    SELECT v.registration, t.travel_date, api.missing_seats(t, v.layout) AS seats INTO unfit
    FROM (SELECT r.operator, r.vehicle, array_agg(r.travel_date) AS dates FROM unnest(renewed) AS r GROUP BY 1, 2) AS a
    JOIN vehicles v ON v.operator = a.operator AND v.registration = a.vehicle
    CROSS JOIN LATERAL api.trips_by_layout(service.bus_id, a.dates) AS t
    WHERE api.missing_seats(t, v.layout) IS NOT NULL ORDER BY t.travel_date LIMIT 1;
    IF FOUND THEN
        RETURN api.refusal('wrong_layout', format('Service %s: vehicle %s is assigned on %s and lacks seats of the layout: %s. '
                'Assign another vehicle to its trips first, or none.', service.bus_id, unfit.registration, unfit.travel_date,
                lower(api.format_numbers(unfit.seats, service.nouns ->> 'seat'))),
            jsonb_build_object('seats', to_jsonb(unfit.seats)));
    END IF;
    IF NOT EXISTS (SELECT FROM unnest(renewed) AS r JOIN assignments a USING (bus_id, travel_date, assignment_no) WHERE a.period <> r.period) THEN
        RETURN NULL;
    END IF;
    refusal := api.check_overlap(renewed);
    IF refusal IS NULL THEN
        UPDATE assignments a SET period = r.period FROM unnest(renewed) AS r
        WHERE a.bus_id = r.bus_id AND a.travel_date = r.travel_date AND a.assignment_no = r.assignment_no AND a.period <> r.period;
    END IF;
    RETURN refusal;
END $$;
