"""Exchanges that cost more, of bookings that are paid to a provider, in the database: first paid, then done.

A payment that arrives exchanges its booking, or is given back as a whole and says why. At the end of each
test the audit finds nothing.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.sql.test_exchange import EXPRESS
from tests.support.fleet import edit_service
from tests.support.payments import (
    accept,
    open_refunds,
    outbox_refunds,
    pay,
    payments,
    result,
    sell_online,
    settle,
)
from tests.support.schema_api import DAY, OTHER_DAY, RAVI, Answer, SchemaApi

FEE = "10.00"  # of the exchange, which is all that it costs
BEFORE, AFTER = (DAY, "260.00"), (OTHER_DAY, "260.00")  # travel date and fare


class Traveller:
    """Has booked a seat of service 1 with a provider, and pays for an exchange to the next day."""

    def __init__(self, api: SchemaApi, provider: str) -> None:
        self.api, self.provider = api, provider
        sell_online(api, provider)
        edit_service(api, exchange_until="1 hour", exchange_fee=FEE)
        self.booking = api.hold(1)
        self.arrives(pay(api, self.booking))

    def ask(self, **wanted: Any) -> Answer:
        """Ask for the payment of the exchange, which the provider accepts."""
        return accept(self.api, pay(self.api, self.booking, **(wanted or {"travel_date": OTHER_DAY})))

    def arrives(self, payment: Answer, **said: Any) -> Answer:
        """The money of a payment arrives. What became of it."""
        if self.provider == "manual":
            return settle(self.api, payment, receipt=payment["payment_id"], **said)
        return result(
            self.api, payment, "succeeded", provider_reference=f"pi_{payment['payment_id']}", **said
        )

    def state(self) -> tuple[str, str]:
        """The travel date and the fare of the booking."""
        shown = self.api.show(self.booking)
        return shown["travel_date"], shown["fare"]


@pytest.fixture(params=["manual", "stripe"])
def traveller(request: pytest.FixtureRequest, api: SchemaApi) -> Traveller:
    return Traveller(api, request.param)


@pytest.fixture
def at_stripe(api: SchemaApi) -> Traveller:
    return Traveller(api, "stripe")


def test_exchange_is_done_when_its_payment_arrives(traveller: Traveller) -> None:
    api, wanted = traveller.api, {"travel_date": OTHER_DAY}
    quote = api.change("exchange_quote", traveller.booking, **wanted)
    assert (quote["due"], quote["payment"]) == (FEE, traveller.provider)
    refused = api.change("exchange", traveller.booking, due=FEE, **wanted)
    assert (refused["reason"], refused["amount"]) == ("payment_required", FEE)
    payment = traveller.ask()
    assert traveller.ask()["payment_id"] == payment["payment_id"]
    assert (payment["amount"], payment["exchange"]["travel_date"]) == (FEE, OTHER_DAY)
    assert traveller.state() == BEFORE
    done = traveller.arrives(payment)
    assert (done["outcome"], done["travel_date"], done["payment"]["booked"]) == ("exchanged", OTHER_DAY, True)
    assert traveller.arrives(payment)["outcome"] == "unchanged"
    assert traveller.state() == AFTER
    assert [paid["refunds"] for paid in payments(api, traveller.booking)] == [[], []]


def take_the_seat(api: SchemaApi, booking: Answer) -> None:
    other = api.hold(3, travel_date=OTHER_DAY, phone=RAVI)
    assert other["status"] == "held"


def raise_the_fee(api: SchemaApi, booking: Answer) -> None:
    edit_service(api, exchange_fee="11")


def cancel(api: SchemaApi, booking: Answer) -> None:
    api.cancel(booking)


def cancel_the_other_trip(api: SchemaApi, booking: Answer) -> None:
    api.write("cancel_trip", account="meera", bus_id=1, travel_date=OTHER_DAY, reason="flood")


def end_exchanges(api: SchemaApi, booking: Answer) -> None:
    edit_service(api, exchange_until="20 days")


def exchange_otherwise(api: SchemaApi, booking: Answer) -> None:
    edit_service(api, exchange_fee="0")
    assert api.change("exchange", booking, travel_date=OTHER_DAY, seats=[3])["status"] == "booked"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (take_the_seat, "Seat 3 is"),
        (raise_the_fee, "The exchange costs 11.00"),
        (cancel, "is already cancelled"),
        (cancel_the_other_trip, "flood"),
        (end_exchanges, "can be exchanged until 20 days before"),
        (exchange_otherwise, "The exchange costs 0.00, and 10.00 was paid for it."),
    ],
)
def test_payment_is_given_back_if_its_exchange_is_impossible_by_now(
    traveller: Traveller, change: Callable[[SchemaApi, Answer], None], problem: str
) -> None:
    payment = traveller.ask(travel_date=OTHER_DAY, seats=[3])
    change(traveller.api, traveller.booking)
    before = traveller.api.show(traveller.booking)
    done = traveller.arrives(payment)
    assert done["outcome"] == "refunded"
    assert problem in done["payment"]["problem"]
    assert [refund["amount"] for refund in done["payment"]["refunds"]] == [FEE]
    after = traveller.api.show(traveller.booking)
    assert (after["travel_date"], after["fare"], after["status"]) == tuple(
        before[field] for field in ("travel_date", "fare", "status")
    )


def test_other_amount_is_given_back(traveller: Traveller) -> None:
    done = traveller.arrives(traveller.ask(), amount="9.00")
    assert (done["outcome"], traveller.state()) == ("refunded", BEFORE)


def test_payment_that_failed_or_was_cancelled_and_arrives_exchanges(at_stripe: Traveller) -> None:
    payment = at_stripe.ask()
    for state in ("failed", "cancelled"):
        result(at_stripe.api, payment, state)
        assert at_stripe.state() == BEFORE
    assert at_stripe.arrives(payment)["outcome"] == "exchanged"


def test_nothing_is_paid_for_an_exchange_that_costs_nothing(at_stripe: Traveller) -> None:
    edit_service(at_stripe.api, exchange_fee="0")
    refused = pay(at_stripe.api, at_stripe.booking, travel_date=OTHER_DAY)
    assert refused["reason"] == "no_payment_due"


def test_exchange_for_another_service(at_stripe: Traveller, database: Database) -> None:
    """Its seats are chosen when the payment arrives. Later calls of the same batch find the booking there."""
    database.query(EXPRESS)
    payment = at_stripe.ask(bus_id=3, origin="BLR", destination="MYS", travel_date=DAY)
    done = at_stripe.arrives(payment)
    assert (done["outcome"], done["bus_id"]) == ("exchanged", 3)
    assert at_stripe.api.show(at_stripe.booking)["bus_id"] == 3


def test_refund_is_given_back_to_all_payments(at_stripe: Traveller, database: Database) -> None:
    """The whole fare: 260.00 of the first payment, and what the exchange charged beyond its fee."""
    api = at_stripe.api
    edit_service(
        api, refund_percent="100", seat_classes=[{"name": "Front", "seats": [3, 4], "amount": "40.00"}]
    )
    payment = at_stripe.ask(seat_class="Front")
    assert (payment["amount"], at_stripe.arrives(payment)["outcome"]) == ("50.00", "exchanged")
    edit_service(api, exchange_fee="0")
    database.query("UPDATE passengers SET refund_percent = 100, alight_refunds = NULL")
    api.cancel(at_stripe.booking)
    assert [amount for _, amount in outbox_refunds(database)] == ["260.00", "40.00"]


def test_operator_pays_the_parts_of_a_manual_refund_back(api: SchemaApi) -> None:
    traveller = Traveller(api, "manual")
    traveller.arrives(traveller.ask())
    api.write("cancel_trip", account="meera", bus_id=1, travel_date=OTHER_DAY, reason="flood")
    assert [refund["amount"] for refund in open_refunds(api)] == ["260.00"]


def test_payment_of_an_exchange_ends_after_a_time(
    at_stripe: Traveller, database: Database, clock: Clock
) -> None:
    due = "SELECT ended FROM api.due_payments(interval '1 minute', 10)"
    at_stripe.ask()
    clock.advance(minutes=2)
    assert database.query(due) == [False]
    at_stripe.ask(travel_date=OTHER_DAY, seats=[3])  # another one was asked for
    clock.advance(minutes=2)
    assert sorted(database.query(due)) == [False, True]
    clock.advance(minutes=60)
    assert database.query(due) == [True, True]
