-- The index of trips by date finds the trip of a service, too. While statistics are missing, as in the transaction that imports
-- thousands of services into a new database, PostgreSQL may use it to check the foreign key of each seat. It then read all trips
-- of the date for each seat, and the duration of the import grew with the square of the services.

INSERT INTO migrations (name) VALUES ('1v_trips_by_date');

-- The table has a row for each trip, so an index of it is made in less than a second.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX trips_by_date;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX trips_by_date ON trips (travel_date, bus_id);
