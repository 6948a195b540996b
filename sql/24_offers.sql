-- Offers as their passengers and operators see them: see 23_offers.sql.

-- An offer. trip: the other trip that is offered, with its seats; if the offer is open, only the seats for the tickets that are
-- left. refund: what is refunded if it is declined. Its times are in the time zone of the boarding place, if the booking is
-- still on the trip.
CREATE OR REPLACE FUNCTION api.show_offer(offer offers) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('reference', offer.reference, 'offer_no', offer.offer_no, 'state', offer.state, 'cause', offer.cause,
            'unanswered', offer.unanswered, 'valid_until', api.rfc3339(api.answered_until(offer), z.zone))
        || CASE WHEN offer.state = 'open' THEN jsonb_build_object('currency', s.currency, 'refund', api.whole_refund(offer)) ELSE
            jsonb_build_object('decided_at', api.rfc3339(offer.decided_at, z.zone)) END
        || coalesce((
            SELECT jsonb_build_object('trip', jsonb_build_object('seats', api.seats_offered(offer)) || (
                SELECT jsonb_object_agg(f.field, h.b -> f.field) FROM unnest('{kind,name,operator,bus_id,travel_date,boarding_date,origin,
                    destination,from_stop,to_stop,departs_at,arrives_at}'::text[]) AS f (field)))
            FROM (SELECT (api.show_bookings(ARRAY[offer.hold_bus_id], ARRAY[offer.hold]))[1] WHERE offer.hold IS NOT NULL) AS h (b)
            WHERE h.b IS NOT NULL), '{}')
    FROM bus_info s
    CROSS JOIN LATERAL (SELECT coalesce((
        SELECT c.time_zone FROM passengers p
        JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
        JOIN places c ON c.code = r.place
        WHERE p.bus_id = offer.bus_id AND p.reference = offer.reference ORDER BY r.stop_no LIMIT 1), s.time_zone) AS zone) AS z
    WHERE s.bus_id = offer.bus_id
$$;

-- The offers of a booking that can be answered, as a field of it.
CREATE OR REPLACE FUNCTION api.open_offers(bus_id bigint, reference text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT jsonb_build_object('offers', jsonb_agg(api.show_offer(o) ORDER BY o.offer_no)) FROM offers o
        WHERE o.bus_id = open_offers.bus_id AND o.reference = open_offers.reference AND api.can_be_answered(o) HAVING count(*) > 0), '{}');
END $$;

-- All offers of a booking, for a caller who may open it.
CREATE OR REPLACE FUNCTION api.offers(reference text, phone text DEFAULT NULL, account text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b api.opened_booking := api.open_booking(reference, phone, account);
BEGIN
    RETURN coalesce(b.refusal, (SELECT jsonb_build_object('offers', coalesce(jsonb_agg(api.show_offer(o) ORDER BY o.offer_no), '[]'))
        FROM offers o WHERE o.reference = b.reference));
END $$;

-- The offers of a trip, for an account that may change the service.
CREATE OR REPLACE FUNCTION api.trip_offers(account text, bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    refusal jsonb := api.check_operator(account, bus_id);
BEGIN
    IF refusal IS NULL AND NOT api.trip_exists(bus_id, travel_date) THEN
        refusal := api.refusal_unknown_trip(bus_id, travel_date);
    END IF;
    RETURN coalesce(refusal, (SELECT jsonb_build_object('offers', coalesce(jsonb_agg(api.show_offer(o) ORDER BY o.reference, o.offer_no), '[]'))
        FROM offers o WHERE o.bus_id = trip_offers.bus_id AND o.travel_date = trip_offers.travel_date));
END $$;
