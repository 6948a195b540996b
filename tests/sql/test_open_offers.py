"""Changes of a booking that has an open offer, and of the trip that is offered."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
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
    """The offer may hold a seat for women, which the new passenger may not have."""
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
    """The ticket keeps its fare, which is in the first currency."""
    database.query("UPDATE bus_info SET currency = 'USD' WHERE bus_id = %s", LATER)
    add_service(database, 4, "14:00", "16:45")
    booking = api.book(1)
    displace(database, booking["reference"])
    assert api.show(booking)["offers"][0]["trip"]["bus_id"] == 4


# The offered trip --------------------------------------------------------------------------------


def test_delay_of_the_offered_trip_sends_the_booking_a_message(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    displace(database, booking["reference"])
    answer = delay(api, 30, bus_id=LATER)
    assert (answer["bookings"], answer["tickets"]) == (1, 1)
    assert messages(database, booking)[1] == (
        f"Offer 1 to booking {booking['reference']}, Later Bus (3) of 2026-12-05 from Bengaluru to Mysuru: "
        "The bus is expected to leave Bengaluru at 12:30; the timetable says 12:00."
    )
    assert database.value("SELECT count(*) FROM messages") == 2


def test_stop_that_the_offered_trip_skips_ends_the_offer_with_one_message(
    api: SchemaApi, database: Database
) -> None:
    stops = (
        "Bengaluru | - | 12:10 | 0 | 0\nMandya | 14:00 | 14:05 | 100 | 180\nMysuru | 15:00 | - | 145 | 300"
    )
    add = "SELECT api.add_service(5, 'Stop Bus', 'KSRTC', 'ss.ss', sales_days => 14, stops => %s)"
    database.query(add, stops)
    booking = api.book(1, from_stop=1, to_stop=3)  # to Mandya
    displace(database, booking["reference"])
    assert api.show(booking)["offers"][0]["trip"]["bus_id"] == 5
    api.write("skip_stop", at="Mandya", **TRIP_OF_OPERATOR | {"bus_id": 5})
    assert database.value("SELECT api.settle_due(1, %s)", DAY)
    assert [text.rpartition(": ")[2] for text in messages(database, booking)[1:]] == [
        "The trip of offer 1 is no longer possible, so 180.00 is refunded."
    ]


def test_offer_ends_with_its_hold(api: SchemaApi, database: Database, clock: Clock) -> None:
    booking = api.book(1)
    clock.set("2026-12-05 09:00+05:30")
    displace(database, booking["reference"])
    delay(api, -60, bus_id=LATER)
    (offer,) = api.show(booking)["offers"]
    assert offer["valid_until"] == "2026-12-05T11:00:00+05:30"
    quote = api.read("cancel_quote", reference=booking["reference"], phone=ASHA)
    assert quote["valid_until"] == offer["valid_until"]
    clock.set("2026-12-05 11:00+05:30")
    assert api.change("accept", booking)["state"] == "expired"


def test_seat_of_a_cancelled_ticket_is_not_held_any_more(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    first, second = api.show(booking)["offers"][0]["trip"]["seats"]
    shown = api.cancel(booking, 1)
    assert shown["offers"][0]["trip"]["seats"] == [second]
    assert first in api.free(1, 2, bus_id=LATER)
    assert audit(database.conn) == []
    assert [t["seat_no"] for t in api.change("accept", booking)["tickets"]] == [None, second]
    assert audit(database.conn) == []
