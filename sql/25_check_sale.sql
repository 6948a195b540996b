-- Checks of a sale. Each returns a refusal or NULL.

-- Check that the trip is not cancelled. from_stop: the boarding stop.
CREATE OR REPLACE FUNCTION api.check_trip_runs(service bus_info, travel_date date, from_stop int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    reason text := (SELECT coalesce(t.reason, '') FROM trips t
        WHERE t.bus_id = service.bus_id AND t.travel_date = check_trip_runs.travel_date AND t.state = 'cancelled');
BEGIN
    IF reason IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('trip_cancelled', rtrim(format('%s (%s %s) does not run on %s. %s',
        service.name, service.nouns ->> 'service', service.bus_id, api.boarding_date(service, travel_date, from_stop), reason)));
END $$;

-- Check that the trip is not cancelled and that the boarding stop is on sale.
CREATE OR REPLACE FUNCTION api.check_on_sale(service bus_info, trip trips, s api.found_segment) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF trip.state = 'cancelled' THEN
        RETURN api.check_trip_runs(service, trip.travel_date, s.from_stop);
    ELSIF s.sells_until <= api.now() THEN
        RETURN (SELECT api.refusal('departed', format('%s (%s %s) of %s is no longer sold from %s, where it departs at %s.',
                service.name, service.nouns ->> 'service', service.bus_id, api.boarding_date(service, trip.travel_date, s.from_stop), p.name,
                to_char(s.departs_at AT TIME ZONE p.time_zone, 'HH24:MI')))
            FROM route_table r JOIN places p ON p.code = r.place
            WHERE r.bus_id = service.bus_id AND r.stop_no = s.from_stop);
    END IF;
    RETURN NULL;
END $$;

-- Check the size of the party, its seat numbers and passengers, and that there is a contact (phone number or
-- account) if the service needs one.
CREATE OR REPLACE FUNCTION api.check_party(service bus_info, seats int[], wanted int, contact text, passengers jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF wanted IS NULL OR wanted < 1 THEN
        RETURN api.refusal_bad_request('seats', 'a list of seat numbers, or count', 'Say which seats, or how many.');
    ELSIF wanted > service.max_seats THEN
        RETURN api.refusal('too_many_seats', format('One booking may have at most %s; you asked for %s.',
            api.format_count(service.max_seats, service.nouns ->> 'seat'), wanted), jsonb_build_object('limit', service.max_seats));
    ELSIF service.phone_required AND contact IS NULL THEN
        RETURN api.refusal_bad_request('phone', 'a phone number', 'A phone number is required. You need it to see or change the booking later.');
    ELSIF jsonb_array_length(passengers) > wanted THEN
        RETURN api.refusal_bad_request('passengers', 'at most one passenger for each seat', 'There are more passengers than seats.');
    ELSIF cardinality(seats) > 1 THEN
        IF wanted > (SELECT count(DISTINCT n) FROM unnest(seats) AS n) THEN
            RETURN api.refusal_bad_request('seats', 'different seat numbers', 'The same seat is named twice.');
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Check that the service grants the concessions of the passengers, and takes their infants.
CREATE OR REPLACE FUNCTION api.check_concessions(service bus_info, passengers jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    granted text[];
    unknown text;
BEGIN
    IF NOT passengers @? '$[*] ? (@.concession != null || @.infant != null)' THEN
        RETURN NULL;
    END IF;
    granted := ARRAY(SELECT c.name FROM api.concessions(service) AS c WHERE c.seat);
    SELECT p ->> 'concession' INTO unknown FROM jsonb_array_elements(passengers) AS p
    WHERE NOT EXISTS (SELECT FROM unnest(granted) AS name WHERE fold_name(name) = fold_name(p ->> 'concession'))
      AND p ->> 'concession' IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RETURN api.refusal('unknown_concession', format('%s (%s %s) has no concession %s. %s', service.name,
                service.nouns ->> 'service', service.bus_id, api.quoted(unknown),
                coalesce('Its concessions: ' || nullif(array_to_string(granted, ', '), '') || '.', 'It has none.')),
            jsonb_build_object('concessions', to_jsonb(granted)));
    ELSIF passengers @? '$[*] ? (@.infant != null)' AND NOT EXISTS (SELECT FROM api.concessions(service) AS c WHERE NOT c.seat) THEN
        RETURN api.refusal('unknown_concession', format('%s (%s %s) takes no infants without a %s of their own.', service.name,
                service.nouns ->> 'service', service.bus_id, service.nouns ->> 'seat'),
            jsonb_build_object('concessions', to_jsonb(granted)));
    END IF;
    RETURN NULL;
END $$;

-- Check that the service has this class of seats, and that the request does not name the seats as well.
CREATE OR REPLACE FUNCTION api.check_class(service bus_info, seat_class text, seats int[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known text[] := ARRAY(SELECT c.seat_class FROM api.seats_by_class(service) AS c
                          WHERE c.seat_class IS NOT NULL ORDER BY c.ordinal);
BEGIN
    IF seats IS NOT NULL THEN
        RETURN api.refusal_bad_request('seat_class', 'the class of the seats that are chosen by count',
            'The class follows from the seats. Give seats or seat_class, not both.');
    ELSIF EXISTS (SELECT FROM unnest(known) AS name WHERE fold_name(name) = fold_name(seat_class)) THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('unknown_class', format('%s (%s %s) has no class %s. %s', service.name,
            service.nouns ->> 'service', service.bus_id, api.quoted(seat_class),
            coalesce('Its classes: ' || nullif(array_to_string(known, ', '), '') || '.', 'It has no classes.')),
        jsonb_build_object('class_names', to_jsonb(known)));
END $$;

-- Check that the seats exist and are free on the segment.
CREATE OR REPLACE FUNCTION api.check_seats(service bus_info, travel_date date, s api.found_segment, seats int[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known int[];
    taken int[];
    seat  text;
BEGIN
    IF cardinality(seats) = (SELECT count(*) FROM seats t
            WHERE t.bus_id = service.bus_id AND t.travel_date = check_seats.travel_date
              AND t.seat_no = ANY (check_seats.seats) AND NOT t.taken && s.segment) THEN
        RETURN NULL;
    END IF;
    seat := service.nouns ->> 'seat';
    SELECT array_agg(t.seat_no), array_agg(t.seat_no ORDER BY t.seat_no) FILTER (WHERE t.taken && s.segment) INTO known, taken
    FROM seats t
    WHERE t.bus_id = service.bus_id AND t.travel_date = check_seats.travel_date AND t.seat_no = ANY (check_seats.seats);
    IF cardinality(known) IS DISTINCT FROM cardinality(check_seats.seats) THEN
        RETURN api.refusal_unknown_seat(service, travel_date, ARRAY(SELECT unnest(check_seats.seats) EXCEPT SELECT unnest(known) ORDER BY 1));
    ELSIF taken IS NOT NULL THEN
        RETURN api.refusal('seat_taken', format('%s %s taken %s.', api.format_numbers(taken, seat),
            CASE WHEN cardinality(taken) = 1 THEN 'is' ELSE 'are' END, api.format_segment(service.bus_id, s)),
            jsonb_build_object('seats', to_jsonb(taken)));
    END IF;
    RETURN NULL;
END $$;

-- The refusal for seats that the trip does not have.
CREATE OR REPLACE FUNCTION api.refusal_unknown_seat(service bus_info, travel_date date, seats int[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    n bigint := (SELECT count(*) FROM seats t WHERE t.bus_id = service.bus_id AND t.travel_date = refusal_unknown_seat.travel_date);
BEGIN
    RETURN api.refusal('unknown_seat', format('There %s no %s; the %s has %s, numbered from 1.',
            CASE WHEN cardinality(refusal_unknown_seat.seats) = 1 THEN 'is' ELSE 'are' END,
            lower(api.format_numbers(refusal_unknown_seat.seats, service.nouns ->> 'seat')), service.nouns ->> 'service',
            api.format_count(n, service.nouns ->> 'seat')),
        jsonb_build_object('seats', to_jsonb(refusal_unknown_seat.seats), 'seat_count', n));
END $$;

-- Check that a party for which too few seats are free can join the waitlist: the party accepts the waitlist, the
-- trip has enough seats in total, the waitlist is not full, and the limits allow it. among: only these seats count; NULL:
-- all. The refusal lists the fares of all classes, and the free seats that are for women.
CREATE OR REPLACE FUNCTION api.check_waitlist(
    service bus_info, travel_date date, s api.found_segment, wanted int, waitlist boolean, limits jsonb, among int[] DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    free    bigint := api.seats_free(service.bus_id, travel_date, s.segment, among);
    women   int[];   -- the free seats for women
    seats   bigint := (SELECT count(*) FROM seats t WHERE t.bus_id = service.bus_id AND t.travel_date = check_waitlist.travel_date
                       AND (among IS NULL OR t.seat_no = ANY (among)));
    waiting bigint;
    classes jsonb;
BEGIN
    IF NOT waitlist OR wanted > seats THEN
        IF service.seat_classes IS NOT NULL THEN
            classes := api.shown_fares(service, travel_date, s) -> 'classes';
        END IF;
        SELECT array_agg(n.seat_no ORDER BY n.seat_no) INTO women FROM api.seats_now(service.bus_id, travel_date) AS n
        WHERE NOT n.taken && s.segment AND n.seat_no = ANY (service.women_seats) AND n.seat_no <> ALL (among);
        RETURN api.refusal('sold_out', format('%s free %s%s.%s',
                CASE free WHEN 0 THEN format('No %s is', service.nouns ->> 'seat')
                          WHEN 1 THEN format('Only 1 %s is', service.nouns ->> 'seat')
                          ELSE format('Only %s are', api.format_count(free, service.nouns ->> 'seat')) END,
                api.format_segment(service.bus_id, s), ' in this class. Free in all classes: ' || (
                    SELECT string_agg(format('%s %s at %s', c ->> 'seats_free', coalesce(c ->> 'name', 'others'), c ->> 'fare'), ', ')
                    FROM jsonb_array_elements(classes) AS c),
                ' For a party of women: ' || lower(api.format_numbers(women, service.nouns ->> 'seat')) || '.'),
            jsonb_strip_nulls(jsonb_build_object('seats_free', free, 'women_seats', women))
            || CASE WHEN classes IS NULL THEN '{}' ELSE jsonb_build_object('classes', classes) END);
    END IF;
    SELECT count(DISTINCT p.reference) INTO waiting FROM passengers p
    WHERE p.bus_id = service.bus_id AND p.travel_date = check_waitlist.travel_date AND p.status = 'pending';
    IF waiting >= service.queue_limit THEN
        RETURN api.refusal('queue_full', format('The waitlist is full. Parties on it: %s.', waiting),
            jsonb_build_object('limit', service.queue_limit));
    END IF;
    RETURN api.check_waitlist_limits(limits, service, travel_date);
END $$;
