-- Invoices, as travellers and operators read them.

-- What an operator has on its invoices: {} with its name alone, if it gets none. taxes: the present one and those that are planned.
CREATE OR REPLACE FUNCTION api.show_invoicing(operator text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('operator', show_invoicing.operator, 'taxes', (
            SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', t.name, 'percent', trim_scale(t.percent)::text,
                'number', t.number, 'valid_from', api.rfc3339(t.valid_from, api.operator_time_zone(t.operator)))) ORDER BY t.tax_no), '[]')
            FROM taxes t
            WHERE t.operator = show_invoicing.operator AND NOT EXISTS (SELECT FROM taxes n
                WHERE n.operator = t.operator AND n.tax_no > t.tax_no AND n.valid_from <= greatest(t.valid_from, api.now()))))
        || coalesce((SELECT jsonb_strip_nulls(jsonb_build_object('prefix', i.prefix, 'seller', i.seller, 'year_begins', i.year_begins,
                'since', api.rfc3339(i.since, api.operator_time_zone(i.operator))))
            FROM invoicing i WHERE i.operator = show_invoicing.operator), '{}')
$$;

CREATE OR REPLACE FUNCTION api.invoicing(account text, operator text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record := api.operator_of(account, operator);
BEGIN
    RETURN coalesce(owner.refusal, api.show_invoicing(owner.operator));
END $$;

-- An invoice or a credit note, with its lines. corrects: the invoices of the booking that were issued before a credit note.
CREATE OR REPLACE FUNCTION api.show_invoice(i invoices) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('number', i.number, 'kind', i.kind, 'date', i.dated, 'issued_at', api.rfc3339(i.issued_at, 'UTC'),
            'operator', i.operator, 'seller', i.seller, 'reference', i.reference, 'currency', i.currency,
            'amount', api.amount_text(sum(l.amount), i.currency), 'net', api.amount_text(sum(l.amount - l.tax), i.currency),
            'journey', i.journey,
            'lines', jsonb_agg(jsonb_build_object('ticket_no', l.ticket_no, 'payment_no', l.payment_no,
                    'amount', api.amount_text(l.amount, i.currency), 'tax', api.amount_text(l.tax, i.currency))
                || jsonb_strip_nulls(jsonb_build_object('seat_no', l.seat_no, 'fare_parts', l.fare_parts)) ORDER BY l.ticket_no, l.payment_no))
        || CASE WHEN i.agent IS NULL THEN '{}' ELSE jsonb_build_object('agent', i.agent) END
        || CASE WHEN i.kind = 'invoice' THEN '{}' ELSE jsonb_build_object('corrects', (
            SELECT coalesce(jsonb_agg(c.number ORDER BY c.position, c.dated), '[]') FROM invoices c
            WHERE c.bus_id = i.bus_id AND c.reference = i.reference AND c.kind = 'invoice' AND c.position <= i.position)) END
        || api.show_tax(i.tax_name, i.tax_percent, i.tax_number, sum(l.tax), i.currency)
    FROM invoice_lines l
    WHERE l.operator = i.operator AND l.kind = i.kind AND l.year = i.year AND l.invoice_no = i.invoice_no
$$;

-- The invoices and credit notes of a booking, in the order in which they were issued, for a caller who may open it.
CREATE OR REPLACE FUNCTION api.invoice(reference text, phone text DEFAULT NULL, account text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b     api.opened_booking := api.open_booking(reference, phone, account);
    shown jsonb;
BEGIN
    IF b.refusal IS NOT NULL THEN
        RETURN b.refusal;
    END IF;
    SELECT jsonb_agg(api.show_invoice(i) ORDER BY i.position, i.dated, i.kind DESC) INTO shown FROM invoices i
    WHERE i.bus_id = api.reference_bus(b.reference) AND i.reference = b.reference;
    RETURN CASE WHEN shown IS NULL THEN api.refusal_no_invoice(b) ELSE jsonb_build_object('invoices', shown) END;
END $$;

-- The refusal of a booking without an invoice says why it has none.
CREATE OR REPLACE FUNCTION api.refusal_no_invoice(b api.opened_booking) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('no_invoice', CASE
        WHEN i.operator IS NULL THEN format('%s issues no invoices with Busware. Ask %s for one.', s.operator, s.operator)
        WHEN paid.at IS NULL THEN format('Booking %s was not charged, so it has no invoice.', b.reference)
        WHEN paid.at < i.since THEN format('Booking %s was charged before %s issued invoices with Busware. Ask %s for one.', b.reference, s.operator, s.operator)
        ELSE format('The invoice of booking %s is not issued yet. Try again in a minute.', b.reference) END)
    FROM bus_info s
    LEFT JOIN invoicing i ON i.operator = s.operator
    CROSS JOIN LATERAL (SELECT max(y.at) AS at FROM payments y WHERE y.bus_id = b.bus_id AND y.reference = b.reference) AS paid
    WHERE s.bus_id = b.bus_id
$$;

-- A page of the invoices and credit notes of an operator with dates from from_date to to_date, by date, and of a date in the order in
-- which they were issued. So what is issued on the last day while its pages are read is on a later page. page: their maximum number.
-- after: `next` of the previous page.
CREATE OR REPLACE FUNCTION api.invoices(
    account text, operator text, from_date date, to_date date, page int DEFAULT NULL, after text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record := api.operator_of(account, operator);
    size  CONSTANT int := coalesce(page, 100);
    last  invoices;   -- of the previous page
    shown jsonb;
BEGIN
    SELECT * INTO last FROM invoices i WHERE i.number = invoices.after AND i.operator = owner.operator;
    owner.refusal := coalesce(owner.refusal, api.check_period(from_date, to_date), CASE WHEN after IS NOT NULL AND last.number IS NULL THEN
        api.refusal_bad_request('after', 'the `next` of the previous page', format('%s has no invoice %s.', owner.operator, api.quoted(after))) END);
    IF owner.refusal IS NOT NULL THEN
        RETURN owner.refusal;
    END IF;
    IF last.dated IS NULL OR last.dated < from_date THEN
        last.dated := from_date;
        last.position := 0;
    END IF;
    SELECT jsonb_agg(api.show_invoice(p.i) ORDER BY (p.i).dated, (p.i).position, (p.i).kind DESC) INTO shown FROM (
        SELECT i FROM invoices i
        WHERE i.operator = owner.operator AND i.dated <= to_date AND (i.dated, i.position) >= (last.dated, last.position)
          AND ((i.dated, i.position) > (last.dated, last.position) OR i.kind < last.kind)   -- an invoice, then the credit note of its event
        ORDER BY i.dated, i.position, i.kind DESC LIMIT size
    ) AS p;
    RETURN jsonb_build_object('invoices', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown -> -1 -> 'number') ELSE '{}' END;
END $$;
