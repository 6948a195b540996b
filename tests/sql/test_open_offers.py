"""Changes of a booking that has an open offer, and of the trip that is offered."""

from typing import Any

import pytest

from tests.conftest import Database
from tests.support.fleet import edit_service
from tests.support.offers import LATER, add_later_bus, add_service, displace
from tests.support.schema_api import ASHA, DAY, Answer, SchemaApi, audit

TRIP_OF_OPERATOR = {"bus_id": 1, "travel_date": DAY, "account": "conductor"}


@pytest.fixture(autouse=True)
def later_bus(database: Database) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    add_later_bus(database)


def delay(api: SchemaApi, minutes: int, **args: Any) -> Answer:
    return api.write("delay_trip", minutes=minutes, **TRIP_OF_OPERATOR | args)


def check_in(api: SchemaApi, booking: Answer) -> None:
    answer = api.write("check_in", reference=booking["reference"], **TRIP_OF_OPERATOR)
    assert answer["tickets"][0]["checked_in_at"] is not None


# The booking -----------------------------------------------------------------------------------


def test_passenger_who_is_checked_in_cannot_decline(api: SchemaApi) -> None:
    """As with a cancellation: the passenger travels."""
    edit_service(api, whole_refund_delay="1 hour")
    booking = api.book(1)
    check_in(api, booking)
    assert delay(api, 90)["offers"] == 1
    before = api.everything()
    for method in ("decline", "cancel"):
        assert api.change(method, booking)["reason"] == "checked_in"
    assert api.everything() == before


@pytest.mark.parametrize("method", ["decline", "cancel"])
def test_passenger_who_was_checked_in_and_loses_the_seat_can_decline(
    api: SchemaApi, database: Database, method: str
) -> None:
    booking = api.book(1)
    check_in(api, booking)
    displace(database, booking["reference"])
    assert api.change(method, booking)["refund"] == "260.00"


def test_displaced_ticket_is_not_transferred(api: SchemaApi, database: Database) -> None:
    """The seat that is held for it may be one for women."""
    edit_service(api, LATER, women_seats=[1], max_transfers=2)
    booking = api.book(1, passengers=[{"name": "Asha", "gender": "female"}])
    displace(database, booking["reference"])
    before = api.everything()
    assert api.change("transfer", booking, ticket_no=1, name="Ravi", gender="male")["reason"] == "displaced"
    assert api.everything() == before
