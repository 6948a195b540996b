-- Wait for the lock of a trip. The row of trips is its one lock: every write takes it first, so that nothing
-- else changes the trip until the transaction ends.
CREATE OR REPLACE FUNCTION api.lock_trip(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM trips t
    WHERE t.bus_id = lock_trip.bus_id AND t.travel_date = lock_trip.travel_date FOR UPDATE;
END $$;
