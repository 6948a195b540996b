-- The trips that api.end_service cancels, apart from those that an operator cancels: a later last date opens the
-- first again, and not the second. The trips that version 0.1.0 ended are known by their reason. The update reads
-- only the trips of services that have a last date, by their primary key.

INSERT INTO migrations (name) VALUES ('18_ended_trips');

ALTER TABLE trips ADD COLUMN ended boolean NOT NULL DEFAULT false;   -- cancelled because its service ends before it

UPDATE trips SET ended = true FROM bus_info s
WHERE s.last_date IS NOT NULL AND trips.bus_id = s.bus_id
  AND trips.state = 'cancelled' AND trips.reason = 'The service has ended.';
