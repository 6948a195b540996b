-- Open the trips of a service from one date (default: today) to another (default: sales_days ahead), with their
-- seats. Existing trips are not changed, even if they are cancelled. Returns the number of new trips.
CREATE OR REPLACE FUNCTION api.open_sales(bus_id bigint, from_date date DEFAULT NULL, to_date date DEFAULT NULL) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    service bus_info;
    today   date;
    opened  date[];
BEGIN
    SELECT * INTO service FROM bus_info b WHERE b.bus_id = open_sales.bus_id;
    today := (api.now() AT TIME ZONE service.time_zone)::date;
    WITH added AS (
        INSERT INTO trips (bus_id, travel_date)
        SELECT service.bus_id, day::date
        FROM generate_series(
            greatest(coalesce(from_date, today), service.first_date),
            least(coalesce(to_date, today + service.sales_days), service.last_date), interval '1 day') AS day
        WHERE extract(isodow FROM day) = ANY (service.runs_on)
        ON CONFLICT DO NOTHING
        RETURNING travel_date
    )
    SELECT array_agg(travel_date) INTO opened FROM added;
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT p.bus_id, day, p.seat_no FROM seat_plan p, unnest(opened) AS day
    WHERE p.bus_id = open_sales.bus_id;
    RETURN coalesce(cardinality(opened), 0);
END $$;

-- Open one extra trip, also on a day on which its service does not run. Returns false if the trip exists.
CREATE OR REPLACE FUNCTION api.add_trip(bus_id bigint, travel_date date) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trips (bus_id, travel_date) VALUES (bus_id, travel_date) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT p.bus_id, add_trip.travel_date, p.seat_no FROM seat_plan p WHERE p.bus_id = add_trip.bus_id;
    RETURN true;
END $$;
