-- The fares of stops and segments have the decimals of their currency, which may be more than two. No row is rewritten.

INSERT INTO migrations (name) VALUES ('1w_amounts_of_stops');

SELECT alter_with_dependents('route_table', '{fare,fares}', $$
    DROP CONSTRAINT route_table_fare_check,
    ALTER COLUMN fare TYPE numeric,
    ALTER COLUMN fares TYPE numeric[],
    ADD CONSTRAINT fare_is_amount CHECK (fare >= 0 AND fare < 100000000 AND min_scale(fare) <= 4) NOT VALID
$$);
