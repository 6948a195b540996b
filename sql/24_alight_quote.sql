-- The stops at which tickets of a booking may end early, each with what the caller gets back. tickets: by default all
-- booked ones. at: the place or the number of a stop; by default all stops that the trip has not left.
CREATE OR REPLACE FUNCTION api.alight_quote(
    reference text, phone text DEFAULT NULL, tickets int[] DEFAULT NULL, at jsonb DEFAULT NULL, account text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b       api.opened_booking := api.open_booking(reference, phone, account);
    service bus_info;
    trip    trips;
    terms   record;
    quoted  jsonb;
BEGIN
    IF b.refusal IS NOT NULL THEN
        RETURN b.refusal;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    SELECT * INTO trip FROM trips t WHERE t.bus_id = b.bus_id AND t.travel_date = b.travel_date;
    SELECT * INTO terms FROM api.alight_terms(service, trip, b, tickets, at);
    IF terms.refusal IS NOT NULL THEN
        RETURN terms.refusal;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('stop_no', r.stop_no, 'place', c.name,
            'arrives_at', api.rfc3339(api.expected(trip, r.stop_no, r.arrives, service.time_zone), c.time_zone),
            'refund', (SELECT api.amount_text(sum(api.refund_at(service, p, r.stop_no) - p.refund), service.currency) FROM passengers p
                WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (terms.tickets)))
        ORDER BY r.stop_no)
    INTO quoted
    FROM unnest(terms.stops) AS r
    JOIN places c ON c.code = r.place;
    RETURN jsonb_build_object('currency', service.currency, 'stops', coalesce(quoted, '[]'));
END $$;
