"""The fees of providers: those that operators name are recorded once; the migration asks for earlier ones."""

from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.payments import (
    note_refund,
    open_refunds,
    pay,
    result,
    sell_online,
    settle,
    settle_refund,
)
from tests.support.project import PROJECT
from tests.support.schema_api import Answer, SchemaApi

DAY = "2026-12-01"  # of the clock of the database


@pytest.fixture
def online(api: SchemaApi) -> SchemaApi:
    sell_online(api, "manual")
    return api


def sums(api: SchemaApi, account: str = "meera") -> list[Answer]:
    """The rows of the accounts of the day."""
    report = api.read("accounts", account=account, **{"from": DAY, "to": DAY})
    return list(report["rows"])


def fees(database: Database) -> list[Any]:
    return database.query(
        "SELECT amount, net, refund_id IS NULL FROM provider_fees ORDER BY at, refund_id NULLS FIRST"
    )


def test_fees_of_a_payment_and_of_its_refund(online: SchemaApi, database: Database) -> None:
    payment = pay(online, online.hold(1))
    settle(online, payment, receipt="N1", fee="5.90")
    for fee in ("5.90", "7"):  # the receipt is known, and so is its fee
        assert settle(online, payment, receipt="N1", fee=fee)["outcome"] == "unchanged"
    online.cancel(payment)
    settle_refund(online, open_refunds(online)[0], fee="2")
    assert fees(database) == [
        (Decimal("5.90"), Decimal("254.10"), True),
        (Decimal(2), Decimal("-132.00"), False),
    ]
    (row,) = sums(online)
    assert (row["charges"], row["refunds"], row["income"], row["fees"]) == (
        "260.00",
        "130.00",
        "130.00",
        "7.90",
    )
    assert sums(online, "other") == []
    report = online.conn.execute(
        "SELECT provider, kind, amount FROM busware_reports.provider_fees ORDER BY amount"
    )
    assert report.fetchall() == [("manual", "refund", 2), ("manual", "payment", Decimal("5.90"))]


def test_fee_may_be_named_after_the_settlement(online: SchemaApi, database: Database) -> None:
    payment = pay(online, online.hold(1))
    settle(online, payment, receipt="N1")
    assert fees(database) == []
    assert settle(online, payment, receipt="N1", fee="5.90")["outcome"] == "unchanged"
    assert fees(database) == [(Decimal("5.90"), Decimal("254.10"), True)]


def test_refused_and_planned_settlements_record_no_fee(online: SchemaApi, database: Database) -> None:
    payment = pay(online, online.hold(1))
    assert settle(online, payment, fee="5.901")["reason"] == "bad_request"
    assert settle(online, payment, fee="5.90", plan=True)["outcome"] == "booked"
    settle(online, payment)
    online.cancel(payment)
    assert settle_refund(online, open_refunds(online)[0], fee="0.001")["reason"] == "bad_request"
    assert fees(database) == []


def questions(database: Database) -> list[Any]:
    """For what providers are asked for their fees."""
    return database.query(
        "SELECT reference, bus_id, state, payload FROM outbox WHERE kind = 'fee'"
        " ORDER BY payload ->> 'provider_reference'"
    )


def test_migration_asks_for_the_fees_of_earlier_payments(api: SchemaApi, database: Database) -> None:
    """It asks what this version asks as soon as a payment or a refund has succeeded."""
    sell_online(api, "stripe")
    paid = result(api, pay(api, api.hold(1, 2)), "succeeded", provider_reference="pi_1")["payment"]
    api.change("cancel", paid, tickets=[2])
    note_refund(database, "succeeded")
    result(api, pay(api, api.hold(3)), "pending", provider_reference="pi_2")
    asked = questions(database)
    assert [row[-1]["provider_reference"] for row in asked] == ["pi_1", "re_1"]
    database.query("DELETE FROM outbox WHERE kind = 'fee' RETURNING 1")
    database.query("DELETE FROM migrations WHERE name = '1z_provider_fees' RETURNING 1")
    database.conn.execute("DROP TABLE provider_fees CASCADE")
    database.conn.execute((PROJECT / "sql" / "1z_provider_fees.sql").read_bytes())
    assert questions(database) == asked
