-- Check that an edit moves no ticket: it must not change the stops, the times and the currency if a ticket is live or was ever
-- paid, the operator of such a service if one of the two issues invoices, the seats of live tickets, the trips that have tickets,
-- and the end of sale that a hold depends on. Locks the trips whose tickets it could move, so that none is sold until the end of
-- the transaction; most edits lock none. before, wanted: the documents.
CREATE OR REPLACE FUNCTION api.check_unused(before jsonb, wanted jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    fields  CONSTANT text[] := api.moving_fields(before, wanted);
    ends    CONSTANT boolean := before -> 'last_date' <> wanted -> 'last_date';
    -- the operator changes; one of the two issues invoices, and must not get the sales of the other, or lose its own
    invoiced CONSTANT boolean := before -> 'operator' <> wanted -> 'operator' AND EXISTS (SELECT FROM invoicing i
        WHERE i.operator IN (before ->> 'operator', wanted ->> 'operator'));
    service bus_info;
    new     bus_info;
BEGIN
    IF fields = '{}' AND NOT ends AND NOT invoiced THEN
        RETURN NULL;
    END IF;
    SELECT * INTO service FROM bus_info b WHERE b.bus_id = (before ->> 'bus_id')::bigint;
    new := api.columns_in_document(wanted);
    PERFORM api.lock_trips(service.bus_id, CASE WHEN fields <> '{}' OR invoiced OR service.repeat_legs IS NOT NULL THEN '-infinity' ELSE new.last_date + 1 END);
    RETURN coalesce(
        CASE WHEN fields && '{stops,repeat_legs,time_zone,currency}' THEN api.check_no_tickets(service, fields) END,
        CASE WHEN invoiced THEN api.check_no_tickets(service, '{operator}') END,
        CASE WHEN 'layout' = ANY (fields) THEN api.check_seats_stay(service, new.layout) END,
        CASE WHEN fields && '{runs_on,first_date,seasons,days_off,extra_days}' THEN api.check_trips_stay(service, new, wanted, fields) END,
        CASE WHEN 'blocked_seats' = ANY (fields) THEN api.check_blocks_unsold(service, new) END,
        CASE WHEN 'sells_until' = ANY (fields) THEN api.check_sales_last(service, new) END,
        CASE WHEN ends THEN api.check_end(service, new.last_date) END);
END $$;

-- The fields that differ and that tickets depend on. Kilometres and fares are for later sales.
CREATE OR REPLACE FUNCTION api.moving_fields(before jsonb, wanted jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY(
    SELECT f FROM unnest('{stops,repeat_legs,time_zone,currency,layout,runs_on,first_date,seasons,days_off,extra_days,sells_until,blocked_seats}'::text[])
        WITH ORDINALITY AS moving (f, n)
    WHERE CASE f WHEN 'stops' THEN api.without_fares(before -> f) <> api.without_fares(wanted -> f) ELSE before -> f <> wanted -> f END
    ORDER BY n);

-- The refusal of an edit that would move tickets. frozen: the fields that cannot change. dates: the trips that have these
-- tickets.
CREATE OR REPLACE FUNCTION api.refusal_in_use(service bus_info, frozen text[], message text, dates date[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    possible CONSTANT date := greatest((api.now() AT TIME ZONE service.time_zone)::date, api.used_until(service) + 1);
BEGIN
    RETURN api.refusal('service_in_use', format('Service %s (%s) has %s, so its %s cannot change. Continue it under a new number from %s on '
            '(succeed_service), or end it (end_service).', service.bus_id, service.name, message, array_to_string(frozen, ', '),
            possible),
        jsonb_build_object('fields', to_jsonb(frozen), 'dates', to_jsonb(dates), 'possible_date', possible));
END $$;

-- The earliest last date that a service can have: that of its last trip with live tickets. On a repeating route, it is the last
-- night of a passenger. NULL: it has no live tickets on trips that have not ended.
CREATE OR REPLACE FUNCTION api.used_until(service bus_info) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT max(CASE WHEN service.repeat_legs IS NULL THEN p.travel_date ELSE (p.travel_date + r.arrives)::date - 1 END)
    FROM passengers p JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = upper(p.segment)
    WHERE p.bus_id = service.bus_id AND p.status IN ('held', 'booked', 'pending')
      AND CASE WHEN service.repeat_legs IS NULL THEN api.trip_ends_at(p.bus_id, p.travel_date)
               ELSE api.instant(p.travel_date, r.arrives, service.time_zone) END > api.now()
$$;

-- Check that no ticket of a service is live or was ever paid.
CREATE OR REPLACE FUNCTION api.check_no_tickets(service bus_info, fields text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    t record;
BEGIN
    SELECT count(*) FILTER (WHERE p.booked_at IS NOT NULL) AS paid,
           count(*) FILTER (WHERE p.status IN ('held', 'pending')) AS waiting,
           max(p.expires_at) FILTER (WHERE p.status IN ('held', 'pending')) AS expires_at,
           array_agg(DISTINCT p.travel_date) FILTER (WHERE p.status IN ('held', 'booked', 'pending')) AS dates
    INTO t FROM passengers p WHERE p.bus_id = service.bus_id;
    RETURN CASE WHEN t.paid + t.waiting > 0 THEN api.refusal_in_use(service, fields, CASE
        WHEN t.paid > 0 THEN api.format_count(t.paid, 'ticket')
        ELSE format('%s on hold or on the waitlist until %s', api.format_count(t.waiting, 'ticket'),
                    to_char(t.expires_at AT TIME ZONE service.time_zone, 'YYYY-MM-DD HH24:MI:SS')) END, coalesce(t.dates, '{}')) END;
END $$;

-- Check that a new layout leaves the seats of live tickets where they are, and has the seats of all paid tickets of trips that
-- have not ended.
CREATE OR REPLACE FUNCTION api.check_seats_stay(service bus_info, layout text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    t record;
BEGIN
    SELECT array_agg(DISTINCT p.seat_no) AS seats, array_agg(DISTINCT p.travel_date) AS dates INTO t
    FROM passengers p
    JOIN seat_plan old ON old.bus_id = p.bus_id AND old.seat_no = p.seat_no
    LEFT JOIN api.layout_seats(layout) AS new ON new.seat_no = p.seat_no
    WHERE p.bus_id = service.bus_id AND p.travel_date = ANY (api.trips_to_follow(service.bus_id))
      AND (p.status IN ('held', 'booked') AND (new.deck, new.row_no, new.column_no, new.kind) IS DISTINCT FROM (old.deck, old.row_no, old.column_no, old.kind)
           OR p.booked_at IS NOT NULL AND new.seat_no IS NULL);
    RETURN CASE WHEN t.seats IS NOT NULL THEN api.refusal_in_use(service, '{layout}',
        format('sold %s, which would not stay', lower(api.format_numbers(t.seats, service.nouns ->> 'seat'))), t.dates) END;
END $$;

-- Check that no ticket is sold for the trips that a new calendar drops. document: has the seasons and dates of the new calendar.
CREATE OR REPLACE FUNCTION api.check_trips_stay(service bus_info, new bus_info, document jsonb, fields text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    running CONSTANT date[] := api.trips_on_calendar(service);
    dates   date[];
BEGIN
    SELECT array_agg(DISTINCT p.travel_date) INTO dates FROM passengers p
    WHERE p.bus_id = service.bus_id AND p.travel_date = ANY (running) AND (p.status IN ('held', 'booked', 'pending') OR p.booked_at IS NOT NULL)
      AND NOT EXISTS (SELECT FROM api.running_days(new, p.travel_date, p.travel_date,
          ARRAY(SELECT s FROM api.seasons_in_document(document) AS s), ARRAY(SELECT d FROM api.calendar_dates_in_document(document) AS d)));
    RETURN CASE WHEN dates IS NOT NULL THEN api.refusal_in_use(service, fields,
        format('tickets on %s', array_to_string(dates, ', ')), dates) END;
END $$;

-- Check that no hold and no waitlist entry outlasts the sale of its boarding stop.
CREATE OR REPLACE FUNCTION api.check_sales_last(service bus_info, new bus_info) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    waiting record;
BEGIN
    SELECT count(*) AS tickets, max(p.expires_at) AS expires_at, array_agg(DISTINCT p.travel_date) AS dates INTO waiting
    FROM passengers p
    JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
    WHERE p.bus_id = service.bus_id AND p.status IN ('held', 'pending') AND p.expires_at > api.sells_until(new, t, r.stop_no, r.departs);
    RETURN CASE WHEN waiting.tickets > 0 THEN api.refusal_in_use(service, '{sells_until}',
        format('%s on hold or on the waitlist until %s', api.format_count(waiting.tickets, 'ticket'),
               to_char(waiting.expires_at AT TIME ZONE service.time_zone, 'YYYY-MM-DD HH24:MI:SS')), waiting.dates) END;
END $$;

-- Check that no passenger travels after the last date of a service.
CREATE OR REPLACE FUNCTION api.check_end(service bus_info, last_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    used  CONSTANT date := api.used_until(service);
    dates date[];
BEGIN
    IF used <= last_date IS NOT FALSE THEN
        RETURN NULL;
    END IF;
    dates := ARRAY(SELECT DISTINCT p.travel_date FROM passengers p
        WHERE p.bus_id = service.bus_id AND p.travel_date > check_end.last_date AND p.status IN ('held', 'booked', 'pending')
          AND api.trip_ends_at(p.bus_id, p.travel_date) > api.now() ORDER BY 1);
    RETURN api.refusal('service_in_use', format('Service %s (%s) has passengers after %s: %s. Choose %s or a later last date, or cancel those trips first.',
            service.bus_id, service.name, last_date,
            CASE WHEN service.repeat_legs IS NULL THEN 'on ' || array_to_string(dates, ', ') ELSE 'until ' || used + 1 END, used),
        jsonb_build_object('fields', '["last_date"]'::jsonb, 'dates', to_jsonb(dates), 'possible_date', used + 1));
END $$;

-- Delete the bookings of a service that ended unpaid: expired and released holds, and waitlist entries that were not promoted.
-- With them go the answers to their requests. The caller has locked all trips of the service.
CREATE OR REPLACE FUNCTION api.delete_unpaid_bookings(bus_id bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    refs CONSTANT text[] := ARRAY(SELECT p.reference FROM passengers p WHERE p.bus_id = delete_unpaid_bookings.bus_id
        GROUP BY p.reference HAVING bool_and(p.booked_at IS NULL AND p.status NOT IN ('held', 'pending')));
BEGIN
    DELETE FROM idempotency_keys k WHERE k.bus_id = delete_unpaid_bookings.bus_id AND k.answer ->> 'reference' = ANY (refs);
    DELETE FROM holders h WHERE h.bus_id = delete_unpaid_bookings.bus_id AND h.reference = ANY (refs);
    DELETE FROM passengers p WHERE p.bus_id = delete_unpaid_bookings.bus_id AND p.reference = ANY (refs);
END $$;
