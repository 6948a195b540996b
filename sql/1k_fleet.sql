-- The fleet of an operator: its vehicles and drivers, and the trips that they are assigned to.
--
-- bus_id does not lead the keys of vehicles and drivers, nor the two exclusion constraints of assignments: these are
-- data of an operator, and no booking writes them. A vehicle goes from one service to another, so its trips can only be
-- compared across services. A database that is sharded by bus_id keeps all services of an operator on one shard.

INSERT INTO migrations (name) VALUES ('1k_fleet');

CREATE TABLE vehicles (
    operator        text NOT NULL,                 -- as in bus_info
    registration    text NOT NULL CHECK (registration ~ '^[[:alnum:]]{1,16}$' AND registration = upper(registration)),
    layout          text NOT NULL,                 -- a drawing, as in bus_info
    name            text,
    notes           text,
    in_service      boolean NOT NULL DEFAULT true,
    PRIMARY KEY (operator, registration)
);

CREATE TABLE drivers (
    operator        text NOT NULL,                 -- as in bus_info
    code            text NOT NULL CHECK (code ~ '^[[:alnum:]-]{1,16}$' AND code = upper(code)),
    name            text NOT NULL,
    phone           text,                          -- E.164
    licence_no      text,
    active          boolean NOT NULL DEFAULT true,
    PRIMARY KEY (operator, code)
);

-- A vehicle or a driver on a trip. period: from the departure at the first stop until the arrival at the last one.
-- The exclusion constraints are deferrable, so that they are checked at the end of a statement: an UPDATE may move the
-- periods of all trips of a vehicle.
CREATE TABLE assignments (
    bus_id          bigint NOT NULL,
    travel_date     date NOT NULL,
    assignment_no   int NOT NULL,                  -- 0: the vehicle; 1 and 2: the drivers
    operator        text NOT NULL,
    vehicle         text,
    driver          text,
    period          tstzrange NOT NULL,
    PRIMARY KEY (bus_id, travel_date, assignment_no),
    FOREIGN KEY (bus_id, travel_date) REFERENCES trips ON DELETE CASCADE,
    FOREIGN KEY (operator, vehicle) REFERENCES vehicles,
    FOREIGN KEY (operator, driver) REFERENCES drivers,
    CONSTRAINT one_vehicle_two_drivers CHECK (
        CASE assignment_no WHEN 0 THEN vehicle IS NOT NULL AND driver IS NULL
                           WHEN 1 THEN driver IS NOT NULL AND vehicle IS NULL
                           WHEN 2 THEN driver IS NOT NULL AND vehicle IS NULL ELSE false END),
    CONSTRAINT vehicle_on_one_trip EXCLUDE USING gist (operator WITH =, vehicle WITH =, period WITH &&) DEFERRABLE,
    CONSTRAINT driver_on_one_trip EXCLUDE USING gist (operator WITH =, driver WITH =, period WITH &&) DEFERRABLE
);
