-- Issue the invoices and credit notes of a booking. api.publish_events, which one session at a time executes, issues them in the
-- order of the events. So their numbers have no gaps, and no sale waits for a number: if the publication of an event fails, its
-- numbers are rolled back with it.

-- An invoice has all charges of a booking and a day that are on none yet, a credit note all refunds. Each payment is recorded in
-- one transaction with an event of its booking, and both have the time of the transaction. A payment of a later event waits for
-- that event, so that the journey of the event is what was charged.
CREATE OR REPLACE FUNCTION api.issue_invoices(e events) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    home    CONSTANT bigint := api.reference_bus(e.reference);
    terms   invoicing;
    service bus_info;
    due     record;
BEGIN
    SELECT i.* INTO terms FROM bus_info s JOIN invoicing i ON i.operator = s.operator WHERE s.bus_id = e.bus_id;
    IF e.reference IS NULL OR terms.operator IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO service FROM bus_info s WHERE s.bus_id = api.booking_bus(e.reference);
    FOR due IN
        SELECT CASE y.kind WHEN 'charge' THEN 'invoice' ELSE 'credit_note' END AS kind,
               (y.at AT TIME ZONE service.time_zone)::date AS dated, array_agg(y ORDER BY y.ticket_no, y.payment_no) AS payments
        FROM payments y
        WHERE y.bus_id = service.bus_id AND y.reference = e.reference AND y.at BETWEEN terms.since AND e.at
          AND NOT EXISTS (SELECT FROM invoice_lines l WHERE l.bus_id = home AND l.reference = e.reference
              AND l.ticket_no = y.ticket_no AND l.payment_no = y.payment_no)
        GROUP BY 1, 2 ORDER BY 2, 1 DESC
    LOOP
        PERFORM api.issue_invoice(e, terms, due.kind, due.dated, due.payments);
    END LOOP;
END $$;

-- Issue one invoice or credit note. The tax of a ticket is always that in its charges less its refunds, so the tax of a line is the
-- amount by which its payment changes that tax: the taxes of refunds add up to that of the charges, whatever is rounded.
CREATE OR REPLACE FUNCTION api.issue_invoice(e events, terms invoicing, kind text, dated date, payments payments[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    home   CONSTANT bigint := api.reference_bus(e.reference);
    invoice_year CONSTANT int := api.financial_year(dated, terms.year_begins);
    next   int;
    tax    taxes;
BEGIN
    SELECT coalesce(max(i.invoice_no), 0) + 1 INTO next FROM invoices i
    WHERE i.operator = terms.operator AND i.kind = issue_invoice.kind AND i.year = invoice_year;
    tax := api.tax_of_sale(terms.operator, home, e.reference);
    INSERT INTO invoices (operator, kind, year, invoice_no, number, bus_id, reference, position, dated, issued_at, currency, seller,
                          agent, tax_name, tax_percent, tax_number, journey)
    VALUES (terms.operator, issue_invoice.kind, invoice_year, next, api.invoice_number(terms.prefix, kind, invoice_year, next), home, e.reference,
            e.position, issue_invoice.dated, api.now(), payments[1].currency, coalesce(terms.seller, terms.operator), payments[1].agent,
            tax.name, tax.percent, tax.number,
            (SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(e.data) AS f
             WHERE f.key IN ('kind', 'name', 'bus_id', 'travel_date', 'origin', 'destination', 'departs_at')));
    INSERT INTO invoice_lines (bus_id, reference, ticket_no, payment_no, operator, kind, year, invoice_no, amount, tax, seat_no, fare_parts)
    SELECT home, e.reference, y.ticket_no, y.payment_no, terms.operator, issue_invoice.kind, invoice_year, next, y.amount,
           abs(api.tax_in(paid.after, tax.percent, y.currency) - api.tax_in(paid.before, tax.percent, y.currency)),
           (shown.ticket ->> 'seat_no')::int, CASE y.payment_no WHEN 1 THEN shown.ticket -> 'fare_parts' END
    FROM unnest(payments) AS y
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(m.signed), 0) AS after, coalesce(sum(m.signed) FILTER (WHERE m.payment_no < y.payment_no), 0) AS before
        FROM (SELECT m.payment_no, CASE m.kind WHEN 'charge' THEN m.amount ELSE -m.amount END AS signed FROM payments m
              WHERE m.bus_id = y.bus_id AND m.reference = y.reference AND m.ticket_no = y.ticket_no AND m.payment_no <= y.payment_no) AS m
    ) AS paid
    LEFT JOIN LATERAL (SELECT t FROM jsonb_array_elements(e.data -> 'tickets') AS t
        WHERE (t ->> 'ticket_no')::int = y.ticket_no) AS shown (ticket) ON true;
END $$;

-- The tax of a booking: that of its first invoice; before it has one, that of the time at which it was booked. A booking that was
-- made before its operator had a tax has none.
CREATE OR REPLACE FUNCTION api.tax_of_sale(operator text, home bigint, reference text) RETURNS taxes
LANGUAGE plpgsql STABLE AS $$
DECLARE
    first invoices;
BEGIN
    SELECT * INTO first FROM invoices i WHERE i.bus_id = home AND i.reference = tax_of_sale.reference
    ORDER BY i.position, i.kind DESC LIMIT 1;
    RETURN CASE WHEN first.operator IS NOT NULL
        THEN ROW(first.operator, NULL, NULL, first.tax_name, first.tax_percent, first.tax_number)::taxes
        ELSE api.tax_at(tax_of_sale.operator, (SELECT min(p.booked_at) FROM passengers p
            WHERE p.bus_id = api.booking_bus(tax_of_sale.reference) AND p.reference = tax_of_sale.reference)) END;
END $$;

-- The year in which the financial year of a date begins. year_begins: its first month.
CREATE OR REPLACE FUNCTION api.financial_year(dated date, year_begins int) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN date_part('year', dated - make_interval(months => year_begins - 1))::int;

-- The number of an invoice, such as KA-2026-000123, and of a credit note, such as KA-2026-C000123.
CREATE OR REPLACE FUNCTION api.invoice_number(prefix text, kind text, year int, invoice_no int) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN prefix || '-' || year || CASE kind WHEN 'credit_note' THEN '-C' ELSE '-' END
    || lpad(invoice_no::text, greatest(6, length(invoice_no::text)), '0');
