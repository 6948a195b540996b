-- Classes of seats. A class has a name and a surcharge. A seat that is in no class has the class NULL.

-- The classes of a service with their seats. The seats that are in no class have a row with the class NULL.
CREATE OR REPLACE FUNCTION api.seats_by_class(service bus_info) RETURNS TABLE (seat_class text, seats int[], ordinal bigint)
LANGUAGE sql STABLE AS $$
    WITH class AS (
        SELECT c.name, c.seats, c.ordinal
        FROM ROWS FROM (jsonb_to_recordset(service.seat_classes) AS (name text, seats int[])) WITH ORDINALITY
            AS c (name, seats, ordinal)
    )
    SELECT NULL, array_agg(n ORDER BY n), 0 FROM generate_series(1, api.seat_count(service.layout)) AS n
    WHERE NOT EXISTS (SELECT FROM class c WHERE n = ANY (c.seats))
    HAVING count(*) > 0
    UNION ALL
    SELECT c.name, c.seats, c.ordinal FROM class c
$$;

-- The class of a seat.
CREATE OR REPLACE FUNCTION api.class_of_seat(service bus_info, seat_no int) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT c.name FROM jsonb_to_recordset(service.seat_classes) AS c (name text, seats int[]) WHERE seat_no = ANY (c.seats));

-- The seats of a class. NULL, for all seats, if the service has no classes.
CREATE OR REPLACE FUNCTION api.seats_of_class(service bus_info, seat_class text) RETURNS int[]
LANGUAGE sql STABLE
RETURN CASE WHEN service.seat_classes IS NOT NULL THEN coalesce((SELECT c.seats FROM api.seats_by_class(service) AS c
    WHERE fold_name(c.seat_class) IS NOT DISTINCT FROM fold_name(seats_of_class.seat_class)), '{}') END;

-- The class with the lowest fare.
CREATE OR REPLACE FUNCTION api.cheapest_class(service bus_info, travel_date date, s api.found_segment) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT c.seat_class FROM api.seats_by_class(service) AS c
        ORDER BY (api.price(service, travel_date, s, c.seat_class, NULL, NULL)).fare, c.ordinal LIMIT 1);
