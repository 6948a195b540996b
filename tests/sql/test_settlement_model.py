"""Random sales, cancellations and settlements of two agents: the money adds up to the last paisa.

A model counts with decimal numbers what each agent has taken, holds and handed over. After every request the
cash and the held fares of both agents are compared, a sale is refused exactly if it would exceed the credit,
and every settlement has the sums of the model.
"""

import random
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.counter import add_counter, change, put_agent
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, Answer, SchemaApi, call, sale

STEPS = 60
PAISA = Decimal("0.01")
FARES = {1: "0", 2: "33.33", 3: "66.67", 4: "99.99", 5: "260.01"}  # of the stops of service 1
AGENTS = ("kumar", "latha")


class Agent:
    """An agent in the model."""

    def __init__(self) -> None:
        self.percent = Decimal(0)
        self.credit: Decimal | None = None
        self.balance = Decimal(0)  # of the last settlement
        self.settlement_no = 1
        self.charges = self.refunds = Decimal(0)  # that are not settled
        self.held: dict[str, Decimal] = defaultdict(Decimal)  # by reference

    @property
    def cash(self) -> Decimal:
        return self.balance + self.charges - self.refunds

    def may_sell(self, fare: Decimal) -> bool:
        return self.credit is None or self.cash + sum(self.held.values()) + fare <= self.credit

    def settle(self, handed_over: Decimal) -> dict[str, Decimal]:
        """Settle, and return the sums."""
        taken = self.charges - self.refunds
        commission = (taken * self.percent / 100).quantize(PAISA, ROUND_HALF_UP)
        due = self.balance + taken - commission
        sums = {
            "carried": self.balance, "charges": self.charges, "refunds": self.refunds,
            "commission": commission, "due": due, "balance": due - handed_over,
        }  # fmt: skip
        self.balance, self.charges, self.refunds = due - handed_over, Decimal(0), Decimal(0)
        self.settlement_no += 1
        return sums


class Shift:
    """Sends random requests, and follows them in the model."""

    def __init__(self, api: SchemaApi, clock: Clock, chance: random.Random) -> None:
        self.api, self.clock, self.chance = api, clock, chance
        self.agents = {name: Agent() for name in AGENTS}
        self.sold: list[tuple[str, Answer]] = []  # the agent and the latest reply, of bookings and holds

    def step(self) -> None:
        actions = [self.sell, self.sell, self.sell, self.end, self.end, self.confirm]
        self.chance.choice([*actions, self.wait, self.settle, self.edit])()

    def send(self, method: str, **args: Any) -> Answer:
        answer = None
        while answer is None:
            (answer,) = self.api.batch(call(method, **args))
        return answer

    def sell(self) -> None:
        name = self.chance.choice(AGENTS)
        start = self.chance.randint(1, 4)
        stop, count = self.chance.randint(start + 1, 5), self.chance.randint(1, 2)
        segment = {"from_stop": start, "to_stop": stop, "travel_date": self.chance.choice([DAY, OTHER_DAY])}
        method = self.chance.choice(["book", "book", "hold"])
        answer = self.send(method, sold_by=name, **sale(count=count, **segment))
        fare = count * (Decimal(FARES[stop]) - Decimal(FARES[start]))
        agent = self.agents[name]
        if answer.get("reason") == "sold_out":
            return
        assert ("reason" not in answer) is agent.may_sell(fare), answer
        if "reason" in answer:
            assert answer["reason"] == "credit_used_up"
        elif answer["status"] == "held":
            agent.held[answer["reference"]] = fare
            self.sold.append((name, answer))
        else:
            agent.charges += fare
            self.sold.append((name, answer))

    def confirm(self) -> None:
        """The agent confirms a hold, which may have expired."""
        held = [
            (n, name, answer) for n, (name, answer) in enumerate(self.sold) if answer["status"] != "booked"
        ]
        if not held:
            return
        n, name, answer = self.chance.choice(held)
        agent, reference, fare = self.agents[name], answer["reference"], Decimal(answer["fare"])
        has_expired = reference not in agent.held
        may_sell = agent.may_sell(fare)
        confirmed = self.send("confirm", reference=reference, account=name)
        if confirmed.get("status") == "booked":
            assert may_sell or not has_expired
            agent.held.pop(reference, None)
            agent.charges += fare
            self.sold[n] = (name, confirmed)
        elif confirmed["reason"] == "credit_used_up":
            assert has_expired
            assert not may_sell
        else:
            assert confirmed["reason"] in ("hold_expired", "already_cancelled")

    def end(self) -> None:
        """The customer or the agent cancels a ticket or the booking, or a ticket ends earlier."""
        if not self.sold:
            return
        n = self.chance.randrange(len(self.sold))
        name, before = self.sold[n]
        agent = self.agents[name]
        caller = self.chance.choice([{"phone": ASHA}, {"account": name}])
        what = self.chance.choice(
            [{"method": "cancel"}, {"method": "cancel", "tickets": [1]}, {"method": "alight", "at": 3}]
        )
        answer = self.send(**what, reference=before["reference"], **caller)
        if "reason" in answer:
            return
        agent.refunds += Decimal(answer["refund"]) - Decimal(before["refund"])
        if before["reference"] in agent.held:
            open_fares = [Decimal(t["fare"]) for t in answer["tickets"] if t["status"] == "held"]
            agent.held[before["reference"]] = sum(open_fares, Decimal(0))
        self.sold[n] = (name, answer)

    def wait(self) -> None:
        """All holds expire."""
        self.clock.advance(minutes=11)
        for agent in self.agents.values():
            agent.held.clear()

    def settle(self) -> None:
        name = self.chance.choice(AGENTS)
        agent = self.agents[name]
        handed_over = Decimal(self.chance.randint(-5000, 50000)) * PAISA
        number = agent.settlement_no
        closed = change(
            self.api, "settle_agent", agent=name, settlement_no=number, handed_over=str(handed_over)
        )
        for field, amount in agent.settle(handed_over).items():
            assert Decimal(closed[field]) == amount, field

    def edit(self) -> None:
        name = self.chance.choice(AGENTS)
        agent = self.agents[name]
        agent.percent = Decimal(self.chance.randint(0, 1000)) * PAISA
        agent.credit = self.chance.choice([None, Decimal(self.chance.randint(0, 100000)) * PAISA])
        credit = None if agent.credit is None else str(agent.credit)
        put_agent(self.api, agent=name, commission_percent=str(agent.percent), credit_limit=credit)

    def compare(self) -> None:
        for row in self.api.read("agents", account="meera")["agents"]:
            agent = self.agents[row["agent"]]
            assert (Decimal(row["cash"]), Decimal(row["held"])) == (agent.cash, sum(agent.held.values()))


@pytest.mark.parametrize("seed", range(10))
def test_money_of_agents_adds_up(api: SchemaApi, database: Database, clock: Clock, seed: int) -> None:
    add_counter(api)
    for stop, fare in FARES.items():
        database.query("UPDATE route_table SET fare = %s WHERE bus_id = 1 AND stop_no = %s", fare, stop)
    database.query(
        "UPDATE bus_info SET refund_percent = 33.33, alight_refund_percent = 66.67 WHERE bus_id = 1"
    )
    shift = Shift(api, clock, random.Random(seed))
    for _ in range(STEPS):
        shift.step()
        shift.compare()
    paid, settled, open_now = database.query(
        "SELECT (SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM payments), "
        "(SELECT coalesce(sum(charges - refunds), 0) FROM settlements), "
        "(SELECT coalesce(sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END), 0) FROM payments "
        "WHERE settlement_no IS NULL)"
    )[0]
    assert paid == settled + open_now
