-- Views that make psql pleasant: names and local times in place of positions and instants.

-- Every ticket. What has run out shows as expired, settled or not.
CREATE OR REPLACE VIEW bookings AS
SELECT p.reference, p.ticket_no,
       api.status_now(p.status, p.expires_at) AS status,
       p.bus_id, s.name AS service, p.travel_date,
       pa.name AS origin, pb.name AS destination, p.seat_no, p.name AS passenger, p.phone, p.account,
       p.travel_date + a.departs AS departs, p.travel_date + b.arrives AS arrives,   -- in the service's zone
       p.fare, p.refund, p.created_at, p.expires_at, p.booked_at, p.ended_at
FROM passengers p
JOIN bus_info s USING (bus_id)
JOIN route_table a ON a.bus_id = p.bus_id AND a.stop_no = lower(p.segment)
JOIN route_table b ON b.bus_id = p.bus_id AND b.stop_no = upper(p.segment)
JOIN places pa ON pa.code = a.place
JOIN places pb ON pb.code = b.place;

-- The free seats of every stretch that is on sale. Name a bus and a date.
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
WHERE t.state = 'open' AND api.instant(t.travel_date, a.departs, s.time_zone) + s.sells_until > api.now();

-- For the conductor: at each stop of a trip who boards, who alights, and which seats come free there.
CREATE OR REPLACE VIEW manifest AS
SELECT t.bus_id, t.travel_date, s.name AS service, r.stop_no, c.name AS stop,
       t.travel_date + r.arrives AS arrives, t.travel_date + r.departs AS departs,
       boards.passengers AS boards, alights.passengers AS alights, alights.come_free
FROM trips t
JOIN bus_info s USING (bus_id)
JOIN route_table r USING (bus_id)
JOIN places c ON c.code = r.place
CROSS JOIN LATERAL (
    SELECT string_agg(format('%s %s', p.seat_no, coalesce(p.name, p.reference)), ', ' ORDER BY p.seat_no) AS passengers
    FROM passengers p WHERE p.bus_id = t.bus_id AND p.travel_date = t.travel_date
      AND p.status = 'booked' AND lower(p.segment) = r.stop_no
) AS boards
CROSS JOIN LATERAL (
    SELECT string_agg(format('%s %s', p.seat_no, coalesce(p.name, p.reference)), ', ' ORDER BY p.seat_no) AS passengers,
           array_agg(p.seat_no ORDER BY p.seat_no) FILTER (WHERE NOT EXISTS (
               SELECT FROM passengers next WHERE next.bus_id = p.bus_id AND next.travel_date = p.travel_date
                 AND next.seat_no = p.seat_no AND lower(next.segment) = r.stop_no
                 AND api.status_now(next.status, next.expires_at) IN ('held', 'booked')
           )) AS come_free
    FROM passengers p WHERE p.bus_id = t.bus_id AND p.travel_date = t.travel_date
      AND p.status = 'booked' AND upper(p.segment) = r.stop_no
) AS alights
ORDER BY t.bus_id, t.travel_date, r.stop_no;
