-- Events of bookings and trips, written in the transaction of the change.
--
-- api.batch records the events of sales, confirmations and cancellations, whose bookings it shows anyway. A function that changes
-- other bookings than that of its call, or that may change nothing, calls api.record_events after the change. If the change is
-- rolled back, so is its event. event_no is taken when the change is made, under the lock of the trip, so it is in order for each
-- booking.
--
-- data.cause says why: seat, segment, times, vehicle, transfer, exchange, offer, contact, check_in, payment or trip. data.why says it in words. data.offer_state says what became of
-- an offer: accepted, declined or expired.

-- The event of a call on a booking that was not refused. NULL: the function that executes the method records it.
CREATE OR REPLACE FUNCTION api.event_type(method text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE method
    WHEN 'book' THEN 'booking.booked' WHEN 'hold' THEN 'booking.held' WHEN 'confirm' THEN 'booking.booked'
    WHEN 'release' THEN 'booking.released' WHEN 'decline' THEN 'booking.cancelled'
    WHEN 'alight' THEN 'booking.changed' WHEN 'exchange' THEN 'booking.changed' WHEN 'accept' THEN 'booking.changed' END;

-- The cause of the event of a call, as a part of its data.
CREATE OR REPLACE FUNCTION api.event_cause(method text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE method WHEN 'alight' THEN '{"cause": "segment"}' WHEN 'exchange' THEN '{"cause": "exchange"}'
    WHEN 'accept' THEN '{"cause": "offer", "offer_state": "accepted"}'
    WHEN 'decline' THEN '{"cause": "offer", "offer_state": "declined"}' END::jsonb;

-- The cause of an event, as a part of its data. why: a sentence for passengers.
CREATE OR REPLACE FUNCTION api.because(cause text, why text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_strip_nulls(jsonb_build_object('cause', cause, 'why', why));

-- Record an event for each of some bookings, as they are now. bus_ids[i] and refs[i] name a booking. more: added to the data.
CREATE OR REPLACE FUNCTION api.record_events(type text, bus_ids bigint[], refs text[], more jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (event_no, type, bus_id, travel_date, reference, at, data)
    SELECT nextval('event_no_seq'), record_events.type, (b ->> 'bus_id')::bigint, (b ->> 'travel_date')::date, b ->> 'reference', api.now(), b || more
    FROM unnest(api.show_bookings(bus_ids, refs)) AS b;
END $$;

-- Record an event of a trip, as it is now. more: added to the data.
CREATE OR REPLACE FUNCTION api.record_trip_event(type text, bus_id bigint, travel_date date, more jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (event_no, type, bus_id, travel_date, at, data)
    SELECT nextval('event_no_seq'), record_trip_event.type, record_trip_event.bus_id, record_trip_event.travel_date, api.now(),
           api.show_trip(record_trip_event.bus_id, record_trip_event.travel_date) || more;
END $$;
