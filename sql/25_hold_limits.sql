-- Limits on holds: how much an account or an address may hold at once. The server sends the limits with a call of
-- `hold`, as an array of {subject, holds, seats, percent}; NULL: no limits. holds, seats: the most live holds and held
-- seats of the subject. percent: the largest part of a trip's seats that the subject may hold, or as many seats as one
-- booking may have, if that is more. A subject that holds nothing is never refused.

-- Lock the subjects of a call until the end of the transaction, so that two transactions cannot both use what is left
-- of a limit. Returns false if another transaction has locked one of them.
CREATE OR REPLACE FUNCTION api.lock_holders(limits jsonb) RETURNS boolean
LANGUAGE sql AS $$
    SELECT bool_and(pg_try_advisory_xact_lock(1752132708, hashtext(l ->> 'subject')))   -- "hold" in ASCII
    FROM jsonb_array_elements(limits) AS l
$$;

-- Check that the limits allow one more hold, with this number of seats. If several limits refuse it, the refusal names
-- the one that does so longest.
CREATE OR REPLACE FUNCTION api.check_hold_limits(limits jsonb, service bus_info, travel_date date, wanted int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    seat_count bigint;
    x          record;
    seconds    int;
BEGIN
    SELECT count(*) INTO seat_count FROM seats s
    WHERE s.bus_id = service.bus_id AND s.travel_date = check_hold_limits.travel_date;
    SELECT r.*, CASE WHEN l.subject LIKE 'account:%' THEN 'account' ELSE 'network address' END AS holder INTO x
    FROM (
        SELECT e ->> 'subject' AS subject, (e ->> 'holds')::int AS holds, (e ->> 'seats')::int AS seats,
               greatest(service.max_seats, floor(seat_count * (e ->> 'percent')::numeric / 100))::int AS trip_seats
        FROM jsonb_array_elements(limits) AS e
    ) AS l
    CROSS JOIN LATERAL (   -- counted from the hold that expires last; what is then over a limit has to end first
        SELECT max(h.nth_hold) AS holds, max(h.expires_at) FILTER (WHERE h.nth_hold > l.holds - 1) AS holds_until,
               max(h.nth_seat) AS seats, max(h.expires_at) FILTER (WHERE h.nth_seat > l.seats - wanted) AS seats_until,
               max(h.nth_of_trip) AS trip_seats,
               max(h.expires_at) FILTER (WHERE h.of_trip AND h.nth_of_trip > l.trip_seats - wanted) AS trip_until
        FROM (
            SELECT o.expires_at, o.of_trip,
                   dense_rank() OVER (ORDER BY o.expires_at DESC, o.bus_id, o.reference) AS nth_hold,
                   row_number() OVER w AS nth_seat, count(*) FILTER (WHERE o.of_trip) OVER w AS nth_of_trip
            FROM (
                SELECT h.*, h.bus_id = service.bus_id AND h.travel_date = check_hold_limits.travel_date AS of_trip
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

-- Record who holds the seats of a sale. api.confirm_hold, end_tickets, settle and cancel_trip delete the rows.
CREATE OR REPLACE FUNCTION api.record_holders(limits jsonb, sale api.sale) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO holders (bus_id, reference, ticket_no, subject, travel_date, expires_at)
    SELECT sale.bus_id, sale.reference, n, l ->> 'subject', sale.travel_date, sale.expires_at
    FROM jsonb_array_elements(limits) AS l, generate_series(1, sale.party) AS n
$$;
