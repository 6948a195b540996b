-- Repeating routes: their last legs repeat (bus_info.repeat_legs). A hotel is one trip whose legs are nights.

-- Extend a route by its last legs until its trips sell a leg on each day up to to_date. The route ends before the next
-- trip of the service begins, so that no two trips sell the same time. All trips have the same route: it is never longer
-- than the shortest time between two trips. Then api.add_trip after the last trip sells more. The caller has locked the
-- service.
CREATE OR REPLACE FUNCTION api.extend_route(service bus_info, to_date date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last      route_table := (SELECT r FROM route_table r WHERE r.bus_id = service.bus_id ORDER BY r.stop_no DESC LIMIT 1);
    start     route_table := (SELECT r FROM route_table r     -- where the legs that repeat begin
        WHERE r.bus_id = service.bus_id AND r.stop_no = last.stop_no - service.repeat_legs);
    duration  interval := last.arrives - start.arrives;       -- of the legs that repeat
    missing   interval;                                       -- from the last stop to the end of to_date or the next trip
    available interval;                                       -- from the last stop to the next trip, which may be earlier
    times     int;
BEGIN
    IF duration IS NULL THEN
        RAISE EXCEPTION 'Service %: the last % cannot repeat.', service.bus_id, api.format_count(service.repeat_legs, 'leg')
            USING HINT = 'The stop before the legs that repeat needs an arrival time, so it is not the first stop.';
    END IF;
    SELECT max(least(to_date + 1, t.next) - t.travel_date) * interval '1 day' - last.arrives,
           min(t.next - t.travel_date) * interval '1 day' - last.arrives
               + (SELECT r.departs FROM route_table r WHERE r.bus_id = service.bus_id AND r.stop_no = 1)
    INTO missing, available
    FROM (SELECT t.travel_date, lead(t.travel_date) OVER (ORDER BY t.travel_date) AS next
          FROM trips t WHERE t.bus_id = service.bus_id) AS t;
    times := least(ceil(extract(epoch FROM missing) / extract(epoch FROM duration)),
                   floor(extract(epoch FROM available) / extract(epoch FROM duration)));
    IF times > 0 THEN
        PERFORM api.repeat_legs(service, times);
    END IF;
END $$;

-- Append the last legs of a repeating route to it, a number of times.
CREATE OR REPLACE FUNCTION api.repeat_legs(service bus_info, times int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last     route_table := (SELECT r FROM route_table r WHERE r.bus_id = service.bus_id ORDER BY r.stop_no DESC LIMIT 1);
    start    route_table := (SELECT r FROM route_table r     -- where the legs that repeat begin
        WHERE r.bus_id = service.bus_id AND r.stop_no = last.stop_no - service.repeat_legs);
    duration interval := last.arrives - start.arrives;
BEGIN
    UPDATE route_table r SET departs = start.departs + duration
    WHERE r.bus_id = service.bus_id AND r.stop_no = last.stop_no;
    INSERT INTO route_table (bus_id, stop_no, place, arrives, departs, km, fare)
    SELECT r.bus_id, r.stop_no + n * service.repeat_legs, r.place, r.arrives + n * duration,
           CASE WHEN r.stop_no < last.stop_no OR n < times THEN r.departs + n * duration END,
           r.km + n * (last.km - start.km), r.fare + n * (last.fare - start.fare)
    FROM route_table r, generate_series(1, times) AS n
    WHERE r.bus_id = service.bus_id AND r.stop_no > start.stop_no;
END $$;

-- Repeat the legs of a route that was written again until it has as many stops as before, if there are tickets on them.
CREATE OR REPLACE FUNCTION api.restore_length(service bus_info, stops int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    missing CONSTANT int := stops - (SELECT max(r.stop_no) FROM route_table r WHERE r.bus_id = service.bus_id);
BEGIN
    IF service.repeat_legs > 0 AND missing > 0 AND EXISTS (SELECT FROM passengers p WHERE p.bus_id = service.bus_id) THEN
        PERFORM api.repeat_legs(service, (missing + service.repeat_legs - 1) / service.repeat_legs);
        DELETE FROM route_table r WHERE r.bus_id = service.bus_id AND r.stop_no > stops;
        UPDATE route_table r SET departs = NULL WHERE r.bus_id = service.bus_id AND r.stop_no = stops;
    END IF;
END $$;

-- The open trips of a service with a repeating route that begin before an earlier open trip ends: both sell the same time.
CREATE OR REPLACE FUNCTION api.overlapping_trips(bus_id bigint) RETURNS TABLE (travel_date date, earlier date)
LANGUAGE sql STABLE AS $$
    SELECT b.travel_date, a.travel_date
    FROM bus_info s
    JOIN route_table first ON first.bus_id = s.bus_id AND first.stop_no = 1
    JOIN trips a ON a.bus_id = s.bus_id AND a.state = 'open'
    JOIN trips b ON b.bus_id = s.bus_id AND b.state = 'open' AND b.travel_date > a.travel_date
    WHERE s.bus_id = overlapping_trips.bus_id AND s.repeat_legs IS NOT NULL
      AND api.instant(b.travel_date, first.departs, s.time_zone) < api.trip_ends_at(a.bus_id, a.travel_date)
$$;
