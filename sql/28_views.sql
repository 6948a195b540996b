-- Views for psql, with names, and with times in the time zone of the service.

-- Every ticket. A hold or waitlist entry is expired from its expires_at on, even if the trip is not settled yet.
CREATE OR REPLACE VIEW bookings AS
SELECT p.reference, p.ticket_no,
       api.status_now(p.status, p.expires_at) AS status,
       p.bus_id, s.name AS service, p.travel_date,
       pa.name AS origin, pb.name AS destination, p.seat_no, p.name AS passenger, p.phone, p.account,
       api.instant(p.travel_date, a.departs, s.time_zone) AT TIME ZONE s.time_zone AS departs,
       api.instant(p.travel_date, b.arrives, s.time_zone) AT TIME ZONE s.time_zone AS arrives,
       p.fare, p.refund, p.created_at, p.expires_at, p.booked_at, p.ended_at
FROM passengers p
JOIN bus_info s USING (bus_id)
JOIN route_table a ON a.bus_id = p.bus_id AND a.stop_no = lower(p.segment)
JOIN route_table b ON b.bus_id = p.bus_id AND b.stop_no = upper(p.segment)
JOIN places pa ON pa.code = a.place
JOIN places pb ON pb.code = b.place;

-- The free seats of every segment that is on sale. Slow without a condition on bus_id and travel_date.
CREATE OR REPLACE VIEW vacancy AS
SELECT t.bus_id, t.travel_date, s.name AS service, pa.name AS origin, pb.name AS destination,
       a.stop_no AS from_stop, b.stop_no AS to_stop, b.fare - a.fare AS fare,
       free.seats_free, free.seat_nos
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
WHERE t.state = 'open' AND api.sells_until(s, t.travel_date, a.departs) > api.now()
  AND NOT api.is_after_end(s, t.travel_date, b.arrives);

-- The passengers who board and alight at each stop of a trip, and the seats that become free there.
CREATE OR REPLACE VIEW manifest AS
SELECT t.bus_id, t.travel_date, s.name AS service, r.stop_no, r.place AS stop,
       api.instant(t.travel_date, r.arrives, s.time_zone) AT TIME ZONE s.time_zone AS arrives,
       api.instant(t.travel_date, r.departs, s.time_zone) AT TIME ZONE s.time_zone AS departs,
       boards.passengers AS boards, alights.passengers AS alights, r.come_free
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
