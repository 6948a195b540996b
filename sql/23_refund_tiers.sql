-- Refunds by the time before departure. A cancellation that is made more than `hours` hours before the passenger's own
-- departure refunds `percent` of the fare; the tier with the most hours applies. After the last tier, nothing is refunded.

-- The tiers of a segment that have not ended at a time, each with its end.
CREATE OR REPLACE FUNCTION api.tiers_ahead(tiers jsonb, departs_at timestamptz, at timestamptz DEFAULT api.now())
RETURNS TABLE (percent numeric, until timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT t.percent, departs_at - t.hours * interval '1 hour'
    FROM jsonb_to_recordset(tiers) AS t (hours int, percent numeric)
    WHERE departs_at - t.hours * interval '1 hour' > at
    ORDER BY 2
$$;

-- The tiers of a segment that have not ended, as a field of a reply. zone: of the boarding place.
CREATE OR REPLACE FUNCTION api.show_tiers(tiers jsonb, departs_at timestamptz, zone text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('refund_tiers', (
    SELECT coalesce(jsonb_agg(jsonb_build_object('until', api.rfc3339(t.until, zone), 'percent', trim_scale(t.percent)::text)
        ORDER BY t.until), '[]')
    FROM api.tiers_ahead(tiers, departs_at) AS t));

-- The expected departure of a ticket.
CREATE OR REPLACE FUNCTION api.departs_at(ticket passengers) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT api.expected(t, r.stop_no, r.departs, s.time_zone)
    FROM trips t
    JOIN route_table r ON r.bus_id = t.bus_id AND r.stop_no = lower(ticket.segment)
    JOIN bus_info s ON s.bus_id = r.bus_id
    WHERE t.bus_id = ticket.bus_id AND t.travel_date = ticket.travel_date);

-- The expected arrival of a ticket.
CREATE OR REPLACE FUNCTION api.arrives_at(ticket passengers) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT api.expected(t, r.stop_no, r.arrives, s.time_zone)
    FROM trips t
    JOIN route_table r ON r.bus_id = t.bus_id AND r.stop_no = upper(ticket.segment)
    JOIN bus_info s ON s.bus_id = r.bus_id
    WHERE t.bus_id = ticket.bus_id AND t.travel_date = ticket.travel_date);

-- The percentage of its fare that a ticket refunds if it is cancelled at a time.
CREATE OR REPLACE FUNCTION api.refund_percent_at(ticket passengers, at timestamptz) RETURNS numeric
LANGUAGE sql STABLE
RETURN CASE WHEN ticket.refund_tiers IS NULL THEN ticket.refund_percent ELSE coalesce(
    (SELECT t.percent FROM api.tiers_ahead(ticket.refund_tiers, api.departs_at(ticket), at) AS t LIMIT 1), 0) END;

-- Whether a ticket that is cancelled at a time is refunded as a whole: it is displaced, or its booking has an open offer.
CREATE OR REPLACE FUNCTION api.refunded_whole(ticket passengers, at timestamptz DEFAULT api.now()) RETURNS boolean
LANGUAGE sql STABLE
RETURN ticket.status = 'displaced' OR ticket.status = 'booked' AND api.can_be_answered(api.open_offer(ticket.bus_id, ticket.reference), at);

-- The refund of a ticket that is cancelled at a time: its percentage of the fare that was not refunded before, or all of that
-- fare.
CREATE OR REPLACE FUNCTION api.refund_of(ticket passengers, at timestamptz DEFAULT api.now()) RETURNS numeric
LANGUAGE sql STABLE
RETURN CASE WHEN api.refunded_whole(ticket, at) THEN ticket.fare - ticket.refund
            WHEN ticket.status = 'booked'
                THEN (SELECT api.round_charge((ticket.fare - ticket.refund) * api.refund_percent_at(ticket, at) / 100, s)
                      FROM bus_info s WHERE s.bus_id = ticket.bus_id) ELSE 0 END;

-- The refund of some tickets of a booking in each tier that has not ended, as a field of a quote. An empty object, if they have
-- no tiers.
CREATE OR REPLACE FUNCTION api.refunds_ahead(b api.opened_booking, tickets int[], zone text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH ticket AS (
        SELECT p FROM passengers p
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets) AND p.status = 'booked'
    ), ahead AS (
        SELECT DISTINCT t.until FROM ticket, api.tiers_ahead((p).refund_tiers, api.departs_at(p)) AS t
    )
    SELECT CASE WHEN count((p).refund_tiers) = 0 THEN '{}' ELSE jsonb_build_object('refunds', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('until', api.rfc3339(a.until, zone), 'refund', (
                SELECT api.amount_text(sum(api.refund_of(p, a.until - interval '1 microsecond')), api.currency_of(b.bus_id)) FROM ticket))
            ORDER BY a.until), '[]')
        FROM ahead AS a)) END
    FROM ticket
$$;
