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


def messages(database: Database, booking: Answer) -> list[str]:
    query = "SELECT body FROM messages WHERE reference = %s ORDER BY message_id"
    return database.query(query, booking["reference"])


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


# Delays ----------------------------------------------------------------------------------------


def test_offer_of_a_delay_stays_open_when_the_trip_is_on_time_again(
    api: SchemaApi, database: Database
) -> None:
    """The passengers were promised time to decide, and the message says that they still have it."""
    edit_service(api, whole_refund_delay="1 hour")
    booking = api.book(1)
    delay(api, 90)
    assert delay(api, 0)["offers"] == 0
    assert messages(database, booking)[1].endswith("at 10:00; the timetable says 10:00. Offer 1 stays open.")
    assert [offer["offer_no"] for offer in api.show(booking)["offers"]] == [1]
    assert api.cancel(booking)["refund"] == "260.00"


def test_only_a_longer_delay_is_a_reason_for_the_whole_fare(api: SchemaApi) -> None:
    edit_service(api, whole_refund_delay="1 hour")
    early = api.book(1)
    assert delay(api, 90)["offers"] == 1
    api.change("accept", early)
    late = api.book(2)
    assert delay(api, 89)["offers"] == 0
    for booking in (early, late):
        assert api.cancel(booking)["refund"] == "130.00"
    api.book(3)
    assert delay(api, 100)["offers"] == 1


def test_trip_in_another_currency_is_not_offered(api: SchemaApi, database: Database) -> None:
    """Its seats cannot be had at the fare that is paid."""
    database.query("UPDATE bus_info SET currency = 'USD' WHERE bus_id = %s", LATER)
    add_service(database, 4, "14:00", "16:45")
    booking = api.book(1)
    displace(database, booking["reference"])
    assert api.show(booking)["offers"][0]["trip"]["bus_id"] == 4
