-- Places of GTFS feeds: where they are, and the stops for which a feed was imported.

INSERT INTO migrations (name) VALUES ('1j_gtfs');

-- In degrees, WGS 84. NULL: not known. The constraints have no values to check yet.
ALTER TABLE places ADD COLUMN latitude double precision
    CONSTRAINT latitude_is_in_degrees CHECK (latitude BETWEEN -90 AND 90);
ALTER TABLE places ADD COLUMN longitude double precision
    CONSTRAINT longitude_is_in_degrees CHECK (longitude BETWEEN -180 AND 180);

-- The place of each stop of a feed, so that the next import of the feed finds it.
CREATE TABLE feed_stops (
    feed        text NOT NULL,
    stop_id     text NOT NULL,
    place       text NOT NULL REFERENCES places,
    PRIMARY KEY (feed, stop_id)
);
