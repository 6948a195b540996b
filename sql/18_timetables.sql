-- Trips that an end of their service cancelled, and routes that go on.
--
-- trips.ended tells the trips that api.end_service cancelled from those that an operator cancelled: a later last date
-- opens the first again, and not the second. The trips that version 0.1.0 ended are known by their reason. The update
-- reads only the trips of services that have a last date, by their primary key.

INSERT INTO migrations (name) VALUES ('18_timetables');

ALTER TABLE trips ADD COLUMN ended boolean NOT NULL DEFAULT false;   -- cancelled because its service ends before it

-- A trip that was cancelled and is open again has cancelled tickets with a full refund: api.audit accepts them.
ALTER TABLE trips ADD COLUMN reopened boolean NOT NULL DEFAULT false;

UPDATE trips SET ended = true FROM bus_info s
WHERE s.last_date IS NOT NULL AND trips.bus_id = s.bus_id
  AND trips.state = 'cancelled' AND trips.reason = 'The service has ended.';

-- How many legs at the end of a route repeat, as the nights of a week do in a hotel. api.open_sales extends the route by
-- them, so that its one trip is on sale for sales_days. NULL: the route ends at its last stop.
ALTER TABLE bus_info ADD COLUMN repeat_legs int
    CONSTRAINT one_trip_goes_on CHECK (repeat_legs IS NULL OR repeat_legs > 0 AND runs_on = '{}');
