"""Sales of one agent against each other and against its settlement (see tests/support/race.py)."""

import pytest

from tests.conftest import Clock
from tests.support.counter import (
    add_counter,
    change,
    confirm,
    put_agent,
    sale_at_counter,
    sell,
    settle,
    settlement,
)
from tests.support.offers import add_later_bus, displace
from tests.support.race import Race
from tests.support.schema_api import ASHA, OTHER_DAY, RAVI, call, outcomes_of


@pytest.fixture
def counters(race: Race) -> Race:
    add_counter(race.second)
    return race


def test_one_batch_does_not_sell_more_than_the_quota_and_the_credit(counters: Race) -> None:
    put_agent(counters.second, quotas=[{"bus_id": 1, "seats": 2}])
    sales = [sale_at_counter(seat) for seat in (1, 2, 3)]
    assert outcomes_of(counters.second.batch(*sales)) == ["booked", "booked", "quota_used_up"]
    put_agent(counters.second, quotas=[], credit_limit="1040")
    sales = [sale_at_counter(seat, travel_date=OTHER_DAY) for seat in (1, 2, 3)]
    assert outcomes_of(counters.second.batch(*sales)) == ["booked", "booked", "credit_used_up"]


def test_confirmation_and_sale_in_one_batch_use_the_credit_once(counters: Race) -> None:
    put_agent(counters.second, credit_limit="260")
    held = counters.second.hold(1, sold_by="kumar")
    calls = confirm(held), sale_at_counter(2)
    assert outcomes_of(counters.second.batch(*calls)) == ["booked", "credit_used_up"]


def test_two_sales_on_two_trips_use_the_last_credit(counters: Race) -> None:
    """The second batch does not wait for the first: its call is deferred, and refused when sent again."""
    put_agent(counters.second, credit_limit="260")
    assert outcomes_of(counters.first.batch(sale_at_counter(1))) == ["booked"]
    late = sale_at_counter(1, travel_date=OTHER_DAY, phone=RAVI)
    others = sale_at_counter(2, travel_date=OTHER_DAY, sold_by="latha")
    assert outcomes_of(counters.second.batch(late, others)) == [None, "booked"]
    counters.first.conn.commit()
    assert outcomes_of(counters.second.batch(late)) == ["credit_used_up"]


def test_last_credit_is_left_if_the_first_transaction_rolls_back(counters: Race) -> None:
    put_agent(counters.second, credit_limit="260")
    sell(counters.first, 1)
    second = counters.start(lambda: sell(counters.second, 1, travel_date=OTHER_DAY))
    assert counters.then_rollback(second)["status"] == "booked"


def test_confirmation_of_an_expired_hold_competes_for_the_credit(counters: Race, clock: Clock) -> None:
    put_agent(counters.second, credit_limit="260")
    held = counters.second.hold(1, sold_by="kumar", seconds=60)
    clock.advance(seconds=61)
    sell(counters.first, 1, travel_date=OTHER_DAY)
    assert outcomes_of(counters.second.batch(confirm(held))) == [None]
    counters.first.conn.commit()
    assert outcomes_of(counters.second.batch(confirm(held))) == ["credit_used_up"]


def test_two_sales_on_one_trip_use_the_last_of_the_quota(counters: Race) -> None:
    put_agent(counters.second, quotas=[{"bus_id": 1, "seats": 1}])
    sell(counters.first, 1)
    second = counters.start(lambda: sell(counters.second, 2))
    assert counters.then_commit(second)["reason"] == "quota_used_up"


def test_sale_and_lower_credit(counters: Race) -> None:
    """The new limit waits for the sale, and counts it."""
    put_agent(counters.second, credit_limit="520")
    sell(counters.first, 1)
    lower = counters.start(lambda: put_agent(counters.second, credit_limit="260"))
    assert counters.then_commit(lower)["cash"] == "260.00"
    assert sell(counters.second, 2)["reason"] == "credit_used_up"


def test_sale_and_settlement(counters: Race) -> None:
    """The settlement waits for a sale under way, and has its payment."""
    sell(counters.first, 1)
    late = counters.start(lambda: change(counters.second, "settle_agent", settlement_no=1, handed_over="260"))
    assert counters.then_commit(late)["charges"] == "260.00"
    assert settlement(counters.second)["payments"] == []


def test_settlement_and_sale(counters: Race) -> None:
    """The sale waits for the settlement, and is in the next one."""
    settle(counters.first)
    late = counters.start(lambda: sell(counters.second, 1))
    assert counters.then_commit(late)["status"] == "booked"
    assert settlement(counters.second, settlement_no=1)["charges"] == "0.00"
    assert settlement(counters.second)["charges"] == "260.00"


def test_cancellation_by_the_customer_and_settlement(counters: Race) -> None:
    """The refund has no lock of the agent: it is not committed, so it is in the next settlement."""
    booking = sell(counters.second, 1)
    cancel = call("cancel", reference=booking["reference"], phone=ASHA)
    assert outcomes_of(counters.first.batch(cancel)) == ["cancelled"]
    assert settle(counters.second)["refunds"] == "0.00"
    counters.first.conn.commit()
    shown = settle(counters.second)
    assert (shown["settlement_no"], shown["charges"], shown["refunds"]) == (2, "0.00", "130.00")


def test_two_settlements(counters: Race) -> None:
    sell(counters.second, 1)
    settle(counters.first)
    late = counters.start(lambda: change(counters.second, "settle_agent", settlement_no=1, handed_over="100"))
    assert counters.then_commit(late)["reason"] == "already_settled"


def test_settlement_and_exchange_that_costs_nothing(counters: Race) -> None:
    """The exchange changes bus_id of the payments that the settlement marks: it is deferred."""
    booking = sell(counters.second, 1)
    exchange = call("exchange", reference=booking["reference"], phone=ASHA, travel_date=OTHER_DAY)
    settle(counters.first)
    assert outcomes_of(counters.second.batch(exchange)) == [None]
    counters.first.conn.commit()
    assert outcomes_of(counters.second.batch(exchange)) == ["booked"]


def test_exchange_that_costs_nothing_and_settlement(counters: Race) -> None:
    booking = sell(counters.second, 1)
    counters.first.change("exchange", booking, travel_date=OTHER_DAY)
    late = counters.start(lambda: change(counters.second, "settle_agent", settlement_no=1, handed_over="260"))
    assert counters.then_commit(late)["charges"] == "260.00"


def test_settlement_and_accepted_offer(counters: Race) -> None:
    add_later_bus(counters.database)
    booking = sell(counters.second, 1)
    displace(counters.database, booking["reference"])
    accept = call("accept", reference=booking["reference"], phone=ASHA)
    settle(counters.first)
    assert outcomes_of(counters.second.batch(accept)) == [None]
    counters.first.conn.commit()
    assert outcomes_of(counters.second.batch(accept)) == ["booked"]
