-- Services as documents: a currency, the identity in a foreign timetable, the calendar beyond weekdays, and fares of single
-- segments.

INSERT INTO migrations (name) VALUES ('1i_services');

ALTER TABLE bus_info ADD COLUMN currency text NOT NULL DEFAULT 'INR'
    CONSTRAINT currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$');

-- The identity of the service in a foreign timetable, from which it is imported again. NULL: it has none.
ALTER TABLE bus_info ADD COLUMN source_id text;
-- The column has no values yet, so the index is empty.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX bus_info_source ON bus_info (operator, source_id) WHERE source_id IS NOT NULL;

-- Weekdays on which a service runs in a season, instead of bus_info.runs_on.
CREATE TABLE seasons (
    bus_id      bigint NOT NULL REFERENCES bus_info,
    first_date  date NOT NULL,
    last_date   date NOT NULL,
    runs_on     int[] NOT NULL CHECK (runs_on <@ '{1,2,3,4,5,6,7}'),   -- as in bus_info
    PRIMARY KEY (bus_id, first_date),
    CHECK (first_date <= last_date),
    CONSTRAINT one_season_at_a_time EXCLUDE USING gist
        (bus_id WITH =, daterange(first_date, last_date, '[]') WITH &&)
);

-- Single dates on which a service runs or does not, whatever its weekdays and its seasons are.
CREATE TABLE calendar_dates (
    bus_id      bigint NOT NULL REFERENCES bus_info,
    travel_date date NOT NULL,
    runs        boolean NOT NULL,
    PRIMARY KEY (bus_id, travel_date)
);

-- Fares of segments, instead of the difference of the fares of their two stops.
CREATE TABLE segment_fares (
    bus_id      bigint NOT NULL,
    from_stop   int NOT NULL,
    to_stop     int NOT NULL,
    fare        numeric(10,2) NOT NULL CHECK (fare >= 0),
    PRIMARY KEY (bus_id, from_stop, to_stop),
    FOREIGN KEY (bus_id, from_stop) REFERENCES route_table,
    FOREIGN KEY (bus_id, to_stop) REFERENCES route_table,
    CHECK (from_stop < to_stop)
);
