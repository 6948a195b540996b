-- The agent who sold a ticket, and the settlement that has a payment.
--
-- The columns are NULL for all other tickets, so a sale that is not an agent's writes nothing more.

INSERT INTO migrations (name) VALUES ('1u_counter_sales');

ALTER TABLE passengers
    ADD COLUMN IF NOT EXISTS sold_by text;             -- the agent that sold the ticket (agents.agent)
ALTER TABLE payments
    ADD COLUMN IF NOT EXISTS agent text,               -- takes the charge or pays the refund; as passengers.sold_by
    ADD COLUMN IF NOT EXISTS settlement_no int;        -- of the agent; NULL: not settled yet

-- The new indexes are empty, but PostgreSQL reads the whole tables to build them. If the tables are large, an operator
-- builds the indexes before the upgrade: docs/upgrading.md.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS passengers_held_by_agent ON passengers (sold_by)
    INCLUDE (fare, expires_at) WHERE status = 'held' AND sold_by IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS payments_of_agent ON payments (agent, settlement_no) WHERE agent IS NOT NULL;
