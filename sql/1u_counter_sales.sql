-- Which tickets an agent has sold, and the settlement of each of their payments.
--
-- The columns are NULL for all other tickets, so a sale that is not an agent's writes nothing more.

INSERT INTO migrations (name) VALUES ('1u_counter_sales');

ALTER TABLE passengers
    ADD COLUMN IF NOT EXISTS sold_by text;             -- the agent (agents.agent)
ALTER TABLE payments
    ADD COLUMN IF NOT EXISTS agent text,               -- that takes the charge and pays the refund: passengers.sold_by
    ADD COLUMN IF NOT EXISTS settlement_no int;        -- of the agent; NULL: not settled yet

-- The indexes are empty, but to build them PostgreSQL reads the tables. On large ones, the notes in docs/upgrading.md
-- build them before the upgrade.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS passengers_held_by_agent ON passengers (sold_by)
    INCLUDE (fare, expires_at) WHERE status = 'held' AND sold_by IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS payments_of_agent ON payments (agent, settlement_no) WHERE agent IS NOT NULL;
