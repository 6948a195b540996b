-- Repair a trip whose tickets were changed in psql: derive seats.taken again, and settle the trip, because seats may
-- be free now. args: the fields of a request that name the trip. Returns the number of seats that were wrong.
CREATE OR REPLACE FUNCTION api.recount_for(args jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    trip  record := api.trip_of(args);
    wrong int;
BEGIN
    PERFORM api.lock_trip(trip.bus_id, trip.travel_date);
    wrong := api.recount(trip.bus_id, trip.travel_date, ARRAY(SELECT s.seat_no FROM seats s
        WHERE s.bus_id = trip.bus_id AND s.travel_date = trip.travel_date));
    PERFORM api.settle(trip.bus_id, trip.travel_date);
    RETURN wrong;
END $$;
