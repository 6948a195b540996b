-- Change the terms of an agent, and settle its cash.

-- Edit an agent. An edit keeps the fields that it does not name; null removes the credit limit; quotas replace all quotas.
CREATE OR REPLACE FUNCTION api.put_agent(account text, operator text, agent text, edit jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    owner   record := api.operator_of(account, operator);
    named   record;
    new     agents;
    quotas  jsonb := edit -> 'quotas';
    refusal jsonb := owner.refusal;
BEGIN
    IF refusal IS NULL THEN
        PERFORM api.lock_agent(agent, wait => true);   -- as a sale does, so that no later sale uses the previous limit
        named := api.agent_of(owner.operator, agent);
        new := jsonb_populate_record(named.terms, edit - 'quotas');
        refusal := coalesce(named.refusal, api.check_quotas(owner.operator, quotas), api.check_agent_currency(new),
            api.check_amount_given('credit_limit', new.credit_limit, new.currency));
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    UPDATE agents g
    SET commission_percent = new.commission_percent, currency = new.currency, credit_limit = new.credit_limit, active = new.active
    WHERE g.agent = new.agent;
    IF quotas IS NOT NULL THEN
        DELETE FROM agent_quotas q WHERE q.agent = new.agent;
        INSERT INTO agent_quotas (bus_id, agent, seats)
        SELECT q.bus_id, new.agent, q.seats FROM jsonb_to_recordset(quotas) AS q (bus_id bigint, seats int);
    END IF;
    RETURN api.show_agent(new);
END $$;

-- Check that all that an agent has sold, holds and has handed over is in its new currency, because it is added up.
CREATE OR REPLACE FUNCTION api.check_agent_currency(new agents) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal_bad_request('currency', 'the currency of what the agent has sold',
        format('%s has sold tickets, holds them or has handed cash over in %s.', new.agent, used.currency))
    FROM (
        SELECT y.currency FROM payments y WHERE y.agent = new.agent
        UNION ALL
        SELECT s.currency FROM settlements s WHERE s.agent = new.agent
        UNION ALL
        SELECT s.currency FROM passengers p JOIN bus_info s USING (bus_id)
        WHERE p.sold_by = new.agent AND p.status = 'held' AND p.expires_at > api.now()
    ) AS used
    WHERE used.currency <> new.currency LIMIT 1
$$;

-- Check that the quotas of an agent are for services of its operator, one for each.
CREATE OR REPLACE FUNCTION api.check_quotas(operator text, quotas jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal_bad_request('quotas', 'a list of services of the operator, each once, with a number of seats',
        CASE WHEN s.bus_id IS NULL THEN format('%s does not run service %s.', check_quotas.operator, q.bus_id)
             ELSE format('Service %s is listed twice.', q.bus_id) END)
    FROM jsonb_to_recordset(quotas) AS q (bus_id bigint)
    LEFT JOIN bus_info s ON s.bus_id = q.bus_id AND s.operator = check_quotas.operator
    GROUP BY q.bus_id, s.bus_id HAVING s.bus_id IS NULL OR count(*) > 1
    ORDER BY q.bus_id LIMIT 1
$$;

-- Settle the cash of an agent: all payments of its tickets that are in no settlement yet. handed_over: what the agent hands
-- over; what is missing or too much is the balance, which the next settlement carries. settlement_no: that of the open
-- settlement, as api.settlement returns it, so that the same request twice settles once.
--
-- The lock keeps sales of the agent out until the end, and a payment that another transaction has not committed yet is
-- in the next settlement. So each payment is in exactly one.
CREATE OR REPLACE FUNCTION api.settle_agent(
    account text, operator text, agent text, settlement_no int, handed_over numeric
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    owner record := api.operator_of(account, operator);
    named record;
    s     settlements;
BEGIN
    IF owner.refusal IS NOT NULL THEN
        RETURN owner.refusal;
    END IF;
    PERFORM api.lock_agent(agent, wait => true);
    named := api.agent_of(owner.operator, agent);
    IF named.refusal IS NOT NULL THEN
        RETURN named.refusal;
    END IF;
    SELECT * INTO s FROM settlements l WHERE l.agent = settle_agent.agent AND l.settlement_no = settle_agent.settlement_no
        AND l.handed_over = settle_agent.handed_over;
    IF s.agent IS NULL THEN
        s := api.open_settlement(named.terms);
        IF min_scale(handed_over) > api.currency_decimals(s.currency) THEN
            RETURN api.check_amount_given('handed_over', handed_over, s.currency);
        ELSIF s.settlement_no <> settle_agent.settlement_no THEN
            RETURN api.refusal('already_settled', format('The open settlement of %s has the number %s, not %s.',
                    agent, s.settlement_no, settle_agent.settlement_no),
                jsonb_build_object('settlement_no', s.settlement_no));
        END IF;
        WITH settled AS (
            UPDATE payments y SET settlement_no = s.settlement_no
            WHERE y.agent = s.agent AND y.settlement_no IS NULL
            RETURNING y.kind, y.amount
        ), added AS (
            SELECT coalesce(sum(amount) FILTER (WHERE kind = 'charge'), 0) AS charges,
                   coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunds FROM settled
        )
        INSERT INTO settlements AS new (agent, settlement_no, at, account, carried, charges, refunds,
                                        commission_percent, commission, handed_over, currency)
        SELECT s.agent, s.settlement_no, api.now(), settle_agent.account, s.carried, added.charges, added.refunds,
               s.commission_percent, api.round_amount((added.charges - added.refunds) * s.commission_percent / 100, s.currency),
               settle_agent.handed_over, s.currency
        FROM added RETURNING new.* INTO s;
    END IF;
    RETURN api.show_settlement(s, owner.operator);
END $$;
