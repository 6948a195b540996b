-- The seats of a single trip: trips.own_seats. A trip without them has the seats of its service.

-- A service with the own seats of a trip instead of its seats. own: trips.own_seats, not NULL. The fare of a class is that of
-- the service; the seats of a class that the service does not have belong to no class.
CREATE OR REPLACE FUNCTION api.with_own_seats(service bus_info, own jsonb) RETURNS bus_info
LANGUAGE sql STABLE
RETURN jsonb_populate_record(service, own || jsonb_build_object('seat_classes', (
    SELECT jsonb_agg(c.class || jsonb_build_object('seats', o.seats) ORDER BY c.n)
    FROM jsonb_array_elements(service.seat_classes) WITH ORDINALITY AS c (class, n)
    JOIN jsonb_to_recordset(nullif(own -> 'seat_classes', 'null')) AS o (name text, seats jsonb)
        ON fold_name(o.name) = fold_name(c.class ->> 'name'))));

-- The service of a trip, with the seats of the trip.
CREATE OR REPLACE FUNCTION api.service_of(trip trips) RETURNS bus_info
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service bus_info;
BEGIN
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = trip.bus_id;
    IF trip.own_seats IS NOT NULL THEN
        service := api.with_own_seats(service, trip.own_seats);
    END IF;
    RETURN service;
END $$;

-- The seats of a trip of a service, with their positions in the drawing. layout: the trip's own; NULL: it has that of the service.
CREATE OR REPLACE FUNCTION api.positions_of_seats(bus_id bigint, layout text)
RETURNS TABLE (seat_no int, deck text, row_no int, column_no int, kind text)
LANGUAGE sql STABLE AS $$
    SELECT p.seat_no, p.deck, p.row_no, p.column_no, p.kind FROM seat_plan p
    WHERE p.bus_id = positions_of_seats.bus_id AND positions_of_seats.layout IS NULL
    UNION ALL
    SELECT l.* FROM api.layout_seats(positions_of_seats.layout) AS l WHERE positions_of_seats.layout IS NOT NULL
$$;
