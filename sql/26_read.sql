-- Execute a read. Returns one row: the reply or the refusal.
CREATE OR REPLACE FUNCTION api.read(method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, api, public, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    a record;
BEGIN
    SELECT * INTO a FROM jsonb_to_record(args) AS r (
        kind text, origin text, destination text, date date, until date, bus_type text, ac boolean, seats int,
        bus_id bigint, travel_date date, boarding_date date, from_stop int, to_stop int, reference text, phone text, tickets int[],
        at jsonb, place text, account text, operator text, after text, "limit" int, current boolean,
        "from" date, "to" date, "group" text, "by" text, vehicle text, agent text, settlement_no int, scan int, webhook text,
        state text, legs boolean, days_around int);
    CASE method   -- any other method raises an exception
        WHEN 'places' THEN answer := api.places(a.kind, a.origin);
        WHEN 'search' THEN
            answer := api.search(a.origin, a.destination, a.date, a.until, a.kind, a.bus_type, a.ac, a.seats);
            IF a.days_around IS NOT NULL AND a.until IS NULL AND answer ? 'trips' THEN
                answer := answer ||
                    api.trips_by_date(a.origin, a.destination, a.date, a.days_around, a.kind, a.bus_type, a.ac);
            END IF;
        WHEN 'seat_map' THEN
            answer := api.seat_map(a.bus_id, a.travel_date, a.origin, a.destination, a.from_stop, a.to_stop,
                                   a.boarding_date, a.account);
        WHEN 'booking' THEN answer := api.booking(a.reference, a.phone, a.account);
        WHEN 'bookings' THEN answer := api.bookings(a.account, a.kind, a.current, a."limit", a.after);
        WHEN 'offers' THEN answer := api.offers(a.reference, a.phone, a.account);
        WHEN 'messages' THEN answer := api.messages_of_booking(a.reference, a.phone, a.account);
        WHEN 'payments' THEN answer := api.payments(a.reference, a.phone, a.account);
        WHEN 'refunds' THEN answer := api.refunds(a.account, a."limit", a.after);
        WHEN 'operator_payments' THEN answer := api.operator_payments(a.account, a.state, a."limit", a.after);
        WHEN 'trip_offers' THEN answer := api.trip_offers(a.account, a.bus_id, a.travel_date);
        WHEN 'find' THEN answer := api.find(a.phone, a.date, a.place);
        WHEN 'cancel_quote' THEN answer := api.cancel_quote(a.reference, a.phone, a.tickets, a.account);
        WHEN 'alight_quote' THEN answer := api.alight_quote(a.reference, a.phone, a.tickets, a.at, a.account);
        WHEN 'promo_codes' THEN answer := api.promo_codes(a.account, a.operator, a."limit", a.after);
        WHEN 'agents' THEN answer := api.agents(a.account, a.operator, a."limit", a.after);
        WHEN 'staff' THEN answer := api.staff(a.account, a.operator, a."limit", a.after);
        WHEN 'settlement' THEN answer := api.settlement(a.account, a.operator, a.agent, a.settlement_no);
        WHEN 'invoicing' THEN answer := api.invoicing(a.account, a.operator);
        WHEN 'invoice' THEN answer := api.invoice(a.reference, a.phone, a.account);
        WHEN 'invoices' THEN answer := api.invoices(a.account, a.operator, a."from", a."to", a."limit", a.after);
        WHEN 'accounts' THEN answer := api.accounts(a.account, a.operator, a."from", a."to");
        WHEN 'services' THEN answer := api.services(a.account, a."limit", a.after);
        WHEN 'service' THEN answer := api.operated_service(a.account, a.bus_id);
        WHEN 'trips' THEN answer := api.trips(a.account, a.date, a."limit", a.after, coalesce(a.legs, false));
        WHEN 'vehicles' THEN answer := api.vehicles(a.account, a.operator, a."limit", a.after);
        WHEN 'drivers' THEN answer := api.drivers(a.account, a.operator, a."limit", a.after);
        WHEN 'exchange_vehicle' THEN answer := api.exchange_basis(a.account, a.bus_id, a.travel_date, a.vehicle);
        WHEN 'manifest' THEN answer := api.manifest(a.account, a.bus_id, a.travel_date);
        WHEN 'sales' THEN answer := api.sales(a.account, a."from", a."to", a."group", a."by");
        WHEN 'load' THEN answer := api.load(a.account, a.bus_id, a.travel_date);
        WHEN 'events' THEN answer := api.events(a.account, a."limit", a.after, a.scan);
        WHEN 'webhooks' THEN answer := api.webhooks(a.account, a.operator);
        WHEN 'webhook_deliveries' THEN answer := api.deliveries(a.account, a.operator, a.webhook, a.state, a."limit", a.after);
        WHEN 'occupancy' THEN answer := api.occupancy(a.account, a.bus_id, a.travel_date);
    END CASE;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;
