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

-- Bookings as their passengers see them. bus_ids[i] and refs[i] name a booking; element i of the result is that booking, or NULL
-- if it does not exist. homes: their home services, if the caller knows them. Fare and refund are sums over the party's tickets.
-- A hold or waitlist entry is expired from its expires_at on, even if the trip is not settled yet. A fare is stored with the
-- decimals of its currency, so they are not computed here. seated_at has microseconds, because clients sort tickets by it.
--
-- For each statement, the executor prepares each function and each column of a join, which takes a large part of the time of a
-- single booking. OFFSET 0 keeps a subquery apart: its columns are computed once, and fewer columns are joined. What few bookings
-- have is found by a scalar subquery, which reads by the key; for EXISTS, PostgreSQL may read the whole table instead.
CREATE OR REPLACE FUNCTION api.show_bookings(bus_ids bigint[], refs text[], homes bigint[] DEFAULT NULL) RETURNS jsonb[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT CASE WHEN party.tickets IS NOT NULL THEN jsonb_build_object(
                'reference', named.reference, 'status', party.status,
                'kind', j.kind, 'name', j.name, 'operator', j.operator,
                'bus_id', named.bus_id, 'travel_date', party.travel_date,
                'boarding_date', (j.departs AT TIME ZONE j.from_zone)::date,
                'origin', j.origin, 'destination', j.destination, 'from_stop', party.from_stop, 'to_stop', party.to_stop,
                'departs_at', api.rfc3339(api.delayed(j.departs, j.delays, party.from_stop), j.from_zone),
                'arrives_at', api.rfc3339(api.delayed(j.arrives, j.delays, party.to_stop), j.to_zone),
                'currency', j.currency, 'fare', party.fare::text, 'refund', round(party.refund, scale(party.fare))::text,
                'tickets', CASE WHEN party.first_end >= party.to_stop AND party.unseen THEN party.tickets ELSE
                    api.tickets_with_ends(named.bus_id, named.reference, party.to_stop, party.tickets) END)
            || api.scheduled_times(j.delays, party.from_stop, j.departs, j.from_zone, party.to_stop, j.arrives, j.to_zone)
            || CASE WHEN party.expires_at IS NULL THEN '{}' ELSE
                jsonb_build_object('expires_at', api.rfc3339(party.expires_at, j.from_zone)) END
            || CASE WHEN party.queue_no IS NULL THEN '{}' ELSE
                jsonb_build_object('position', api.waitlist_position(named.bus_id, party.travel_date, party.queue_no)) END
            || CASE WHEN j.vehicle IS NULL OR party.status IN ('cancelled', 'expired') THEN '{}' ELSE
                jsonb_build_object('vehicle', j.vehicle) END
            || coalesce((SELECT api.tax_of_booking(named.bus_id, named.reference) FROM taxes x WHERE x.operator = j.operator LIMIT 1), '{}')
            || CASE WHEN j.payment <> 'none' OR (SELECT true FROM payment_intents i
                    WHERE i.bus_id = j.home AND i.reference = named.reference LIMIT 1)
                THEN api.payment_of_booking(named.bus_id, named.reference, party.status) ELSE '{}' END
            || coalesce((SELECT api.open_offers(named.bus_id, named.reference) FROM offers o WHERE o.bus_id = named.bus_id
                         AND o.travel_date = party.travel_date AND o.reference = named.reference AND o.state = 'open' LIMIT 1), '{}')
            || coalesce((SELECT api.show_contact(c) FROM contacts c WHERE c.bus_id = j.home AND c.reference = named.reference LIMIT 1), '{}')
            || CASE WHEN party.refund_tiers IS NULL OR party.status IN ('cancelled', 'expired') THEN '{}' ELSE
                api.show_tiers(party.refund_tiers, api.delayed(j.departs, j.delays, party.from_stop), j.from_zone) END
            || CASE WHEN party.status <> 'cancelled' THEN '{}' ELSE
                CASE WHEN party.never_booked THEN '{"never_booked": true}' ELSE '{}'::jsonb END
                || api.cancellation_reason(named.bus_id, party.travel_date, named.reference) END END
        FROM unnest(bus_ids, refs, homes) WITH ORDINALITY AS named (bus_id, reference, home, ordinal)
        CROSS JOIN LATERAL (
            SELECT min(t.travel_date) AS travel_date, min(lower(t.segment)) AS from_stop,
                   -- the last stop of the open tickets; if none is open, of all tickets
                   coalesce(max(upper(t.segment)) FILTER (WHERE t.state IN ('held', 'booked', 'pending', 'displaced')),
                            max(upper(t.segment))) AS to_stop,
                   min(upper(t.segment)) AS first_end,
                   bool_and(t.checked_in_at IS NULL AND t.no_show_at IS NULL) AS unseen,
                   bool_and(t.booked_at IS NULL) AS never_booked,
                   sum(t.fare) AS fare, sum(t.refund) AS refund,
                   -- the first of these that a ticket has
                   ('{booked,held,pending,displaced,cancelled,expired}'::text[])[min(array_position(
                       '{booked,held,pending,displaced,cancelled,expired}', t.state))] AS status,
                   min(t.expires_at) FILTER (WHERE t.state = 'held') AS expires_at,
                   min(t.queue_no) FILTER (WHERE t.state = 'pending') AS queue_no,
                   (array_agg(t.refund_tiers) FILTER (WHERE t.refund_tiers IS NOT NULL))[1] AS refund_tiers,
                   jsonb_agg(jsonb_build_object('ticket_no', t.ticket_no, 'seat_no', t.seat_no, 'name', t.name,
                       'status', t.state, 'fare', t.fare::text, 'refund', round(t.refund, scale(t.fare))::text,
                       'seated_at', CASE WHEN t.seat_no IS NOT NULL THEN (to_jsonb(t.seated_at) #>> '{}') || '+00:00' END)
                       || CASE WHEN num_nonnulls(t.fare_parts, t.gender, t.accessible) = 0 THEN '{}' ELSE
                           jsonb_strip_nulls(jsonb_build_object('fare_parts', t.fare_parts, 'infant', t.infant,
                               'gender', t.gender, 'accessible', t.accessible)) END
                       ORDER BY t.ticket_no) AS tickets
            FROM (
                SELECT p.ticket_no, p.travel_date, coalesce(p.seat_no, p.former_seat) AS seat_no, p.segment, p.name, p.fare, p.refund,
                       p.refund_tiers, api.status_now(p.status, p.expires_at) AS state, p.expires_at, p.queue_no, p.fare_parts,
                       p.infant, p.gender, p.accessible, p.checked_in_at, p.no_show_at, p.booked_at,
                       coalesce(p.moved_at, p.booked_at, p.created_at) AT TIME ZONE 'UTC' AS seated_at
                FROM passengers p WHERE p.bus_id = named.bus_id AND p.reference = named.reference OFFSET 0
            ) AS t
        ) AS party
        LEFT JOIN LATERAL (
            SELECT s.kind, s.name, s.operator, s.currency, s.payment, d.delays, v.vehicle,
                   pa.name AS origin, pa.time_zone AS from_zone, pb.name AS destination, pb.time_zone AS to_zone,
                   api.instant(party.travel_date, a.departs, s.time_zone) AS departs,
                   api.instant(party.travel_date, b.arrives, s.time_zone) AS arrives,
                   coalesce(named.home, api.reference_bus(named.reference)) AS home
            FROM bus_info s
            LEFT JOIN trips d ON d.bus_id = s.bus_id AND d.travel_date = party.travel_date
            LEFT JOIN route_table a ON a.bus_id = s.bus_id AND a.stop_no = party.from_stop
            LEFT JOIN route_table b ON b.bus_id = s.bus_id AND b.stop_no = party.to_stop
            LEFT JOIN places pa ON pa.code = a.place
            LEFT JOIN places pb ON pb.code = b.place
            LEFT JOIN assignments v ON v.bus_id = s.bus_id AND v.travel_date = party.travel_date AND v.assignment_no = 0
            WHERE s.bus_id = named.bus_id OFFSET 0
        ) AS j ON true   -- the journey
        ORDER BY named.ordinal);
END $$;

-- Bookings as their passengers see them, wherever they are now: for the clients that follow them.
CREATE OR REPLACE FUNCTION api.followed_bookings(refs text[]) RETURNS jsonb[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT api.show_bookings(array_agg(api.booking_bus(r.reference) ORDER BY r.n), array_agg(r.reference ORDER BY r.n))
    FROM unnest(refs) WITH ORDINALITY AS r (reference, n)
$$;
