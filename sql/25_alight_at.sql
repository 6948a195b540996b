-- Alight early, at a stop given by place or stop number. The rest of the segment is for sale again. The refund follows from the
-- terms at which the ticket was sold: passengers.alight_refunds.
CREATE OR REPLACE FUNCTION api.alight_at(b api.opened_booking, trip trips, tickets int[], at jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service bus_info;
    terms   record;
    stop    route_table;
BEGIN
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    SELECT * INTO terms FROM api.alight_terms(service, trip, b, tickets, coalesce(at, 'null'));
    IF terms.refusal IS NULL THEN
        stop := terms.stops[1];
        UPDATE passengers p SET alight_refunds = api.alight_refunds_now(service, p)
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (terms.tickets) AND p.alight_refunds IS NULL;
        UPDATE passengers p
        SET segment = int4range(lower(p.segment), stop.stop_no), refund = api.refund_at(service, p, stop.stop_no)
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (terms.tickets);
        PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, terms.tickets));
        PERFORM api.promote(b.bus_id, b.travel_date);
    END IF;
    RETURN terms.refusal;
END $$;

-- The tickets that end early (default: all booked ones), and the stops at which they may end; or the refusal. at: the place or
-- the number of the only stop to return; NULL: all stops that the trip has not left.
CREATE OR REPLACE FUNCTION api.alight_terms(
    service bus_info, trip trips, b api.opened_booking, INOUT tickets int[], at jsonb, OUT stops route_table[], OUT refusal jsonb
) RETURNS record
LANGUAGE plpgsql STABLE AS $$
DECLARE
    place   text := CASE jsonb_typeof(at) WHEN 'string' THEN at #>> '{}' END;
    number  int := CASE jsonb_typeof(at) WHEN 'number' THEN at::int END;
    codes   text[] := api.place_codes(place);
BEGIN
    refusal := api.check_tickets(b, tickets);
    IF refusal IS NOT NULL THEN
        RETURN;
    END IF;
    tickets := coalesce(tickets, (SELECT array_agg(p.ticket_no) FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'booked'));
    stops := ARRAY(SELECT r FROM api.alighting_stops(b, tickets) AS r
                   WHERE CASE WHEN at IS NULL THEN api.serves(trip, r.stop_no) AND NOT api.has_left(service, trip, r)
                              ELSE r.stop_no = number OR r.place = ANY (codes) END
                   ORDER BY NOT api.serves(trip, r.stop_no), api.has_left(service, trip, r), r.stop_no);
    refusal := CASE WHEN place IS NOT NULL AND codes IS NULL THEN api.refusal_unknown_place(place)
                    WHEN place IS NOT NULL AND cardinality(stops) > 1 THEN
                        api.check_place(place, ARRAY(SELECT r.place FROM unnest(stops) AS r)) END;
    refusal := coalesce(refusal, api.check_seated(b, tickets), api.check_booked(b, tickets));
    IF at IS NOT NULL THEN   -- the first stop at the place that the trip has not left; if it has left all, the first one
        refusal := coalesce(refusal, api.check_alighting(service, trip, stops[1], coalesce(place, 'Stop ' || number)));
        stops := stops[:1];
    END IF;
END $$;

-- The alight_refunds of a ticket that was sold before they were stored. Its fare is divided in proportion to the fares of today, and
-- the percentage of today is refunded. If the ticket has already been ended early, the part of the fare that was not travelled then
-- is left out.
CREATE OR REPLACE FUNCTION api.alight_refunds_now(service bus_info, ticket passengers) RETURNS numeric[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(ticket.refund + api.round_charge((ticket.fare - before.fare) * service.alight_refund_percent / 100
        * coalesce((b.fare - r.fare) / nullif(b.fare - a.fare, 0), 0), service) ORDER BY r.stop_no)
    FROM route_table a
    JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no = upper(ticket.segment)
    JOIN route_table r ON r.bus_id = a.bus_id AND r.stop_no > a.stop_no AND r.stop_no <= b.stop_no
    CROSS JOIN LATERAL (SELECT CASE WHEN ticket.refund > 0
        THEN least(ticket.fare, ticket.refund * 100 / nullif(service.alight_refund_percent, 0)) ELSE 0 END AS fare) AS before
    WHERE a.bus_id = ticket.bus_id AND a.stop_no = lower(ticket.segment)
$$;

-- The refund of a ticket that ends at a stop, with what was refunded before.
CREATE OR REPLACE FUNCTION api.refund_at(service bus_info, ticket passengers, stop_no int) RETURNS numeric
LANGUAGE sql STABLE
RETURN coalesce((coalesce(ticket.alight_refunds, api.alight_refunds_now(service, ticket)))[stop_no - lower(ticket.segment)], 0);

-- Whether a trip has left a stop, or ended there, so that nothing can be changed from there on.
CREATE OR REPLACE FUNCTION api.has_left(service bus_info, trip trips, stop route_table) RETURNS boolean
LANGUAGE sql STABLE
RETURN api.sells_until(service, trip, (stop).stop_no, coalesce((stop).departs, (stop).arrives)) <= api.now();

-- The stops at which tickets may end early: those within the segments of all of them.
CREATE OR REPLACE FUNCTION api.alighting_stops(b api.opened_booking, tickets int[]) RETURNS SETOF route_table
LANGUAGE sql STABLE AS $$
    SELECT r.* FROM route_table r
    WHERE r.bus_id = b.bus_id AND r.arrives IS NOT NULL
      AND NOT EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
          AND (r.stop_no <= lower(p.segment) OR r.stop_no >= upper(p.segment)))
$$;

-- Check that the tickets are booked, and are no no-shows.
CREATE OR REPLACE FUNCTION api.check_booked(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(api.check_not_ended(b, tickets),
        (SELECT api.refusal('not_held', format('%s of booking %s did not board, so nothing is refunded for the rest of the journey.',
                api.format_numbers(array_agg(p.ticket_no ORDER BY p.ticket_no), 'ticket'), b.reference))
            FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
                AND p.no_show_at IS NOT NULL HAVING count(*) > 0),
        api.refusal('not_held', format('Booking %s is not booked yet: only a booked passenger can alight.', b.reference)))
    WHERE tickets IS NULL OR EXISTS (SELECT FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
        AND p.ticket_no = ANY (tickets) AND (p.status <> 'booked' OR p.no_show_at IS NOT NULL))
$$;

-- Check that there is a stop at which to alight, and that the trip has not left it.
CREATE OR REPLACE FUNCTION api.check_alighting(service bus_info, trip trips, stop route_table, stop_name text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF stop.stop_no IS NULL THEN
        RETURN api.refusal('not_on_route', format('%s is not a stop between the boarding and the alighting stop.', stop_name),
            jsonb_build_object('stops', to_jsonb(api.stop_names(service))));
    ELSIF NOT api.serves(trip, stop.stop_no) THEN
        RETURN api.refusal_stop_skipped(service, trip, stop.stop_no);
    ELSIF api.has_left(service, trip, stop) THEN
        RETURN api.refusal('departed', format('The %s has already left that stop.', service.nouns ->> 'service'));
    END IF;
    RETURN NULL;
END $$;
