"""Check-in, no-shows and transfers against each other and a cancellation (see tests/support/race.py)."""

from typing import Any

import pytest

from tests.conftest import Clock
from tests.support.race import Race
from tests.support.schema_api import DAY, Answer, SchemaApi

TRIP = {"bus_id": 1, "travel_date": DAY, "account": "conductor"}


@pytest.fixture
def day(race: Race, clock: Clock) -> Race:
    race.database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    clock.set("2026-12-05 09:45+05:30")  # before the departure from Bengaluru
    return race


def check_in(api: SchemaApi, booking: Answer) -> Answer:
    return api.write("check_in", reference=booking["reference"], **TRIP)


def no_shows(api: SchemaApi) -> Answer:
    return api.write("no_shows", at=1, release=True, **TRIP)


def transfer(api: SchemaApi, booking: Answer) -> Answer:
    return api.change("transfer", booking, ticket_no=1, name="Uma")


def ticket(race: Race, booking: Answer) -> dict[str, Any]:
    (ticket,) = race.second.show(booking)["tickets"]
    return ticket


def test_cancel_and_check_in(day: Race) -> None:
    booking = day.second.book(1)
    day.first.cancel(booking)
    late = day.start(lambda: check_in(day.second, booking))
    assert day.then_commit(late)["reason"] == "already_cancelled"
    assert "checked_in_at" not in ticket(day, booking)


def test_check_in_and_cancel(day: Race) -> None:
    """A passenger who is checked in cannot cancel."""
    booking = day.second.book(1)
    check_in(day.first, booking)
    late = day.start(lambda: day.second.cancel(booking))
    assert day.then_commit(late)["reason"] == "checked_in"
    assert "checked_in_at" in ticket(day, booking)


def test_no_shows_and_check_in(day: Race, clock: Clock) -> None:
    """The passenger who comes late gets the seat back."""
    booking = day.second.book(1)
    clock.set("2026-12-05 10:05+05:30")
    assert [t["sells"] for t in no_shows(day.first)["tickets"]] == [True]
    late = day.start(lambda: check_in(day.second, booking))
    assert "checked_in_at" in day.then_commit(late)["tickets"][0]
    assert "no_show_at" not in ticket(day, booking)
    assert 1 not in day.second.free(2, 5)


def test_check_in_and_no_shows(day: Race, clock: Clock) -> None:
    booking = day.second.book(1)
    clock.set("2026-12-05 10:05+05:30")
    check_in(day.first, booking)
    late = day.start(lambda: no_shows(day.second))
    assert day.then_commit(late)["tickets"] == []
    assert 1 not in day.second.free(2, 5)


def test_cancel_and_transfer(day: Race) -> None:
    booking = day.second.book(1, passengers=[{"name": "Asha"}])
    day.first.cancel(booking)
    late = day.start(lambda: transfer(day.second, booking))
    assert day.then_commit(late)["reason"] == "already_cancelled"
    assert ticket(day, booking)["name"] == "Asha"


def test_transfer_and_cancel(day: Race) -> None:
    booking = day.second.book(1, passengers=[{"name": "Asha"}])
    transfer(day.first, booking)
    late = day.start(lambda: day.second.cancel(booking))
    (cancelled,) = day.then_commit(late)["tickets"]
    assert (cancelled["name"], cancelled["status"]) == ("Uma", "cancelled")
