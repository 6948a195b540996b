-- What the operator's console reads and does. Its operator has no account, and may change every service.

-- The messages to the operators that have no reply yet, in order, if their sender can still get one. A reply is a later message
-- to the client or to its booking. among: how many of the last messages are searched.
CREATE OR REPLACE FUNCTION api.unanswered_messages(among int DEFAULT 1000) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    WITH recent AS MATERIALIZED (
        SELECT * FROM messages ORDER BY message_id DESC LIMIT among
    ), reply AS MATERIALIZED (
        SELECT message_id, client_no, reference FROM recent WHERE audience IN ('client', 'booking')
    )
    SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.message_id), '[]') FROM recent m
    WHERE m.audience = 'operators'
      AND (m.reference IS NOT NULL OR EXISTS (SELECT FROM clients c
          WHERE c.client_no = m.client_no AND api.check_client(c.client_no, c) IS NULL))
      AND NOT EXISTS (SELECT FROM reply r WHERE r.client_no = m.client_no AND r.message_id > m.message_id)
      AND NOT EXISTS (SELECT FROM reply r WHERE r.reference = m.reference AND r.message_id > m.message_id)
$$;

CREATE OR REPLACE FUNCTION api.console_manifest(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN api.trip_manifest(bus_id, api.travel_date_on(bus_id, travel_date));

CREATE OR REPLACE FUNCTION api.console_occupancy(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp
RETURN api.trip_occupancy(bus_id, api.travel_date_on(bus_id, travel_date));

-- The trip, with the bookings and tickets that end if it is cancelled now, and the sum of their refunds.
CREATE OR REPLACE FUNCTION api.console_cancel_quote(bus_id bigint, travel_date date) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    trip    trips;
    refusal jsonb;
BEGIN
    SELECT * INTO trip FROM trips t
    WHERE t.bus_id = console_cancel_quote.bus_id AND t.travel_date = console_cancel_quote.travel_date;
    refusal := api.check_cancellable(trip, bus_id, travel_date);
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    RETURN (
        SELECT jsonb_build_object('trip', api.show_trip(bus_id, travel_date), 'bookings', count(DISTINCT c.reference),
            'tickets', count(*), 'currency', api.currency_of(bus_id),
            'refund', api.amount_text(coalesce(sum(c.amount), 0), api.currency_of(bus_id)))
        FROM api.tickets_of_cancelled_trip(bus_id, travel_date) AS c);
END $$;

-- Cancel a trip, and notify the clients of its passengers.
CREATE OR REPLACE FUNCTION api.console_cancel_trip(bus_id bigint, travel_date date, reason text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    o api.outcome := api.cancel_trip(bus_id, travel_date, reason);
BEGIN
    IF o.refusal IS NULL THEN
        PERFORM pg_notify('busware', jsonb_build_object('trips', jsonb_build_array(jsonb_build_array(bus_id, travel_date)))::text);
    END IF;
    RETURN coalesce(o.refusal, o.reply);
END $$;
