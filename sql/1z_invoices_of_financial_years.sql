-- The year of an invoice is the financial year of its operator, which may begin in another month than January.

INSERT INTO migrations (name) VALUES ('1z_invoices_of_financial_years');

ALTER TABLE invoicing ADD COLUMN year_begins int NOT NULL DEFAULT 1 CHECK (year_begins BETWEEN 1 AND 12);   -- the first month

-- squawk-ignore ban-drop-constraint
ALTER TABLE invoices DROP CONSTRAINT year_of_date;
ALTER TABLE invoices ADD CONSTRAINT year_of_date CHECK (date_part('year', dated) - year BETWEEN 0 AND 1) NOT VALID;
