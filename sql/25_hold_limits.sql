-- Limits on holds and on waitlist entries: how much an account or an address may have at once without payment. The
-- server sends the limits with a call that may hold or wait, as an array of {subject, holds, seats, percent}; NULL: no
-- limits. holds, seats: the most live holds and held seats of the subject. percent: the largest part of a trip's seats
-- that the subject may hold, or as many seats as one booking may have, if that is more; and the largest part of the
-- trip's waitlist. A subject that has nothing yet is never refused.

-- Lock the subjects of a call until the end of the transaction, so that two transactions cannot both use what is left
-- of a limit. Returns false if another transaction has locked one of them.
CREATE OR REPLACE FUNCTION api.lock_holders(limits jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT bool_and(pg_try_advisory_xact_lock(1752132708, hashtext(l ->> 'subject')))   -- "hold" in ASCII
            FROM jsonb_array_elements(limits) AS l);
END $$;

-- A subject in a message.
CREATE OR REPLACE FUNCTION api.holder_of(subject text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN subject LIKE 'account:%' THEN 'account' ELSE 'network address' END;

-- Check that the limits allow one more hold, with this number of seats. If several limits refuse it, the refusal names
-- the one that will refuse it longest.
CREATE OR REPLACE FUNCTION api.check_hold_limits(limits jsonb, service bus_info, travel_date date, wanted int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    seat_count bigint;
    x          record;
    seconds    int;
BEGIN
    IF NOT EXISTS (SELECT FROM holders h   -- no holder in most calls; much faster than the query below
            WHERE h.subject = ANY (ARRAY(SELECT l ->> 'subject' FROM jsonb_array_elements(limits) AS l))) THEN
        RETURN NULL;
    END IF;
    SELECT count(*) INTO seat_count FROM seats s
    WHERE s.bus_id = service.bus_id AND s.travel_date = check_hold_limits.travel_date;
    SELECT r.*, api.holder_of(l.subject) AS holder INTO x
    FROM (
        SELECT e ->> 'subject' AS subject, (e ->> 'holds')::int AS holds, (e ->> 'seats')::int AS seats,
               greatest(service.max_seats, floor(seat_count * (e ->> 'percent')::numeric / 100))::int AS trip_seats
        FROM jsonb_array_elements(limits) AS e
    ) AS l
    CROSS JOIN LATERAL (   -- counted from the hold that expires last: those beyond a limit have to end first
        SELECT max(h.nth_hold) AS holds, max(h.expires_at) FILTER (WHERE h.nth_hold > l.holds - 1) AS holds_until,
               max(h.nth_seat) AS seats, max(h.expires_at) FILTER (WHERE h.nth_seat > l.seats - wanted) AS seats_until,
               max(h.nth_of_trip) AS trip_seats,
               max(h.expires_at) FILTER (WHERE h.is_on_trip AND h.nth_of_trip > l.trip_seats - wanted) AS trip_until
        FROM (
            SELECT o.expires_at, o.is_on_trip,
                   dense_rank() OVER (ORDER BY o.expires_at DESC, o.bus_id, o.reference) AS nth_hold,
                   row_number() OVER w AS nth_seat, count(*) FILTER (WHERE o.is_on_trip) OVER w AS nth_of_trip
            FROM (
                SELECT h.*, h.bus_id = service.bus_id AND h.travel_date = check_hold_limits.travel_date AS is_on_trip
                FROM holders h WHERE h.subject = l.subject AND h.expires_at > api.now()
            ) AS o
            WINDOW w AS (ORDER BY o.expires_at DESC, o.bus_id, o.reference, o.ticket_no)
        ) AS h
    ) AS held
    CROSS JOIN LATERAL (VALUES
        ('holds', held.holds_until, held.holds, l.holds),
        ('seats', held.seats_until, held.seats, l.seats),
        ('trip', held.trip_until, held.trip_seats, l.trip_seats)
    ) AS r (counted, until, held, "limit")
    WHERE r.until IS NOT NULL
    ORDER BY r.until DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    seconds := greatest(1, ceil(extract(epoch FROM x.until - api.now())));
    RETURN api.refusal('too_many_holds', format('Your %s %s. Confirm or release a hold, or try again in %s.', x.holder,
            CASE x.counted
                WHEN 'holds' THEN format('has %s, and may have %s at once', api.format_count(x.held, 'hold'), x."limit")
                WHEN 'seats' THEN format('holds %s, and may hold %s at once; you asked for %s',
                    api.format_count(x.held, 'seat'), x."limit", wanted)
                ELSE format('holds %s of this %s, and may hold %s of its %s; you asked for %s',
                    api.format_count(x.held, service.nouns ->> 'seat'), service.nouns ->> 'service', x."limit", seat_count, wanted)
            END,
            CASE WHEN seconds < 120 THEN seconds || ' s' ELSE ceil(seconds / 60.0) || ' minutes' END),
        jsonb_build_object('limit', x."limit", 'retry_after', seconds));
END $$;

-- Check that the limits allow one more party on the waitlist of a trip. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.check_waitlist_limits(limits jsonb, service bus_info, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('queue_full', format('Your %s has as many parties on the waitlist as it may have: %s. Cancel one to add another.',
        api.holder_of(l.subject), l.most), jsonb_build_object('limit', l.most))
    FROM (
        SELECT e ->> 'subject' AS subject,
               greatest(1, floor(service.queue_limit * (e ->> 'percent')::numeric / 100))::int AS most
        FROM jsonb_array_elements(limits) AS e
    ) AS l
    WHERE l.most <= (SELECT count(DISTINCT h.reference) FROM holders h
        WHERE h.subject = l.subject AND h.expires_at IS NULL
          AND h.bus_id = service.bus_id AND h.travel_date = check_waitlist_limits.travel_date)
    LIMIT 1
$$;

-- Record who holds the seats of a sale, or waits for them. The rows are deleted by api.confirm_hold, end_tickets,
-- promote, settle, cancel_trip and delete_unpaid_tickets.
CREATE OR REPLACE FUNCTION api.record_holders(limits jsonb, sale api.sale) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO holders (bus_id, reference, ticket_no, subject, travel_date, expires_at)
    SELECT sale.bus_id, sale.reference, n, l ->> 'subject', sale.travel_date,
           CASE sale.status WHEN 'held' THEN sale.expires_at END
    FROM jsonb_array_elements(limits) AS l, generate_series(1, sale.party) AS n;
END $$;
