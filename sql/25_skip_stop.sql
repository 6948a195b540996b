-- Stops that a trip skips: nobody boards or alights there. The caller has locked and settled the trip.

-- Skip a stop, given by place or number (`at`). Booked tickets that board there board at the next stop that is served; those
-- that alight there alight at the last one before. Their fares stay, and each of their bookings gets an offer: to decline it
-- refunds the whole fare. If nothing is left of a journey, its booking is displaced. Holds and waitlist entries end. A
-- passenger on board keeps the ticket if no stop is served between the next one and the skipped one. plan: change nothing, and
-- answer the same.
CREATE OR REPLACE FUNCTION api.skip_stop(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    service bus_info;
    stop    route_table;
    cause   text;
    party   record;
    moved   int := 0;   -- booked tickets
    shown   int := 0;   -- bookings
    lost    int := 0;   -- displaced bookings
    ended   int := 0;   -- held and pending tickets
BEGIN
    IF trip.bus_id IS NULL THEN
        o.refusal := api.refusal_unknown_trip(a.bus_id, a.travel_date);
        RETURN o;
    END IF;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = trip.bus_id;
    stop := api.stop_at(service, trip, a.at);
    o.refusal := coalesce(api.check_changeable(service, trip, stop, a.at), api.check_stops_left(service, trip, stop));
    IF o.refusal IS NOT NULL THEN
        RETURN o;
    END IF;
    cause := format('The %s does not stop at %s.%s', service.nouns ->> 'service', api.stop_name(trip.bus_id, stop.stop_no), ' ' || (rtrim(a.reason, ' .') || '.'));
    BEGIN
        IF api.serves(trip, stop.stop_no) THEN
            UPDATE trips t SET skipped = ARRAY(SELECT n FROM unnest(t.skipped || stop.stop_no) AS n ORDER BY n)
            WHERE t.bus_id = trip.bus_id AND t.travel_date = trip.travel_date RETURNING t.* INTO trip;
            -- waitlist entries end first, so that none of them is promoted for a seat that becomes free
            FOR party IN
                SELECT t.reference, t.status, array_agg(t.ticket_no) AS tickets, bool_or(NOT t.on_board AND t.journey IS NULL) AS nothing_left
                FROM api.tickets_at_stop(service, trip, stop.stop_no) AS t GROUP BY t.reference, t.status
                ORDER BY t.status = 'pending' DESC, t.status = 'held' DESC, t.reference
            LOOP
                shown := shown + 1;
                IF party.status <> 'booked' THEN
                    ended := ended + cardinality(party.tickets);
                    PERFORM api.end_tickets(ROW(trip.bus_id, party.reference, trip.travel_date, NULL), party.tickets);
                    PERFORM api.tell_booking(trip.bus_id, party.reference, cause || ' The booking has ended. ' || api.money_of_ended(party.reference));
                    PERFORM api.record_events(CASE party.status WHEN 'held' THEN 'booking.released' ELSE 'booking.cancelled' END,
                                              ARRAY[trip.bus_id], ARRAY[party.reference], api.because('segment', cause));
                ELSIF party.nothing_left THEN
                    lost := lost + 1;
                    PERFORM api.displace(trip.bus_id, trip.travel_date, ARRAY[party.reference]);
                    PERFORM api.make_offer(trip.bus_id, party.reference, cause, 'refund', 'segment');
                ELSE
                    moved := moved + cardinality(party.tickets);
                    PERFORM api.make_offer(trip.bus_id, party.reference, cause || ' ' || api.shorten_journeys(service, trip, party.reference, stop.stop_no), 'keep', 'segment');
                END IF;
            END LOOP;
            PERFORM api.record_trip_event('trip.stop_skipped', trip.bus_id, trip.travel_date, jsonb_build_object('stop_no', stop.stop_no) || api.because('segment', cause));
            PERFORM api.promote(trip.bus_id, trip.travel_date);
        END IF;
        o.reply := api.show_stop(trip, stop) || jsonb_build_object('bookings', shown, 'moved', moved, 'displaced', lost, 'ended', ended);
        IF a.plan THEN
            RAISE SQLSTATE 'BW001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- undone
    END;
    RETURN o;
END $$;

-- Serve a stop again that the trip skips. It is on sale again; tickets stay as they are.
CREATE OR REPLACE FUNCTION api.serve_stop(a api.request, trip trips) RETURNS api.outcome
LANGUAGE plpgsql AS $$
DECLARE
    o       api.outcome;
    service bus_info;
    stop    route_table;
BEGIN
    IF trip.bus_id IS NULL THEN
        o.refusal := api.refusal_unknown_trip(a.bus_id, a.travel_date);
        RETURN o;
    END IF;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = trip.bus_id;
    stop := api.stop_at(service, trip, a.at);
    o.refusal := api.check_changeable(service, trip, stop, a.at);
    IF o.refusal IS NULL THEN
        UPDATE trips t SET skipped = nullif(array_remove(t.skipped, stop.stop_no), '{}')
        WHERE t.bus_id = trip.bus_id AND t.travel_date = trip.travel_date AND NOT api.serves(t, stop.stop_no);
        IF FOUND THEN
            PERFORM api.record_trip_event('trip.stop_served', trip.bus_id, trip.travel_date, jsonb_build_object('stop_no', stop.stop_no));
        END IF;
        SELECT * INTO trip FROM trips t WHERE t.bus_id = a.bus_id AND t.travel_date = a.travel_date;
        o.reply := api.show_stop(trip, stop);
    END IF;
    RETURN o;
END $$;

-- Check that passengers can still travel if the trip skips a stop, too.
CREATE OR REPLACE FUNCTION api.check_stops_left(service bus_info, trip trips, stop route_table) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal_bad_request('at', 'a stop, so that two others are served', format(
        'Without %s, %s (%s %s) would serve fewer than two stops. Cancel the trip instead.', api.stop_name(trip.bus_id, stop.stop_no),
        service.name, service.nouns ->> 'service', service.bus_id))
    FROM route_table r
    WHERE r.bus_id = trip.bus_id AND r.stop_no <> stop.stop_no AND api.serves(trip, r.stop_no)
    HAVING count(*) < 2
$$;

-- The live tickets of a trip that board or alight at a stop. on_board: the trip has left their boarding stop. journey: the
-- part of their segment between stops that are served and that the trip has not left; NULL: there is none.
CREATE OR REPLACE FUNCTION api.tickets_at_stop(service bus_info, trip trips, stop_no int)
RETURNS TABLE (reference text, ticket_no int, status text, segment int4range, on_board boolean, journey int4range)
LANGUAGE sql STABLE AS $$
    SELECT p.reference, p.ticket_no, p.status, p.segment, boarding.on_board,
           CASE WHEN ends.from_stop < ends.to_stop THEN int4range(ends.from_stop, ends.to_stop) END
    FROM (   -- two queries: each has a partial index of its own
        SELECT h.reference, h.ticket_no, h.status, h.segment FROM passengers h
        WHERE h.bus_id = trip.bus_id AND h.travel_date = trip.travel_date AND h.status IN ('held', 'booked') AND h.no_show_at IS NULL
        UNION ALL
        SELECT w.reference, w.ticket_no, w.status, w.segment FROM passengers w
        WHERE w.bus_id = trip.bus_id AND w.travel_date = trip.travel_date AND w.status = 'pending'
    ) AS p
    JOIN route_table a ON a.bus_id = trip.bus_id AND a.stop_no = lower(p.segment)
    CROSS JOIN LATERAL (SELECT api.leaves_at(service, trip, a) <= api.now()) AS boarding (on_board)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN on_board THEN a.stop_no ELSE min(r.stop_no) FILTER (WHERE r.departs IS NOT NULL) END AS from_stop,
               max(r.stop_no) FILTER (WHERE r.arrives IS NOT NULL) AS to_stop
        FROM route_table r
        WHERE r.bus_id = trip.bus_id AND r.stop_no BETWEEN lower(p.segment) AND upper(p.segment)
          AND api.serves(trip, r.stop_no) AND api.leaves_at(service, trip, r) > api.now()
    ) AS ends
    WHERE tickets_at_stop.stop_no IN (lower(p.segment), upper(p.segment))
$$;

-- Shorten the booked tickets of a booking that board or alight at a stop, as far as a part of their journey is left, and free
-- their seats. What they refund for ending early stays the same at each stop. Returns what to tell the passengers.
CREATE OR REPLACE FUNCTION api.shorten_journeys(service bus_info, trip trips, reference text, stop_no int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    shorter record;
BEGIN
    WITH shortened AS (
        UPDATE passengers p
        SET segment = t.journey, alight_refunds = CASE WHEN p.alight_refunds IS NOT NULL THEN
            p.alight_refunds[lower(t.journey) - lower(p.segment) + 1 : upper(t.journey) - lower(p.segment) - 1] || p.refund END
        FROM api.tickets_at_stop(service, trip, stop_no) AS t
        WHERE p.bus_id = trip.bus_id AND p.reference = shorten_journeys.reference AND t.reference = p.reference AND p.ticket_no = t.ticket_no
          AND p.status = 'booked' AND t.journey IS NOT NULL
        RETURNING p.seat_no, lower(t.journey) AS from_stop, upper(t.journey) AS to_stop, lower(t.segment) = stop_no AS boards
    )
    SELECT array_agg(s.seat_no) AS seats, bool_or(s.boards) AS boards, min(s.from_stop) AS from_stop, max(s.to_stop) AS to_stop
    INTO shorter FROM shortened s;
    PERFORM api.recount(trip.bus_id, trip.travel_date, shorter.seats);
    RETURN CASE WHEN shorter.seats IS NULL THEN 'The crew says where to get off.'
        ELSE (SELECT format(CASE WHEN shorter.boards THEN 'The journey begins at %s, at %s.' ELSE 'The journey ends at %s, at %s.' END, c.name,
                to_char(api.expected(trip, r.stop_no, CASE WHEN shorter.boards THEN r.departs ELSE r.arrives END, service.time_zone)
                    AT TIME ZONE c.time_zone, 'YYYY-MM-DD HH24:MI'))
            FROM route_table r JOIN places c ON c.code = r.place
            WHERE r.bus_id = trip.bus_id AND r.stop_no = CASE WHEN shorter.boards THEN shorter.from_stop ELSE shorter.to_stop END) END;
END $$;

-- A stop of a trip, and whether it is served.
CREATE OR REPLACE FUNCTION api.show_stop(trip trips, stop route_table) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('bus_id', trip.bus_id, 'travel_date', trip.travel_date, 'stop_no', stop.stop_no,
    'place', api.stop_name(trip.bus_id, stop.stop_no), 'served', api.serves(trip, stop.stop_no));
