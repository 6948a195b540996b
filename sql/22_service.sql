-- A service as a document: the JSON of protocol.ServiceData (server/protocol/services.py). The same service always has the
-- same document, so that documents can be compared.
--
-- A new field of a service is a field here, a field of ServiceData, and a column or a table. api.put_service writes it.
CREATE OR REPLACE FUNCTION api.service(bus_id bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'bus_id', s.bus_id, 'kind', s.kind, 'name', s.name, 'operator', s.operator, 'bus_type', s.bus_type, 'ac', s.ac,
        'layout', api.layout_in_document(s.layout),
        'currency', s.currency, 'source_id', s.source_id, 'time_zone', s.time_zone,
        'stops', api.format_stops(api.shortest_route(
            ARRAY(SELECT r FROM route_table r WHERE r.bus_id = s.bus_id ORDER BY r.stop_no), s.repeat_legs), s.currency),
        'repeat_legs', s.repeat_legs,
        'segment_fares', (SELECT coalesce(jsonb_agg(
                jsonb_build_object('from_stop', r.stop_no, 'to_stop', r.stop_no + legs, 'fare', api.amount_text(r.fares[legs], s.currency))
                ORDER BY r.stop_no, legs), '[]')
            FROM route_table r, generate_subscripts(r.fares, 1) AS legs WHERE r.bus_id = s.bus_id AND r.fares[legs] IS NOT NULL),
        'runs_on', api.format_weekdays(s.runs_on), 'first_date', s.first_date, 'last_date', s.last_date,
        'seasons', (SELECT coalesce(jsonb_agg(
                jsonb_build_object('first_date', y.first_date, 'last_date', y.last_date, 'runs_on', api.format_weekdays(y.runs_on))
                ORDER BY y.first_date), '[]')
            FROM seasons y WHERE y.bus_id = s.bus_id),
        'days_off', (SELECT coalesce(jsonb_agg(c.travel_date ORDER BY c.travel_date), '[]')
            FROM calendar_dates c WHERE c.bus_id = s.bus_id AND NOT c.runs),
        'extra_days', (SELECT coalesce(jsonb_agg(c.travel_date ORDER BY c.travel_date), '[]')
            FROM calendar_dates c WHERE c.bus_id = s.bus_id AND c.runs),
        'sales_days', s.sales_days, 'sells_until', api.format_duration(s.sells_until),
        'refund_percent', trim_scale(s.refund_percent)::text,
        'refund_tiers', coalesce(s.refund_tiers, '[]'),
        'alight_refund_percent', trim_scale(s.alight_refund_percent)::text,
        'max_seats', s.max_seats, 'queue_limit', s.queue_limit, 'phone_required', s.phone_required, 'nouns', s.nouns,
        'seat_classes', coalesce(s.seat_classes, '[]'), 'fare_rules', coalesce(s.fare_rules, '[]'),
        'concessions', coalesce(s.concessions, '[]'),
        'blocked_seats', coalesce(to_jsonb(s.blocked_seats), '[]'), 'women_seats', coalesce(to_jsonb(s.women_seats), '[]'),
        'accessible_seats', coalesce(to_jsonb(s.accessible_seats), '[]'),
        'shortest_segment_km', trim_scale(s.shortest_segment_km)::text,
        'short_segments_open', api.format_duration(s.short_segments_open), 'max_seats_per_account', s.max_seats_per_account,
        'exchange_fee', api.amount_text(s.exchange_fee, s.currency), 'exchange_until', api.format_duration(s.exchange_until),
        'max_transfers', s.max_transfers, 'no_show_sells', s.no_show_sells,
        'offer_hours', s.offer_hours, 'alternative_hours', s.alternative_hours,
        'whole_refund_delay', api.format_duration(s.whole_refund_delay),
        'payment', s.payment, 'payment_minutes', s.payment_minutes)
    FROM bus_info s WHERE s.bus_id = service.bus_id
$$;
