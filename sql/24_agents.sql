-- The agents of an operator, and their settlements.

-- An agent with its quotas. cash: what it has taken and not handed over. held: the fares of what it holds.
CREATE OR REPLACE FUNCTION api.show_agent(g agents) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT jsonb_strip_nulls(jsonb_build_object('agent', g.agent, 'operator', g.operator, 'active', g.active,
        'commission_percent', trim_scale(g.commission_percent)::text, 'currency', g.currency, 'credit_limit', api.amount_text(g.credit_limit, g.currency),
        'cash', api.amount_text(taken.cash, g.currency), 'held', api.amount_text(taken.held, g.currency),
        'quotas', (SELECT coalesce(jsonb_agg(jsonb_build_object('bus_id', q.bus_id, 'seats', q.seats) ORDER BY q.bus_id), '[]')
                   FROM agent_quotas q WHERE q.agent = g.agent)))
    FROM api.agent_cash(g.agent) AS taken);

-- A page of agents, in the order of their usernames. page: their maximum number. after: `next` of the previous page.
CREATE OR REPLACE FUNCTION api.agents(account text, operator text, page int DEFAULT NULL, after text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner       record := api.operator_of(account, operator);
    size        int := coalesce(page, 50);
    shown       jsonb;
BEGIN
    SELECT jsonb_agg(api.show_agent(g) ORDER BY g.agent) INTO shown FROM (
        SELECT g.* FROM agents g
        WHERE g.operator = owner.operator AND g.agent > coalesce(after, '') ORDER BY g.agent LIMIT size
    ) AS g;
    RETURN coalesce(owner.refusal, jsonb_build_object('agents', coalesce(shown, '[]'))
        || CASE WHEN jsonb_array_length(shown) = size THEN jsonb_build_object('next', shown -> -1 -> 'agent') ELSE '{}' END);
END $$;

-- An agent of an operator, or the refusal.
CREATE OR REPLACE FUNCTION api.agent_of(operator text, agent text, OUT terms agents, OUT refusal jsonb) RETURNS record
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT * INTO terms FROM agents g WHERE g.operator = agent_of.operator AND g.agent = agent_of.agent;
    IF terms.agent IS NULL THEN
        refusal := api.refusal('unknown_agent', format('%s has no agent %s. %s', operator, api.quoted(agent), coalesce(
            (SELECT 'Its agents: ' || string_agg(g.agent, ', ' ORDER BY g.agent) || '.' FROM agents g WHERE g.operator = agent_of.operator),
            'It has none: add an account with the role agent.')));
    END IF;
END $$;

-- The settlement that an agent would have now: all its payments that are in no settlement yet.
CREATE OR REPLACE FUNCTION api.open_settlement(g agents) RETURNS settlements
LANGUAGE plpgsql STABLE AS $$
DECLARE
    s    settlements;
    last settlements;
BEGIN
    SELECT * INTO last FROM settlements l WHERE l.agent = g.agent ORDER BY l.settlement_no DESC LIMIT 1;
    s.agent := g.agent;
    s.settlement_no := coalesce(last.settlement_no, 0) + 1;
    s.carried := coalesce(last.balance, 0);
    SELECT coalesce(sum(y.amount) FILTER (WHERE y.kind = 'charge'), 0), coalesce(sum(y.amount) FILTER (WHERE y.kind = 'refund'), 0)
    INTO s.charges, s.refunds FROM payments y WHERE y.agent = g.agent AND y.settlement_no IS NULL;
    s.commission_percent := g.commission_percent;
    s.currency := g.currency;
    s.commission := api.round_amount((s.charges - s.refunds) * s.commission_percent / 100, s.currency);
    RETURN s;
END $$;

-- A settlement with its payments. due: what the agent has to hand over.
CREATE OR REPLACE FUNCTION api.show_settlement(s settlements, operator text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('agent', s.agent, 'operator', show_settlement.operator, 'settlement_no', s.settlement_no,
        'settled_at', api.rfc3339(s.at, 'UTC'), 'account', s.account, 'currency', s.currency,
        'carried', api.amount_text(s.carried, s.currency), 'charges', api.amount_text(s.charges, s.currency),
        'refunds', api.amount_text(s.refunds, s.currency), 'commission_percent', trim_scale(s.commission_percent)::text,
        'commission', api.amount_text(s.commission, s.currency),
        'due', api.amount_text(s.carried + s.charges - s.refunds - s.commission, s.currency),
        'handed_over', api.amount_text(s.handed_over, s.currency), 'balance', api.amount_text(s.balance, s.currency)))
        || jsonb_build_object('payments', coalesce(jsonb_agg(jsonb_build_object('reference', y.reference, 'ticket_no', y.ticket_no,
            'bus_id', y.bus_id, 'travel_date', p.travel_date, 'kind', y.kind, 'amount', api.amount_text(y.amount, y.currency),
            'at', api.rfc3339(y.at, i.time_zone)) ORDER BY y.at, y.reference, y.ticket_no, y.payment_no)
            FILTER (WHERE y.reference IS NOT NULL), '[]'))
    FROM payments y
    JOIN passengers p ON p.bus_id = y.bus_id AND p.reference = y.reference AND p.ticket_no = y.ticket_no
    JOIN bus_info i ON i.bus_id = y.bus_id
    WHERE y.agent = s.agent AND y.settlement_no IS NOT DISTINCT FROM CASE WHEN s.at IS NOT NULL THEN s.settlement_no END
$$;

-- A settlement of an agent, for its operator and for itself. settlement_no: if it is NULL or the next number, the answer is the
-- settlement as it would be now.
CREATE OR REPLACE FUNCTION api.settlement(account text, operator text, agent text, settlement_no int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    owner record;
    named record;
    s     settlements;
BEGIN
    IF api.is_agent(account) THEN
        SELECT g.operator, NULL::jsonb AS refusal INTO owner FROM agents g WHERE g.agent = account;
        IF settlement.agent <> account THEN
            owner.refusal := api.refusal('not_yours', format('This is the account of agent %s; it may see its own settlements only.', account));
        END IF;
        settlement.agent := account;
    ELSE
        owner := api.operator_of(account, operator);
        IF agent IS NULL THEN
            owner.refusal := coalesce(owner.refusal, api.refusal_bad_request('agent', 'the username of an agent', 'Name the agent.'));
        END IF;
    END IF;
    IF owner.refusal IS NOT NULL THEN
        RETURN owner.refusal;
    END IF;
    named := api.agent_of(owner.operator, agent);
    IF named.refusal IS NOT NULL THEN
        RETURN named.refusal;
    END IF;
    SELECT * INTO s FROM settlements l WHERE l.agent = settlement.agent AND l.settlement_no = settlement.settlement_no;
    IF s.agent IS NULL THEN
        s := api.open_settlement(named.terms);
        IF s.settlement_no <> settlement.settlement_no THEN
            RETURN api.refusal_bad_request('settlement_no', format('a number from 1 to %s', s.settlement_no),
                format('The open settlement of %s has the number %s.', agent, s.settlement_no));
        END IF;
    END IF;
    RETURN api.show_settlement(s, owner.operator);
END $$;
