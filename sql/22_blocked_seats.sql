-- The seats that a service takes out of sale on all its trips: bus_info.blocked_seats.

-- Check that no live ticket of a trip that has not ended has a seat that an edit blocks.
CREATE OR REPLACE FUNCTION api.check_blocks_unsold(service bus_info, new bus_info) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    t record;
BEGIN
    SELECT array_agg(DISTINCT p.seat_no) AS seats, array_agg(DISTINCT p.travel_date) AS dates INTO t FROM passengers p
    WHERE p.bus_id = service.bus_id AND p.travel_date = ANY (api.trips_to_follow(service.bus_id))
      AND p.status IN ('held', 'booked') AND p.seat_no = ANY (new.blocked_seats)
      AND p.seat_no <> ALL (coalesce(service.blocked_seats, '{}'));
    RETURN CASE WHEN t.seats IS NOT NULL THEN api.refusal_in_use(service, '{blocked_seats}',
        'sold ' || lower(api.format_numbers(t.seats, service.nouns ->> 'seat')), t.dates) END;
END $$;

-- Block the blocked seats of a service on some of its trips, except on segments that are sold. A trip with seats of its own is
-- left out.
CREATE OR REPLACE FUNCTION api.block_on_trips(service bus_info, dates date[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF service.blocked_seats IS NOT NULL THEN
        UPDATE seats s SET taken = s.taken + '{[1,)}', blocked = coalesce(s.blocked, '{}') + ('{[1,)}' - (s.taken - coalesce(s.blocked, '{}'))),
            block_reason = coalesce(s.block_reason, format('Blocked on all trips of %s.', service.name))
        WHERE s.bus_id = service.bus_id AND s.travel_date = ANY (dates) AND s.seat_no = ANY (service.blocked_seats)
          AND NOT EXISTS (SELECT FROM trips t WHERE t.bus_id = s.bus_id AND t.travel_date = s.travel_date AND t.own_seats IS NOT NULL);
    END IF;
END $$;

-- Make the trips of a service follow an edit of its blocked seats. before: the seats that it blocked before. The caller has
-- locked the trips. A seat that was blocked on a single trip stays blocked.
CREATE OR REPLACE FUNCTION api.change_blocks(service bus_info, before int[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    dates CONSTANT date[] := api.trips_to_follow(service.bus_id);
BEGIN
    UPDATE seats s SET taken = s.taken - s.blocked, blocked = NULL, block_reason = NULL
    WHERE s.bus_id = service.bus_id AND s.travel_date = ANY (dates) AND s.blocked IS NOT NULL
      AND s.seat_no = ANY (before) AND s.seat_no <> ALL (coalesce(service.blocked_seats, '{}'));
    PERFORM api.block_on_trips(service, dates);
    PERFORM api.settle(t.bus_id, t.travel_date) FROM trips t
    WHERE t.bus_id = service.bus_id AND t.travel_date = ANY (dates) AND t.settle_at IS NOT NULL;
END $$;
