-- Alight early, at a stop given by place or stop number. The rest of the segment is for sale again, and
-- alight_refund_percent of its fare is refunded.
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
        UPDATE passengers p
        SET segment = int4range(lower(p.segment), stop.stop_no),
            -- fares may have risen since the booking; a refund is never more than the fare paid
            refund = least(p.fare, p.refund + round((r.fare - stop.fare) * service.alight_refund_percent / 100, 2))
        FROM route_table r
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets)
          AND r.bus_id = b.bus_id AND r.stop_no = upper(p.segment);
        PERFORM api.recount(b.bus_id, b.travel_date, api.seats_of(b, tickets));
        PERFORM api.promote(b.bus_id, b.travel_date);
    END IF;
    RETURN refusal;
END $$;

-- Whether a trip has left a stop, or ended there, so that nothing can be changed from there on.
CREATE OR REPLACE FUNCTION api.has_left(service bus_info, travel_date date, stop route_table) RETURNS boolean
LANGUAGE sql STABLE
RETURN api.instant(travel_date, coalesce((stop).departs, (stop).arrives) + (service).sells_until, (service).time_zone) <= api.now();

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
