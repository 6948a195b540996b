-- Vehicles and drivers in a shard, which has copies of all of them and the assignments to its own trips: 37_fleet.sql.

-- Tell this transaction the assignments of an operator in other databases, as rows of api.assignment_rows. NULL: they are not known.
CREATE OR REPLACE FUNCTION api.know_assignments(elsewhere jsonb) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN set_config('shards.assignments', coalesce(elsewhere::text, ''), true) IS NOT NULL;

-- The assignments of all services in a time. BW064: those in other databases are not known; the proxy sends the call again, with them.
CREATE OR REPLACE FUNCTION api.assignments_during(company text, during tstzrange) RETURNS TABLE (
    bus_id bigint, travel_date date, vehicle text, driver text, period tstzrange, name text, noun text, time_zone text
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    elsewhere CONSTANT jsonb := nullif(current_setting('shards.assignments', true), '')::jsonb;
BEGIN
    IF elsewhere IS NULL THEN
        RAISE SQLSTATE 'BW064' USING MESSAGE = 'The assignments in other databases are not known.', HINT = 'Send the request to the proxy.';
    END IF;
    RETURN QUERY
        SELECT r.* FROM api.assignment_rows(company, during) AS r
        UNION ALL
        SELECT e.* FROM jsonb_to_recordset(elsewhere) AS e (
            bus_id bigint, travel_date date, vehicle text, driver text, period tstzrange, name text, noun text, time_zone text)
        WHERE e.period && during;
END $$;

-- Which assignments a write on a service has to know: those of its operator in the time of its trips between two dates. Without dates,
-- for an edit of a service: all that may overlap one of its assigned trips that have not ended. NULL: none.
CREATE OR REPLACE FUNCTION api.assignments_to_know(bus_id bigint, from_date date, to_date date, OUT operator text, OUT during tstzrange) RETURNS record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT s.operator, CASE
        WHEN from_date IS NOT NULL THEN tstzrange(lower(api.trip_period(s, from_date)), upper(api.trip_period(s, to_date)))
        WHEN EXISTS (SELECT FROM assignments a WHERE a.bus_id = s.bus_id AND upper(a.period) > api.now())
            THEN tstzrange(api.now() - interval '31 days', NULL) END   -- no trip takes longer
    FROM bus_info s WHERE s.bus_id = assignments_to_know.bus_id
$$;

-- Write vehicles and drivers as they are in the database of the proxy. Returns how many were new or different.
CREATE OR REPLACE FUNCTION api.copy_fleet(vehicles jsonb, drivers jsonb) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH vehicle AS (
        INSERT INTO vehicles AS v SELECT c.* FROM jsonb_populate_recordset(NULL::vehicles, copy_fleet.vehicles) AS c
        ON CONFLICT (operator, registration) DO UPDATE SET (layout, name, notes, in_service, seat_classes, women_seats, accessible_seats)
            = (excluded.layout, excluded.name, excluded.notes, excluded.in_service, excluded.seat_classes, excluded.women_seats,
               excluded.accessible_seats)
        WHERE (v.*) IS DISTINCT FROM (excluded.*)
        RETURNING registration
    ), driver AS (
        INSERT INTO drivers AS d SELECT c.* FROM jsonb_populate_recordset(NULL::drivers, copy_fleet.drivers) AS c
        ON CONFLICT (operator, code) DO UPDATE SET (name, phone, licence_no, active)
            = (excluded.name, excluded.phone, excluded.licence_no, excluded.active)
        WHERE (d.*) IS DISTINCT FROM (excluded.*)
        RETURNING code
    )
    SELECT ((SELECT count(*) FROM vehicle) + (SELECT count(*) FROM driver))::int
$$;
