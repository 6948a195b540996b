-- The reasons not to sell, each a function that answers a refusal, or NULL where there is none.

-- The trip does not run.
CREATE OR REPLACE FUNCTION api.trip_cancelled(service bus_info, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    reason text := (SELECT coalesce(t.reason, '') FROM trips t
        WHERE t.bus_id = service.bus_id AND t.travel_date = trip_cancelled.travel_date AND t.state = 'cancelled');
BEGIN
    IF reason IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('trip_cancelled', rtrim(format('%s (%s %s) does not run on %s. %s',
        service.name, service.nouns ->> 'service', service.bus_id, travel_date, reason)));
END $$;

-- The trip does not run, or has left the boarding stop.
CREATE OR REPLACE FUNCTION api.not_for_sale(service bus_info, trip trips, s api.stretch) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF trip.state = 'cancelled' THEN
        RETURN api.trip_cancelled(service, trip.travel_date);
    ELSIF s.sells_until <= api.now() THEN
        RETURN (SELECT api.refusal('departed', format('%s (%s %s) of %s no longer sells from %s: it left at %s.',
                service.name, service.nouns ->> 'service', service.bus_id, trip.travel_date, p.name,
                to_char(s.departs_at AT TIME ZONE p.time_zone, 'HH24:MI')))
            FROM route_table r JOIN places p ON p.code = r.place
            WHERE r.bus_id = service.bus_id AND r.stop_no = s.from_stop);
    END IF;
    RETURN NULL;
END $$;

-- The party is too large for one booking, contradicts itself, or leaves no contact, a phone or an
-- account, where one is needed.
CREATE OR REPLACE FUNCTION api.party_refused(service bus_info, seats int[], wanted int, contact text, passengers jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF wanted IS NULL OR wanted < 1 THEN
        RETURN api.bad_request('seats', 'a list of seat numbers, or count', 'Say which seats, or how many.');
    ELSIF wanted > service.max_seats THEN
        RETURN api.refusal('too_many_seats', format('One booking may have %s; this asks for %s.',
            api.counted(service.max_seats, service.nouns ->> 'seat'), wanted), jsonb_build_object('limit', service.max_seats));
    ELSIF service.phone_required AND contact IS NULL THEN
        RETURN api.bad_request('phone', 'a phone number', 'A phone number is needed, to open the booking with.');
    ELSIF jsonb_array_length(passengers) > wanted THEN
        RETURN api.bad_request('passengers', 'one passenger a seat at most', 'There are more passengers than seats.');
    ELSIF cardinality(seats) > 1 THEN
        IF wanted > (SELECT count(DISTINCT n) FROM unnest(seats) AS n) THEN
            RETURN api.bad_request('seats', 'different seat numbers', 'The same seat is named twice.');
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- A named seat does not exist, or is taken over part of the stretch.
CREATE OR REPLACE FUNCTION api.seats_refused(service bus_info, travel_date date, s api.stretch, seats int[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known int[];
    gone  int[];
    seat  text;
BEGIN
    IF cardinality(seats) = (SELECT count(*) FROM seats t
            WHERE t.bus_id = service.bus_id AND t.travel_date = seats_refused.travel_date
              AND t.seat_no = ANY (seats_refused.seats) AND NOT t.taken && s.segment) THEN
        RETURN NULL;
    END IF;
    seat := service.nouns ->> 'seat';
    SELECT array_agg(t.seat_no), array_agg(t.seat_no ORDER BY t.seat_no) FILTER (WHERE t.taken && s.segment) INTO known, gone
    FROM seats t
    WHERE t.bus_id = service.bus_id AND t.travel_date = seats_refused.travel_date AND t.seat_no = ANY (seats_refused.seats);
    IF cardinality(known) IS DISTINCT FROM cardinality(seats_refused.seats) THEN
        RETURN api.unknown_seat(service, travel_date, ARRAY(SELECT unnest(seats_refused.seats) EXCEPT SELECT unnest(known) ORDER BY 1));
    ELSIF gone IS NOT NULL THEN
        RETURN api.refusal('seat_taken', format('%s %s taken between %s and %s.', api.listed(gone, seat),
            CASE WHEN cardinality(gone) = 1 THEN 'is' ELSE 'are' END,
            api.stop_name(service.bus_id, s.from_stop), api.stop_name(service.bus_id, s.to_stop)),
            jsonb_build_object('seats', to_jsonb(gone)));
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION api.unknown_seat(service bus_info, travel_date date, seats int[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    n bigint := (SELECT count(*) FROM seats t WHERE t.bus_id = service.bus_id AND t.travel_date = unknown_seat.travel_date);
BEGIN
    RETURN api.refusal('unknown_seat', format('There is no %s; the %s has %s, numbered from 1.',
            lower(api.listed(unknown_seat.seats, service.nouns ->> 'seat')), service.nouns ->> 'service',
            api.counted(n, service.nouns ->> 'seat')),
        jsonb_build_object('seats', to_jsonb(unknown_seat.seats), 'seat_count', n));
END $$;

-- Fewer seats are free than asked for. NULL where the party may wait for them instead.
CREATE OR REPLACE FUNCTION api.sold_out(service bus_info, travel_date date, s api.stretch, wanted int, waitlist boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    free    bigint := api.seats_free(service.bus_id, travel_date, s.segment);
    seats   bigint := (SELECT count(*) FROM seats t WHERE t.bus_id = service.bus_id AND t.travel_date = sold_out.travel_date);
    waiting bigint;
BEGIN
    IF NOT waitlist OR wanted > seats THEN
        RETURN api.refusal('sold_out', format('%s free between %s and %s.',
                CASE free WHEN 0 THEN format('No %s is', service.nouns ->> 'seat')
                          WHEN 1 THEN format('Only 1 %s is', service.nouns ->> 'seat')
                          ELSE format('Only %s are', api.counted(free, service.nouns ->> 'seat')) END,
                api.stop_name(service.bus_id, s.from_stop), api.stop_name(service.bus_id, s.to_stop)),
            jsonb_build_object('seats_free', free));
    END IF;
    SELECT count(DISTINCT p.reference) INTO waiting FROM passengers p
    WHERE p.bus_id = service.bus_id AND p.travel_date = sold_out.travel_date AND p.status = 'pending';
    IF waiting >= service.queue_limit THEN
        RETURN api.refusal('queue_full', format('The waiting list is full: %s wait already.', waiting),
            jsonb_build_object('limit', service.queue_limit));
    END IF;
    RETURN NULL;
END $$;
