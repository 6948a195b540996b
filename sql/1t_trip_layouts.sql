-- Seats of a single trip, after its vehicle was exchanged for one with other seats.
--
-- The columns are NULL until then, so that a sale does not write them.

INSERT INTO migrations (name) VALUES ('1t_trip_layouts');

-- Columns of bus_info that the trip has instead of those of its service: layout, seat_classes (name and seats; what a class
-- costs is the service's), women_seats, accessible_seats. NULL: the trip has the seats of its service.
ALTER TABLE trips ADD COLUMN own_seats jsonb;

ALTER TABLE vehicles
    ADD COLUMN seat_classes     jsonb,          -- name and seats of each class; NULL: not known
    ADD COLUMN women_seats      int[],          -- as in bus_info
    ADD COLUMN accessible_seats int[];

-- former_seat: the seat that a ticket had before the vehicle of its trip was exchanged, if the ticket had ended or its journey was
-- over. Its seat_no is NULL then, and other tickets may have the seat. The new constraint permits every row that the dropped one
-- permits.
ALTER TABLE passengers
    ADD COLUMN former_seat int,
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT live_has_a_seat,
    ADD CONSTRAINT live_has_a_seat
        CHECK (seat_no IS NOT NULL OR former_seat IS NOT NULL OR status NOT IN ('held', 'booked')) NOT VALID;
