-- Lock a trip until the end of the transaction. Every write first locks the trip's row of trips.
CREATE OR REPLACE FUNCTION api.lock_trip(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM trips t
    WHERE t.bus_id = lock_trip.bus_id AND t.travel_date = lock_trip.travel_date FOR UPDATE;
END $$;
