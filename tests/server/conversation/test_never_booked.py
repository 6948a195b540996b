"""Bookings that end before they are booked: released holds, and parties that leave the waitlist."""

from collections.abc import Callable

import msgspec
import pytest

from busware.server.protocol import Booking
from busware.tables import booking_row
from tests.conftest import Database, LineClient
from tests.support.line_client import wait_until
from tests.support.playing import Play
from tests.support.transcript import ASHA, RESERVATION, TRAVEL_DAY, receive_until, transcript

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
NEVER_BOOKED = "It was not booked, and nothing is to be paid."


def shown(line: LineClient, reference: str) -> list[str]:
    """The lines of `status`, but the tickets."""
    line.send(f"status {reference} {ASHA}")
    line.send("help status")
    lines: list[str] = []
    while not (received := line.receive().decode()).startswith("status "):
        lines.append(received)
    return [one for one in lines if not one.startswith(" ")]


def test_a_lost_connection_releases_the_hold_as_the_question_says(
    connect: Callable[[], LineClient], database: Database
) -> None:
    line = connect()
    reference = transcript(line, RESERVATION)["ref"]
    line.close()
    wait_until(lambda: database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"])
    assert shown(connect(), reference) == [
        f"Cancelled: {reference}", "KSRTC Day Bus (bus 1)", "Bengaluru, Sat 5 Dec 2026 10:00", NEVER_BOOKED,
    ]  # fmt: skip


def test_a_cancelled_waitlist_entry_was_never_booked(connect: Callable[[], LineClient]) -> None:
    line = connect()
    for _ in range(2):
        line.call("book", **TRIP, count=4, phone=ASHA)
    waiting = line.call("book", **TRIP, count=1, waitlist=True, phone=ASHA)["reference"]
    assert line.call("cancel", reference=waiting, phone=ASHA)["never_booked"] is True
    assert shown(connect(), waiting)[-1] == NEVER_BOOKED


@pytest.mark.parametrize("percent", [0, 50])
def test_a_cancelled_booking_has_its_fare(
    connect: Callable[[], LineClient], database: Database, percent: int
) -> None:
    database.query("UPDATE bus_info SET refund_percent = %s WHERE bus_id = 1", percent)
    booked = connect().call("book", **TRIP, seats=[1], phone=ASHA)["reference"]
    assert "never_booked" not in connect().call("cancel", reference=booked, phone=ASHA)
    assert shown(connect(), booked)[-1].startswith("Fare 260.00")


def test_the_list_of_bookings_says_what_was_not_booked(client_socket: LineClient) -> None:
    held = client_socket.call("hold", **TRIP, seats=[1], phone=ASHA)
    released = client_socket.call("release", reference=held["reference"], phone=ASHA)
    row = booking_row(msgspec.convert(released, Booking))
    assert (str(row["Status"]), row[">Fare"]) == ("not booked", "")
    row = booking_row(msgspec.convert(held, Booking))
    assert (str(row["Status"]), row[">Fare"]) == ("held", "260.00")


@pytest.mark.parametrize(
    ("typed", "warning"),
    [
        ("Asha Ravi", "1 name for 2 seats: Asha Ravi. To type other names, with commas: back."),
        (", Ravi", "1 name for 2 seats: Ravi. To type other names, with commas: back."),
        ("Asha, Ravi", None),
        ("", None),
    ],
)
def test_too_few_names_are_named_before_the_question_for_confirmation(
    play: Play, typed: str, warning: str | None
) -> None:
    played = play("bus bengaluru mysuru sat", "1", "3 4", f"{ASHA}, {typed}" if typed else ASHA)
    assert played.questions[-1].startswith("Confirm")
    assert [text for text in played.texts if "name for" in text] == ([warning] if warning else [])


@pytest.mark.parametrize("typed", ["7pm", "7 pm", "5 dec", "3rd", "2h"])
def test_a_time_or_a_date_is_no_number_of_seats(client_socket: LineClient, typed: str) -> None:
    for _ in range(2):
        client_socket.call("book", **TRIP, count=4, phone=ASHA)
    client_socket.send(f"bus bengaluru mysuru {TRAVEL_DAY} seater")
    receive_until(client_socket, "Bus id:")
    client_socket.send("1")
    receive_until(client_socket, "How many seats do you want? (back: choose another bus)")
    client_socket.send(typed)
    assert client_socket.receive().decode() == f'"{typed}" is not a number of seats. Type a number such as 2.'
