"""Agents, who sell at a counter: the requests about them and their settlements, and the replies."""

import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from busware.server.protocol.fields import (
    AgentName,
    Amount,
    BusId,
    CurrencyCode,
    Cursor,
    Flag,
    Limit,
    OperatorName,
    Percent,
)
from busware.server.protocol.replies import Balance, Instant, Money, PaymentKind
from busware.server.protocol.requests import Request, method

QuotaSeats = Annotated[int, Meta(ge=0, le=10_000, description="a number of seats on each trip")]
SettlementNo = Annotated[
    int, Meta(ge=1, le=2**31 - 1, description="the number of a settlement of the agent, from 1")
]
SignedAmount = Annotated[
    str,
    Meta(
        pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$(?!\n)",
        description="an amount of money, such as 520.00; below 0, what the operator gives to the agent",
    ),
]


class Quota(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most seats that an agent may have sold and held on each trip of a service."""

    bus_id: BusId
    seats: QuotaSeats


Quotas = Annotated[
    list[Quota],
    Meta(max_length=1000, description="a list of services, each with a number of seats; it replaces all"),
]


# Replies ---------------------------------------------------------------------------------------


class Agent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An agent of an operator.

    cash: what it has taken and not handed over; below 0, what the operator owes. held: the fares of what it
    holds. credit_limit: the largest sum of both; missing: no limit. currency: of all of these.
    """

    agent: str
    operator: str
    active: bool
    commission_percent: str
    currency: CurrencyCode
    cash: Balance
    held: Money
    quotas: list[Quota]
    credit_limit: Money | None = None


class AgentList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of agents, sorted by username. next: the value of `after` for the next page."""

    agents: list[Agent]
    next: str | None = None


class SettledPayment(Struct, frozen=True, kw_only=True):
    """A charge or a refund of a ticket that the agent has sold."""

    reference: str
    ticket_no: int
    bus_id: BusId
    travel_date: datetime.date
    kind: PaymentKind
    amount: Money
    at: Instant


class Settlement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The cash of an agent: what it took and paid back, less its commission.

    due: carried and charges, less refunds and commission. balance: due less handed_over; the next settlement
    carries it. settled_at, account, handed_over, balance: missing before it is settled.
    """

    agent: str
    operator: str
    settlement_no: int
    currency: CurrencyCode
    carried: Balance
    charges: Money
    refunds: Money
    commission_percent: str
    commission: Balance
    due: Balance
    payments: list[SettledPayment]
    settled_at: Instant | None = None
    account: str | None = None
    handed_over: Balance | None = None
    balance: Balance | None = None


# Requests --------------------------------------------------------------------------------------


class AgentRequest(Request, frozen=True, kw_only=True):
    """A request about agents. operator: only an admin needs to name it."""

    operator: OperatorName | None = None


@method("agents", AgentList, "GET /v1/agents")
class Agents(AgentRequest, frozen=True, kw_only=True):
    """For operators: list your agents, with their terms and their cash."""

    limit: Limit | None = None
    after: Cursor | None = None


@method("put_agent", Agent, "PUT /v1/agents/{agent}")
class PutAgent(AgentRequest, frozen=True, kw_only=True):
    """For operators: change the terms of an agent. A field that is not given stays as it is."""

    agent: AgentName
    commission_percent: Percent | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET
    credit_limit: Amount | UnsetType | None = UNSET
    active: Flag | UnsetType = UNSET
    quotas: Quotas | UnsetType = UNSET


@method("settlement", Settlement, "GET /v1/settlement")
class GetSettlement(AgentRequest, frozen=True, kw_only=True):
    """For operators and agents: show a settlement of an agent, or what it would be now.

    An agent need not name itself.
    """

    agent: AgentName | None = None
    settlement_no: SettlementNo | None = None


@method("settle_agent", Settlement, "POST /v1/agents/{agent}/settlements")
class SettleAgent(AgentRequest, frozen=True, kw_only=True):
    """For operators: settle the cash of an agent. The next settlement carries the balance."""

    agent: AgentName
    settlement_no: SettlementNo
    handed_over: SignedAmount
