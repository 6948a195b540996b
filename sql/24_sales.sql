-- Sales and occupancy of the services of an operator. The amounts are sums of `payments` in one currency: each payment is in one
-- row.

-- group_by: service, date, segment or agent. dated_by: travel (the dates are travel dates) or payment (the dates of the payments
-- in the time zone of the service). Occupancy is the part of the seats on offer that is booked, in percent, weighted by the
-- kilometres of the legs; on a route without kilometres, each leg counts the same. The occupancy of a segment is that of its
-- legs. By date of payment and by agent there is no occupancy. The tickets that no agent has sold are in a row without agent.
-- Each row and each element of `totals` has one currency. The sums beside the rows are those of the first element.
CREATE OR REPLACE FUNCTION api.sales(account text, from_date date, to_date date, group_by text, dated_by text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    refusal CONSTANT jsonb := coalesce(api.check_role(account), api.check_period(from_date, to_date));
    own     CONSTANT text := api.own_operator(account);
BEGIN
    RETURN coalesce(refusal, (
        WITH shown AS MATERIALIZED (
            SELECT r.bus_key, r.date_key, r.from_key, r.to_key, r.agent_key, r.currency, min(r.name) AS name, min(r.origin) AS origin,
                   min(r.destination) AS destination, sum(r.tickets) AS tickets, sum(r.charges) AS charges, sum(r.refunds) AS refunds,
                   round(100 * sum(r.booked) / nullif(sum(r.seats), 0), 1) AS occupancy
            FROM api.sales_rows(own, from_date, to_date, group_by, dated_by) AS r
            GROUP BY 1, 2, 3, 4, 5, 6
        ), totals AS (   -- the currency with the most tickets first; without rows, that of most services
            SELECT jsonb_agg(api.show_sales(t.currency, t.tickets, t.charges, t.refunds) ORDER BY t.tickets DESC, t.currency) AS totals
            FROM (
                SELECT w.currency, sum(w.tickets) AS tickets, sum(w.charges) AS charges, sum(w.refunds) AS refunds FROM shown w GROUP BY 1
                UNION ALL
                SELECT coalesce((SELECT c.currency FROM api.currency_rows(own) AS c GROUP BY c.currency ORDER BY sum(c.services) DESC, c.currency LIMIT 1), 'INR'),
                       0, 0, 0
                WHERE NOT EXISTS (SELECT FROM shown)
            ) AS t
        )
        SELECT jsonb_build_object('rows', coalesce((
                SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                        'bus_id', nullif(w.bus_key, 0), 'name', w.name, 'date', nullif(w.date_key, '-infinity'),
                        'from_stop', nullif(w.from_key, 0), 'to_stop', nullif(w.to_key, 0), 'origin', w.origin, 'destination', w.destination,
                        'agent', nullif(w.agent_key, ''), 'occupancy', w.occupancy::text)
                        || api.show_sales(w.currency, w.tickets, w.charges, w.refunds))
                    ORDER BY w.bus_key, w.date_key, w.from_key, w.to_key, w.agent_key, w.currency)
                FROM shown w), '[]'), 'totals', t.totals) || (t.totals -> 0)
        FROM totals t));
END $$;

-- The rows of api.sales; with shards, those of each database. operator: NULL for all operators. The keys by which the rows are not grouped are 0,
-- -infinity and empty. booked, seats: the kilometres of booked seats and of all seats on offer; NULL: there is no occupancy.
CREATE OR REPLACE FUNCTION api.sales_rows(operator text, from_date date, to_date date, group_by text, dated_by text) RETURNS TABLE (
    bus_key bigint, date_key date, from_key int, to_key int, agent_key text, currency text, name text, origin text, destination text,
    tickets numeric, charges numeric, refunds numeric, booked numeric, seats numeric
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = on SET enable_hashjoin = on AS $$
DECLARE
    by_date CONSTANT boolean := group_by IS NOT DISTINCT FROM 'date';
    by_segment CONSTANT boolean := group_by IS NOT DISTINCT FROM 'segment';
    by_agent CONSTANT boolean := group_by IS NOT DISTINCT FROM 'agent';
    by_payment CONSTANT boolean := dated_by IS NOT DISTINCT FROM 'payment';
BEGIN
    RETURN QUERY
        WITH service AS MATERIALIZED (
            SELECT s.bus_id, s.currency FROM bus_info s WHERE sales_rows.operator IS NULL OR s.operator = sales_rows.operator
        ), paid AS (
            SELECT CASE WHEN by_date OR by_agent THEN 0 ELSE y.bus_id END AS bus_key, CASE WHEN by_date THEN dated.on_date ELSE '-infinity' END AS date_key,
                   CASE WHEN by_segment THEN y.from_stop ELSE 0 END AS from_key, CASE WHEN by_segment THEN y.to_stop ELSE 0 END AS to_key,
                   CASE WHEN by_agent THEN coalesce(y.agent, '') ELSE '' END AS agent_key, y.currency,
                   sum(y.tickets) AS tickets, sum(y.charges) AS charges, sum(y.refunds) AS refunds
            FROM service JOIN busware_reports.sales y USING (bus_id)
            CROSS JOIN LATERAL (SELECT CASE WHEN by_payment THEN y.payment_date ELSE y.travel_date END) AS dated (on_date)
            WHERE dated.on_date BETWEEN from_date AND to_date
            GROUP BY 1, 2, 3, 4, 5, 6
        ), leg AS MATERIALIZED (
            SELECT CASE WHEN by_date THEN 0 ELSE o.bus_id END AS bus_key, CASE WHEN by_date THEN o.travel_date ELSE '-infinity' END AS date_key,
                   o.from_stop, service.currency, sum(o.booked * weight.factor) AS booked, sum(o.seats * weight.factor) AS seats
            FROM service JOIN busware_reports.occupancy o USING (bus_id)
            CROSS JOIN LATERAL (SELECT CASE WHEN o.route_km > 0 THEN o.km ELSE 1 END) AS weight (factor)
            WHERE NOT by_payment AND NOT by_agent AND o.travel_date BETWEEN from_date AND to_date AND o.state = 'open'
            GROUP BY 1, 2, 3, 4
        ), keys AS (
            SELECT p.bus_key, p.date_key, p.from_key, p.to_key, p.agent_key, p.currency FROM paid p
            UNION
            SELECT l.bus_key, l.date_key, 0, 0, '', l.currency FROM leg l WHERE NOT by_segment
        )
        SELECT k.*, s.name, pa.name, pb.name, coalesce(p.tickets, 0), coalesce(p.charges, 0), coalesce(p.refunds, 0), o.booked, o.seats
        FROM keys k
        LEFT JOIN paid p USING (bus_key, date_key, from_key, to_key, agent_key, currency)
        CROSS JOIN LATERAL (
            SELECT sum(l.booked) AS booked, sum(l.seats) AS seats FROM leg l
            WHERE l.bus_key = k.bus_key AND l.date_key = k.date_key AND l.currency = k.currency
              AND (NOT by_segment OR l.from_stop >= k.from_key AND l.from_stop < k.to_key)) AS o
        LEFT JOIN bus_info s ON s.bus_id = k.bus_key
        LEFT JOIN route_table a ON a.bus_id = k.bus_key AND a.stop_no = k.from_key
        LEFT JOIN route_table b ON b.bus_id = k.bus_key AND b.stop_no = k.to_key
        LEFT JOIN places pa ON pa.code = a.place
        LEFT JOIN places pb ON pb.code = b.place;
END $$;

-- Sums of sales in one currency, as fields of a reply.
CREATE OR REPLACE FUNCTION api.show_sales(currency text, tickets numeric, charges numeric, refunds numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('currency', currency, 'tickets', tickets, 'charges', api.amount_text(charges, currency),
    'refunds', api.amount_text(refunds, currency), 'income', api.amount_text(charges - refunds, currency));
