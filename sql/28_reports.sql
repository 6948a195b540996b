-- Views for programs that make reports, without personal data. docs/administration.md shows how to make a role that reads
-- them and nothing else. They call no function of schema api: the reader of a view needs the right to execute the
-- functions in it.
--
-- CREATE OR REPLACE VIEW can only append columns. Another change needs a migration that drops the view, because this
-- schema is not created again with schema api. The grants on the view are lost then.

CREATE OR REPLACE VIEW busware_reports.services AS
SELECT s.bus_id, s.kind, s.name AS service, s.operator, pa.name AS origin, pb.name AS destination,
       (SELECT count(*) FROM seat_plan l WHERE l.bus_id = s.bus_id) AS seats, s.first_date, s.last_date, s.time_zone, s.currency
FROM bus_info s
CROSS JOIN LATERAL (SELECT r.place FROM route_table r WHERE r.bus_id = s.bus_id ORDER BY r.stop_no LIMIT 1) AS a
CROSS JOIN LATERAL (SELECT r.place FROM route_table r WHERE r.bus_id = s.bus_id ORDER BY r.stop_no DESC LIMIT 1) AS b
JOIN places pa ON pa.code = a.place
JOIN places pb ON pb.code = b.place;
COMMENT ON VIEW busware_reports.services IS 'Services, with their first and last place.';
COMMENT ON COLUMN busware_reports.services.bus_id IS 'Number of the service.';
COMMENT ON COLUMN busware_reports.services.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN busware_reports.services.service IS 'Name of the service.';
COMMENT ON COLUMN busware_reports.services.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN busware_reports.services.origin IS 'Place of the first stop.';
COMMENT ON COLUMN busware_reports.services.destination IS 'Place of the last stop.';
COMMENT ON COLUMN busware_reports.services.seats IS 'Number of seats.';
COMMENT ON COLUMN busware_reports.services.first_date IS 'First travel date. NULL: no limit.';
COMMENT ON COLUMN busware_reports.services.last_date IS 'Last travel date. NULL: no limit.';
COMMENT ON COLUMN busware_reports.services.time_zone IS 'Time zone of the service.';
COMMENT ON COLUMN busware_reports.services.currency IS 'Currency of its amounts (ISO 4217).';

CREATE OR REPLACE VIEW busware_reports.tickets AS
SELECT p.bus_id, s.kind, s.name AS service, s.operator, p.travel_date,
       CASE WHEN p.phone IS NULL AND p.account IS NULL AND p.sold_by IS NULL THEN NULL ELSE p.reference END AS reference,   -- see api.open_booking
       p.ticket_no, coalesce(p.seat_no, p.former_seat) AS seat_no, pa.name AS origin, pb.name AS destination,
       CASE WHEN p.status IN ('held', 'pending') AND p.expires_at <= now() THEN 'expired' ELSE p.status END AS status,
       p.fare, p.refund, p.created_at, p.booked_at, p.ended_at, p.sold_by, s.currency
FROM passengers p
JOIN bus_info s USING (bus_id)
JOIN route_table a ON a.bus_id = p.bus_id AND a.stop_no = lower(p.segment)
JOIN route_table b ON b.bus_id = p.bus_id AND b.stop_no = upper(p.segment)
JOIN places pa ON pa.code = a.place
JOIN places pb ON pb.code = b.place;
COMMENT ON VIEW busware_reports.tickets IS 'Tickets, without the name, phone number and account of the passenger.';
COMMENT ON COLUMN busware_reports.tickets.bus_id IS 'Number of the service.';
COMMENT ON COLUMN busware_reports.tickets.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN busware_reports.tickets.service IS 'Name of the service.';
COMMENT ON COLUMN busware_reports.tickets.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN busware_reports.tickets.travel_date IS 'Date at the first stop of the trip.';
COMMENT ON COLUMN busware_reports.tickets.reference IS 'Reference of the booking, which the tickets of a party share. NULL if the reference alone opens it: a booking without phone number, account and agent.';
COMMENT ON COLUMN busware_reports.tickets.ticket_no IS 'Number of the ticket in its booking, from 1.';
COMMENT ON COLUMN busware_reports.tickets.seat_no IS 'Seat of the ticket. NULL while it is pending.';
COMMENT ON COLUMN busware_reports.tickets.origin IS 'Place at which the passenger boards.';
COMMENT ON COLUMN busware_reports.tickets.destination IS 'Place at which the passenger alights.';
COMMENT ON COLUMN busware_reports.tickets.status IS 'held, booked, pending, displaced, cancelled or expired, now.';
COMMENT ON COLUMN busware_reports.tickets.fare IS 'Fare of the ticket when it was sold.';
COMMENT ON COLUMN busware_reports.tickets.refund IS 'Amount that was refunded.';
COMMENT ON COLUMN busware_reports.tickets.created_at IS 'When it was requested.';
COMMENT ON COLUMN busware_reports.tickets.booked_at IS 'When it was booked. NULL: it was not.';
COMMENT ON COLUMN busware_reports.tickets.ended_at IS 'When it was cancelled or expired. NULL: it has not ended.';
COMMENT ON COLUMN busware_reports.tickets.sold_by IS 'Agent who sold it at a counter. NULL: none.';
COMMENT ON COLUMN busware_reports.tickets.currency IS 'Currency of its amounts (ISO 4217).';

CREATE OR REPLACE VIEW busware_reports.trips AS
SELECT t.bus_id, s.kind, s.name AS service, s.operator, t.travel_date, t.state, t.reason,
       (SELECT count(*) FROM seats e WHERE e.bus_id = t.bus_id AND e.travel_date = t.travel_date) AS seats,
       count(*) FILTER (WHERE p.status = 'booked') AS booked,
       count(*) FILTER (WHERE p.status = 'held' AND p.expires_at > now()) AS held,
       count(*) FILTER (WHERE p.status = 'pending' AND p.expires_at > now()) AS pending,
       coalesce(sum(p.fare - p.refund + coalesce((SELECT sum(e.kept) FROM exchanges e
           WHERE e.bus_id = p.bus_id AND e.reference = p.reference AND e.ticket_no = p.ticket_no), 0))
           FILTER (WHERE p.booked_at IS NOT NULL), 0) AS income, s.currency
FROM trips t
JOIN bus_info s USING (bus_id)
LEFT JOIN passengers p ON p.bus_id = t.bus_id AND p.travel_date = t.travel_date
GROUP BY t.bus_id, t.travel_date, s.bus_id;
COMMENT ON VIEW busware_reports.trips IS 'Trips, with the numbers of their tickets and their income.';
COMMENT ON COLUMN busware_reports.trips.bus_id IS 'Number of the service.';
COMMENT ON COLUMN busware_reports.trips.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN busware_reports.trips.service IS 'Name of the service.';
COMMENT ON COLUMN busware_reports.trips.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN busware_reports.trips.travel_date IS 'Date at the first stop.';
COMMENT ON COLUMN busware_reports.trips.state IS 'open or cancelled.';
COMMENT ON COLUMN busware_reports.trips.reason IS 'Why it was cancelled. NULL: it is open.';
COMMENT ON COLUMN busware_reports.trips.seats IS 'Number of seats.';
COMMENT ON COLUMN busware_reports.trips.booked IS 'Number of booked tickets.';
COMMENT ON COLUMN busware_reports.trips.held IS 'Number of held tickets, now.';
COMMENT ON COLUMN busware_reports.trips.pending IS 'Number of tickets on the waitlist, now.';
COMMENT ON COLUMN busware_reports.trips.income IS 'Sum of the fares of the tickets that were booked, without what was refunded, and with what their exchanges kept.';
COMMENT ON COLUMN busware_reports.trips.currency IS 'Currency of the income (ISO 4217).';

CREATE OR REPLACE VIEW busware_reports.payments AS
SELECT m.bus_id, s.kind AS service_kind, s.name AS service, s.operator, p.travel_date,
       CASE WHEN p.phone IS NULL AND p.account IS NULL AND p.sold_by IS NULL THEN NULL ELSE m.reference END AS reference, m.ticket_no, m.payment_no,
       m.kind, m.amount, m.at, m.agent, m.settlement_no, m.currency
FROM payments m
JOIN bus_info s USING (bus_id)
JOIN passengers p ON p.bus_id = m.bus_id AND p.reference = m.reference AND p.ticket_no = m.ticket_no;
COMMENT ON VIEW busware_reports.payments IS 'Charges and refunds of tickets. They are recorded here, not carried out.';
COMMENT ON COLUMN busware_reports.payments.bus_id IS 'Number of the service.';
COMMENT ON COLUMN busware_reports.payments.service_kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN busware_reports.payments.service IS 'Name of the service.';
COMMENT ON COLUMN busware_reports.payments.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN busware_reports.payments.travel_date IS 'Date at the first stop of the trip.';
COMMENT ON COLUMN busware_reports.payments.reference IS 'Reference of the booking, as in tickets.';
COMMENT ON COLUMN busware_reports.payments.ticket_no IS 'Number of the ticket in its booking.';
COMMENT ON COLUMN busware_reports.payments.payment_no IS 'Number of the payment of the ticket: 1 is its first charge, the others are refunds and the charges of exchanges.';
COMMENT ON COLUMN busware_reports.payments.kind IS 'charge or refund.';
COMMENT ON COLUMN busware_reports.payments.amount IS 'Amount, at least 0.';
COMMENT ON COLUMN busware_reports.payments.at IS 'When it was recorded.';
COMMENT ON COLUMN busware_reports.payments.agent IS 'Agent who took it, or paid it back. NULL: none.';
COMMENT ON COLUMN busware_reports.payments.settlement_no IS 'Number of the settlement of the agent. NULL: not settled.';
COMMENT ON COLUMN busware_reports.payments.currency IS 'Currency of the amount (ISO 4217).';

CREATE OR REPLACE VIEW busware_reports.sales AS
SELECT m.bus_id, s.kind, s.name AS service, s.operator, p.travel_date, (m.at AT TIME ZONE s.time_zone)::date AS payment_date,
       lower(sold.segment) AS from_stop, upper(sold.segment) AS to_stop, min(pa.name) AS origin, min(pb.name) AS destination,
       count(*) FILTER (WHERE m.payment_no = 1) AS tickets,
       coalesce(sum(m.amount) FILTER (WHERE m.kind = 'charge'), 0) AS charges,
       coalesce(sum(m.amount) FILTER (WHERE m.kind = 'refund'), 0) AS refunds,
       sum(CASE m.kind WHEN 'charge' THEN m.amount ELSE -m.amount END) AS income, m.agent, m.currency
FROM payments m
JOIN bus_info s USING (bus_id)
JOIN passengers p ON p.bus_id = m.bus_id AND p.reference = m.reference AND p.ticket_no = m.ticket_no
CROSS JOIN LATERAL (SELECT coalesce(p.no_show_segment, p.segment) AS segment) AS sold
LEFT JOIN route_table a ON a.bus_id = m.bus_id AND a.stop_no = lower(sold.segment)
LEFT JOIN route_table b ON b.bus_id = m.bus_id AND b.stop_no = upper(sold.segment)
LEFT JOIN places pa ON pa.code = a.place
LEFT JOIN places pb ON pb.code = b.place
GROUP BY m.bus_id, s.bus_id, p.travel_date, payment_date, sold.segment, m.agent, m.currency;
COMMENT ON VIEW busware_reports.sales IS 'Sums of payments by service, travel date, date of payment, segment, agent and currency.';
COMMENT ON COLUMN busware_reports.sales.bus_id IS 'Number of the service.';
COMMENT ON COLUMN busware_reports.sales.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN busware_reports.sales.service IS 'Name of the service.';
COMMENT ON COLUMN busware_reports.sales.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN busware_reports.sales.travel_date IS 'Date at the first stop of the trip.';
COMMENT ON COLUMN busware_reports.sales.payment_date IS 'Date on which the payments were recorded, in the time zone of the service.';
COMMENT ON COLUMN busware_reports.sales.from_stop IS 'Number of the stop at which the tickets begin.';
COMMENT ON COLUMN busware_reports.sales.to_stop IS 'Number of the stop at which the tickets end now.';
COMMENT ON COLUMN busware_reports.sales.origin IS 'Place of that first stop.';
COMMENT ON COLUMN busware_reports.sales.destination IS 'Place of that last stop.';
COMMENT ON COLUMN busware_reports.sales.tickets IS 'Number of tickets that were charged.';
COMMENT ON COLUMN busware_reports.sales.charges IS 'Sum of the charges.';
COMMENT ON COLUMN busware_reports.sales.refunds IS 'Sum of the refunds.';
COMMENT ON COLUMN busware_reports.sales.income IS 'Charges less refunds.';
COMMENT ON COLUMN busware_reports.sales.agent IS 'Agent who sold the tickets at a counter. NULL: none.';
COMMENT ON COLUMN busware_reports.sales.currency IS 'Currency of the sums (ISO 4217).';

CREATE OR REPLACE VIEW busware_reports.settlements AS
SELECT s.agent, g.operator, s.settlement_no, s.at, s.carried, s.charges, s.refunds, s.commission_percent, s.commission,
       s.handed_over, s.balance, s.currency
FROM settlements s JOIN agents g USING (agent);
COMMENT ON VIEW busware_reports.settlements IS 'Settlements of the cash of agents.';
COMMENT ON COLUMN busware_reports.settlements.agent IS 'Username of the agent.';
COMMENT ON COLUMN busware_reports.settlements.operator IS 'Name of the company whose tickets the agent sells.';
COMMENT ON COLUMN busware_reports.settlements.settlement_no IS 'Number of the settlement of the agent, from 1.';
COMMENT ON COLUMN busware_reports.settlements.at IS 'When it was settled.';
COMMENT ON COLUMN busware_reports.settlements.carried IS 'Balance of the previous settlement.';
COMMENT ON COLUMN busware_reports.settlements.charges IS 'Sum of the charges of the tickets that the agent sold.';
COMMENT ON COLUMN busware_reports.settlements.refunds IS 'Sum of the refunds of such tickets.';
COMMENT ON COLUMN busware_reports.settlements.commission_percent IS 'Commission of the agent, in percent of charges less refunds.';
COMMENT ON COLUMN busware_reports.settlements.commission IS 'Commission of the agent. Below 0: the agent gives it back, because it refunded more than it sold.';
COMMENT ON COLUMN busware_reports.settlements.handed_over IS 'What the agent handed over. Below 0: what the operator gave the agent.';
COMMENT ON COLUMN busware_reports.settlements.balance IS 'What the agent still has to hand over. The next settlement carries it.';
COMMENT ON COLUMN busware_reports.settlements.currency IS 'Currency of its amounts (ISO 4217).';

CREATE OR REPLACE VIEW busware_reports.occupancy AS
SELECT t.bus_id, s.kind, s.name AS service, s.operator, t.travel_date, t.state, a.stop_no AS from_stop, b.stop_no AS to_stop,
       pa.name AS origin, pb.name AS destination, b.km - a.km AS km, route.km AS route_km, plan.seats,
       (SELECT count(*) FROM unnest(sold.segments) AS segment WHERE segment @> a.stop_no) AS booked
FROM trips t
JOIN bus_info s USING (bus_id)
JOIN route_table a ON a.bus_id = t.bus_id
JOIN route_table b ON b.bus_id = t.bus_id AND b.stop_no = a.stop_no + 1
JOIN places pa ON pa.code = a.place
JOIN places pb ON pb.code = b.place
CROSS JOIN LATERAL (SELECT max(r.km) - min(r.km) AS km FROM route_table r WHERE r.bus_id = t.bus_id) AS route
CROSS JOIN LATERAL (SELECT count(*) AS seats FROM seats e WHERE e.bus_id = t.bus_id AND e.travel_date = t.travel_date) AS plan
-- the tickets of a trip are read once, not for each leg
CROSS JOIN LATERAL (SELECT array_agg(p.segment) AS segments FROM passengers p WHERE p.bus_id = t.bus_id
    AND p.travel_date = t.travel_date AND p.status = 'booked') AS sold;
COMMENT ON VIEW busware_reports.occupancy IS 'Booked seats on each leg of each trip. Slow without a condition on bus_id or travel_date.';
COMMENT ON COLUMN busware_reports.occupancy.bus_id IS 'Number of the service.';
COMMENT ON COLUMN busware_reports.occupancy.kind IS 'bus, flight, show or hotel.';
COMMENT ON COLUMN busware_reports.occupancy.service IS 'Name of the service.';
COMMENT ON COLUMN busware_reports.occupancy.operator IS 'Name of the company that runs the service.';
COMMENT ON COLUMN busware_reports.occupancy.travel_date IS 'Date at the first stop of the trip.';
COMMENT ON COLUMN busware_reports.occupancy.state IS 'open or cancelled.';
COMMENT ON COLUMN busware_reports.occupancy.from_stop IS 'Number of the stop at which the leg begins.';
COMMENT ON COLUMN busware_reports.occupancy.to_stop IS 'Number of the next stop.';
COMMENT ON COLUMN busware_reports.occupancy.origin IS 'Place at which the leg begins.';
COMMENT ON COLUMN busware_reports.occupancy.destination IS 'Place at which the leg ends.';
COMMENT ON COLUMN busware_reports.occupancy.km IS 'Kilometres of the leg.';
COMMENT ON COLUMN busware_reports.occupancy.route_km IS 'Kilometres of the whole route. 0: they are not stored.';
COMMENT ON COLUMN busware_reports.occupancy.seats IS 'Number of seats.';
COMMENT ON COLUMN busware_reports.occupancy.booked IS 'Number of booked seats on the leg.';

-- A condition on about_at, from 14 hours before the day in UTC to 12 hours after it, finds the entries of a day by the indexes.
CREATE OR REPLACE VIEW busware_reports.account_entries AS
SELECT s.operator, (y.at AT TIME ZONE s.time_zone)::date AS date, y.at AS about_at, y.currency,
       CASE y.kind WHEN 'charge' THEN y.amount ELSE 0 END AS charge, CASE y.kind WHEN 'refund' THEN y.amount ELSE 0 END AS refund,
       0::numeric AS tax, 0::numeric AS kept, 0::numeric AS commission, 0::numeric AS fee
FROM payments y LEFT JOIN moved_bookings m ON (m.now_bus_id, m.reference) = (y.bus_id, y.reference)
JOIN bus_info s ON s.bus_id = coalesce(m.bus_id, y.bus_id)
UNION ALL
SELECT i.operator, i.dated, i.dated::timestamp AT TIME ZONE 'UTC', i.currency, 0, 0, CASE i.kind WHEN 'invoice' THEN l.tax ELSE -l.tax END, 0, 0, 0
FROM invoices i JOIN invoice_lines l USING (operator, kind, year, invoice_no)
UNION ALL
SELECT s.operator, (e.at AT TIME ZONE s.time_zone)::date, e.at, s.currency, 0, 0, 0, e.kept, 0, 0
FROM exchanges e LEFT JOIN moved_bookings m ON (m.now_bus_id, m.reference) = (e.bus_id, e.reference)
JOIN bus_info s ON s.bus_id = coalesce(m.bus_id, e.bus_id) WHERE e.kept > 0
UNION ALL
SELECT s.operator, (p.ended_at AT TIME ZONE s.time_zone)::date, p.ended_at, s.currency, 0, 0, 0, p.fare - p.refund, 0, 0
FROM passengers p LEFT JOIN moved_bookings m ON (m.now_bus_id, m.reference) = (p.bus_id, p.reference)
JOIN bus_info s ON s.bus_id = coalesce(m.bus_id, p.bus_id) WHERE p.status = 'cancelled' AND p.booked_at IS NOT NULL
UNION ALL
SELECT g.operator, (c.at AT TIME ZONE (SELECT mode() WITHIN GROUP (ORDER BY s.time_zone) FROM bus_info s WHERE s.operator = g.operator))::date,
       c.at, c.currency, 0, 0, 0, 0, c.commission, 0
FROM settlements c JOIN agents g USING (agent)
UNION ALL
SELECT s.operator, (f.at AT TIME ZONE s.time_zone)::date, f.at, f.currency, 0, 0, 0, 0, 0, f.amount
FROM provider_fees f JOIN bus_info s USING (bus_id);
COMMENT ON VIEW busware_reports.account_entries IS 'What the sums of accounts are made of.';
COMMENT ON COLUMN busware_reports.account_entries.operator IS 'Name of the company.';
COMMENT ON COLUMN busware_reports.account_entries.date IS 'As in accounts.';
COMMENT ON COLUMN busware_reports.account_entries.about_at IS 'When it was recorded; of a tax, the date at midnight UTC.';
COMMENT ON COLUMN busware_reports.account_entries.currency IS 'Currency of the amounts (ISO 4217).';
COMMENT ON COLUMN busware_reports.account_entries.charge IS 'A charge.';
COMMENT ON COLUMN busware_reports.account_entries.refund IS 'A refund.';
COMMENT ON COLUMN busware_reports.account_entries.tax IS 'Tax on a line of an invoice; below 0 on one of a credit note.';
COMMENT ON COLUMN busware_reports.account_entries.kept IS 'What the operator kept of a ticket.';
COMMENT ON COLUMN busware_reports.account_entries.commission IS 'Commission in a settlement.';
COMMENT ON COLUMN busware_reports.account_entries.fee IS 'Fee of a provider of payments.';

CREATE OR REPLACE VIEW busware_reports.accounts AS
SELECT m.operator, m.date, m.currency, sum(m.charge) AS charges, sum(m.refund) AS refunds, sum(m.charge - m.refund) AS income,
       sum(m.tax) AS tax, sum(m.kept) AS kept, sum(m.commission) AS commission, sum(m.fee) AS fees
FROM busware_reports.account_entries m
GROUP BY m.operator, m.date, m.currency;
COMMENT ON VIEW busware_reports.accounts IS 'Sums of payments by operator, day and currency, with what is included in them, and the fees of providers.';
COMMENT ON COLUMN busware_reports.accounts.operator IS 'Name of the company.';
COMMENT ON COLUMN busware_reports.accounts.date IS 'Date on which the payments were recorded, in the time zone of the service.';
COMMENT ON COLUMN busware_reports.accounts.currency IS 'Currency of the sums (ISO 4217).';
COMMENT ON COLUMN busware_reports.accounts.charges IS 'Sum of the charges.';
COMMENT ON COLUMN busware_reports.accounts.refunds IS 'Sum of the refunds.';
COMMENT ON COLUMN busware_reports.accounts.income IS 'Charges less refunds.';
COMMENT ON COLUMN busware_reports.accounts.tax IS 'Tax on the invoices of the day, without that on its credit notes. It is a part of the income.';
COMMENT ON COLUMN busware_reports.accounts.kept IS 'What the operator kept of tickets that were cancelled or exchanged on the day: fares that were not refunded, and fees. It is a part of the income of this day or of earlier ones.';
COMMENT ON COLUMN busware_reports.accounts.commission IS 'Commission of agents in the settlements of the day. It is not subtracted from the income.';
COMMENT ON COLUMN busware_reports.accounts.fees IS 'What providers of payments charged on the day for payments and refunds. It is not subtracted from the income.';

CREATE OR REPLACE VIEW busware_reports.provider_fees AS
SELECT s.operator, (f.at AT TIME ZONE s.time_zone)::date AS date, f.at, i.provider, CASE WHEN f.refund_id IS NULL THEN 'payment' ELSE 'refund' END AS kind,
       f.payment_id, f.refund_id, f.transaction_id, f.amount, f.net, f.currency
FROM provider_fees f
JOIN payment_intents i USING (bus_id, payment_id)
JOIN bus_info s USING (bus_id);
COMMENT ON VIEW busware_reports.provider_fees IS 'What providers of payments charged, for each of their transactions.';
COMMENT ON COLUMN busware_reports.provider_fees.operator IS 'Name of the company.';
COMMENT ON COLUMN busware_reports.provider_fees.date IS 'Date on which the provider charged it, in the time zone of the service.';
COMMENT ON COLUMN busware_reports.provider_fees.at IS 'When the provider charged it.';
COMMENT ON COLUMN busware_reports.provider_fees.provider IS 'manual or stripe.';
COMMENT ON COLUMN busware_reports.provider_fees.kind IS 'payment or refund.';
COMMENT ON COLUMN busware_reports.provider_fees.payment_id IS 'Identity of the payment.';
COMMENT ON COLUMN busware_reports.provider_fees.refund_id IS 'Identity of the refund. NULL: it is the fee of the payment.';
COMMENT ON COLUMN busware_reports.provider_fees.transaction_id IS 'Identity of the transaction at the provider.';
COMMENT ON COLUMN busware_reports.provider_fees.amount IS 'Amount of the fee. Below 0: it was given back.';
COMMENT ON COLUMN busware_reports.provider_fees.net IS 'What the transaction added to the balance at the provider.';
COMMENT ON COLUMN busware_reports.provider_fees.currency IS 'Currency of the amounts, that of the balance (ISO 4217).';

CREATE OR REPLACE VIEW busware_reports.invoices AS
SELECT i.operator, i.number, i.kind, i.dated AS date, i.year, i.invoice_no, i.issued_at,
       CASE WHEN EXISTS (SELECT FROM passengers p WHERE p.reference = i.reference
           AND p.bus_id IN (i.bus_id, (SELECT m.now_bus_id FROM moved_bookings m WHERE m.bus_id = i.bus_id AND m.reference = i.reference))
           AND num_nonnulls(p.phone, p.account, p.sold_by) > 0) THEN i.reference END AS reference,
       i.agent, sum(l.amount) AS amount, sum(l.tax) AS tax, i.tax_name, i.tax_percent, i.tax_number, i.currency
FROM invoices i JOIN invoice_lines l USING (operator, kind, year, invoice_no)
GROUP BY i.operator, i.kind, i.year, i.invoice_no;
COMMENT ON VIEW busware_reports.invoices IS 'Invoices and credit notes.';
COMMENT ON COLUMN busware_reports.invoices.operator IS 'Name of the company that issued it.';
COMMENT ON COLUMN busware_reports.invoices.number IS 'Its number, as it is printed.';
COMMENT ON COLUMN busware_reports.invoices.kind IS 'invoice or credit_note.';
COMMENT ON COLUMN busware_reports.invoices.date IS 'Date of its payments, in the time zone of the service.';
COMMENT ON COLUMN busware_reports.invoices.year IS 'Year in which the financial year of the date begins.';
COMMENT ON COLUMN busware_reports.invoices.invoice_no IS 'Its number among those of its operator, kind and year, from 1 without gaps.';
COMMENT ON COLUMN busware_reports.invoices.issued_at IS 'When it was issued.';
COMMENT ON COLUMN busware_reports.invoices.reference IS 'Reference of the booking, as in tickets.';
COMMENT ON COLUMN busware_reports.invoices.agent IS 'Agent who sold the booking at a counter. NULL: none.';
COMMENT ON COLUMN busware_reports.invoices.amount IS 'Its amount, with the tax. That of a credit note is above 0, too.';
COMMENT ON COLUMN busware_reports.invoices.tax IS 'Tax in the amount.';
COMMENT ON COLUMN busware_reports.invoices.tax_name IS 'Name of the tax. NULL: none.';
COMMENT ON COLUMN busware_reports.invoices.tax_percent IS 'Its rate in percent.';
COMMENT ON COLUMN busware_reports.invoices.tax_number IS 'Number under which the operator is registered for it.';
COMMENT ON COLUMN busware_reports.invoices.currency IS 'Currency of the amounts (ISO 4217).';
