"""Payments against expiry, cancellation and each other (see tests/support/race.py)."""

import pytest

from tests.conftest import Clock
from tests.support.fleet import edit_service
from tests.support.payments import (
    booked_online,
    outbox_refunds,
    pay,
    payments,
    result,
    result_call,
    sell_online,
)
from tests.support.race import Race
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, Answer, call


@pytest.fixture
def shop(race: Race) -> Race:
    sell_online(race.second, "stripe")
    return race


def outcomes(answers: list[Answer | None]) -> list[str | None]:
    return [answer and answer["outcome"] for answer in answers]


def test_payment_arrives_while_the_hold_expires(shop: Race, clock: Clock) -> None:
    """It waits for the expiry, and confirms the expired hold, because its seat is still free."""
    held = shop.second.hold(1)
    payment = pay(shop.second, held)
    clock.advance(hours=2)
    shop.first.write("settle", bus_id=1, travel_date=DAY)
    arrives = shop.start(lambda: result(shop.second, payment, "succeeded"))
    assert shop.then_commit(arrives)["outcome"] == "booked"
    assert shop.second.show(held)["status"] == "booked"


def test_payment_arrives_while_an_expired_seat_is_sold(shop: Race, clock: Clock) -> None:
    held = shop.second.hold(1)
    payment = pay(shop.second, held)
    clock.advance(hours=2)
    other = shop.first.hold(1, phone=RAVI)
    arrives = shop.start(lambda: result(shop.second, payment, "succeeded"))
    assert shop.then_commit(arrives)["outcome"] == "refunded"
    assert shop.second.show(other, phone=RAVI)["status"] == "held"
    assert outbox_refunds(shop.database) == [(held["reference"], "260.00")]


def test_seat_is_asked_for_while_a_late_payment_confirms_it(shop: Race, clock: Clock) -> None:
    held = shop.second.hold(1)
    payment = pay(shop.second, held)
    clock.advance(hours=2)
    assert result(shop.first, payment, "succeeded")["outcome"] == "booked"
    other = shop.start(lambda: shop.second.hold(1, phone=RAVI))
    assert shop.then_commit(other)["reason"] == "seat_taken"


def test_payment_of_an_exchange_arrives_while_the_other_trip_is_locked(shop: Race) -> None:
    """Alone it waits for the trip; in a batch of the writer it is left for the next one."""
    edit_service(shop.second, exchange_until="1 hour", exchange_fee="10")
    booked = booked_online(shop.second, 1)["payment"]
    payment = pay(shop.second, booked, travel_date=OTHER_DAY)
    shop.first.hold(2, travel_date=OTHER_DAY, phone=RAVI)
    assert shop.second.batch(result_call(payment, "succeeded")) == [None]
    arrives = shop.start(lambda: result(shop.second, payment, "succeeded"))
    assert shop.then_commit(arrives)["outcome"] == "exchanged"


def test_two_webhooks_at_once(shop: Race) -> None:
    payment = pay(shop.second, shop.second.hold(1))
    assert result(shop.first, payment, "succeeded")["outcome"] == "booked"
    again = shop.start(lambda: result(shop.second, payment, "succeeded"))
    assert shop.then_commit(again)["outcome"] == "unchanged"


def test_second_webhook_after_the_first_rolled_back(shop: Race) -> None:
    payment = pay(shop.second, shop.second.hold(1))
    assert result(shop.first, payment, "succeeded")["outcome"] == "booked"
    again = shop.start(lambda: result(shop.second, payment, "succeeded"))
    assert shop.then_rollback(again)["outcome"] == "booked"


def test_webhook_in_a_batch_does_not_wait(shop: Race) -> None:
    """The batch of the writer leaves it for the next one."""
    payment = pay(shop.second, shop.second.hold(1))
    assert result(shop.first, payment, "succeeded")["outcome"] == "booked"
    webhook = result_call(payment, "succeeded")
    assert outcomes(shop.second.batch(webhook)) == [None]
    shop.first.conn.commit()
    assert outcomes(shop.second.batch(webhook, webhook)) == ["unchanged", "unchanged"]


def test_payment_whose_booking_was_deleted_in_two_batches(shop: Race) -> None:
    """There is no trip to lock. The row of the payment is not waited for."""
    held = shop.second.hold(1)
    payment = pay(shop.second, held)
    shop.second.change("release", held)
    shop.database.query("DELETE FROM passengers")
    webhook = result_call(payment, "succeeded")
    assert outcomes(shop.first.batch(webhook)) == ["refunded"]
    assert outcomes(shop.second.batch(webhook)) == [None]
    shop.first.conn.commit()
    assert outcomes(shop.second.batch(webhook)) == ["unchanged"]
    assert outbox_refunds(shop.database) == [(held["reference"], "260.00")]


def test_hold_is_cancelled_while_the_payment_arrives(shop: Race) -> None:
    held = shop.second.hold(1)
    payment = pay(shop.second, held)
    shop.first.cancel(held)
    arrives = shop.start(lambda: result(shop.second, payment, "succeeded"))
    assert shop.then_commit(arrives)["outcome"] == "refunded"
    assert outbox_refunds(shop.database) == [(held["reference"], "260.00")]


def test_payment_arrives_while_the_hold_is_cancelled(shop: Race) -> None:
    """The cancellation waits, and cancels a booking: it refunds by the terms of the ticket."""
    held = shop.second.hold(1)
    payment = pay(shop.second, held)
    assert result(shop.first, payment, "succeeded")["outcome"] == "booked"
    cancels = shop.start(lambda: shop.second.cancel(held))
    assert shop.then_commit(cancels)["refund"] == "130.00"
    assert outbox_refunds(shop.database) == [(held["reference"], "130.00")]


def test_payment_and_cancellation_in_one_batch(shop: Race) -> None:
    held = shop.second.hold(1)
    webhook = result_call(pay(shop.second, held), "succeeded")
    cancel = call("cancel", reference=held["reference"], phone=ASHA)
    paid, cancelled = shop.second.batch(webhook, cancel)
    assert paid and cancelled
    assert (paid["outcome"], cancelled["refund"]) == ("booked", "130.00")
    assert outbox_refunds(shop.database) == [(held["reference"], "130.00")]


def test_payment_is_asked_for_twice(shop: Race) -> None:
    held = shop.second.hold(1)
    first = pay(shop.first, held)
    again = shop.start(lambda: pay(shop.second, held))
    assert shop.then_commit(again)["payment_id"] == first["payment_id"]


def test_two_payments_of_one_hold_arrive(shop: Race) -> None:
    """One books the seat, the other is given back."""
    held = shop.second.hold(1)
    first = pay(shop.second, held)
    result(shop.second, first, "cancelled")
    second = pay(shop.second, held)
    assert result(shop.first, first, "succeeded")["outcome"] == "booked"
    arrives = shop.start(lambda: result(shop.second, second, "succeeded"))
    assert shop.then_commit(arrives)["outcome"] == "refunded"
    assert sorted(shown["booked"] for shown in payments(shop.second, held)) == [False, True]


def test_payment_waits_for_the_promo_code_of_an_expired_hold(shop: Race, clock: Clock) -> None:
    """A batch does not wait for the lock of the promo code; nothing is written before the next one."""
    shop.database.query(
        "INSERT INTO promo_codes (operator, code, percent, max_uses) VALUES ('KSRTC', 'DASARA', 10, 5)"
    )
    held = shop.second.hold(1, promo_code="DASARA")
    payment = pay(shop.second, held)
    clock.advance(hours=2)
    shop.first.conn.execute("SELECT api.lock_promo_code(promo_no) FROM promo_codes")
    webhook = result_call(payment, "succeeded")
    assert outcomes(shop.second.batch(webhook)) == [None]
    assert payments(shop.second, held)[0]["state"] == "created"
    shop.first.conn.commit()
    assert outcomes(shop.second.batch(webhook)) == ["booked"]
