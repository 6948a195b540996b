-- Write the document of a service, and make its trips follow: those that it no longer has are deleted or cancelled, and new ones
-- are put on sale. The caller has locked the service and has checked the document; api.check_unused has locked the trips whose
-- tickets it could move. before: its document now; NULL for a new service. Returns the travel dates of the trips that are on sale
-- from now on (opened), and no longer (removed); or a refusal because of the vehicles and drivers of the trips, after which the
-- caller undoes the rest.
CREATE OR REPLACE FUNCTION api.write_service(before jsonb, wanted jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    id      CONSTANT bigint := wanted ->> 'bus_id';
    service bus_info;
    running date[];
    sold    date[];
    stops   int;
    refusal jsonb;
BEGIN
    IF before IS NULL THEN
        INSERT INTO bus_info (bus_id, name, operator, layout)
        VALUES (id, wanted ->> 'name', wanted ->> 'operator', wanted ->> 'layout');
        wanted := api.service(id) || wanted;   -- with the defaults of the columns
        before := '{}';
    ELSE
        SELECT * INTO service FROM bus_info b WHERE b.bus_id = id;
        running := api.trips_on_calendar(service);
        sold := api.open_trips(service);
        IF api.moving_fields(before, wanted) <> '{}' THEN
            PERFORM api.delete_unpaid_bookings(id);   -- they refer to stops and trips that may be deleted
        END IF;
        IF 'stops' = ANY (api.moving_fields(before, wanted)) THEN   -- so no ticket was sold, and no passenger is concerned
            UPDATE trips t SET delays = NULL, skipped = NULL WHERE t.bus_id = id AND num_nonnulls(t.delays, t.skipped) > 0;
        END IF;
    END IF;
    UPDATE bus_info b SET
        kind = n.kind, name = n.name, operator = n.operator, bus_type = n.bus_type, ac = n.ac, layout = n.layout,
        currency = n.currency, source_id = n.source_id, time_zone = n.time_zone, repeat_legs = n.repeat_legs, runs_on = n.runs_on,
        first_date = n.first_date, last_date = n.last_date, sales_days = n.sales_days, sells_until = n.sells_until,
        refund_percent = n.refund_percent, alight_refund_percent = n.alight_refund_percent, max_seats = n.max_seats,
        queue_limit = n.queue_limit, phone_required = n.phone_required, nouns = n.nouns, seat_classes = n.seat_classes, fare_rules = n.fare_rules,
        concessions = n.concessions, refund_tiers = n.refund_tiers, blocked_seats = n.blocked_seats,
        women_seats = n.women_seats, accessible_seats = n.accessible_seats,
        shortest_segment_km = n.shortest_segment_km, short_segments_open = n.short_segments_open,
        exchange_fee = n.exchange_fee, exchange_until = n.exchange_until,
        max_seats_per_account = n.max_seats_per_account, max_transfers = n.max_transfers, no_show_sells = n.no_show_sells,
        offer_hours = n.offer_hours, alternative_hours = n.alternative_hours, whole_refund_delay = n.whole_refund_delay,
        payment = n.payment, payment_minutes = n.payment_minutes
    FROM api.columns_in_document(wanted) AS n WHERE b.bus_id = id
    RETURNING b.* INTO service;
    IF wanted -> 'stops' IS DISTINCT FROM before -> 'stops' OR wanted -> 'segment_fares' IS DISTINCT FROM before -> 'segment_fares' THEN
        stops := (SELECT max(r.stop_no) FROM route_table r WHERE r.bus_id = id);
        DELETE FROM route_table r WHERE r.bus_id = id;
        INSERT INTO route_table SELECT * FROM api.stops_in_document(wanted);
        PERFORM api.restore_length(service, stops);
    END IF;
    IF wanted -> 'seasons' IS DISTINCT FROM before -> 'seasons' THEN
        DELETE FROM seasons s WHERE s.bus_id = id;
        INSERT INTO seasons SELECT * FROM api.seasons_in_document(wanted);
    END IF;
    DELETE FROM calendar_dates d WHERE d.bus_id = id AND d NOT IN (SELECT n FROM api.calendar_dates_in_document(wanted) AS n);
    INSERT INTO calendar_dates SELECT * FROM api.calendar_dates_in_document(wanted) ON CONFLICT DO NOTHING;
    IF wanted -> 'layout' IS DISTINCT FROM before -> 'layout' THEN
        PERFORM api.write_seats(service);
    END IF;
    IF wanted -> 'blocked_seats' IS DISTINCT FROM before -> 'blocked_seats' THEN
        PERFORM api.change_blocks(service, ARRAY(SELECT n::int FROM jsonb_array_elements_text(before -> 'blocked_seats') AS n));
    END IF;
    PERFORM api.delete_trips_off_calendar(service, running);
    PERFORM api.cancel_trips_after(service.bus_id, service.last_date);
    refusal := api.renew_assignments(service);
    PERFORM api.open_sales(service.bus_id);
    RETURN coalesce(refusal, (SELECT jsonb_build_object(
        'opened', (SELECT coalesce(jsonb_agg(d ORDER BY d), '[]') FROM unnest(after.dates) AS d WHERE d <> ALL (coalesce(sold, '{}'))),
        'removed', (SELECT coalesce(jsonb_agg(d ORDER BY d), '[]') FROM unnest(sold) AS d WHERE d <> ALL (after.dates)))
        FROM (VALUES (api.open_trips(service))) AS after (dates)));
END $$;

-- The travel dates of the open trips of a service from today on.
CREATE OR REPLACE FUNCTION api.open_trips(service bus_info) RETURNS date[]
LANGUAGE sql STABLE
RETURN ARRAY(SELECT t.travel_date FROM trips t WHERE t.bus_id = service.bus_id AND t.state = 'open'
    AND t.travel_date >= (api.now() AT TIME ZONE service.time_zone)::date);

-- Give a service, and the trips that follow it, the seats of its layout. Parties on the waitlist may get new seats.
CREATE OR REPLACE FUNCTION api.write_seats(service bus_info) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    dates CONSTANT date[] := api.trips_to_follow(service.bus_id);
BEGIN
    DELETE FROM seat_plan p WHERE p.bus_id = service.bus_id;
    INSERT INTO seat_plan SELECT service.bus_id, plan.* FROM api.layout_seats(service.layout) AS plan;
    DELETE FROM seats s WHERE s.bus_id = service.bus_id AND s.travel_date = ANY (dates) AND NOT EXISTS (
        SELECT FROM seat_plan p WHERE p.bus_id = s.bus_id AND p.seat_no = s.seat_no);
    INSERT INTO seats (bus_id, travel_date, seat_no)
    SELECT p.bus_id, d, p.seat_no FROM seat_plan p, unnest(dates) AS d WHERE p.bus_id = service.bus_id ON CONFLICT DO NOTHING;
    PERFORM api.block_on_trips(service, dates);
    PERFORM api.settle(t.bus_id, t.travel_date) FROM trips t
    WHERE t.bus_id = service.bus_id AND t.travel_date = ANY (dates) AND t.settle_at IS NOT NULL;
END $$;

-- The travel dates of the trips that follow an edit of the seats of their service: those that have not reached their last
-- stop, and have no seats of their own.
CREATE OR REPLACE FUNCTION api.trips_to_follow(bus_id bigint) RETURNS date[]
LANGUAGE sql STABLE
RETURN ARRAY(SELECT t.travel_date FROM trips t WHERE t.bus_id = trips_to_follow.bus_id
    AND t.own_seats IS NULL AND api.trip_ends_at(t.bus_id, t.travel_date) > api.now());
