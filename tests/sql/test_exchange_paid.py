"""Exchanges of bookings that are paid to a provider, in the database."""

import pytest

from tests.conftest import Database
from tests.sql.test_exchange import EXPRESS
from tests.support.fleet import edit_service
from tests.support.payments import add_agent, booked_online, outbox_refunds, sell_online
from tests.support.schema_api import DAY, OTHER_DAY, SchemaApi

FRONT = {"name": "Front", "seats": [1, 2, 3, 4], "amount": "40.00"}


@pytest.fixture
def stripe(api: SchemaApi) -> SchemaApi:
    """Service 1 is paid to Stripe, and exchanges tickets."""
    sell_online(api, "stripe")
    return api


def test_exchange_for_a_cheaper_trip_is_refunded(stripe: SchemaApi, database: Database) -> None:
    payment = booked_online(stripe, 1)["payment"]
    edit_service(stripe, exchange_until="1 hour", exchange_fee="10")
    stripe.change("exchange", payment, to_stop=4)
    assert outbox_refunds(database) == [(payment["reference"], "5.00")]
    stripe.cancel(payment)


@pytest.mark.parametrize("fee", ["0", "10"])
def test_swap_of_two_classes_refunds_nothing(stripe: SchemaApi, database: Database, fee: str) -> None:
    """One ticket becomes cheaper, and the other one dearer by the same amount."""
    edit_service(
        stripe, exchange_until="1 hour", exchange_fee=fee, refund_percent="100", seat_classes=[FRONT]
    )
    payment = booked_online(stripe, 1, 5)["payment"]
    for seats in ([5, 1], [1, 5], [5, 1]):
        swapped = stripe.change("exchange", payment, seats=seats)
        assert ("reason" in swapped) == (fee == "10")
    assert outbox_refunds(database) == []
    assert database.query("SELECT * FROM api.audit()") == []


@pytest.mark.parametrize(("percent", "refund"), [("100", "80.00"), ("50", "20.00")])
def test_mixed_exchange_refunds_the_rest(
    stripe: SchemaApi, database: Database, percent: str, refund: str
) -> None:
    """Three tickets become cheaper, and one dearer: what is charged for it is kept of the refunds."""
    edit_service(
        stripe, exchange_until="1 hour", exchange_fee="0", refund_percent=percent, seat_classes=[FRONT]
    )
    payment = booked_online(stripe, 1, 2, 3, 5)["payment"]
    exchanged = stripe.change("exchange", payment, seats=[5, 6, 7, 1])
    assert exchanged["exchange"]["refund"] == refund
    assert outbox_refunds(database) == [(payment["reference"], refund)]
    assert database.query("SELECT * FROM api.audit()") == []


UNPAID = "was not paid online"


@pytest.mark.parametrize("due", ["0", "9999"])
def test_unpaid_booking_is_not_exchanged_for_a_service_that_is_paid(
    api: SchemaApi, database: Database, due: str
) -> None:
    database.query(EXPRESS)
    database.query("UPDATE bus_info SET payment = 'stripe' WHERE bus_id = 3")
    edit_service(api, exchange_until="1 hour", exchange_fee="0")
    booked = api.book(1)
    before = api.everything()
    refused = api.change(
        "exchange", booked, bus_id=3, origin="BLR", destination="MYS", travel_date=DAY, due=due
    )
    assert (refused["reason"], UNPAID in refused["message"]) == ("not_exchangeable", True)
    assert api.everything() == before


@pytest.mark.parametrize(("to_stop", "amounts"), [(5, ("80.00", "0.00")), (2, ("0.00", "45.00"))])
def test_booking_from_before_its_service_was_paid_stays_paid_on_board(
    api: SchemaApi, database: Database, to_stop: int, amounts: tuple[str, str]
) -> None:
    """It may cost more, which is paid on board too; and less, as the ledger says."""
    booked = api.book(1, from_stop=1, to_stop=3)
    sell_online(api, "stripe")
    edit_service(api, exchange_until="1 hour", exchange_fee="0", refund_percent="50")
    due = {"due": "9999"} if to_stop == 5 else {}
    exchanged = api.change("exchange", booked, to_stop=to_stop, **due)
    assert (exchanged["exchange"]["due"], exchanged["exchange"]["refund"]) == amounts, exchanged
    assert outbox_refunds(database) == []
    assert database.query("SELECT * FROM api.audit()") == []


def test_free_booking_is_exchanged_only_for_free(stripe: SchemaApi, database: Database) -> None:
    """The promo code no longer applies to the second trip."""
    edit_service(stripe, exchange_until="1 hour", exchange_fee="0")
    database.query(
        "SELECT api.put_promo_code(%s::jsonb)", '{"account": "meera", "code": "FREE", "percent": "100"}'
    )
    booked = stripe.book(1, promo_code="FREE")
    assert booked["status"] == "booked"
    assert stripe.change("exchange", booked, travel_date=OTHER_DAY)["fare"] == "0.00"
    database.query("UPDATE promo_codes SET services = '{2}'")
    refused = stripe.change("exchange", booked, travel_date=DAY, due="9999")
    assert (refused["reason"], UNPAID in refused["message"]) == ("not_exchangeable", True)


def test_agent_exchanges_at_the_counter(stripe: SchemaApi) -> None:
    edit_service(stripe, exchange_until="1 hour", exchange_fee="0")
    sold = stripe.book(1, to_stop=2, sold_by=add_agent(stripe))
    exchanged = stripe.change("exchange", sold, to_stop=5, due="9999", account="kumar")
    assert exchanged["status"] == "booked"
