-- Delay a trip from a stop on: the expected times of that stop and of all later ones are `minutes` later than in the timetable.
-- 0: as in the timetable; below 0: earlier. at: the stop, by place or number; by default the first one that the trip has
-- not left. The sale of a stop, refund tiers, holds and the waitlist follow its expected departure (api.expected). The
-- bookings whose times change are informed. plan: change nothing, and answer the same. The caller has locked and settled the
-- trip.
CREATE OR REPLACE FUNCTION api.delay_trip(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    service bus_info;
    stop    route_table;
    before  trips := trip;
    party   record;     -- of api.bookings_delayed
    refs    text[] := '{}';   -- of the bookings that get no offer
    texts   text[] := '{}';   -- what their passengers read
    bookings int := 0;  -- that are informed
    tickets  int := 0;
    offers   int := 0;
BEGIN
    IF trip.bus_id IS NULL THEN
        o.refusal := api.refusal_unknown_trip(a.bus_id, a.travel_date);
        RETURN o;
    END IF;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = trip.bus_id;
    stop := api.stop_at(service, trip, a.at);
    o.refusal := coalesce(api.check_changeable(service, trip, stop, a.at), api.check_delay(service, trip, stop, a.minutes));
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    trip.delays := api.delayed_from(trip, stop.stop_no, make_interval(mins => a.minutes));
    IF trip.delays = array_fill(interval '0', ARRAY[cardinality(trip.delays)]) AND before.delays IS NULL THEN
        trip.delays := NULL;
    END IF;
    BEGIN
        IF trip.delays IS DISTINCT FROM before.delays THEN
            UPDATE trips t SET delays = trip.delays WHERE t.bus_id = trip.bus_id AND t.travel_date = trip.travel_date;
            FOR party IN SELECT * FROM api.bookings_delayed(service, before, trip) LOOP
                bookings := bookings + 1;
                tickets := tickets + party.tickets;
                IF party.refundable THEN
                    offers := offers + 1;
                    PERFORM api.make_offer(trip.bus_id, party.reference, party.message || coalesce(' ' || a.reason, ''), 'keep', 'times');
                ELSE
                    PERFORM api.tell_booking(trip.bus_id, party.reference, party.message || coalesce(' ' || a.reason, '') || coalesce(
                        ' Offer ' || (api.open_offer(trip.bus_id, party.reference)).offer_no || ' stays open.', ''));
                    refs := refs || party.reference;
                    texts := texts || party.message;
                END IF;
            END LOOP;
            PERFORM api.adjust_expiry(service, trip);
            PERFORM api.record_trip_event('trip.delayed', trip.bus_id, trip.travel_date, jsonb_build_object(
                'stop_no', stop.stop_no, 'minutes', a.minutes) || api.because('times', a.reason));
            PERFORM api.record_events('booking.changed', ARRAY[trip.bus_id], ARRAY[r], api.because('times', concat_ws(' ', m, a.reason)))
            FROM unnest(refs, texts) AS c (r, m);
            PERFORM api.settle(trip.bus_id, trip.travel_date);
        END IF;
        o.reply := api.show_delay(service, trip, stop) || jsonb_build_object('bookings', bookings, 'tickets', tickets, 'offers', offers);
        IF a.plan THEN
            RAISE SQLSTATE 'BW001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- the changes of the plan are rolled back
    END;
    RETURN o;
END $$;

-- The expected departure from a stop; of the last stop, the expected arrival.
CREATE OR REPLACE FUNCTION api.leaves_at(service bus_info, trip trips, stop route_table) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN api.expected(trip, (stop).stop_no, coalesce((stop).departs, (stop).arrives), (service).time_zone);

-- The stop of a trip with this number or place (`at`; NULL: any). Of several, the first that the trip has not left; if the trip has
-- left all of them, the last.
CREATE OR REPLACE FUNCTION api.stop_at(service bus_info, trip trips, at jsonb) RETURNS route_table
LANGUAGE plpgsql STABLE AS $$
DECLARE
    codes  text[] := CASE jsonb_typeof(at) WHEN 'string' THEN api.place_codes(at #>> '{}') END;
    number int := CASE jsonb_typeof(at) WHEN 'number' THEN at::int END;
    stop   route_table;
BEGIN
    SELECT r.* INTO stop FROM route_table r
    WHERE r.bus_id = trip.bus_id AND (at IS NULL OR r.stop_no = number OR r.place = ANY (codes))
    ORDER BY api.leaves_at(service, trip, r) <= api.now(),
             CASE WHEN api.leaves_at(service, trip, r) > api.now() THEN r.stop_no ELSE -r.stop_no END LIMIT 1;
    RETURN stop;
END $$;

-- Check that an operator can change what a trip does at a stop: the trip is not cancelled, its route does not repeat, and it has not
-- left the stop.
CREATE OR REPLACE FUNCTION api.check_changeable(service bus_info, trip trips, stop route_table, at jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    next text := (SELECT c.name FROM route_table r JOIN places c ON c.code = r.place
        WHERE r.bus_id = trip.bus_id AND api.leaves_at(service, trip, r) > api.now() ORDER BY r.stop_no LIMIT 1);
BEGIN
    RETURN CASE
        WHEN trip.state = 'cancelled' THEN api.refusal('trip_cancelled', rtrim(format('The trip is cancelled. %s', trip.reason)))
        WHEN service.repeat_legs IS NOT NULL THEN api.refusal_bad_request('bus_id', 'a service whose trips end',
            format('The trip of %s (%s %s) has no end.', service.name, service.nouns ->> 'service', service.bus_id))
        WHEN stop.stop_no IS NULL AND jsonb_typeof(at) = 'string' AND api.place_codes(at #>> '{}') IS NULL THEN
            api.refusal_unknown_place(at #>> '{}')
        WHEN stop.stop_no IS NULL THEN api.refusal('not_on_route', format('%s (%s %s) does not stop at %s. Its stops: %s.', service.name,
                service.nouns ->> 'service', service.bus_id, at #>> '{}', array_to_string(api.stop_names(service), ' – ')),
            jsonb_build_object('stops', to_jsonb(api.stop_names(service))))
        WHEN next IS NULL THEN api.refusal('departed', 'The trip has ended.')
        WHEN api.leaves_at(service, trip, stop) <= api.now() THEN api.refusal('departed', format(
            'The %s has left %s. The next stop that it leaves: %s.', service.nouns ->> 'service',
            api.stop_name(trip.bus_id, stop.stop_no), next)) END;
END $$;

-- Check that with a delay the times are still in the order of the route, and the departure is still in the future.
CREATE OR REPLACE FUNCTION api.check_delay(service bus_info, trip trips, stop route_table, minutes int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    most     CONSTANT int := 1440;   -- after a day, the next trip of a daily service leaves
    previous route_table := (SELECT r FROM route_table r WHERE r.bus_id = trip.bus_id AND r.stop_no = stop.stop_no - 1);
    at       timestamp := api.instant(trip.travel_date, coalesce(stop.departs, stop.arrives), service.time_zone)
        AT TIME ZONE (SELECT c.time_zone FROM places c WHERE c.code = stop.place);
    earliest int := greatest(-most,   -- not before the previous stop, and not in the past
        ceil(extract(epoch FROM api.leaves_at(service, trip, previous)
            - api.instant(trip.travel_date, coalesce(stop.arrives, stop.departs), service.time_zone)) / 60),
        floor(extract(epoch FROM api.now()
            - api.instant(trip.travel_date, coalesce(stop.departs, stop.arrives), service.time_zone)) / 60) + 1);
BEGIN
    IF minutes BETWEEN earliest AND most THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal_bad_request('minutes', format('a whole number from %s to %s', earliest, most), CASE
        WHEN minutes > most THEN format('A delay is at most %s minutes. Cancel the trip instead.', most)
        ELSE format('%s is scheduled at %s at %s, and cannot be there before %s. Give %s minutes or more.', service.name,
            api.stop_name(trip.bus_id, stop.stop_no), to_char(at, 'YYYY-MM-DD HH24:MI'),
            to_char(at + make_interval(mins => earliest), 'YYYY-MM-DD HH24:MI'), earliest) END);
END $$;

-- The delays of a trip, with another one from a stop on.
CREATE OR REPLACE FUNCTION api.delayed_from(trip trips, stop_no int, delay interval) RETURNS interval[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(CASE WHEN r.stop_no < delayed_from.stop_no THEN coalesce(trip.delays[r.stop_no], '0') ELSE delay END ORDER BY r.stop_no)
    FROM route_table r WHERE r.bus_id = trip.bus_id
$$;

-- Adjust the ends of holds and waitlist entries to the new end of sale at their boarding stops: a waitlist entry ends with the
-- sale, a hold at the same time as before or with the sale, if that is earlier. The caller then settles the trip.
CREATE OR REPLACE FUNCTION api.adjust_expiry(service bus_info, trip trips) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE passengers p SET expires_at = CASE p.status WHEN 'pending' THEN sale.ends_at ELSE least(p.expires_at, sale.ends_at) END
    FROM route_table r, LATERAL api.sells_until(service, trip, r.stop_no, r.departs) AS sale (ends_at)
    WHERE p.bus_id = trip.bus_id AND p.travel_date = trip.travel_date AND p.status IN ('held', 'pending')
      AND r.bus_id = trip.bus_id AND r.stop_no = lower(p.segment);
    UPDATE holders h SET expires_at = p.expires_at FROM passengers p
    WHERE p.bus_id = trip.bus_id AND p.travel_date = trip.travel_date AND p.status = 'held'
      AND h.bus_id = p.bus_id AND h.reference = p.reference AND h.ticket_no = p.ticket_no AND h.expires_at <> p.expires_at;
END $$;

-- The bookings whose times differ between two states of their trip, and the message for each of them: when the trip leaves the
-- boarding stop; if that is as before, when it reaches the destination. Journeys that had ended are left out. refundable: the trip
-- leaves later than before, and so late that the booking may be cancelled for its whole fare (bus_info.whole_refund_delay).
CREATE OR REPLACE FUNCTION api.bookings_delayed(service bus_info, before trips, after trips)
RETURNS TABLE (reference text, tickets bigint, refundable boolean, message text)
LANGUAGE sql STABLE AS $$
    WITH ticket AS MATERIALIZED (   -- two queries: each has a partial index of its own
        SELECT p.reference, p.segment, p.status FROM passengers p
        WHERE p.bus_id = after.bus_id AND p.travel_date = after.travel_date AND p.status IN ('held', 'booked') AND p.no_show_at IS NULL
        UNION ALL
        SELECT p.reference, p.segment, p.status FROM passengers p
        WHERE p.bus_id = after.bus_id AND p.travel_date = after.travel_date AND p.status = 'pending'
    ), party AS (
        SELECT t.reference, count(*) AS tickets, lower(t.segment) AS from_stop, max(upper(t.segment)) AS to_stop,
               bool_and(t.status = 'booked') AS booked
        FROM ticket t
        JOIN route_table r ON r.bus_id = after.bus_id AND r.stop_no = upper(t.segment)
        WHERE api.expected(before, r.stop_no, r.arrives, service.time_zone) > api.now()
        GROUP BY t.reference, lower(t.segment)
    )
    SELECT p.reference, p.tickets, coalesce(p.booked AND boards AND after.delays[p.from_stop] >= service.whole_refund_delay
            AND after.delays[p.from_stop] > coalesce(before.delays[p.from_stop], '0'), false), format('The %s is expected %s %s at %s; the timetable says %s.', service.nouns ->> 'service',
        CASE WHEN boards THEN 'to leave' ELSE 'at' END, c.name,
        to_char(at.expected, CASE WHEN at.expected::date = at.scheduled::date THEN 'HH24:MI' ELSE 'YYYY-MM-DD HH24:MI' END),
        to_char(at.scheduled, CASE WHEN at.expected::date = at.scheduled::date THEN 'HH24:MI' ELSE 'YYYY-MM-DD HH24:MI' END))
    FROM party p
    CROSS JOIN LATERAL (SELECT coalesce(before.delays[p.from_stop], '0') <> after.delays[p.from_stop],
                               coalesce(before.delays[p.to_stop], '0') <> after.delays[p.to_stop]) AS differs (boards, alights)
    JOIN route_table r ON r.bus_id = after.bus_id AND r.stop_no = CASE WHEN boards THEN p.from_stop ELSE p.to_stop END
    JOIN places c ON c.code = r.place
    CROSS JOIN LATERAL (SELECT CASE WHEN boards THEN r.departs ELSE r.arrives END AS time) AS timetable
    CROSS JOIN LATERAL (SELECT api.expected(after, r.stop_no, timetable.time, service.time_zone) AT TIME ZONE c.time_zone AS expected,
                               api.instant(after.travel_date, timetable.time, service.time_zone) AT TIME ZONE c.time_zone AS scheduled) AS at
    WHERE boards OR alights
$$;

-- The next trips of the vehicle and the drivers of a trip that are expected to begin before it ends.
CREATE OR REPLACE FUNCTION api.trips_begun_before_end(trip trips) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('bus_id', s.bus_id, 'travel_date', n.travel_date, 'name', s.name,
        'departs_at', api.rfc3339(begins.at, s.time_zone), 'vehicle', n.vehicle, 'driver', n.driver)) ORDER BY begins.at, n.assignment_no), '[]')
    FROM assignments a
    JOIN assignments n ON n.operator = a.operator AND (n.vehicle = a.vehicle OR n.driver = a.driver) AND lower(n.period) > lower(a.period)
    JOIN trips t ON t.bus_id = n.bus_id AND t.travel_date = n.travel_date
    JOIN bus_info s ON s.bus_id = n.bus_id
    CROSS JOIN LATERAL (SELECT lower(n.period) + coalesce(t.delays[1], '0')) AS begins (at)
    WHERE a.bus_id = trip.bus_id AND a.travel_date = trip.travel_date AND begins.at < api.trip_ends_at(trip.bus_id, trip.travel_date)
$$;

-- The delay of a trip at a stop, and the next trips of its vehicle and its drivers that begin before it ends.
CREATE OR REPLACE FUNCTION api.show_delay(service bus_info, trip trips, stop route_table) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('bus_id', trip.bus_id, 'travel_date', trip.travel_date, 'stop_no', stop.stop_no, 'place', c.name,
        'minutes', coalesce(extract(epoch FROM trip.delays[stop.stop_no])::int / 60, 0),
        'expected_at', api.rfc3339(api.leaves_at(service, trip, stop), c.time_zone),
        'scheduled_at', api.rfc3339(api.instant(trip.travel_date, coalesce(stop.departs, stop.arrives), service.time_zone), c.time_zone),
        'next_trips', api.trips_begun_before_end(trip))
    FROM places c WHERE c.code = stop.place
$$;
