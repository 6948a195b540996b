-- An agent has a currency: its credit limit is in it, and it sells only tickets in it. The table stays small.

INSERT INTO migrations (name) VALUES ('1y_terms_of_agents');

ALTER TABLE agents
    ADD COLUMN currency text NOT NULL DEFAULT 'INR',
    ADD CONSTRAINT currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;

-- The currency of the tickets that the agent has sold; if it has sold none, the most frequent one of its operator's services.
UPDATE agents g SET currency = coalesce(
    (SELECT y.currency FROM payments y WHERE y.agent = g.agent LIMIT 1),
    (SELECT mode() WITHIN GROUP (ORDER BY s.currency) FROM bus_info s WHERE s.operator = g.operator), 'INR');
