-- A booking, for a caller who may open it.
CREATE OR REPLACE FUNCTION api.booking(reference text, phone text DEFAULT NULL, account text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b api.opened_booking := api.open_booking(reference, phone, account);
BEGIN
    RETURN coalesce(b.refusal, (api.show_bookings(ARRAY[b.bus_id], ARRAY[b.reference]))[1]);
END $$;

-- The position of a party on the waitlist of its trip, from 1.
CREATE OR REPLACE FUNCTION api.waitlist_position(bus_id bigint, travel_date date, queue_no bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(DISTINCT p.reference) FROM passengers p
    WHERE p.bus_id = waitlist_position.bus_id AND p.travel_date = waitlist_position.travel_date
      AND p.status = 'pending' AND p.expires_at > api.now() AND p.queue_no <= waitlist_position.queue_no
$$;

-- The operator's reason for cancelling a trip, as a field of a booking with a ticket that this cancellation ended.
-- Of a trip that was cancelled before trips.cancelled_at was added, it is not known which tickets these are.
CREATE OR REPLACE FUNCTION api.cancellation_reason(bus_id bigint, travel_date date, reference text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN t.reason IS NOT NULL AND EXISTS (SELECT FROM passengers p
            WHERE p.bus_id = t.bus_id AND p.reference = cancellation_reason.reference AND p.status = 'cancelled'
              AND p.ended_at = coalesce(t.cancelled_at, p.ended_at))
        THEN jsonb_build_object('why', t.reason) ELSE '{}' END
    FROM trips t
    WHERE t.bus_id = cancellation_reason.bus_id AND t.travel_date = cancellation_reason.travel_date
$$;

-- The tickets of a booking, with the end of those that end before the booking's last stop, and with the times of check-ins
-- and no-shows. tickets: all of them.
CREATE OR REPLACE FUNCTION api.tickets_with_ends(bus_id bigint, reference text, to_stop int, tickets jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(t.ticket || CASE WHEN upper(p.segment) >= tickets_with_ends.to_stop THEN '{}' ELSE jsonb_build_object(
            'to_stop', r.stop_no, 'destination', c.name,
            'arrives_at', api.rfc3339(api.expected(d, r.stop_no, r.arrives, s.time_zone), c.time_zone)) END
            || jsonb_strip_nulls(jsonb_build_object('checked_in_at', api.rfc3339(p.checked_in_at, s.time_zone),
                'no_show_at', api.rfc3339(p.no_show_at, s.time_zone)))
        ORDER BY p.ticket_no)
    FROM jsonb_array_elements(tickets) AS t (ticket)
    JOIN passengers p ON p.bus_id = tickets_with_ends.bus_id AND p.reference = tickets_with_ends.reference
                     AND p.ticket_no = (t.ticket ->> 'ticket_no')::int
    JOIN trips d ON d.bus_id = p.bus_id AND d.travel_date = p.travel_date
    JOIN bus_info s ON s.bus_id = p.bus_id
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = upper(p.segment)
    JOIN places c ON c.code = r.place
$$;

-- Bookings as their passengers see them. bus_ids[i] and refs[i] name a booking; element i of the result is that
-- booking, or NULL if it does not exist. Fare and refund are sums over the party's tickets. A hold or waitlist entry
-- is expired from its expires_at on, even if the trip is not settled yet. A fare is stored with the decimals of its currency, so
-- they are not computed here. seated_at has microseconds, because clients sort
-- tickets by it.
CREATE OR REPLACE FUNCTION api.show_bookings(bus_ids bigint[], refs text[]) RETURNS jsonb[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT CASE WHEN party.reference IS NOT NULL THEN jsonb_build_object(
                'reference', party.reference, 'status', party.status,
                'kind', s.kind, 'name', s.name, 'operator', s.operator,
                'bus_id', party.bus_id, 'travel_date', party.travel_date,
                'boarding_date', api.date_at(party.travel_date, a.departs, s.time_zone, pa.time_zone),
                'origin', pa.name, 'destination', pb.name, 'from_stop', party.from_stop, 'to_stop', party.to_stop,
                'departs_at', api.rfc3339(api.expected(d, a.stop_no, a.departs, s.time_zone), pa.time_zone),
                'arrives_at', api.rfc3339(api.expected(d, b.stop_no, b.arrives, s.time_zone), pb.time_zone),
                'currency', s.currency, 'fare', party.fare::text, 'refund', round(party.refund, scale(party.fare))::text,
                'tickets', CASE WHEN party.first_end >= party.to_stop AND party.unseen THEN party.tickets ELSE
                    api.tickets_with_ends(party.bus_id, party.reference, party.to_stop, party.tickets) END)
            || CASE WHEN d.delays IS NULL THEN '{}' ELSE api.scheduled_times(d, s.time_zone,
                a.stop_no, a.departs, pa.time_zone, b.stop_no, b.arrives, pb.time_zone) END
            || CASE WHEN party.expires_at IS NULL THEN '{}' ELSE
                jsonb_build_object('expires_at', api.rfc3339(party.expires_at, pa.time_zone)) END
            || CASE WHEN party.queue_no IS NULL THEN '{}' ELSE
                jsonb_build_object('position', api.waitlist_position(party.bus_id, party.travel_date, party.queue_no)) END
            || CASE WHEN v.vehicle IS NULL OR party.status IN ('cancelled', 'expired') THEN '{}' ELSE
                jsonb_build_object('vehicle', v.vehicle) END
            || CASE WHEN EXISTS (SELECT FROM taxes x WHERE x.operator = s.operator) THEN api.tax_of_booking(s, party.reference) ELSE '{}' END
            || CASE WHEN s.payment = 'none' AND NOT EXISTS (SELECT FROM payment_intents i
                    WHERE i.bus_id = api.reference_bus(party.reference) AND i.reference = party.reference) THEN '{}' ELSE
                api.payment_of_booking(s, party.bus_id, party.reference, party.status) END
            || CASE WHEN EXISTS (SELECT FROM offers o WHERE o.bus_id = party.bus_id AND o.travel_date = party.travel_date
                                   AND o.reference = party.reference AND o.state = 'open')
                THEN api.open_offers(party.bus_id, party.reference) ELSE '{}' END
            || CASE WHEN EXISTS (SELECT FROM contacts c WHERE c.bus_id = api.reference_bus(party.reference) AND c.reference = party.reference)
                THEN api.show_contact(party.reference) ELSE '{}' END
            || CASE WHEN party.refund_tiers IS NULL OR party.status IN ('cancelled', 'expired') THEN '{}' ELSE
                api.show_tiers(party.refund_tiers, api.expected(d, a.stop_no, a.departs, s.time_zone), pa.time_zone) END
            || CASE WHEN party.status <> 'cancelled' THEN '{}' ELSE
                api.cancellation_reason(party.bus_id, party.travel_date, party.reference) END END
        FROM unnest(bus_ids, refs) WITH ORDINALITY AS named (bus_id, reference, ordinal)
        CROSS JOIN LATERAL (
            SELECT min(t.bus_id) AS bus_id, min(t.reference) AS reference, min(t.travel_date) AS travel_date,
                   min(lower(t.segment)) AS from_stop,
                   -- the last stop of the open tickets; if none is open, of all tickets
                   coalesce(max(upper(t.segment)) FILTER (WHERE e.state IN ('held', 'booked', 'pending', 'displaced')),
                            max(upper(t.segment))) AS to_stop,
                   min(upper(t.segment)) AS first_end,
                   bool_and(t.checked_in_at IS NULL AND t.no_show_at IS NULL) AS unseen,
                   sum(t.fare) AS fare, sum(t.refund) AS refund,
                   CASE WHEN bool_or(e.state = 'booked') THEN 'booked'
                        WHEN bool_or(e.state = 'held') THEN 'held'
                        WHEN bool_or(e.state = 'pending') THEN 'pending'
                        WHEN bool_or(e.state = 'displaced') THEN 'displaced'
                        WHEN bool_or(e.state = 'cancelled') THEN 'cancelled'
                        ELSE 'expired' END AS status,
                   min(t.expires_at) FILTER (WHERE e.state = 'held') AS expires_at,
                   min(t.queue_no) FILTER (WHERE e.state = 'pending') AS queue_no,
                   (array_agg(t.refund_tiers) FILTER (WHERE t.refund_tiers IS NOT NULL))[1] AS refund_tiers,
                   jsonb_agg(jsonb_build_object('ticket_no', t.ticket_no, 'seat_no', coalesce(t.seat_no, t.former_seat), 'name', t.name,
                       'status', e.state, 'fare', t.fare::text, 'refund', round(t.refund, scale(t.fare))::text,
                       'seated_at', CASE WHEN coalesce(t.seat_no, t.former_seat) IS NOT NULL THEN
                           (to_jsonb(coalesce(t.moved_at, t.booked_at, t.created_at) AT TIME ZONE 'UTC') #>> '{}') || '+00:00' END)
                       || CASE WHEN num_nonnulls(t.fare_parts, t.gender, t.accessible) = 0 THEN '{}' ELSE
                           jsonb_strip_nulls(jsonb_build_object('fare_parts', t.fare_parts, 'infant', t.infant,
                               'gender', t.gender, 'accessible', t.accessible)) END
                       ORDER BY t.ticket_no) AS tickets
            FROM passengers t CROSS JOIN LATERAL (SELECT api.status_now(t.status, t.expires_at) AS state) AS e
            WHERE t.bus_id = named.bus_id AND t.reference = named.reference
        ) AS party
        LEFT JOIN trips d ON d.bus_id = party.bus_id AND d.travel_date = party.travel_date
        LEFT JOIN bus_info s ON s.bus_id = party.bus_id
        LEFT JOIN route_table a ON a.bus_id = party.bus_id AND a.stop_no = party.from_stop
        LEFT JOIN route_table b ON b.bus_id = party.bus_id AND b.stop_no = party.to_stop
        LEFT JOIN places pa ON pa.code = a.place
        LEFT JOIN places pb ON pb.code = b.place
        LEFT JOIN assignments v ON v.bus_id = party.bus_id AND v.travel_date = party.travel_date AND v.assignment_no = 0
        ORDER BY named.ordinal);
END $$;

-- Bookings as their passengers see them, wherever they are now: for the clients that follow them.
CREATE OR REPLACE FUNCTION api.followed_bookings(refs text[]) RETURNS jsonb[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT api.show_bookings(array_agg(api.booking_bus(r.reference) ORDER BY r.n), array_agg(r.reference ORDER BY r.n))
    FROM unnest(refs) WITH ORDINALITY AS r (reference, n)
$$;
