-- The holders that are stored; none on a standby, where they are unknown because the table is unlogged.
-- In plpgsql, so that the planner of the caller does not open the table.
CREATE OR REPLACE FUNCTION api.stored_holders() RETURNS SETOF holders
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT pg_is_in_recovery() THEN
        RETURN QUERY SELECT * FROM holders;
    END IF;
END $$;

-- Check the rules of the data over the whole database. Returns a row for each violation.
CREATE OR REPLACE FUNCTION api.audit() RETURNS TABLE (rule text, bus_id bigint, travel_date date, finding text)
LANGUAGE sql STABLE AS $$
    -- No segment of a seat is sold twice.
    SELECT 'sold_twice', a.bus_id, a.travel_date, format('seat %s: tickets %s/%s %s and %s/%s %s overlap',
        a.seat_no, a.reference, a.ticket_no, a.segment, b.reference, b.ticket_no, b.segment)
    FROM passengers a JOIN passengers b USING (bus_id, travel_date, seat_no)
    WHERE a.status IN ('held', 'booked') AND b.status IN ('held', 'booked')
      AND (a.reference, a.ticket_no) < (b.reference, b.ticket_no) AND a.segment && b.segment
    UNION ALL
    -- seats.taken is the union of the segments of the seat's live tickets and of its blocked segments, which do not overlap.
    SELECT 'taken', s.bus_id, s.travel_date, format('seat %s: taken is %s, its live tickets are %s%s',
        s.seat_no, s.taken, coalesce(live.taken, '{}'), ', blocked is ' || s.blocked)
    FROM seats s LEFT JOIN (
        SELECT p.bus_id, p.travel_date, p.seat_no, range_agg(p.segment) AS taken FROM passengers p
        WHERE p.status IN ('held', 'booked') GROUP BY 1, 2, 3
    ) AS live USING (bus_id, travel_date, seat_no)
    WHERE s.taken <> coalesce(live.taken, '{}') + coalesce(s.blocked, '{}') OR s.blocked && live.taken
    UNION ALL
    -- A trip with a layout of its own has exactly the seats of that layout.
    SELECT 'own_seats', t.bus_id, t.travel_date, format('the layout of the trip has %s seats, on sale are %s',
        api.seat_count(t.own_seats ->> 'layout'), on_sale.seats)
    FROM trips t
    CROSS JOIN LATERAL (SELECT ARRAY(SELECT s.seat_no FROM seats s WHERE s.bus_id = t.bus_id AND s.travel_date = t.travel_date ORDER BY 1)) AS on_sale (seats)
    WHERE t.own_seats IS NOT NULL AND on_sale.seats <> ARRAY(SELECT generate_series(1, api.seat_count(t.own_seats ->> 'layout')))
    UNION ALL
    -- Only a ticket that has no seat any more has a former seat.
    SELECT 'former_seat', p.bus_id, p.travel_date, format('ticket %s/%s (%s): seat %s, former seat %s',
        p.reference, p.ticket_no, p.status, p.seat_no, p.former_seat)
    FROM passengers p WHERE p.seat_no IS NOT NULL AND p.former_seat IS NOT NULL
    UNION ALL
    -- The segment of a ticket begins and ends at stops of the route.
    SELECT 'off_route', p.bus_id, p.travel_date, format('ticket %s/%s: segment %s is not on the route', p.reference, p.ticket_no, p.segment)
    FROM passengers p
    WHERE NOT EXISTS (SELECT FROM route_table r WHERE r.bus_id = p.bus_id AND r.stop_no = lower(p.segment))
       OR NOT EXISTS (SELECT FROM route_table r WHERE r.bus_id = p.bus_id AND r.stop_no = upper(p.segment))
    UNION ALL
    -- If a ticket was ever booked, its first fare is charged, and later what its exchanges charge. Otherwise nothing is
    -- charged. The recorded refunds are the refund of the ticket, which is at most the fare, and those that were made before
    -- its exchanges or by them.
    SELECT 'money', p.bus_id, p.travel_date, format('ticket %s/%s (%s): fare %s, charged %s; refund %s, paid back %s',
        p.reference, p.ticket_no, p.status, p.fare, coalesce(m.charged, 0), p.refund, coalesce(m.refunded, 0))
    FROM passengers p LEFT JOIN (
        SELECT y.bus_id, y.reference, y.ticket_no, sum(y.amount) FILTER (WHERE y.kind = 'charge') AS charged,
               sum(y.amount) FILTER (WHERE y.kind = 'refund') AS refunded
        FROM payments y GROUP BY 1, 2, 3
    ) AS m USING (bus_id, reference, ticket_no)
    LEFT JOIN (
        SELECT e.bus_id, e.reference, e.ticket_no, (array_agg(e.fare ORDER BY e.exchange_no))[1] AS fare,
               sum(greatest(e.amount, 0)) AS charged, sum(e.refund + greatest(-e.amount, 0)) AS refunded
        FROM exchanges e WHERE e.amount IS NOT NULL GROUP BY 1, 2, 3
    ) AS earlier USING (bus_id, reference, ticket_no)
    WHERE coalesce(m.charged, 0) <> CASE WHEN p.booked_at IS NULL THEN 0 ELSE coalesce(earlier.fare + earlier.charged, p.fare) END
       OR coalesce(m.refunded, 0) <> p.refund + coalesce(earlier.refunded, 0) OR p.refund > p.fare
       OR p.status IN ('booked', 'displaced') AND p.booked_at IS NULL
    UNION ALL
    -- A payment is in the currency of its service, and no amount has more decimals than its currency.
    SELECT 'currency', y.bus_id, NULL, format('payment %s/%s/%s is in %s, its service in %s', y.reference, y.ticket_no, y.payment_no,
        y.currency, s.currency)
    FROM payments y JOIN bus_info s USING (bus_id) WHERE y.currency <> s.currency
    UNION ALL
    SELECT 'decimals', a.bus_id, a.travel_date, format('%s: %s %s', a.owner, a.amount, a.currency)
    FROM (
        SELECT y.bus_id, NULL::date, format('payment %s/%s/%s', y.reference, y.ticket_no, y.payment_no), y.amount, y.currency FROM payments y
        UNION ALL
        SELECT p.bus_id, p.travel_date, format('ticket %s/%s', p.reference, p.ticket_no), v.amount, s.currency
        FROM passengers p JOIN bus_info s USING (bus_id), unnest(p.alight_refunds || p.fare || p.refund) AS v (amount)
        UNION ALL
        SELECT r.bus_id, NULL, format('stop %s', r.stop_no), v.amount, s.currency
        FROM route_table r JOIN bus_info s USING (bus_id), unnest(r.fares || r.fare) AS v (amount)
        UNION ALL
        SELECT s.bus_id, NULL, 'exchange fee', s.exchange_fee, s.currency FROM bus_info s
        UNION ALL
        SELECT NULL, NULL, format('promo code %s of %s', c.code, c.operator), c.amount, c.currency FROM promo_codes c
        UNION ALL
        SELECT NULL, NULL, format('credit limit of %s', g.agent), g.credit_limit, g.currency FROM agents g
        UNION ALL
        SELECT i.bus_id, NULL, format('payment_intent %s', i.payment_id), v.amount, v.currency
        FROM payment_intents i, LATERAL (VALUES (i.amount, i.currency), (i.received, i.received_currency)) AS v (amount, currency)
        UNION ALL
        SELECT r.bus_id, NULL, format('refund %s', r.refund_id), r.amount, r.currency FROM refunds r
        UNION ALL
        SELECT f.bus_id, NULL, format('fee %s', f.transaction_id), v.amount, f.currency
        FROM provider_fees f, LATERAL (VALUES (f.amount), (f.net)) AS v (amount)
        UNION ALL
        SELECT l.bus_id, NULL, format('line %s/%s of invoice %s', l.ticket_no, l.payment_no, i.number), v.amount, i.currency
        FROM invoice_lines l JOIN invoices i USING (operator, kind, year, invoice_no), LATERAL (VALUES (l.amount), (l.tax)) AS v (amount)
        UNION ALL
        SELECT NULL, NULL, format('settlement %s of %s', s.settlement_no, s.agent), v.amount, s.currency
        FROM settlements s, unnest(ARRAY[s.carried, s.charges, s.refunds, s.commission, s.handed_over]) AS v (amount)
    ) AS a (bus_id, travel_date, owner, amount, currency)
    WHERE min_scale(a.amount) > api.currency_decimals(a.currency)
    UNION ALL
    -- A fare is stored with all decimals of its currency, because replies show it as it is stored.
    SELECT 'decimals', p.bus_id, p.travel_date, format('ticket %s/%s: %s %s', p.reference, p.ticket_no, p.fare, s.currency)
    FROM passengers p JOIN bus_info s USING (bus_id) WHERE scale(p.fare) < api.currency_decimals(s.currency)
    UNION ALL
    -- The money that arrived for a booking at a provider, less the money that is given back, equals the charges of the ledger less
    -- its refunds; it is 0 if the payment booked nothing. A refund that failed is still owed. No payment gives back more than arrived.
    SELECT 'paid_online', m.bus_id, NULL, format('booking %s: %s %s arrived, %s is given back; charged %s, refunded %s', m.reference,
        m.received, m.currency, m.given_back, coalesce(ledger.charged, 0), coalesce(ledger.refunded, 0))
    FROM (
        SELECT i.bus_id, i.reference, i.received_currency AS currency, sum(i.received) AS received, coalesce(sum(r.amount), 0) AS given_back,
               bool_or(i.booked_at IS NOT NULL) AS booked, bool_or(r.amount > i.received) AS too_much
        FROM payment_intents i
        CROSS JOIN LATERAL (SELECT sum(f.amount) AS amount FROM refunds f WHERE f.bus_id = i.bus_id AND f.payment_id = i.payment_id) AS r
        WHERE i.state = 'succeeded' GROUP BY 1, 2, 3
    ) AS m
    CROSS JOIN LATERAL (
        SELECT sum(y.amount) FILTER (WHERE y.kind = 'charge') AS charged, sum(y.amount) FILTER (WHERE y.kind = 'refund') AS refunded
        FROM payments y WHERE m.booked AND y.bus_id = api.booking_bus(m.reference) AND y.reference = m.reference
    ) AS ledger
    WHERE m.received - m.given_back <> coalesce(ledger.charged, 0) - coalesce(ledger.refunded, 0) OR m.too_much
    UNION ALL
    -- A refund of a provider waits in the outbox until the provider has it.
    SELECT 'refund_order', f.bus_id, NULL, format('refund %s of booking %s waits, and is not in the outbox', f.refund_id, i.reference)
    FROM refunds f JOIN payment_intents i ON i.bus_id = f.bus_id AND i.payment_id = f.payment_id
    WHERE f.state = 'waiting' AND i.provider <> 'manual'
      AND NOT EXISTS (SELECT FROM outbox o WHERE o.kind = 'refund' AND o.key = f.refund_id AND o.state <> 'done')
    UNION ALL
    -- The fee of each payment and refund that a provider has carried out is known, or a row of the outbox asks for it.
    SELECT 'fee_order', f.bus_id, NULL, format('the fee of %s of booking %s is not known, and is not asked for', f.at_provider, f.reference)
    FROM (
        SELECT i.bus_id, i.reference, i.payment_id, NULL::uuid AS refund_id, i.provider_reference AS at_provider
        FROM payment_intents i WHERE i.state = 'succeeded' AND i.provider <> 'manual'
        UNION ALL
        SELECT r.bus_id, i.reference, r.payment_id, r.refund_id, r.provider_reference
        FROM refunds r JOIN payment_intents i USING (bus_id, payment_id) WHERE r.state = 'succeeded' AND i.provider <> 'manual'
    ) AS f
    WHERE f.at_provider IS NOT NULL
      AND NOT EXISTS (SELECT FROM provider_fees k WHERE k.bus_id = f.bus_id AND k.payment_id = f.payment_id AND k.refund_id IS NOT DISTINCT FROM f.refund_id)
      AND NOT EXISTS (SELECT FROM outbox o WHERE o.kind = 'fee' AND o.state <> 'done' AND o.payload ->> 'provider_reference' = f.at_provider)
    UNION ALL
    -- A fee and the net change of the balance add up to the amount of the payment, or to that of the refund with a minus. Not
    -- compared if the balance has another currency.
    SELECT 'fee', f.bus_id, NULL, format('transaction %s of booking %s: fee %s, net %s %s; the amount is %s', f.transaction_id, i.reference,
        f.amount, f.net, f.currency, coalesce(r.amount, i.received))
    FROM provider_fees f
    JOIN payment_intents i USING (bus_id, payment_id)
    LEFT JOIN refunds r ON r.bus_id = f.bus_id AND r.refund_id = f.refund_id
    WHERE i.state <> 'succeeded' OR r.payment_id <> f.payment_id
       OR f.currency = i.received_currency AND coalesce(abs(f.net + f.amount) <> r.amount, f.net + f.amount <> i.received)
    UNION ALL
    -- An exchange charges the new fare and what the operator keeps, without what was paid before.
    SELECT 'exchange', e.bus_id, e.from_date, format('ticket %s/%s, exchange %s: amount %s, fare %s, before %s, refund %s, kept %s',
        e.reference, e.ticket_no, e.exchange_no, e.amount, e.next_fare, e.fare, e.refund, e.kept)
    FROM (
        SELECT e.*, coalesce(lead(e.fare) OVER (PARTITION BY e.bus_id, e.reference, e.ticket_no ORDER BY e.exchange_no), p.fare) AS next_fare
        FROM exchanges e JOIN passengers p USING (bus_id, reference, ticket_no)
    ) AS e
    WHERE e.amount <> e.next_fare - (e.fare - e.refund) + e.kept
    UNION ALL
    -- A booking that has moved from its home service is where moved_bookings says, and only there.
    SELECT 'moved', m.bus_id, NULL, format('booking %s is not on service %s alone', m.reference, m.now_bus_id)
    FROM moved_bookings m
    WHERE NOT EXISTS (SELECT FROM passengers p WHERE p.bus_id = m.now_bus_id AND p.reference = m.reference)
       OR EXISTS (SELECT FROM passengers p WHERE p.bus_id = m.bus_id AND p.reference = m.reference)
    UNION ALL
    SELECT 'moved', e.bus_id, NULL, format('booking %s has left service %s, and is not in moved_bookings with service %s',
        e.reference, e.from_bus_id, e.bus_id)
    FROM exchanges e
    WHERE e.exchange_no = 1 AND e.ticket_no = 1 AND e.from_bus_id <> e.bus_id AND NOT EXISTS (SELECT FROM moved_bookings m
        WHERE m.bus_id = e.from_bus_id AND m.reference = e.reference AND m.now_bus_id = e.bus_id)
    UNION ALL
    -- The parts of a fare add up to it. The first is the fare of the segment; a ticket has a promo code if a part names it.
    SELECT 'fare_parts', p.bus_id, p.travel_date, format('ticket %s/%s: fare %s, its parts %s', p.reference, p.ticket_no, p.fare, p.fare_parts)
    FROM passengers p
    WHERE p.fare <> (SELECT sum((part ->> 'amount')::numeric) FROM jsonb_array_elements(p.fare_parts) AS part)
       OR p.fare_parts #>> '{0,part}' <> 'segment'
       OR (api.name_in(p.fare_parts, 'promo') IS NOT NULL) <> (p.promo_no IS NOT NULL)
       OR p.infant IS NOT NULL AND api.name_in(p.fare_parts, 'infant') IS NULL
    UNION ALL
    -- A payment belongs to the agent who sold the ticket. It is in no settlement yet, or in one of that agent.
    SELECT 'agent', y.bus_id, p.travel_date, format('payment %s/%s/%s is of agent %s in settlement %s, the ticket was sold by %s',
        y.reference, y.ticket_no, y.payment_no, coalesce(y.agent, 'none'), coalesce(y.settlement_no::text, 'none'), coalesce(p.sold_by, 'none'))
    FROM payments y JOIN passengers p USING (bus_id, reference, ticket_no)
    WHERE y.agent IS DISTINCT FROM p.sold_by OR y.settlement_no IS NOT NULL AND NOT EXISTS (
        SELECT FROM settlements s WHERE s.agent = y.agent AND s.settlement_no = y.settlement_no)
    UNION ALL
    -- A settlement has the sums of its payments, carries the balance of the previous one, and has the next number.
    SELECT 'settlement', NULL, NULL, format('settlement %s of %s: carried %s, charges %s, refunds %s; its payments are %s and %s',
        s.settlement_no, s.agent, s.carried, s.charges, s.refunds, paid.charges, paid.refunds)
    FROM (SELECT l.*, lag(l.balance, 1, 0.00) OVER w AS previous, row_number() OVER w AS n
          FROM settlements l WINDOW w AS (PARTITION BY l.agent ORDER BY l.settlement_no)) AS s
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(y.amount) FILTER (WHERE y.kind = 'charge'), 0) AS charges,
               coalesce(sum(y.amount) FILTER (WHERE y.kind = 'refund'), 0) AS refunds
        FROM payments y WHERE y.agent = s.agent AND y.settlement_no = s.settlement_no
    ) AS paid
    WHERE s.charges <> paid.charges OR s.refunds <> paid.refunds OR s.carried <> s.previous OR s.settlement_no <> s.n
    UNION ALL
    -- The invoices of an operator and a year have the numbers 1, 2, 3 and so on, in the order of publication; its credit notes, too.
    SELECT 'invoice_number', i.bus_id, NULL, format('%s %s of %s has the number %s, as the %s. of %s at position %s', i.kind, i.number, i.operator,
        i.invoice_no, i.n, i.year, i.position)
    FROM (SELECT i.*, row_number() OVER w AS n, lag(i.position) OVER w AS before
          FROM invoices i WINDOW w AS (PARTITION BY i.operator, i.kind, i.year ORDER BY i.invoice_no)) AS i
    WHERE i.invoice_no <> i.n OR i.before > i.position
       OR i.number <> api.invoice_number(split_part(i.number, '-', 1), i.kind, i.year, i.invoice_no)
       OR i.year <> (SELECT api.financial_year(i.dated, g.year_begins) FROM invoicing g WHERE g.operator = i.operator)
    UNION ALL
    -- Each line of an invoice is a payment of its booking, currency and agent: a charge, or on a credit note a refund.
    SELECT 'invoice', l.bus_id, NULL, format('%s has %s %s for payment %s/%s/%s, which is %s', i.number, l.amount, i.currency, l.reference,
        l.ticket_no, l.payment_no, CASE WHEN y.kind IS NULL THEN 'not there' ELSE format('a %s of %s %s', y.kind, y.amount, y.currency) END)
    FROM invoice_lines l
    JOIN invoices i USING (operator, kind, year, invoice_no)
    LEFT JOIN payments y ON y.bus_id = api.booking_bus(l.reference) AND y.reference = l.reference AND y.ticket_no = l.ticket_no
        AND y.payment_no = l.payment_no
    WHERE (y.amount, y.currency, y.kind, y.agent) IS DISTINCT FROM
            (l.amount, i.currency, CASE i.kind WHEN 'invoice' THEN 'charge' ELSE 'refund' END, i.agent)
       OR (l.bus_id, l.reference) <> (i.bus_id, i.reference)
    UNION ALL
    SELECT 'invoice', i.bus_id, NULL, format('%s has no line', i.number)
    FROM invoices i WHERE NOT EXISTS (SELECT FROM invoice_lines l
        WHERE (l.operator, l.kind, l.year, l.invoice_no) = (i.operator, i.kind, i.year, i.invoice_no))
    UNION ALL
    -- Each payment that was made since its operator has invoices is on an invoice, unless an event of its booking is not published yet.
    SELECT 'not_invoiced', y.bus_id, NULL, format('payment %s/%s/%s (%s of %s) of %s is on no invoice', y.reference, y.ticket_no, y.payment_no,
        y.kind, y.amount, y.at)
    FROM payments y
    JOIN bus_info s USING (bus_id)
    JOIN invoicing g ON g.operator = s.operator AND y.at >= g.since
    WHERE NOT EXISTS (SELECT FROM invoice_lines l WHERE l.bus_id = api.reference_bus(y.reference) AND l.reference = y.reference
            AND l.ticket_no = y.ticket_no AND l.payment_no = y.payment_no)
      AND NOT EXISTS (SELECT FROM events e WHERE e.reference = y.reference AND e.position IS NULL)
    UNION ALL
    -- The tax on the invoices of a ticket, less that on its credit notes, is the tax in its charges less its refunds.
    SELECT 'tax', t.bus_id, NULL, format('ticket %s/%s: tax %s in %s at %s percent', t.reference, t.ticket_no, t.tax, t.amount, t.percents)
    FROM (
        SELECT l.bus_id, l.reference, l.ticket_no, min(i.currency) AS currency, array_agg(DISTINCT i.tax_percent) AS percents,
               sum(CASE i.kind WHEN 'invoice' THEN l.amount ELSE -l.amount END) AS amount,
               sum(CASE i.kind WHEN 'invoice' THEN l.tax ELSE -l.tax END) AS tax
        FROM invoice_lines l JOIN invoices i USING (operator, kind, year, invoice_no) GROUP BY 1, 2, 3
    ) AS t
    WHERE cardinality(t.percents) > 1 OR t.tax <> api.tax_in(t.amount, t.percents[1], t.currency)
    UNION ALL
    -- No promo code is used more often than its limit.
    SELECT 'promo_code', NULL, NULL, format('promo code %s of %s: %s uses, at most %s', c.code, c.operator, used.uses, c.max_uses)
    FROM promo_codes c, LATERAL api.promo_code_uses(c.promo_no) AS used WHERE used.uses > c.max_uses
    UNION ALL
    -- The refund of a ticket is that of the terms at which it was sold: for ending early, and then for its cancellation.
    -- The refund is the whole fare if the trip is cancelled, also after the trip is open again, and if the ticket ended while its
    -- booking had an open offer. Tickets that were sold before these terms were stored are left out. Two things are no longer
    -- known: the delay of a trip when a ticket was cancelled, so any of the tiers is accepted; and whether the service was paid
    -- with Stripe then, which rounds currencies with three decimals, so a difference of one rounding step is accepted.
    SELECT 'refund', p.bus_id, p.travel_date, format('ticket %s/%s (%s): fare %s, refund %s, by its terms %s',
        p.reference, p.ticket_no, p.status, p.fare, p.refund, due.refund)
    FROM passengers p
    JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
    JOIN bus_info service ON service.bus_id = p.bus_id
    CROSS JOIN LATERAL (
        SELECT coalesce(p.alight_refunds[upper(seat.segment) - lower(seat.segment)], 0) AS refund
        FROM (SELECT coalesce(p.no_show_segment, p.segment)) AS seat (segment)   -- the seat of a no-show sells without a refund
    ) AS alighting
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.booked_at IS NULL THEN 0 WHEN p.status IN ('booked', 'displaced') THEN alighting.refund
            ELSE alighting.refund + api.round_charge((p.fare - alighting.refund) * api.refund_percent_at(p, p.ended_at) / 100, service) END AS refund
    ) AS due
    WHERE p.alight_refunds IS NOT NULL AND abs(p.refund - due.refund) > api.rounding_step(service.currency)
      AND NOT ((t.state = 'cancelled' OR t.reopened) AND p.status = 'cancelled' AND p.refund = p.fare)
      AND NOT (p.status = 'cancelled' AND p.refund = p.fare AND EXISTS (SELECT FROM offers o
          WHERE o.reference = p.reference AND p.ended_at BETWEEN o.created_at AND coalesce(o.decided_at, 'infinity')))
      AND NOT (t.delays IS NOT NULL AND p.status = 'cancelled' AND p.refund - alighting.refund IN (
          SELECT api.round_charge((p.fare - alighting.refund) * tier.percent / 100, service) FROM jsonb_to_recordset(p.refund_tiers) AS tier (percent numeric)
          UNION ALL SELECT 0 WHERE p.refund_tiers IS NOT NULL))
    UNION ALL
    -- An open offer is made for displaced tickets, and then holds seats of another trip, or for booked tickets. Its trip is settled
    -- at the latest when the offer expires. The seats that it holds are not sold before it ends.
    SELECT 'offer', o.bus_id, o.travel_date, format('offer %s to booking %s (if unanswered: %s): its tickets are %s, its hold is %s, it '
        'expires at %s, the trip is settled at %s', o.offer_no, o.reference, o.unanswered, party.status, coalesce(hold.status, 'nothing'),
        o.valid_until, coalesce(t.settle_at::text, 'no time'))
    FROM offers o
    LEFT JOIN trips t ON t.bus_id = o.bus_id AND t.travel_date = o.travel_date
    LEFT JOIN LATERAL (SELECT string_agg(DISTINCT p.status, ', ') AS status FROM passengers p
        WHERE p.bus_id = o.bus_id AND p.reference = o.reference AND p.ticket_no = ANY (o.tickets) AND p.status <> 'cancelled') AS party ON true
    LEFT JOIN LATERAL (SELECT string_agg(DISTINCT h.status, ', ') AS status FROM passengers h
        WHERE h.bus_id = o.hold_bus_id AND h.reference = o.hold AND h.status <> 'cancelled') AS hold ON true
    WHERE o.state = 'open' AND (party.status IS DISTINCT FROM CASE o.unanswered WHEN 'refund' THEN 'displaced' ELSE 'booked' END
        OR o.unanswered = 'refund' AND o.hold IS NULL OR hold.status NOT IN ('held', 'expired')
        OR t.settle_at IS NULL OR t.settle_at > o.valid_until)
    UNION ALL
    -- A displaced ticket has an open offer.
    SELECT 'displaced', p.bus_id, p.travel_date, format('ticket %s/%s is displaced and has no open offer', p.reference, p.ticket_no)
    FROM passengers p
    WHERE p.status = 'displaced' AND NOT EXISTS (SELECT FROM offers o WHERE o.bus_id = p.bus_id AND o.reference = p.reference
        AND o.state = 'open' AND o.unanswered = 'refund' AND p.ticket_no = ANY (o.tickets))
    UNION ALL
    -- Without an answer, the whole fare of displaced tickets was refunded, as if they had declined.
    SELECT 'offer_refund', p.bus_id, p.travel_date, format('ticket %s/%s (%s): offer %s is %s, fare %s, refund %s', p.reference,
        p.ticket_no, p.status, o.offer_no, o.state, p.fare, p.refund)
    FROM offers o JOIN passengers p ON p.bus_id = o.bus_id AND p.reference = o.reference AND p.ticket_no = ANY (o.tickets)
    WHERE (o.state = 'declined' OR o.state = 'expired' AND o.unanswered = 'refund') AND (p.status <> 'cancelled' OR p.refund <> p.fare)
    UNION ALL
    -- Only a ticket that was booked is checked in or a no-show. The seat of a no-show is for sale from the next stop on.
    SELECT 'no_show', p.bus_id, p.travel_date, format('ticket %s/%s (%s): segment %s of %s, checked in %s, no-show %s',
        p.reference, p.ticket_no, p.status, p.segment, p.no_show_segment, p.checked_in_at, p.no_show_at)
    FROM passengers p
    WHERE (p.checked_in_at IS NOT NULL OR p.no_show_at IS NOT NULL) AND p.booked_at IS NULL
       OR p.no_show_segment IS NOT NULL AND (p.no_show_at IS NULL OR lower(p.segment) <> lower(p.no_show_segment)
          OR upper(p.segment) <> lower(p.segment) + 1 OR p.segment = p.no_show_segment)
    UNION ALL
    -- A ticket that was transferred has the name of its last transfer.
    SELECT 'transfer', p.bus_id, p.travel_date, format('ticket %s/%s has the name %s, its last transfer was to %s',
        p.reference, p.ticket_no, p.name, last.to_name)
    FROM passengers p, LATERAL (SELECT t.to_name FROM transfers t
        WHERE t.bus_id = p.bus_id AND t.reference = p.reference AND t.ticket_no = p.ticket_no
        ORDER BY t.transfer_no DESC LIMIT 1) AS last
    WHERE p.name IS DISTINCT FROM last.to_name
    UNION ALL
    -- The tickets of a party have one trip, one phone number, one account, one agent, and, apart from cancelled ones, one
    -- status. Their numbers are 1, 2, 3 and so on.
    SELECT 'half_booked', p.bus_id, min(p.travel_date), format('booking %s: %s', p.reference,
        string_agg(p.ticket_no || ' ' || p.status || ' ' || p.travel_date, ', ' ORDER BY p.ticket_no))
    FROM passengers p GROUP BY p.bus_id, p.reference
    HAVING count(DISTINCT p.travel_date) > 1 OR count(DISTINCT coalesce(p.phone, '')) > 1
        OR count(DISTINCT coalesce(p.account, '')) > 1 OR count(DISTINCT coalesce(p.sold_by, '')) > 1
        OR count(DISTINCT p.status) FILTER (WHERE p.status <> 'cancelled') > 1
        OR min(p.ticket_no) > 1 OR max(p.ticket_no) <> count(*)
    UNION ALL
    -- A booking is the answer of at most one key of book or hold. Every booking in an answer exists.
    SELECT 'answered_twice', k.bus_id, NULL, format('booking %s is the answer to %s requests, the last with key %s',
        k.answer ->> 'reference', count(DISTINCT k.key), max(k.key))
    FROM idempotency_keys k WHERE k.method IN ('book', 'hold')
    GROUP BY k.bus_id, k.answer ->> 'reference' HAVING count(DISTINCT k.key) > 1
    UNION ALL
    SELECT 'answer_lost', k.bus_id, NULL, format('the answer to the request with key %s is booking %s, which does not exist', k.key, k.answer ->> 'reference')
    FROM idempotency_keys k
    WHERE k.answer ? 'reference' AND NOT EXISTS (SELECT FROM passengers p
        WHERE p.bus_id = k.bus_id AND p.reference = k.answer ->> 'reference') AND NOT EXISTS (SELECT FROM moved_bookings m
        WHERE m.bus_id = k.bus_id AND m.reference = k.answer ->> 'reference')
    UNION ALL
    -- Published events have no gap, unless some were moved to another database, and those of a booking are in order.
    SELECT 'event_order', NULL, NULL, format('events have positions from %s to %s, which are %s', min(e.position), max(e.position), count(e.position))
    FROM events e HAVING max(e.position) - min(e.position) + 1 <> count(e.position) AND NOT api.is_shard()
    UNION ALL
    SELECT 'event_order', e.bus_id, e.travel_date, format('event %s of booking %s is at position %s, and an earlier one at %s',
        e.event_no, e.reference, e.position, e.before)
    FROM (SELECT e.*, lag(e.position) OVER (PARTITION BY e.reference ORDER BY e.event_no) AS before
          FROM events e WHERE e.position IS NOT NULL AND e.type <> 'booking.notice') AS e
    WHERE e.reference IS NOT NULL AND e.before > e.position
    UNION ALL
    -- The last event of a booking has the status of each of its tickets. A booking that is older than the log may have none.
    SELECT 'event_missing', p.bus_id, p.travel_date, format('ticket %s/%s is %s, by the last event of its booking %s', p.reference, p.ticket_no,
        p.status, coalesce(last.status, 'nothing'))
    FROM passengers p
    LEFT JOIN (
        SELECT DISTINCT ON (e.reference, t.ticket_no) e.reference, t.ticket_no, t.status
        FROM events e, jsonb_to_recordset(e.data -> 'tickets') AS t (ticket_no int, status text)
        WHERE e.reference IS NOT NULL ORDER BY e.reference, t.ticket_no, e.event_no DESC
    ) AS last ON last.reference = p.reference AND last.ticket_no = p.ticket_no
    WHERE CASE WHEN last.status IS NULL THEN p.created_at > (SELECT min(e.at) FROM events e)
               ELSE last.status NOT IN (p.status, CASE WHEN p.status IN ('held', 'pending') THEN 'expired' ELSE p.status END) END
    UNION ALL
    -- A row of the outbox that was tried has an error or is done, or is being carried out. A row that is never due is behind another one.
    SELECT 'outbox', o.bus_id, NULL, format('row %s (%s) is %s after %s attempts, with the error %s', o.outbox_no, o.kind, o.state, o.attempts,
        coalesce(o.error, 'none'))
    FROM outbox o
    WHERE o.state = 'done' AND (o.error IS NOT NULL OR o.attempts = 0) OR o.state = 'dead' AND o.error IS NULL
       OR o.due_at < o.created_at
       OR o.state = 'waiting' AND o.due_at = 'infinity' AND NOT EXISTS (SELECT FROM outbox b
           WHERE b.ordered_by = o.ordered_by AND b.state = 'waiting' AND b.outbox_no < o.outbox_no)
    UNION ALL
    -- A webhook has a current secret. No delivery waits for a webhook that is not active.
    SELECT 'webhook', NULL, NULL, format('webhook %s of %s has no current secret', w.webhook, w.operator) FROM webhooks w
    WHERE NOT EXISTS (SELECT FROM webhook_secrets s WHERE s.webhook_no = w.webhook_no AND s.valid_until IS NULL)
    UNION ALL
    SELECT 'webhook', o.bus_id, NULL, format('row %s of the outbox waits for webhook %s of %s, which is not active', o.outbox_no, w.webhook, w.operator)
    FROM outbox o JOIN webhooks w ON w.webhook_no = o.webhook_no WHERE o.state = 'waiting' AND NOT w.active
    UNION ALL
    -- A trip is settled no later than its first hold or waitlist entry expires.
    SELECT 'unsettled', p.bus_id, p.travel_date, format('ticket %s/%s expires at %s, the trip is settled at %s',
        p.reference, p.ticket_no, p.expires_at, coalesce(t.settle_at::text, 'no time'))
    FROM passengers p JOIN trips t USING (bus_id, travel_date)
    WHERE p.status IN ('held', 'pending') AND (t.settle_at IS NULL OR t.settle_at > p.expires_at)
    UNION ALL
    -- The holder of a ticket is stored only while the ticket is held or on the waitlist.
    SELECT 'holder_kept', h.bus_id, h.travel_date, format('ticket %s/%s is neither held nor on the waitlist, but its holder is stored', h.reference, h.ticket_no)
    FROM api.stored_holders() h
    WHERE NOT EXISTS (SELECT FROM passengers p WHERE p.bus_id = h.bus_id AND p.reference = h.reference
        AND p.ticket_no = h.ticket_no AND p.status IN ('held', 'pending'))
    UNION ALL
    -- No hold or waitlist entry outlasts the sale of its boarding stop.
    SELECT 'outlasts_sale', p.bus_id, p.travel_date, format('ticket %s/%s expires at %s, its stop is sold until %s',
        p.reference, p.ticket_no, p.expires_at, sale.ends_at)
    FROM passengers p
    JOIN trips t ON t.bus_id = p.bus_id AND t.travel_date = p.travel_date
    JOIN bus_info s ON s.bus_id = p.bus_id
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment),
         api.sells_until(s, t, r.stop_no, r.departs) AS sale (ends_at)
    WHERE p.status IN ('held', 'pending') AND p.expires_at > sale.ends_at
    UNION ALL
    -- No ticket boards at a stop that its trip skips, and no hold or waitlist entry alights there.
    SELECT 'stop_skipped', p.bus_id, p.travel_date, format('ticket %s/%s (%s): segment %s, the trip skips %s', p.reference, p.ticket_no,
        p.status, p.segment, t.skipped)
    FROM trips t JOIN passengers p USING (bus_id, travel_date)
    WHERE t.skipped IS NOT NULL AND p.no_show_at IS NULL
      AND (p.status IN ('held', 'booked', 'pending') AND NOT api.serves(t, lower(p.segment))
           OR p.status IN ('held', 'pending') AND NOT api.serves(t, upper(p.segment)))
    UNION ALL
    -- A trip has a delay for each stop, and its expected times are in the order of its route.
    SELECT 'delays', t.bus_id, t.travel_date, format('the trip leaves stop %s at %s and reaches stop %s at %s', a.stop_no, leaves.at, b.stop_no, arrives.at)
    FROM trips t
    JOIN bus_info s USING (bus_id)
    JOIN route_table a ON a.bus_id = t.bus_id
    JOIN route_table b ON b.bus_id = t.bus_id AND b.stop_no = a.stop_no + 1
    CROSS JOIN LATERAL (SELECT api.leaves_at(s, t, a)) AS leaves (at)
    CROSS JOIN LATERAL (SELECT api.expected(t, b.stop_no, coalesce(b.arrives, b.departs), s.time_zone)) AS arrives (at)
    WHERE t.delays IS NOT NULL AND (arrives.at < leaves.at OR num_nulls(t.delays[a.stop_no], t.delays[b.stop_no]) > 0)
    UNION ALL
    -- A trip that was cancelled because its service ends before it is after the last date of the service. (If the last
    -- date is changed by an UPDATE, api.open_sales opens the trip again.)
    SELECT 'wrongly_ended', t.bus_id, t.travel_date, format('the trip is cancelled because the service had ended, but %s',
        coalesce('its last date is ' || s.last_date, 'it has no last date'))
    FROM trips t JOIN bus_info s USING (bus_id)
    WHERE t.ended AND t.travel_date <= coalesce(s.last_date, t.travel_date)
      AND t.travel_date >= (api.now() AT TIME ZONE s.time_zone)::date
    UNION ALL
    -- No two trips of a repeating route sell the same time.
    SELECT 'sold_by_two_trips', s.bus_id, t.travel_date, format('the trip begins before the end of the trip of %s', t.earlier)
    FROM bus_info s, LATERAL api.overlapping_trips(s.bus_id) AS t WHERE s.repeat_legs IS NOT NULL
    UNION ALL
    -- A vehicle or a driver that is assigned to a trip is there for the times of the trip. Times of trips that have ended
    -- may have been others.
    SELECT 'assigned_times', a.bus_id, a.travel_date, format('%s is assigned for %s, the trip is %s',
        coalesce('vehicle ' || a.vehicle, 'driver ' || a.driver), a.period, trip.period)
    FROM assignments a JOIN bus_info s USING (bus_id), api.trip_period(s, a.travel_date) AS trip (period)
    WHERE a.period <> trip.period AND upper(a.period) > api.now()
    UNION ALL
    -- A contact belongs to a booking, and has the bus_id in the reference of the booking.
    SELECT 'contact', c.bus_id, NULL::date, format('the contact of %s is of no booking of the service', c.reference)
    FROM contacts c
    WHERE c.bus_id IS DISTINCT FROM api.reference_bus(c.reference)
       OR NOT EXISTS (SELECT FROM passengers p WHERE p.bus_id = api.booking_bus(c.reference) AND p.reference = c.reference)
    UNION ALL
    -- No vehicle and no driver is on two trips at once.
    SELECT 'assigned_twice', a.bus_id, a.travel_date, format('%s is also on the trip of %s of service %s',
        coalesce('vehicle ' || a.vehicle, 'driver ' || a.driver), b.travel_date, b.bus_id)
    FROM assignments a JOIN assignments b ON b.operator = a.operator AND (b.vehicle = a.vehicle OR b.driver = a.driver)
        AND b.period && a.period AND (b.bus_id, b.travel_date, b.assignment_no) > (a.bus_id, a.travel_date, a.assignment_no)
    UNION ALL
    -- A cancelled trip has no vehicle and no driver. The vehicle of a trip that has not ended has the seats of the trip,
    -- and belongs to its operator.
    SELECT 'assigned_wrongly', a.bus_id, a.travel_date, format('%s of %s: %s',
        coalesce('vehicle ' || a.vehicle, 'driver ' || a.driver), a.operator, wrong.finding)
    FROM assignments a
    JOIN trips t USING (bus_id, travel_date)
    JOIN bus_info s USING (bus_id)
    LEFT JOIN vehicles v ON v.operator = a.operator AND v.registration = a.vehicle
    CROSS JOIN LATERAL (SELECT CASE WHEN t.state = 'cancelled' THEN 'the trip is cancelled'
        WHEN a.operator <> s.operator THEN 'the trip is operated by ' || s.operator
        ELSE 'seats are missing: ' || array_to_string(api.missing_seats(t, v.layout), ', ') END) AS wrong (finding)
    WHERE wrong.finding IS NOT NULL AND upper(a.period) > api.now()
    UNION ALL
    -- No two usernames differ only in characters that cannot be seen.
    SELECT 'hidden_characters', NULL, NULL, format('the usernames %s look the same',
        string_agg(api.quoted(a.username), ' and ' ORDER BY a.username COLLATE "C"))
    FROM accounts a GROUP BY api.visible(a.username) HAVING count(*) > 1
    UNION ALL
    -- The name of a passenger or an infant has no character that the server removes, and something in it can be seen.
    SELECT 'hidden_characters', p.bus_id, p.travel_date, format('ticket %s/%s: the name is %s', p.reference, p.ticket_no, api.quoted(n.name))
    FROM passengers p, LATERAL (VALUES (p.name), (p.infant)) AS n (name)
    WHERE n.name ~ ('[' || api.format_characters() || ']')
       OR n.name !~ ('[^\s' || api.invisible() || ']')
    UNION ALL
    -- No party is on the waitlist of an open trip while enough seats of its class are free on its segment.
    SELECT 'kept_waiting', q.bus_id, q.travel_date, format('booking %s waits for %s on segment %s, free seats: %s',
        q.reference, api.format_count(q.party, 'seat'), q.segment, free.n)
    FROM (
        SELECT p.bus_id, p.travel_date, p.reference, p.segment, count(*) AS party,
               min(api.name_in(p.fare_parts, 'class')) AS seat_class,
               jsonb_agg(jsonb_build_object('gender', p.gender)) AS passengers
        FROM passengers p JOIN trips t USING (bus_id, travel_date)
        WHERE p.status = 'pending' AND p.expires_at > api.now() AND t.state = 'open' GROUP BY 1, 2, 3, 4
    ) AS q, LATERAL (
        SELECT count(*) AS n
        FROM trips t, api.service_of(t) AS i,
             LATERAL api.seats_open_to(i, q.party::int, q.passengers, api.seats_of_class(i, q.seat_class)) AS among, seats s
        WHERE t.bus_id = q.bus_id AND t.travel_date = q.travel_date
          AND s.bus_id = q.bus_id AND s.travel_date = q.travel_date AND NOT s.taken && q.segment
          AND (among IS NULL OR s.seat_no = ANY (among))
    ) AS free
    WHERE free.n >= q.party
$$;
