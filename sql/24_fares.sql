-- The fares of a segment that search and seat_map show.

-- The classes of a trip on a segment, the cheapest first, each with its price for a passenger without concession, and its
-- free seats.
CREATE OR REPLACE FUNCTION api.priced_classes(service bus_info, travel_date date, s api.found_segment)
RETURNS TABLE (seat_class text, fare numeric, parts jsonb, seats_free bigint)
LANGUAGE sql STABLE AS $$
    SELECT c.seat_class, price.fare, price.parts, count(n.seat_no)
    FROM api.seats_by_class(service) AS c
    CROSS JOIN LATERAL api.price(service, travel_date, s, c.seat_class, NULL, NULL) AS price
    LEFT JOIN api.seats_now(service.bus_id, travel_date) AS n ON n.seat_no = ANY (c.seats) AND NOT n.taken && s.segment
    GROUP BY c.seat_class, c.ordinal, price.fare, price.parts
    ORDER BY price.fare, c.ordinal
$$;

-- The fares of a segment, as fields of search and seat_map: the lowest fare of a free seat; the parts of which it is made,
-- if it is more than the fare of the segment; and the classes of a service that has them.
CREATE OR REPLACE FUNCTION api.shown_fares(service bus_info, travel_date date, s api.found_segment) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    lowest record;   -- with the list of all classes
BEGIN
    IF num_nonnulls(service.seat_classes, service.fare_rules) = 0 THEN
        RETURN jsonb_build_object('fare', api.amount_text(s.fare, service.currency));
    END IF;
    WITH class AS MATERIALIZED (SELECT * FROM api.priced_classes(service, travel_date, s))
    SELECT c.*, (SELECT jsonb_agg(jsonb_build_object('name', d.seat_class, 'fare', api.amount_text(d.fare, service.currency), 'seats_free', d.seats_free)
                                  ORDER BY d.fare) FROM class d) AS classes
    INTO lowest FROM class c ORDER BY c.seats_free = 0, c.fare LIMIT 1;
    RETURN jsonb_strip_nulls(jsonb_build_object('fare', api.amount_text(lowest.fare, service.currency), 'fare_parts', lowest.parts))
        || CASE WHEN service.seat_classes IS NULL THEN '{}' ELSE jsonb_build_object('classes', lowest.classes) END;
END $$;
