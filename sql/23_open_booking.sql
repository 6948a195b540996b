-- Open a booking. The caller must give the reference and one of these: the booking's phone number; the account that
-- made the booking; the agent who sold it; an account that may change its service. For a booking with neither phone number nor
-- account that no agent sold, the reference is enough. The refusal does not say which value is wrong, so that it does not confirm a guessed reference.
CREATE OR REPLACE FUNCTION api.open_booking(reference text, phone text, account text DEFAULT NULL) RETURNS api.opened_booking
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b api.opened_booking;
BEGIN
    b.reference := upper(btrim(reference));
    b.bus_id := api.booking_bus(b.reference);
    SELECT p.travel_date INTO b.travel_date FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference
      AND (p.phone = open_booking.phone OR p.phone IS NULL AND p.account IS NULL AND p.sold_by IS NULL
           OR p.account = open_booking.account OR p.sold_by = open_booking.account AND api.is_agent(open_booking.account)
           OR api.operates(open_booking.account, b.bus_id)) LIMIT 1;
    IF NOT FOUND THEN
        b.refusal := api.refusal('unknown_booking', 'No booking has that reference and phone number.');
    END IF;
    RETURN b;
END $$;

-- Whether a booking has left a trip since the trip was found. The caller has locked the trip, so it does not leave it later.
CREATE OR REPLACE FUNCTION api.has_moved(b api.opened_booking, trip trips) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN b.refusal IS NULL AND (b.bus_id, b.travel_date) IS DISTINCT FROM (trip.bus_id, trip.travel_date);

-- The present status of a ticket: a hold or waitlist entry is expired from its expires_at on, even if the trip is
-- not settled yet.
CREATE OR REPLACE FUNCTION api.status_now(status text, expires_at timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN status IN ('held', 'pending') AND expires_at <= api.now() THEN 'expired' ELSE status END;

-- The trip of a booking.
CREATE OR REPLACE FUNCTION api.trip(booking api.opened_booking) RETURNS trips
LANGUAGE sql STABLE AS $$
    SELECT t FROM trips t WHERE t.bus_id = booking.bus_id AND t.travel_date = booking.travel_date
$$;

-- The time until which the boarding stop of a booking is on sale.
CREATE OR REPLACE FUNCTION api.booking_sells_until(booking api.opened_booking) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT api.sells_until(s, t, r.stop_no, r.departs)
    FROM passengers p
    JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
    JOIN bus_info s ON s.bus_id = p.bus_id
    WHERE p.bus_id = booking.bus_id AND p.reference = booking.reference
    LIMIT 1
$$;

-- Check that the boarding stop of a booking is on sale. Else the booking cannot be changed, unless its tickets are displaced.
CREATE OR REPLACE FUNCTION api.check_not_departed(booking api.opened_booking) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('departed', format('The %s of booking %s has left %s; it cannot be changed any more.',
        s.nouns ->> 'service', booking.reference, c.name))
    FROM passengers p
    JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
    JOIN places c ON c.code = r.place
    JOIN bus_info s ON s.bus_id = p.bus_id
    WHERE p.bus_id = booking.bus_id AND p.reference = booking.reference
      AND api.sells_until(s, t, r.stop_no, r.departs) <= api.now()
      AND NOT EXISTS (SELECT FROM passengers d WHERE d.bus_id = p.bus_id AND d.reference = p.reference AND d.status = 'displaced')
    LIMIT 1
$$;
