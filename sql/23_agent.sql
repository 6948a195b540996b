-- What an agent may sell: tickets of its operator's services, within a quota for each trip and a credit for all of them.
-- The tickets belong to the customer; passengers.sold_by is the agent.

-- Lock an agent until the end of the transaction, so that two transactions cannot both use what is left of its credit.
-- Returns false if another transaction has locked it and the caller does not wait.
CREATE OR REPLACE FUNCTION api.lock_agent(agent text, wait boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    agnt CONSTANT int := 1634168436;   -- the letters agnt in ASCII
BEGIN
    IF wait THEN
        PERFORM pg_advisory_xact_lock(agnt, hashtext(agent));
    END IF;
    RETURN wait OR pg_try_advisory_xact_lock(agnt, hashtext(agent));
END $$;

-- Whether an account is that of an agent who may sell. NULL for a guest.
CREATE OR REPLACE FUNCTION api.is_agent(account text) RETURNS boolean
LANGUAGE sql STABLE STRICT
RETURN EXISTS (SELECT FROM agents g JOIN accounts a ON a.username = g.agent
               WHERE g.agent = account AND g.active AND a.active AND a.role = 'agent');

-- The cash of an agent: what it has taken and not handed over, with its commission; and the fares of what it holds.
-- They are read by one statement, because a confirmation moves a fare from `held` to `cash`.
CREATE OR REPLACE FUNCTION api.agent_cash(agent text, OUT cash numeric, OUT held numeric) RETURNS record
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT s.balance FROM settlements s WHERE s.agent = agent_cash.agent ORDER BY s.settlement_no DESC LIMIT 1), 0)
           + coalesce((SELECT sum(CASE y.kind WHEN 'charge' THEN y.amount ELSE -y.amount END) FROM payments y
                       WHERE y.agent = agent_cash.agent AND y.settlement_no IS NULL), 0),
           coalesce((SELECT sum(p.fare) FROM passengers p
                     WHERE p.sold_by = agent_cash.agent AND p.status = 'held' AND p.expires_at > api.now()), 0)
$$;

-- Check that an agent may sell a party's tickets on a trip. The caller has locked and settled the trip. deferred: another
-- transaction has locked the agent.
CREATE OR REPLACE FUNCTION api.check_agent(
    service bus_info, travel_date date, sold_by text, tickets int, fare numeric, OUT refusal jsonb, OUT deferred boolean
) RETURNS record
LANGUAGE plpgsql AS $$
DECLARE
    agent agents;
    taken record;
BEGIN
    deferred := NOT api.lock_agent(sold_by);
    IF deferred THEN
        RETURN;
    END IF;
    SELECT * INTO agent FROM agents g WHERE g.agent = sold_by;
    refusal := CASE WHEN NOT api.is_agent(sold_by) THEN
            api.refusal('not_an_agent', format('The account %s may not sell tickets at a counter.', api.quoted(sold_by)))
        WHEN agent.operator <> service.operator THEN
            api.refusal('not_an_agent', format('This is an account of an agent of %s; %s (%s %s) is operated by %s.', agent.operator,
                service.name, service.nouns ->> 'service', service.bus_id, service.operator))
        WHEN agent.currency <> service.currency THEN
            api.refusal('not_an_agent', format('%s takes cash in %s; %s (%s %s) is paid in %s.', sold_by, agent.currency,
                service.name, service.nouns ->> 'service', service.bus_id, service.currency)) END;
    refusal := coalesce(refusal, api.check_quota(service, travel_date, sold_by, tickets));
    IF refusal IS NULL AND agent.credit_limit IS NOT NULL THEN
        taken := api.agent_cash(sold_by);
        IF taken.cash + taken.held + fare > agent.credit_limit THEN
            refusal := api.refusal('credit_used_up', format('Your credit is %s, and %s of it is left; these tickets cost %s. '
                    'Hand over the cash to %s.', api.format_amount(agent.credit_limit, service.currency),
                    api.format_amount(greatest(agent.credit_limit - taken.cash - taken.held, 0), service.currency),
                    api.format_amount(fare, service.currency), agent.operator),
                jsonb_build_object('currency', service.currency,
                    'credit_left', api.amount_text(greatest(agent.credit_limit - taken.cash - taken.held, 0), service.currency)));
        END IF;
    END IF;
END $$;

-- The currency of an operator's amounts that belong to no service: the most frequent one of its services; INR if it has none.
CREATE OR REPLACE FUNCTION api.operator_currency(operator text) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce((SELECT mode() WITHIN GROUP (ORDER BY s.currency) FROM bus_info s WHERE s.operator = operator_currency.operator), 'INR');

-- Check that an agent's quota on a trip is enough for more tickets. tickets: how many; NULL: nothing is checked. The caller has locked and settled the trip.
CREATE OR REPLACE FUNCTION api.check_quota(service bus_info, travel_date date, sold_by text, tickets int) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('quota_used_up', format('The quota of %s on this %s is %s, and %s left; you asked for %s.',
            check_quota.sold_by, service.nouns ->> 'service', api.format_count(q.seats, service.nouns ->> 'seat'),
            CASE WHEN n.sold < q.seats THEN q.seats - n.sold || CASE q.seats - n.sold WHEN 1 THEN ' is' ELSE ' are' END ELSE 'none is' END,
            tickets),
        jsonb_build_object('limit', q.seats, 'seats_left', greatest(q.seats - n.sold, 0)))
    FROM agent_quotas q
    CROSS JOIN LATERAL (SELECT count(*)::int AS sold FROM passengers p
        WHERE p.bus_id = service.bus_id AND p.travel_date = check_quota.travel_date
          AND p.status IN ('held', 'booked') AND p.sold_by = check_quota.sold_by) AS n
    WHERE q.bus_id = service.bus_id AND q.agent = check_quota.sold_by AND n.sold + tickets > q.seats
$$;

-- Lock the agent who sold a booking, if there is one, before the booking moves, because the move and a settlement write to the
-- same payments. Returns false if another transaction has locked the agent.
CREATE OR REPLACE FUNCTION api.lock_agent_of(b api.opened_booking) RETURNS boolean
LANGUAGE sql
RETURN coalesce(api.lock_agent((SELECT min(p.sold_by) FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference)), true);

-- Check that the caller is the agent who has sold the booking. Only this agent may confirm a hold or exchange at a higher fare,
-- because the agent takes the cash.
CREATE OR REPLACE FUNCTION api.check_counter(sold_by text, account text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN account IS DISTINCT FROM sold_by OR NOT api.is_agent(account) THEN
    api.refusal('not_an_agent', 'This booking was made at a counter: pay there. Only the agent who made it can do this.') END;

-- Insert the tickets of an agent's sale, and their payments: the next sale counts them, in the same batch too.
CREATE OR REPLACE FUNCTION api.insert_counter_sale(sale api.sale, sold_by text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM api.insert_tickets(ARRAY[sale]);
    UPDATE passengers p SET sold_by = insert_counter_sale.sold_by
    WHERE p.bus_id = sale.bus_id AND p.reference = sale.reference;
    PERFORM api.record_payments(ARRAY[sale.bus_id], ARRAY[sale.reference]);
END $$;

-- Lock the agent of a call, if it has one: that of the request, or of the booking with the reference.
CREATE OR REPLACE FUNCTION api.wait_for_agent(bus_id bigint, args jsonb) RETURNS void
LANGUAGE sql AS $$
    SELECT api.lock_agent(coalesce(args ->> 'sold_by', (SELECT min(p.sold_by) FROM passengers p
        WHERE p.bus_id = wait_for_agent.bus_id AND p.reference = upper(btrim(args ->> 'reference')))), wait => true)
$$;
