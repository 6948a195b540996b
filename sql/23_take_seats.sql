-- Mark a segment of some seats as taken. The caller has locked the trip and checked that the seats are free.
CREATE OR REPLACE FUNCTION api.take_seats(bus_id bigint, travel_date date, seat_nos int[], segment int4range) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE seats s SET taken = s.taken + int4multirange(segment)
    WHERE s.bus_id = take_seats.bus_id AND s.travel_date = take_seats.travel_date AND s.seat_no = ANY (seat_nos);
END $$;
