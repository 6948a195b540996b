-- Check-in at the stop, and no-shows. The caller has locked and settled the trip.

-- Check in tickets (default: all booked ones) of a booking, as the operator of its service. A ticket that is checked in
-- keeps its time. A no-show that comes late is checked in if its seat was not sold again. undo: they are not checked in any more.
CREATE OR REPLACE FUNCTION api.check_in(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    b       api.opened_booking := api.open_booking(a.reference, NULL, a.account);
    tickets int[] := a.tickets;
BEGIN
    o.reference := b.reference;
    o.deferred := api.has_moved(b, trip);
    IF o.deferred THEN
        RETURN o;
    END IF;
    o.refusal := coalesce(
        CASE WHEN b.bus_id IN (SELECT s.bus_id FROM bus_info s) THEN api.check_operator(a.account, b.bus_id) END,
        b.refusal, api.check_tickets(b, tickets));
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    tickets := coalesce(tickets, ARRAY(SELECT p.ticket_no FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'booked' ORDER BY p.ticket_no));
    o.refusal := coalesce(
        CASE WHEN trip.state = 'cancelled' THEN
            api.refusal('trip_cancelled', rtrim(format('The trip of booking %s is cancelled. %s', b.reference, trip.reason))) END,
        api.check_on_trip(b, a),
        CASE WHEN tickets = '{}' THEN api.check_not_ended(b, NULL) ELSE api.check_not_ended(b, tickets) END,
        api.check_seated(b, nullif(tickets, '{}')), api.check_boardable(b, tickets), CASE WHEN a.undo IS NOT TRUE THEN
            coalesce(api.check_seat_kept(b, tickets), api.check_not_resold(b, tickets)) END);
    IF o.refusal IS NULL THEN
        UPDATE passengers p
        SET checked_in_at = CASE WHEN a.undo IS NOT TRUE THEN coalesce(p.checked_in_at, api.now()) END, no_show_at = NULL,
            segment = coalesce(p.no_show_segment, p.segment), no_show_segment = NULL
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
          AND (p.checked_in_at IS NULL) <> coalesce(a.undo, false);   -- undo changes only a ticket that is checked in, so a no-show stays one
        IF FOUND THEN
            PERFORM CASE WHEN a.undo THEN api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('check_in'))
                         ELSE api.record_events('booking.checked_in', ARRAY[b.bus_id], ARRAY[b.reference]) END;
        END IF;
        PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
    END IF;
    RETURN o;
END $$;

-- Whether a stop is the one of this number or place. NULL if `at` is.
CREATE OR REPLACE FUNCTION api.is_stop(stop route_table, at jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE jsonb_typeof(at) WHEN 'number' THEN stop.stop_no = at::int
                             WHEN 'string' THEN coalesce(stop.place = ANY (api.place_codes(at #>> '{}')), false) END;

-- Check that a booking is for the trip and the boarding stop at which it is checked in. Without a travel date in the
-- request: for a trip of today, or one under way.
CREATE OR REPLACE FUNCTION api.check_on_trip(b api.opened_booking, a api.request) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('wrong_trip', format('Booking %s is for %s %s of %s, from %s at %s.', b.reference, s.nouns ->> 'service',
        b.bus_id, b.travel_date, c.name, to_char(boarding.at AT TIME ZONE c.time_zone, 'YYYY-MM-DD HH24:MI')))
    FROM (SELECT min(lower(p.segment)) AS first, max(upper(coalesce(p.no_show_segment, p.segment))) AS last FROM passengers p
          WHERE p.bus_id = b.bus_id AND p.reference = b.reference) AS journey
    JOIN trips t ON t.bus_id = b.bus_id AND t.travel_date = b.travel_date
    JOIN bus_info s ON s.bus_id = b.bus_id
    JOIN route_table r ON r.bus_id = b.bus_id AND r.stop_no = journey.first
    JOIN route_table e ON e.bus_id = b.bus_id AND e.stop_no = journey.last
    JOIN places c ON c.code = r.place
    CROSS JOIN LATERAL (SELECT api.expected(t, r.stop_no, r.departs, s.time_zone) AS at,
        api.expected(t, e.stop_no, e.arrives, s.time_zone) AS ends_at,
        api.date_at(b.travel_date, r.departs, s.time_zone, c.time_zone) AS scheduled,
        (api.now() AT TIME ZONE c.time_zone)::date AS today) AS boarding
    WHERE a.bus_id <> b.bus_id OR a.travel_date <> b.travel_date
       OR a.travel_date IS NULL AND boarding.today NOT IN (b.travel_date, boarding.scheduled, (boarding.at AT TIME ZONE c.time_zone)::date)
          AND api.now() NOT BETWEEN boarding.at AND boarding.ends_at
       OR NOT coalesce(api.is_stop(r, a.at), true)
$$;

-- Check that the tickets are booked.
CREATE OR REPLACE FUNCTION api.check_boardable(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('not_held', format('Booking %s is not booked yet: only a booked passenger can be checked in.', b.reference))
    WHERE tickets = '{}' OR EXISTS (SELECT FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
        AND p.ticket_no = ANY (tickets) AND p.status <> 'booked')
$$;

-- Check that no-shows still have seats. If the vehicle was exchanged meanwhile, they got none.
CREATE OR REPLACE FUNCTION api.check_seat_kept(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('seat_taken', format('%s of booking %s %s no seat any more: the vehicle was exchanged after the trip had left the boarding stop.',
            api.format_numbers(array_agg(p.ticket_no ORDER BY p.ticket_no), 'ticket'), b.reference,
            CASE WHEN count(*) = 1 THEN 'has' ELSE 'have' END),
        jsonb_build_object('seats', jsonb_agg(p.former_seat ORDER BY p.ticket_no)))
    FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets) AND p.no_show_at IS NOT NULL AND p.seat_no IS NULL
    HAVING count(*) > 0
$$;

-- Check that the seats of no-shows were not sold again.
CREATE OR REPLACE FUNCTION api.check_not_resold(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('seat_taken', format('%s sold again from %s. Free seats from there: %s.',
            api.format_numbers(resold.seats, 'seat') || CASE WHEN cardinality(resold.seats) = 1 THEN ' was' ELSE ' were' END, c.name,
            coalesce((SELECT string_agg(s.seat_no::text, ', ' ORDER BY s.seat_no)
                FROM api.seats_now(b.bus_id, b.travel_date) AS s WHERE NOT s.taken && resold.rest), 'none')),
        jsonb_build_object('seats', to_jsonb(resold.seats)))
    FROM (
        SELECT array_agg(p.seat_no ORDER BY p.seat_no) AS seats, int4range(upper(p.segment), upper(p.no_show_segment)) AS rest
        FROM passengers p
        JOIN seats s ON s.bus_id = p.bus_id AND s.travel_date = p.travel_date AND s.seat_no = p.seat_no
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
          AND p.no_show_segment IS NOT NULL AND s.taken && int4range(upper(p.segment), upper(p.no_show_segment))
        GROUP BY 2
    ) AS resold
    JOIN route_table r ON r.bus_id = b.bus_id AND r.stop_no = lower(resold.rest)
    JOIN places c ON c.code = r.place
    LIMIT 1
$$;

-- After the trip has left a stop, mark the tickets that board there and are not checked in as no-shows. release: their seats are
-- for sale again from the next stop; the default is no_show_sells of the service. Nothing is refunded.
CREATE OR REPLACE FUNCTION api.no_shows(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    service bus_info;
    codes   text[] := CASE jsonb_typeof(a.at) WHEN 'string' THEN api.place_codes(a.at #>> '{}') END;
    number  int := CASE jsonb_typeof(a.at) WHEN 'number' THEN a.at::int END;
    stop    route_table;
BEGIN
    IF trip.bus_id IS NULL THEN
        o.refusal := api.refusal_unknown_trip(a.bus_id, a.travel_date);
        RETURN o;
    END IF;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = trip.bus_id;
    SELECT r.* INTO stop FROM route_table r   -- the last that the trip has left, if it calls there several times
    WHERE r.bus_id = trip.bus_id AND r.departs IS NOT NULL AND (r.stop_no = number OR r.place = ANY (codes))
    ORDER BY api.expected(trip, r.stop_no, r.departs, service.time_zone) > api.now(), r.stop_no DESC LIMIT 1;
    o.refusal := CASE
        WHEN trip.state = 'cancelled' THEN api.refusal('trip_cancelled', rtrim(format('The trip is cancelled. %s', trip.reason)))
        WHEN stop.stop_no IS NULL THEN api.refusal('not_on_route', format('No passenger boards at %s.', a.at #>> '{}'),
            jsonb_build_object('stops', to_jsonb(api.stop_names(service))))
        WHEN api.expected(trip, stop.stop_no, stop.departs, service.time_zone) > api.now() THEN
            api.refusal('not_departed', format('The %s has not left that stop yet.', service.nouns ->> 'service')) END;
    IF o.refusal IS NULL THEN
        PERFORM api.mark_no_shows(trip, stop.stop_no, coalesce(a.release, service.no_show_sells));
        o.reply := api.show_no_shows(trip, stop);
    END IF;
    RETURN o;
END $$;

CREATE OR REPLACE FUNCTION api.mark_no_shows(trip trips, stop_no int, release boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    freed  int[];
    missed text[];
BEGIN
    WITH marked AS (
        UPDATE passengers p
        SET no_show_at = coalesce(p.no_show_at, api.now()),
            no_show_segment = CASE WHEN release AND upper(p.segment) > stop_no + 1 THEN p.segment ELSE p.no_show_segment END,
            segment = CASE WHEN release THEN int4range(stop_no, stop_no + 1) ELSE p.segment END
        WHERE p.bus_id = trip.bus_id AND p.travel_date = trip.travel_date AND p.status = 'booked'
          AND lower(p.segment) = mark_no_shows.stop_no AND p.checked_in_at IS NULL
          AND (p.no_show_at IS NULL OR release AND upper(p.segment) > stop_no + 1)
        RETURNING p.seat_no, p.reference
    )
    SELECT array_agg(marked.seat_no) FILTER (WHERE release), array_agg(DISTINCT marked.reference) INTO freed, missed FROM marked;
    IF missed IS NOT NULL THEN
        PERFORM api.record_events('booking.no_show', array_fill(trip.bus_id, ARRAY[cardinality(missed)]), missed);
    END IF;
    IF freed IS NOT NULL THEN
        PERFORM api.recount(trip.bus_id, trip.travel_date, freed);
        PERFORM api.promote(trip.bus_id, trip.travel_date);
    END IF;
END $$;

-- The no-shows of a stop. sells: whether the seat is for sale again.
CREATE OR REPLACE FUNCTION api.show_no_shows(trip trips, stop route_table) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('bus_id', trip.bus_id, 'travel_date', trip.travel_date, 'stop_no', stop.stop_no,
        'place', (SELECT c.name FROM places c WHERE c.code = stop.place),
        'tickets', coalesce((SELECT jsonb_agg(jsonb_build_object('reference', p.reference, 'ticket_no', p.ticket_no,
                'seat_no', coalesce(p.seat_no, p.former_seat), 'name', p.name, 'sells', p.no_show_segment IS NOT NULL)
                ORDER BY coalesce(p.seat_no, p.former_seat))
            FROM passengers p WHERE p.bus_id = trip.bus_id AND p.travel_date = trip.travel_date AND p.status = 'booked'
                AND lower(p.segment) = stop.stop_no AND p.no_show_at IS NOT NULL), '[]'))
$$;
