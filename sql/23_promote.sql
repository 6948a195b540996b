-- Promote the waitlist of a trip: book each party for which seats are free, in order of arrival. If it has to pay
-- first, the seats are held for payment_minutes, but not beyond the time at which its waiting would have expired. A party that does not fit
-- does not block the parties behind it. A party waits for seats of its class. The query leaves out parties for which
-- too few seats are free at the start, because a promotion only reduces the free seats. The caller has locked the
-- trip.
CREATE OR REPLACE FUNCTION api.promote(bus_id bigint, travel_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    trip    trips;
    service bus_info;
    party  record;
    chosen int[];
    held_until timestamptz;   -- NULL: the party is booked
BEGIN
    IF NOT EXISTS (SELECT FROM passengers p   -- true in most calls, and ten times as fast as the query below
            WHERE p.bus_id = promote.bus_id AND p.travel_date = promote.travel_date AND p.status = 'pending') THEN
        RETURN;
    END IF;
    SELECT * INTO trip FROM trips t WHERE t.bus_id = promote.bus_id AND t.travel_date = promote.travel_date;
    service := api.service_of(trip);
    FOR party IN
        SELECT p.reference, p.segment, array_agg(p.ticket_no ORDER BY p.ticket_no) AS tickets,
               min(api.name_in(p.fare_parts, 'class')) AS seat_class, sum(p.fare) AS fare, min(p.expires_at) AS expires_at,
               jsonb_agg(jsonb_build_object('gender', p.gender, 'accessible', p.accessible) ORDER BY p.ticket_no) AS passengers
        FROM trips t JOIN passengers p ON p.bus_id = t.bus_id AND p.travel_date = t.travel_date
        WHERE t.bus_id = promote.bus_id AND t.travel_date = promote.travel_date AND t.state = 'open'
          AND p.status = 'pending'
        GROUP BY p.reference, p.segment
        HAVING count(*) <= (SELECT count(*) FROM seats s
            WHERE s.bus_id = promote.bus_id AND s.travel_date = promote.travel_date AND NOT s.taken && p.segment)
        ORDER BY min(p.queue_no)
    LOOP
        chosen := api.choose_for_party(service, trip, party.segment, cardinality(party.tickets), party.passengers,
            api.seats_open_to(service, cardinality(party.tickets), party.passengers, api.seats_of_class(service, party.seat_class)));
        CONTINUE WHEN chosen IS NULL;
        held_until := CASE WHEN service.payment <> 'none' AND party.fare > 0 THEN
            least(api.now() + make_interval(mins => service.payment_minutes), party.expires_at) END;
        UPDATE passengers p
        SET status = CASE WHEN held_until IS NULL THEN 'booked' ELSE 'held' END, seat_no = c.seat_no,
            booked_at = CASE WHEN held_until IS NULL THEN api.now() END, expires_at = held_until
        FROM unnest(party.tickets, chosen) AS c (ticket_no, seat_no)
        WHERE p.bus_id = promote.bus_id AND p.reference = party.reference AND p.ticket_no = c.ticket_no;
        IF held_until IS NULL THEN
            DELETE FROM holders h WHERE h.bus_id = promote.bus_id AND h.reference = party.reference;
        ELSE
            UPDATE holders h SET expires_at = held_until WHERE h.bus_id = promote.bus_id AND h.reference = party.reference;
            PERFORM api.settle_by(bus_id, travel_date, held_until);
        END IF;
        PERFORM api.take_seats(bus_id, travel_date, chosen, party.segment);
        PERFORM api.record_payments(ARRAY[bus_id], ARRAY[party.reference]);
        PERFORM api.record_events('booking.promoted', ARRAY[bus_id], ARRAY[party.reference]);
    END LOOP;
END $$;
