-- Reserved seats: bus_info.women_seats are sold to women only, bus_info.accessible_seats to passengers who ask for one,
-- and to others when no other seat is free. passengers: as in a request; passenger n is that of ticket n.

-- The seats of `among`, or all seats of the layout, without those of `seats`.
CREATE OR REPLACE FUNCTION api.seats_without(service bus_info, among int[], seats int[]) RETURNS int[]
LANGUAGE sql STABLE
RETURN ARRAY(SELECT n FROM generate_series(1, api.seat_count(service.layout)) AS n
    WHERE (among IS NULL OR n = ANY (among)) AND n <> ALL (seats) ORDER BY n);

-- The seats from which a party that names no seats gets its seats. among: only these; NULL: all. A party of women may have the
-- seats for women; others may not, because nobody knows which of them would sit there.
CREATE OR REPLACE FUNCTION api.seats_open_to(service bus_info, party int, passengers jsonb, among int[]) RETURNS int[]
LANGUAGE sql STABLE
RETURN CASE WHEN service.women_seats IS NULL OR party = (
        SELECT count(*) FROM jsonb_array_elements(passengers) AS p WHERE p ->> 'gender' = 'female')
    THEN among ELSE api.seats_without(service, among, service.women_seats) END;

-- Choose seats of a trip for a party, in the order of its tickets: see api.choose_seats. service: the trip's service, with the
-- seats of the trip in place of its own. Passengers who ask for accessible seats get those that are free.
CREATE OR REPLACE FUNCTION api.choose_for_party(
    service bus_info, trip trips, segment int4range, party int, passengers jsonb, among int[]
) RETURNS int[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    layout CONSTANT text := trip.own_seats ->> 'layout';
    asking int[];          -- the tickets of the passengers who get an accessible seat
    own    int[] := '{}';  -- their seats
    rest   int[] := '{}';
BEGIN
    IF service.accessible_seats IS NULL THEN
        RETURN api.choose_seats(trip.bus_id, trip.travel_date, segment, party, among, layout);
    END IF;
    asking := ARRAY(SELECT p.n FROM jsonb_array_elements(passengers) WITH ORDINALITY AS p (passenger, n)
        WHERE (p.passenger ->> 'accessible')::boolean ORDER BY p.n
        LIMIT api.seats_free(trip.bus_id, trip.travel_date, segment,
            ARRAY(SELECT n FROM unnest(service.accessible_seats) AS n WHERE among IS NULL OR n = ANY (among))));
    IF asking <> '{}' THEN
        own := api.choose_seats(trip.bus_id, trip.travel_date, segment, cardinality(asking),
            ARRAY(SELECT n FROM unnest(service.accessible_seats) AS n WHERE among IS NULL OR n = ANY (among)), layout);
    END IF;
    IF party > cardinality(asking) THEN
        rest := coalesce(
            api.choose_seats(trip.bus_id, trip.travel_date, segment, party - cardinality(asking),
                             api.seats_without(service, among, service.accessible_seats), layout),
            api.choose_seats(trip.bus_id, trip.travel_date, segment, party - cardinality(asking),
                             api.seats_without(service, among, own), layout));
    END IF;
    RETURN CASE WHEN rest IS NOT NULL THEN ARRAY(
        SELECT CASE WHEN t.asks THEN own[t.place] ELSE rest[t.place] END
        FROM (SELECT n, n = ANY (asking) AS asks, row_number() OVER (PARTITION BY n = ANY (asking) ORDER BY n) AS place
              FROM generate_series(1, party) AS n) AS t
        ORDER BY t.n) END;
END $$;

-- Check that the passengers may have these seats, which are free. passengers: passenger n has the nth seat.
CREATE OR REPLACE FUNCTION api.check_reserved(
    service bus_info, travel_date date, segment int4range, seats int[], passengers jsonb
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    seat       text := service.nouns ->> 'seat';
    women      int[];   -- the seats for women whose passenger is not known to be one
    accessible int[];   -- the accessible seats whose passenger did not ask for one
    others     int[];   -- the free seats that the party may have instead
BEGIN
    SELECT array_agg(s.seat_no ORDER BY s.seat_no) FILTER (
               WHERE s.seat_no = ANY (service.women_seats) AND p.passenger ->> 'gender' IS DISTINCT FROM 'female'),
           array_agg(s.seat_no ORDER BY s.seat_no) FILTER (
               WHERE s.seat_no = ANY (service.accessible_seats) AND (p.passenger ->> 'accessible')::boolean IS NOT true)
    INTO women, accessible
    FROM unnest(check_reserved.seats) WITH ORDINALITY AS s (seat_no, n), LATERAL (SELECT passengers -> (s.n::int - 1)) AS p (passenger);
    IF women IS NULL AND accessible IS NULL THEN
        RETURN NULL;
    END IF;
    others := ARRAY(SELECT n.seat_no FROM api.seats_now(service.bus_id, travel_date) AS n
        WHERE NOT n.taken && segment AND n.seat_no <> ALL (check_reserved.seats)
          AND n.seat_no <> ALL (coalesce(service.accessible_seats, '{}'))
          AND n.seat_no = ANY (api.seats_open_to(service, cardinality(check_reserved.seats), passengers,
                                                 api.seats_without(service, NULL, '{}')))
        ORDER BY n.seat_no);
    IF women IS NULL AND others = '{}' THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('reserved_seat', format('%s %s. %s or choose another %s.%s', api.format_numbers(coalesce(women, accessible), seat),
            CASE WHEN women IS NULL THEN CASE WHEN cardinality(accessible) = 1 THEN 'is an accessible ' || seat
                                              ELSE 'are accessible ' || seat || 's' END
                 WHEN cardinality(women) = 1 THEN 'is for women' ELSE 'are for women' END,
            CASE WHEN women IS NULL THEN 'Ask for it with `accessible` of the passenger,' ELSE 'Give `gender` of the passenger,' END,
            seat, ' Free: ' || nullif(array_to_string(others, ', '), '') || '.'),
        jsonb_build_object('seats', to_jsonb(coalesce(women, accessible)), 'free_seats', to_jsonb(others)));
END $$;
