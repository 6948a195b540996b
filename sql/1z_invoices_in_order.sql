-- Indexes for reading the accounts of a day and a page of invoices. Payments are inserted in the order of their time, so a BRIN index
-- on the time is small, and a sale spends no time on it.

INSERT INTO migrations (name) VALUES ('1z_invoices_in_order');

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX payments_by_time ON payments USING brin (at) WITH (pages_per_range = 16, autosummarize = on);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX passengers_by_cancellation ON passengers (ended_at) WHERE status = 'cancelled' AND booked_at IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX exchanges_by_time ON exchanges (at) WHERE kept > 0;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX invoices_in_order ON invoices (operator, dated, position);
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX invoices_by_date;
