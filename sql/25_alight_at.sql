-- Alight early, at a stop given by place or stop number. The rest of the segment is for sale again. The refund is that
-- of the terms at which the ticket was sold: passengers.alight_refunds.
CREATE OR REPLACE FUNCTION api.alight_at(b api.opened_booking, tickets int[], place text, stop_no int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    refusal jsonb := api.check_tickets(b, tickets);
    service bus_info;
    stop    route_table;
    codes   text[] := api.place_codes(place);
    stops   route_table[];
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    tickets := coalesce(tickets, (SELECT array_agg(p.ticket_no) FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.status = 'booked'));
    stops := ARRAY(SELECT r FROM api.alighting_stops(b, tickets, codes, stop_no) AS r
                   ORDER BY api.has_left(service, b.travel_date, r), r.stop_no);
    stop := stops[1];
    refusal := CASE WHEN place IS NOT NULL AND codes IS NULL THEN api.refusal_unknown_place(place)
                    WHEN place IS NOT NULL AND cardinality(stops) > 1 THEN
                        api.check_place(place, ARRAY(SELECT r.place FROM unnest(stops) AS r)) END;
    refusal := coalesce(refusal, api.check_alighting(service, b, tickets, stop, coalesce(place, 'Stop ' || stop_no)));
    IF refusal IS NULL THEN
        UPDATE passengers p SET alight_refunds = api.alight_refunds_now(service, p)
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets) AND p.alight_refunds IS NULL;
        UPDATE passengers p
        SET segment = int4range(lower(p.segment), stop.stop_no),
            refund = coalesce(p.alight_refunds[stop.stop_no - lower(p.segment)], 0)
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets);
        PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
        PERFORM api.promote(b.bus_id, b.travel_date);
    END IF;
    RETURN refusal;
END $$;

-- The alight_refunds of a ticket that was sold before they were stored: the percentage of today, of its fare divided in
-- proportion to the fares of today. If it ended early before, its refund then was for a part of the fare, which is left
-- out.
CREATE OR REPLACE FUNCTION api.alight_refunds_now(service bus_info, ticket passengers) RETURNS numeric[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(ticket.refund + round((ticket.fare - before.fare) * service.alight_refund_percent / 100
        * coalesce((b.fare - r.fare) / nullif(b.fare - a.fare, 0), 0), 2) ORDER BY r.stop_no)
    FROM route_table a
    JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no = upper(ticket.segment)
    JOIN route_table r ON r.bus_id = a.bus_id AND r.stop_no > a.stop_no AND r.stop_no <= b.stop_no
    CROSS JOIN LATERAL (SELECT CASE WHEN ticket.refund > 0
        THEN least(ticket.fare, ticket.refund * 100 / nullif(service.alight_refund_percent, 0)) ELSE 0 END AS fare) AS before
    WHERE a.bus_id = ticket.bus_id AND a.stop_no = lower(ticket.segment)
$$;

-- Whether a trip has left a stop, or ended there, so that nothing can be changed from there on.
CREATE OR REPLACE FUNCTION api.has_left(service bus_info, travel_date date, stop route_table) RETURNS boolean
LANGUAGE sql STABLE
RETURN api.sells_until(service, travel_date, coalesce((stop).departs, (stop).arrives)) <= api.now();

-- The stops at which to alight, within the tickets' segments: the stop with the number, or those at the places. The
-- first one that the trip has not left is taken; if it has left all of them, the first one.
CREATE OR REPLACE FUNCTION api.alighting_stops(b api.opened_booking, tickets int[], codes text[], stop_no int)
RETURNS SETOF route_table
LANGUAGE sql STABLE AS $$
    SELECT r.* FROM route_table r
    WHERE r.bus_id = b.bus_id AND r.arrives IS NOT NULL
      AND (r.stop_no = alighting_stops.stop_no OR r.place = ANY (codes))
      AND NOT EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
          AND (r.stop_no <= lower(p.segment) OR r.stop_no >= upper(p.segment)))
$$;

-- Check that the tickets are booked, that the stop lies within their segments, and that the trip has not left it.
CREATE OR REPLACE FUNCTION api.check_alighting(service bus_info, b api.opened_booking, tickets int[], stop route_table, stop_name text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF tickets IS NULL OR EXISTS (SELECT FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
            AND p.ticket_no = ANY (tickets) AND p.status <> 'booked') THEN
        RETURN coalesce(api.check_not_ended(b, tickets),
            api.refusal('not_held', format('Booking %s is not booked yet: only a booked passenger can alight.', b.reference)));
    ELSIF stop.stop_no IS NULL THEN
        RETURN api.refusal('not_on_route', format('%s is not a stop between the boarding and the alighting stop.', stop_name),
            jsonb_build_object('stops', to_jsonb(api.stop_names(service))));
    ELSIF api.has_left(service, b.travel_date, stop) THEN
        RETURN api.refusal('departed', format('The %s has already left that stop.', service.nouns ->> 'service'));
    END IF;
    RETURN NULL;
END $$;
