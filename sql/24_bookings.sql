-- The bookings of an account, newest first. page: the maximum number of bookings. after: the reference in `next` of
-- the previous page. current: only bookings with a journey that has not ended.
CREATE OR REPLACE FUNCTION api.bookings(
    account text, kind text DEFAULT NULL, current boolean DEFAULT false, page int DEFAULT NULL, after text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    size    int := coalesce(page, 20);
    after_created_at timestamptz;
    bus_ids bigint[];
    refs    text[];
BEGIN
    IF after IS NOT NULL THEN
        SELECT p.created_at INTO after_created_at FROM passengers p
        WHERE p.bus_id = api.booking_bus(after) AND p.reference = bookings.after AND p.ticket_no = 1
          AND p.account = bookings.account;
        IF NOT FOUND THEN
            RETURN api.refusal_bad_request('after', 'the `next` of an earlier page', 'None of your bookings has that reference.');
        END IF;
    END IF;
    SELECT array_agg(b.bus_id), array_agg(b.reference) INTO bus_ids, refs
    FROM api.bookings_before(account, kind, current, size + 1, after_created_at, after) AS b;
    RETURN jsonb_build_object('bookings',
            to_jsonb(api.show_bookings(bus_ids[:size], refs[:size])))
        || CASE WHEN cardinality(refs) > size THEN jsonb_build_object('next', refs[size]) ELSE '{}' END;
END $$;

-- The newest bookings of an account that are older than the booking with this time and reference; NULL: the newest of all.
CREATE OR REPLACE FUNCTION api.bookings_before(account text, kind text, current boolean, size int, before timestamptz, before_reference text)
RETURNS TABLE (bus_id bigint, reference text, created_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.bus_id, p.reference, p.created_at FROM passengers p
    WHERE p.account = bookings_before.account AND p.ticket_no = 1 AND api.keeps_service(p.bus_id)
      AND (bookings_before.before_reference IS NULL OR (p.created_at, p.reference) < (before, bookings_before.before_reference))
      AND (bookings_before.kind IS NULL OR bookings_before.kind = (SELECT s.kind FROM bus_info s WHERE s.bus_id = p.bus_id))
      AND (current IS NOT TRUE OR api.is_current(p.bus_id, p.reference))
    ORDER BY p.created_at DESC, p.reference DESC LIMIT size;
END $$;

-- Whether a booking has a held, booked or pending ticket whose journey has not ended, or a displaced one.
CREATE OR REPLACE FUNCTION api.is_current(bus_id bigint, reference text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM passengers p
        JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
        JOIN bus_info s ON s.bus_id = p.bus_id
        JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = upper(p.segment)
        WHERE p.bus_id = is_current.bus_id AND p.reference = is_current.reference
          AND (p.status = 'displaced' OR api.status_now(p.status, p.expires_at) IN ('held', 'booked', 'pending')
               AND api.expected(t, r.stop_no, r.arrives, s.time_zone) > api.now()))
$$;
