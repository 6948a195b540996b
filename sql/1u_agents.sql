-- Agents, who sell tickets of an operator at a counter for cash: their terms, their quotas, the settlements of their cash.
--
-- An agent's account has no operator in `accounts`: an operator account may change the services of its operator, an agent
-- may not. An agent belongs to an operator and to no service, so its tables are shared by all shards of that operator.

INSERT INTO migrations (name) VALUES ('1u_agents');

-- The new constraint allows every role that the old one allows.
-- squawk-ignore ban-drop-constraint
ALTER TABLE accounts DROP CONSTRAINT accounts_role_check;
ALTER TABLE accounts
    ADD CONSTRAINT accounts_role_check CHECK (role IN ('traveller', 'agent', 'operator', 'admin')) NOT VALID;

CREATE TABLE agents (
    agent           text PRIMARY KEY REFERENCES accounts,   -- the username of its account
    operator        text NOT NULL,                     -- whose services (bus_info.operator) it sells
    commission_percent numeric(5,2) NOT NULL DEFAULT 0 CHECK (commission_percent BETWEEN 0 AND 100),
    credit_limit    numeric(12,2) CHECK (credit_limit >= 0),   -- limit of the cash not handed over; NULL: no limit
    active          boolean NOT NULL DEFAULT true
);

-- How many live tickets an agent may have on a trip of a service. Without a row, only the credit limit applies.
CREATE TABLE agent_quotas (
    bus_id          bigint NOT NULL REFERENCES bus_info,
    agent           text NOT NULL REFERENCES agents,
    seats           int NOT NULL CHECK (seats >= 0),
    PRIMARY KEY (bus_id, agent)
);
CREATE INDEX agent_quotas_of_agent ON agent_quotas (agent);

-- A settlement has all payments of the agent's tickets that were recorded since the previous one (payments.settlement_no).
-- A row never changes.
CREATE TABLE settlements (
    agent           text NOT NULL REFERENCES agents,
    settlement_no   int NOT NULL CHECK (settlement_no > 0),
    at              timestamptz NOT NULL,
    account         text NOT NULL,                     -- that settled it
    carried         numeric(12,2) NOT NULL,            -- the balance of the previous settlement
    charges         numeric(12,2) NOT NULL CHECK (charges >= 0),
    refunds         numeric(12,2) NOT NULL CHECK (refunds >= 0),
    commission_percent numeric(5,2) NOT NULL,
    commission      numeric(12,2) NOT NULL,
    handed_over     numeric(12,2) NOT NULL,            -- by the agent; below 0: to the agent
    balance         numeric(12,2) NOT NULL
        GENERATED ALWAYS AS (carried + charges - refunds - commission - handed_over) STORED,
    PRIMARY KEY (agent, settlement_no),
    CONSTRAINT commission_is_a_part CHECK (commission = round((charges - refunds) * commission_percent / 100, 2))
);
