-- The terms of an agent have a currency: that of its credit limit, and of all that it sells. The table stays small.

INSERT INTO migrations (name) VALUES ('1y_terms_of_agents');

ALTER TABLE agents
    ADD COLUMN currency text NOT NULL DEFAULT 'INR',
    ADD CONSTRAINT currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;

-- That of what the agent has sold; else that of most services of its operator.
UPDATE agents g SET currency = coalesce(
    (SELECT y.currency FROM payments y WHERE y.agent = g.agent LIMIT 1),
    (SELECT mode() WITHIN GROUP (ORDER BY s.currency) FROM bus_info s WHERE s.operator = g.operator), 'INR');
