"""The payments and refunds that the server asks their provider about, in the database."""

import pytest

from tests.conftest import Clock, Database
from tests.support.payments import booked_online, note_refund, pay, result, sell_online
from tests.support.schema_api import SchemaApi


@pytest.fixture
def stripe(api: SchemaApi) -> SchemaApi:
    """Service 1 is paid to Stripe."""
    sell_online(api, "stripe")
    return api


def due(database: Database, seconds: int = 60) -> list[tuple[str, bool]]:
    """The payments to ask about, with whether their hold has ended."""
    statement = "SELECT payment ->> 'payment_id', ended FROM api.due_payments(make_interval(secs => %s), 10)"
    return [tuple(row) for row in database.query(statement, seconds)]


def test_payments_are_asked_about_after_a_time(stripe: SchemaApi, database: Database, clock: Clock) -> None:
    held = stripe.hold(1)
    payment = pay(stripe, held)
    assert due(database) == []
    clock.advance(seconds=61)
    assert due(database) == [(payment["payment_id"], False)]
    assert due(database) == []  # the first caller asks the provider
    clock.advance(seconds=61)
    stripe.change("release", held)
    assert due(database) == [(payment["payment_id"], True)]
    result(stripe, payment, "cancelled")
    clock.advance(seconds=61)
    assert due(database) == []


def test_payment_of_another_amount_has_ended(stripe: SchemaApi, database: Database, clock: Clock) -> None:
    held = stripe.hold(1, 2)
    first = pay(stripe, held)
    clock.advance(seconds=61)
    stripe.cancel(held, 2)
    second = pay(stripe, held)
    clock.advance(seconds=61)
    assert sorted(due(database)) == sorted([(first["payment_id"], True), (second["payment_id"], False)])


def test_refunds_are_asked_about_while_they_are_sent(
    stripe: SchemaApi, database: Database, clock: Clock
) -> None:
    payment = booked_online(stripe, 1)["payment"]
    stripe.cancel(payment)
    statement = "SELECT refund ->> 'reference' FROM api.due_refunds(interval '1 minute', 10)"
    clock.advance(seconds=61)
    assert database.query(statement) == []  # the outbox has it
    note_refund(database, "sent")
    clock.advance(seconds=61)
    assert database.query(statement) == [payment["reference"]]
    assert database.query(statement) == []
    clock.advance(seconds=61)
    note_refund(database, "succeeded")
    assert database.query(statement) == []
