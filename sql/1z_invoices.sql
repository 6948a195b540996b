-- Invoices and credit notes of operators, and the taxes in their fares. They are data of an operator, as its vehicles are. The
-- rows of `invoices`, `invoice_lines` and `taxes` never change.

INSERT INTO migrations (name) VALUES ('1z_invoices');

-- The function is not in schema api, which an upgrade drops and creates again.
CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE integrity_constraint_violation USING MESSAGE = format('A row of %I is never changed or deleted.', TG_TABLE_NAME);
END $$;
REVOKE ALL ON FUNCTION public.refuse_change() FROM PUBLIC;

-- An operator without a row gets no invoices.
CREATE TABLE invoicing (
    operator        text PRIMARY KEY,              -- bus_info.operator
    prefix          text NOT NULL UNIQUE CHECK (prefix ~ '^[A-Z0-9]{1,8}$'),   -- its numbers begin with it
    seller          text CHECK (length(seller) BETWEEN 1 AND 500),   -- name and address for invoices; NULL: the name of the operator
    since           timestamptz NOT NULL           -- payments that were recorded earlier are on no invoice
);

-- A ticket has the tax that was valid when it was booked: that of the last row that was added, of those with an earlier valid_from.
-- So a new row replaces what was planned for later. percent: NULL: no tax.
CREATE TABLE taxes (
    operator        text NOT NULL REFERENCES invoicing,
    tax_no          int NOT NULL CHECK (tax_no > 0),
    valid_from      timestamptz NOT NULL,          -- not before the row is added
    name            text CHECK (length(name) BETWEEN 1 AND 20),
    percent         numeric CHECK (percent BETWEEN 0 AND 100 AND min_scale(percent) <= 3),
    number          text CHECK (length(number) BETWEEN 1 AND 40),   -- under which the operator is registered for it
    PRIMARY KEY (operator, tax_no),
    CONSTRAINT whole_tax CHECK (num_nulls(name, percent, number) IN (0, 3))
);
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE ON taxes FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

-- A credit note has refunds, an invoice has charges. Each has payments of one booking and one day, in one currency.
CREATE TABLE invoices (
    operator        text NOT NULL REFERENCES invoicing,
    kind            text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    year            int NOT NULL,
    invoice_no      int NOT NULL CHECK (invoice_no > 0),   -- without gaps for each operator, kind and year, in order of position
    number          text NOT NULL UNIQUE,          -- with prefix and year
    bus_id          bigint NOT NULL,               -- home service of the booking: see api.reference_bus
    reference       text NOT NULL,
    position        bigint NOT NULL,               -- of the event whose publication issued it
    dated           date NOT NULL,                 -- day of its payments, in the time zone of the service
    issued_at       timestamptz NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    seller          text NOT NULL,
    agent           text,                          -- who sold the booking at a counter
    tax_name        text,                          -- the tax of the booking; NULL: none
    tax_percent     numeric,
    tax_number      text,
    journey         jsonb NOT NULL,                -- what was sold, as the booking shows it
    PRIMARY KEY (operator, kind, year, invoice_no),
    CONSTRAINT year_of_date CHECK (year = date_part('year', dated)),
    CONSTRAINT whole_tax CHECK (num_nulls(tax_name, tax_percent, tax_number) IN (0, 3))
);
CREATE INDEX invoices_of_booking ON invoices (bus_id, reference);
CREATE INDEX invoices_by_date ON invoices (operator, dated);
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

-- One row for each payment that is on an invoice or a credit note. It has no foreign key to `payments`, whose rows move to
-- another service with their booking.
CREATE TABLE invoice_lines (
    bus_id          bigint NOT NULL,               -- home service of the booking
    reference       text NOT NULL,
    ticket_no       int NOT NULL,
    payment_no      int NOT NULL,
    operator        text NOT NULL,
    kind            text NOT NULL,
    year            int NOT NULL,
    invoice_no      int NOT NULL,
    amount          numeric NOT NULL CHECK (amount >= 0),   -- of the payment, with the tax
    tax             numeric NOT NULL CHECK (tax BETWEEN 0 AND amount),
    seat_no         int,
    fare_parts      jsonb,                         -- passengers.fare_parts, of the first charge of a ticket
    PRIMARY KEY (bus_id, reference, ticket_no, payment_no),
    FOREIGN KEY (operator, kind, year, invoice_no) REFERENCES invoices
);
CREATE INDEX lines_of_invoice ON invoice_lines (operator, kind, year, invoice_no);
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE ON invoice_lines FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
