-- Trips that were cancelled because their service ended, and repeating routes.
--
-- trips.ended is true for trips that api.end_service cancelled, and false for those that an operator cancelled. If the last
-- date is moved to a later date, only trips that ended are opened again. This migration finds the trips that version 0.1.0
-- ended by their reason. 0.1.0 also gave this reason to later trips that an operator had cancelled before: the notes in
-- docs/upgrading.md say what to do.

INSERT INTO migrations (name) VALUES ('18_timetables');

ALTER TABLE trips ADD COLUMN ended boolean NOT NULL DEFAULT false;   -- cancelled because the last date of its service is earlier

-- A trip that was cancelled and is open again has cancelled tickets with a full refund: api.audit accepts them.
ALTER TABLE trips ADD COLUMN reopened boolean NOT NULL DEFAULT false;

-- A statement for each service reads its trips after the last date by their primary key. One statement for all services
-- scans the trips.
DO $$
DECLARE
    service record;
BEGIN
    FOR service IN SELECT s.bus_id, s.last_date FROM bus_info s WHERE s.last_date IS NOT NULL LOOP
        UPDATE trips t SET ended = true
        WHERE t.bus_id = service.bus_id AND t.travel_date > service.last_date
          AND t.state = 'cancelled' AND t.reason = 'The service has ended.';
    END LOOP;
END $$;

-- How many legs at the end of a route repeat, as the nights of a week do in a hotel. api.open_sales extends the route by
-- them, so that its one trip is on sale for sales_days. NULL: the route ends at its last stop.
ALTER TABLE bus_info ADD COLUMN repeat_legs int
    CONSTRAINT repeating_route_has_one_trip CHECK (repeat_legs IS NULL OR repeat_legs > 0 AND runs_on = '{}');
