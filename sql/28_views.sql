-- Views for psql, with names, and with times in the time zone of the service.

-- Every ticket. A hold or waitlist entry is expired from its expires_at on, even if the trip is not settled yet.
CREATE OR REPLACE VIEW bookings AS
SELECT p.reference, p.ticket_no,
       api.status_now(p.status, p.expires_at) AS status,
       p.bus_id, s.name AS service, p.travel_date,
       pa.name AS origin, pb.name AS destination, coalesce(p.seat_no, p.former_seat) AS seat_no, p.name AS passenger, p.phone, p.account,
       api.expected(t, a.stop_no, a.departs, s.time_zone) AT TIME ZONE s.time_zone AS departs,
       api.expected(t, b.stop_no, b.arrives, s.time_zone) AT TIME ZONE s.time_zone AS arrives,
       p.fare, p.refund, p.created_at, p.expires_at, p.booked_at, p.ended_at, s.kind, s.operator, s.currency
FROM passengers p
JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
JOIN bus_info s ON s.bus_id = p.bus_id
JOIN route_table a ON a.bus_id = p.bus_id AND a.stop_no = lower(p.segment)
JOIN route_table b ON b.bus_id = p.bus_id AND b.stop_no = upper(p.segment)
JOIN places pa ON pa.code = a.place
JOIN places pb ON pb.code = b.place;
COMMENT ON VIEW bookings IS 'Every ticket, with names, and with times in the time zone of the service.';
COMMENT ON COLUMN bookings.reference IS 'Reference of the booking. The tickets of a party share it.';
COMMENT ON COLUMN bookings.ticket_no IS 'Number of the ticket in its booking, from 1.';
COMMENT ON COLUMN bookings.status IS 'held, booked, pending, displaced, cancelled or expired, now: a hold is expired from expires_at on.';
COMMENT ON COLUMN bookings.bus_id IS 'Number of the service.';
COMMENT ON COLUMN bookings.service IS 'Name of the service.';
COMMENT ON COLUMN bookings.travel_date IS 'Date at the first stop of the trip.';
COMMENT ON COLUMN bookings.origin IS 'Place at which the passenger boards.';
COMMENT ON COLUMN bookings.destination IS 'Place at which the passenger alights.';
COMMENT ON COLUMN bookings.seat_no IS 'Seat of the ticket, or, if the vehicle was exchanged after the ticket ended, its former seat. NULL while it is pending.';
COMMENT ON COLUMN bookings.passenger IS 'Name of the passenger. NULL: none was given.';
COMMENT ON COLUMN bookings.phone IS 'Phone number of the booking in E.164. NULL: none was given.';
COMMENT ON COLUMN bookings.account IS 'Account that made the booking. NULL: a guest.';
COMMENT ON COLUMN bookings.departs IS 'Expected departure from the origin, in the time zone of the service.';
COMMENT ON COLUMN bookings.arrives IS 'Expected arrival at the destination, in the time zone of the service.';
COMMENT ON COLUMN bookings.fare IS 'Fare of the ticket when it was sold.';
COMMENT ON COLUMN bookings.refund IS 'Amount that was refunded.';
COMMENT ON COLUMN bookings.created_at IS 'When it was requested.';
COMMENT ON COLUMN bookings.expires_at IS 'When the hold or waitlist entry expires. NULL: it does not expire.';
COMMENT ON COLUMN bookings.booked_at IS 'When it was booked. NULL: it was not.';
COMMENT ON COLUMN bookings.ended_at IS 'When it was cancelled or expired. NULL: it has not ended.';
COMMENT ON COLUMN bookings.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN bookings.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN bookings.currency IS 'Currency of the fare and the refund (ISO 4217).';

-- The free seats of every segment that is on sale. Slow without a condition on bus_id and travel_date.
CREATE OR REPLACE VIEW vacancy AS
SELECT t.bus_id, t.travel_date, s.name AS service, pa.name AS origin, pb.name AS destination,
       a.stop_no AS from_stop, b.stop_no AS to_stop, api.segment_fare(a, b.stop_no, b.fare) AS fare,
       free.seats_free, free.seat_nos, s.kind, s.operator, s.currency
FROM trips t
JOIN bus_info s USING (bus_id)
JOIN route_table a ON a.bus_id = t.bus_id
JOIN route_table b ON b.bus_id = t.bus_id AND b.stop_no > a.stop_no AND b.arrives IS NOT NULL
JOIN places pa ON pa.code = a.place
JOIN places pb ON pb.code = b.place
CROSS JOIN LATERAL (
    SELECT count(*) AS seats_free, array_agg(n.seat_no ORDER BY n.seat_no) AS seat_nos
    FROM api.seats_now(t.bus_id, t.travel_date) AS n WHERE NOT n.taken && int4range(a.stop_no, b.stop_no)
) AS free
WHERE t.state = 'open' AND api.sells_until(s, t, a.stop_no, a.departs) > api.now()
  AND NOT api.is_after_end(s, t.travel_date, b.arrives) AND api.serves(t, a.stop_no) AND api.serves(t, b.stop_no)
  AND api.sells_length(s, b.km - a.km, api.expected(t, a.stop_no, a.departs, s.time_zone));
COMMENT ON VIEW vacancy IS 'Free seats of every segment that is on sale. Slow without a condition on bus_id and travel_date.';
COMMENT ON COLUMN vacancy.bus_id IS 'Number of the service.';
COMMENT ON COLUMN vacancy.travel_date IS 'Date at the first stop of the trip.';
COMMENT ON COLUMN vacancy.service IS 'Name of the service.';
COMMENT ON COLUMN vacancy.origin IS 'First place of the segment.';
COMMENT ON COLUMN vacancy.destination IS 'Last place of the segment.';
COMMENT ON COLUMN vacancy.from_stop IS 'Number of the first stop.';
COMMENT ON COLUMN vacancy.to_stop IS 'Number of the last stop.';
COMMENT ON COLUMN vacancy.fare IS 'Fare for one seat.';
COMMENT ON COLUMN vacancy.seats_free IS 'Number of seats that are free on the whole segment.';
COMMENT ON COLUMN vacancy.seat_nos IS 'Numbers of these seats. NULL: none.';
COMMENT ON COLUMN vacancy.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN vacancy.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN vacancy.currency IS 'Currency of the fare (ISO 4217).';

-- The passengers who board and alight at each stop of a trip, and the seats that become free there.
CREATE OR REPLACE VIEW manifest AS
SELECT t.bus_id, t.travel_date, s.name AS service, r.stop_no, r.place AS stop,
       api.expected(t, r.stop_no, r.arrives, s.time_zone) AT TIME ZONE s.time_zone AS arrives,
       api.expected(t, r.stop_no, r.departs, s.time_zone) AT TIME ZONE s.time_zone AS departs,
       boards.passengers AS boards, alights.passengers AS alights, r.come_free, s.kind, s.operator
FROM trips t
JOIN bus_info s USING (bus_id)
CROSS JOIN LATERAL api.trip_stops(t.bus_id, t.travel_date) AS r
CROSS JOIN LATERAL (
    SELECT string_agg(format('%s %s', p ->> 'seat_no', coalesce(p ->> 'name', p ->> 'reference')), ', ') AS passengers
    FROM jsonb_array_elements(r.boards) AS p
) AS boards
CROSS JOIN LATERAL (
    SELECT string_agg(format('%s %s', p ->> 'seat_no', coalesce(p ->> 'name', p ->> 'reference')), ', ') AS passengers
    FROM jsonb_array_elements(r.alights) AS p
) AS alights
ORDER BY t.bus_id, t.travel_date, r.stop_no;
COMMENT ON VIEW manifest IS 'Passengers who board and alight at each stop of a trip, and the seats that become free there.';
COMMENT ON COLUMN manifest.bus_id IS 'Number of the service.';
COMMENT ON COLUMN manifest.travel_date IS 'Date at the first stop of the trip.';
COMMENT ON COLUMN manifest.service IS 'Name of the service.';
COMMENT ON COLUMN manifest.stop_no IS 'Number of the stop, from 1.';
COMMENT ON COLUMN manifest.stop IS 'Place of the stop.';
COMMENT ON COLUMN manifest.arrives IS 'Expected arrival, in the time zone of the service. NULL at the first stop.';
COMMENT ON COLUMN manifest.departs IS 'Expected departure, in the time zone of the service. NULL at the last stop.';
COMMENT ON COLUMN manifest.boards IS 'Seat and name of each passenger who boards; the reference if the name is unknown. NULL: none.';
COMMENT ON COLUMN manifest.alights IS 'Seat and name of each passenger who alights; the reference if the name is unknown. NULL: none.';
COMMENT ON COLUMN manifest.come_free IS 'Seats of alighting passengers that are not taken on the next leg. NULL: none.';
COMMENT ON COLUMN manifest.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN manifest.operator IS 'Name of the company that runs the service.';
