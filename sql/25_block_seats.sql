-- Blocked seats: an operator takes a segment of a seat out of sale on one trip. The caller has locked and settled the
-- trip.

-- Block a segment of some seats; without to_stop it lasts to the end of the route, also if the route is extended. Refused if a
-- ticket has one of the seats on a part of the segment: the ticket has to move to another seat first.
CREATE OR REPLACE FUNCTION api.block_seats(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    segment int4range;
BEGIN
    o.refusal := api.check_block(a, trip);
    IF o.refusal IS NULL THEN
        segment := int4range(coalesce(a.from_stop, 1), a.to_stop);
        o.refusal := api.check_unsold(trip, a.seats, segment);
    END IF;
    IF o.refusal IS NULL THEN
        UPDATE seats s
        SET taken = s.taken + int4multirange(segment),
            blocked = coalesce(s.blocked, '{}') + int4multirange(segment), block_reason = a.reason
        WHERE s.bus_id = trip.bus_id AND s.travel_date = trip.travel_date AND s.seat_no = ANY (a.seats);
        o.reply := api.trip_blocks(trip.bus_id, trip.travel_date);
    END IF;
    RETURN o;
END $$;

-- Put a blocked segment of some seats on sale again. What is not blocked does not change.
CREATE OR REPLACE FUNCTION api.unblock_seats(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    segment int4multirange;
BEGIN
    o.refusal := api.check_block(a, trip);
    IF o.refusal IS NULL THEN
        segment := int4multirange(int4range(coalesce(a.from_stop, 1), a.to_stop));
        UPDATE seats s
        SET taken = s.taken - s.blocked * segment, blocked = nullif(s.blocked - segment, '{}'),
            block_reason = CASE WHEN s.blocked <@ segment THEN NULL ELSE s.block_reason END
        WHERE s.bus_id = trip.bus_id AND s.travel_date = trip.travel_date AND s.seat_no = ANY (a.seats)
          AND s.blocked && segment;
        PERFORM api.promote(trip.bus_id, trip.travel_date);
        o.reply := api.trip_blocks(trip.bus_id, trip.travel_date);
    END IF;
    RETURN o;
END $$;

-- The blocked segments of a trip. to_stop is null if a block lasts to the end of the route.
CREATE OR REPLACE FUNCTION api.trip_blocks(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('bus_id', trip_blocks.bus_id, 'travel_date', trip_blocks.travel_date,
        'blocked', coalesce(jsonb_agg(jsonb_build_object('seat_no', s.seat_no, 'from_stop', lower(b.segment),
            'to_stop', upper(b.segment), 'reason', s.block_reason) ORDER BY s.seat_no, b.segment), '[]'))
    FROM seats s, unnest(s.blocked) AS b (segment)
    WHERE s.bus_id = trip_blocks.bus_id AND s.travel_date = trip_blocks.travel_date
$$;

-- The field `blocked` of a trip for its operator; missing if no seat is blocked.
CREATE OR REPLACE FUNCTION api.blocks_if_any(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN t.blocks -> 'blocked' = '[]' THEN '{}' ELSE jsonb_build_object('blocked', t.blocks -> 'blocked') END
    FROM api.trip_blocks(blocks_if_any.bus_id, blocks_if_any.travel_date) AS t (blocks)
$$;

-- Check that the trip exists and has the seats, and that the stops are a segment of its route.
CREATE OR REPLACE FUNCTION api.check_block(a api.request, trip trips) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    service bus_info;
    last    int;
    unknown int[];
BEGIN
    IF trip.bus_id IS NULL THEN
        RETURN api.refusal_unknown_trip(a.bus_id, a.travel_date);
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = trip.bus_id;
    SELECT max(r.stop_no) INTO last FROM route_table r WHERE r.bus_id = trip.bus_id;
    IF coalesce(a.from_stop, 1) NOT BETWEEN 1 AND coalesce(a.to_stop, last) - 1 OR a.to_stop > last THEN
        RETURN api.refusal_not_on_route(service, 'stop ' || coalesce(a.from_stop, 1), 'stop ' || coalesce(a.to_stop, last));
    END IF;
    SELECT array_agg(n ORDER BY n) INTO unknown FROM unnest(a.seats) AS n
    WHERE NOT EXISTS (SELECT FROM seats s
        WHERE s.bus_id = trip.bus_id AND s.travel_date = trip.travel_date AND s.seat_no = n);
    RETURN CASE WHEN unknown IS NOT NULL THEN api.refusal_unknown_seat(service, trip.travel_date, unknown) END;
END $$;

-- Check that no live ticket has a part of the segment of these seats. The refusal lists the tickets, for the operator.
CREATE OR REPLACE FUNCTION api.check_unsold(trip trips, seats int[], segment int4range) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('seat_taken', format('%s sold: %s. Move a ticket to another seat, or cancel it; then block the seat.',
            CASE count(DISTINCT p.seat_no) WHEN 1 THEN 'The seat is' ELSE 'Some of the seats are' END,
            string_agg(format('seat %s to booking %s, ticket %s', p.seat_no, p.reference, p.ticket_no), '; '
                       ORDER BY p.seat_no, p.segment)),
        jsonb_build_object('seats', to_jsonb(array_agg(DISTINCT p.seat_no)),
            'sold', jsonb_agg(jsonb_build_object('reference', p.reference, 'ticket_no', p.ticket_no, 'seat_no', p.seat_no)
                              ORDER BY p.seat_no, p.segment)))
    FROM passengers p
    WHERE p.bus_id = trip.bus_id AND p.travel_date = trip.travel_date AND p.seat_no = ANY (seats)
      AND p.status IN ('held', 'booked') AND p.segment && check_unsold.segment
    HAVING count(*) > 0
$$;
