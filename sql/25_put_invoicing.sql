-- Whether an operator gets invoices, and the tax in its fares.

-- args: the request, with the account. prefix, year_begins: they stay once there is an invoice. tax: NULL: no tax; it is valid from now, or from the
-- beginning of the date tax_from in the time zone of the operator. What was sold before keeps its tax.
--
-- The publication of events waits. What was published since this transaction began has no invoice, but is to have one.
CREATE OR REPLACE FUNCTION api.put_invoicing(args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    owner     CONSTANT record := api.operator_of(args ->> 'account', args ->> 'operator');
    published CONSTANT bigint := coalesce((SELECT max(e.position) FROM events e WHERE e.position IS NOT NULL), 0);
    before    invoicing;
    new       invoicing;
    tax       taxes;
BEGIN
    answer := owner.refusal;
    IF answer IS NULL THEN
        PERFORM pg_advisory_xact_lock(1702257010, 0);   -- as api.publish_events
        SELECT * INTO before FROM invoicing i WHERE i.operator = owner.operator;
        new := jsonb_populate_record(before, args - '{tax,tax_from,account,since}'::text[]);
        new.operator := owner.operator;
        new.prefix := upper(new.prefix);
        new.year_begins := coalesce(new.year_begins, 1);
        tax := api.tax_in_request(new.operator, args);
        answer := coalesce(api.check_invoicing(before, new), CASE WHEN args ? 'tax_from' AND NOT args ? 'tax' THEN
                api.refusal_bad_request('tax_from', 'a date, with `tax`', 'tax_from says from when the tax is valid: give tax too.') END);
    END IF;
    IF answer IS NULL THEN
        INSERT INTO invoicing AS i (operator, prefix, seller, year_begins, since) VALUES (new.operator, new.prefix, new.seller, new.year_begins, api.now())
        ON CONFLICT ON CONSTRAINT invoicing_pkey DO UPDATE SET prefix = EXCLUDED.prefix, seller = EXCLUDED.seller, year_begins = EXCLUDED.year_begins;
        IF args ? 'tax' AND api.changes_tax(tax) THEN
            INSERT INTO taxes SELECT tax.*;
        END IF;
        IF before.operator IS NULL THEN
            PERFORM api.issue_invoices(e) FROM (
                SELECT e.* FROM events e JOIN bus_info s ON s.bus_id = e.bus_id
                WHERE e.position > published AND s.operator = new.operator ORDER BY e.position) AS e;
        END IF;
        answer := api.show_invoicing(new.operator);
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;

-- The tax of a request, with the number that it would get.
CREATE OR REPLACE FUNCTION api.tax_in_request(operator text, args jsonb) RETURNS taxes
LANGUAGE sql STABLE
RETURN ROW(operator, (SELECT coalesce(max(t.tax_no), 0) + 1 FROM taxes t WHERE t.operator = tax_in_request.operator),
    greatest(api.now(), (args ->> 'tax_from')::date::timestamp AT TIME ZONE api.operator_time_zone(operator)),
    args #>> '{tax,name}', (args #>> '{tax,percent}')::numeric, args #>> '{tax,number}')::taxes;

-- Whether a tax is another one than is valid or planned for some time from its valid_from on.
CREATE OR REPLACE FUNCTION api.changes_tax(new taxes) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM (
        SELECT t FROM api.tax_at(new.operator, new.valid_from) AS t
        UNION ALL
        SELECT t FROM taxes t WHERE t.operator = new.operator AND t.valid_from > new.valid_from
    ) AS later (t) WHERE ((t).name, (t).percent, (t).number) IS DISTINCT FROM (new.name, new.percent, new.number));

-- Check what an operator wants on its invoices. before: as it is; all columns are NULL before the first request.
CREATE OR REPLACE FUNCTION api.check_invoicing(before invoicing, new invoicing) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE
    WHEN new.prefix IS NULL THEN api.refusal_bad_request('prefix', '1 to 8 letters and digits',
        format('%s has no invoices yet. Give the prefix with which their numbers begin, such as KA for KA-2026-000001.', new.operator))
    WHEN new.prefix <> before.prefix AND EXISTS (SELECT FROM invoices i WHERE i.operator = new.operator) THEN
        api.refusal_bad_request('prefix', before.prefix, format('Invoices of %s have the prefix %s, so it stays.', new.operator, before.prefix))
    WHEN new.year_begins <> before.year_begins AND EXISTS (SELECT FROM invoices i WHERE i.operator = new.operator) THEN
        api.refusal_bad_request('year_begins', before.year_begins::text,
            format('Invoices of %s have the numbers of years that begin in month %s, so it stays.', new.operator, before.year_begins))
    WHEN EXISTS (SELECT FROM invoicing i WHERE i.prefix = new.prefix AND i.operator <> new.operator) THEN
        api.refusal_bad_request('prefix', 'a prefix that no other operator has', format('Another operator has the prefix %s. Choose another one.', new.prefix))
    END;

