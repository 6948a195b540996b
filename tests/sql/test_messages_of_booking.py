"""The messages about a booking, as its passengers read them."""

from typing import Any

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, SchemaApi


def notice(database: Database, text: str, **to: Any) -> None:
    """Send a notice of an operator."""
    named = {"reference": None, "bus_id": None, "travel_date": None} | to
    database.query("SELECT api.notice(%s, NULL, %s, %s, %s::date, gen_random_uuid())", text, *named.values())


def test_messages_to_a_booking_its_trip_and_everyone(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    notice(database, "Before it was made")
    clock.advance(minutes=1)
    reference, other = api.book(1)["reference"], api.book(2, phone=RAVI)["reference"]
    notice(database, "To you", reference=reference)
    notice(database, "To another", reference=other)
    notice(database, "To the trip", bus_id=1, travel_date=DAY)
    notice(database, "To another trip", bus_id=1, travel_date=OTHER_DAY)
    notice(database, "To everyone")
    database.query(
        "SELECT api.send_message('From you', gen_random_uuid(), '127.0.0.1', reference => %s)", reference
    )
    listed = api.read("messages", reference=reference, phone=ASHA)["messages"]
    assert [(message["text"], message["from_operator"]) for message in listed] == [
        ("To you", True),
        ("To the trip", True),
        ("To everyone", True),
        ("From you", False),
    ]
    assert listed[0]["at"] == "2026-12-01T09:01:00+05:30"


def test_messages_are_for_those_who_may_open_the_booking(api: SchemaApi, database: Database) -> None:
    reference = api.book(1)["reference"]
    notice(database, "To you", reference=reference)
    assert api.read("messages", reference=reference, phone=RAVI)["reason"] == "unknown_booking"
    assert api.read("messages", reference=reference)["reason"] == "unknown_booking"


def test_last_hundred_messages_are_listed(api: SchemaApi, database: Database) -> None:
    reference = api.book(1)["reference"]
    for n in range(102):
        notice(database, f"Message {n}", reference=reference)
    listed = api.read("messages", reference=reference, phone=ASHA)["messages"]
    assert [message["text"] for message in (listed[0], listed[-1])] == ["Message 2", "Message 101"]
    assert len(listed) == 100
