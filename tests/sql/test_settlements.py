"""Settlements: the cash of an agent adds up, and each payment is in one settlement."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.counter import change, put_agent, sell, settle, settlement
from tests.support.schema_api import DAY, SchemaApi


def test_settlement_is_what_was_sold_and_paid_back_less_the_commission(counter: SchemaApi) -> None:
    put_agent(counter, commission_percent="3.33")
    booking = sell(counter, 1, 2)
    counter.cancel(booking, 1)
    counter.book(3)  # not the agent's
    shown = settlement(counter)
    payments = shown.pop("payments")
    assert shown == {
        "agent": "kumar", "operator": "KSRTC", "settlement_no": 1, "currency": "INR",
        "carried": "0.00", "charges": "520.00", "refunds": "130.00",
        "commission_percent": "3.33", "commission": "12.99", "due": "377.01",
    }  # fmt: skip
    assert [(p["reference"], p["ticket_no"], p["kind"], p["amount"]) for p in payments] == [
        (booking["reference"], 1, "charge", "260.00"),
        (booking["reference"], 1, "refund", "130.00"),
        (booking["reference"], 2, "charge", "260.00"),
    ]
    closed = settle(counter, handed_over="377.00")
    assert closed["payments"] == payments
    assert (closed["handed_over"], closed["balance"], closed["account"]) == ("377.00", "0.01", "meera")
    assert settlement(counter, settlement_no=1) == closed
    assert settlement(counter)["due"] == "0.01"
    assert settlement(counter)["payments"] == []


def test_later_refund_is_in_the_next_settlement(counter: SchemaApi) -> None:
    put_agent(counter, commission_percent="10")
    booking = sell(counter, 1)
    first = settle(counter)
    counter.write("cancel_trip", bus_id=1, travel_date=DAY, reason="Flood", account="meera")
    assert counter.show(booking)["refund"] == "260.00"
    assert settlement(counter, settlement_no=1) == first
    second = settle(counter)
    assert (second["settlement_no"], second["refunds"], second["commission"]) == (2, "260.00", "-26.00")
    assert (second["due"], second["balance"]) == ("-234.00", "0.00")


def test_settlement_frees_the_credit(counter: SchemaApi) -> None:
    put_agent(counter, credit_limit="260")
    sell(counter, 1)
    assert sell(counter, 2)["reason"] == "credit_used_up"
    settle(counter, handed_over="100")
    assert sell(counter, 2)["credit_left"] == "100.00"
    settle(counter, handed_over="160")
    assert sell(counter, 2)["status"] == "booked"


def test_same_request_settles_once(counter: SchemaApi) -> None:
    sell(counter, 1)
    request = {"settlement_no": 1, "handed_over": "260.00"}
    first = change(counter, "settle_agent", **request)
    sell(counter, 2)
    assert change(counter, "settle_agent", **request) == first
    refusal = change(counter, "settle_agent", **(request | {"handed_over": "200.00"}))
    assert (refusal["reason"], refusal["settlement_no"]) == ("already_settled", 2)
    assert settlement(counter)["charges"] == "260.00"


@pytest.mark.parametrize(
    ("args", "refused"),
    [
        ({"account": "kumar", "agent": "latha"}, "not_yours"),
        ({"account": "meera"}, "agent"),
        ({"account": "other", "agent": "kumar"}, "unknown_agent"),
        ({"account": "meera", "agent": "kumar", "settlement_no": 3}, "settlement_no"),
        ({"account": "meera", "agent": "kumar", "operator": "SRS Travels"}, "not_yours"),
    ],
)
def test_settlement_that_may_not_be_read(counter: SchemaApi, args: dict[str, Any], refused: str) -> None:
    answer = settlement(counter, **args)
    assert refused in (answer["reason"], answer.get("field"))


def test_agent_does_not_settle_itself(counter: SchemaApi) -> None:
    sell(counter, 1)
    refusal = change(counter, "settle_agent", account="kumar", settlement_no=1, handed_over="0")
    assert refusal["reason"] == "not_allowed"


def test_report_has_the_settlements(counter: SchemaApi) -> None:
    sell(counter, 1)
    settle(counter)
    rows = counter.conn.execute("SELECT agent, operator, charges, balance FROM busware_reports.settlements")
    assert rows.fetchall() == [("kumar", "KSRTC", Decimal("260.00"), Decimal("0.00"))]
