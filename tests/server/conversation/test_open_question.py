"""Lines that are pushed while a question of plain text is open; the question is repeated after them."""

from collections.abc import Callable
from types import SimpleNamespace

from tests.conftest import Clock, LineClient
from tests.support.pushing import Console
from tests.support.transcript import ASHA, RESERVATION, TRAVEL_DAY, transcript

SENT = "Sent at 09:00. To answer, type: say TEXT"


def test_question_is_repeated_after_a_notice(connect: Callable[[], LineClient], console: Console) -> None:
    line = connect()
    transcript(line, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    console.notice("Good morning.")
    transcript(
        line,
        """
        Server: Good morning.
        Sent at 09:00. To answer, type: say TEXT
        The question is still open: Reservation or cancellation:
        > quit
        You left the dialogue. Nothing was changed.
        """,
    )
    console.notice("Good evening.")
    console.notice("Good night.")
    transcript(line, f"Server: Good evening.\n{SENT}\nServer: Good night.\n{SENT}")


def test_long_message_and_question_are_one_line_each(
    connect: Callable[[], LineClient], console: Console
) -> None:
    line, message = connect(), "Please be there at 06:45. " * 5
    transcript(line, "> bus bengaluru mysuru\nDate of journey (2026-12-05, tomorrow, sat or 5 dec):")
    console.notice(message)
    assert line.receive().decode() == f"Server: {message}"
    transcript(line, SENT)
    assert line.receive().endswith(b"open: Date of journey (2026-12-05, tomorrow, sat or 5 dec):")


def test_expired_hold_says_what_its_question_means_now(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, clock: Clock
) -> None:
    slow, other = connect(), connect()
    known = transcript(slow, RESERVATION)
    clock.advance(minutes=11)
    trip = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
    other.call("book", **trip, seats=[1], phone="98450 54321")  # it settles the trip
    transcript(
        slow,
        """
        Booking {ref} (bus 1) from Bengaluru to Mysuru on 2026-12-05 at 10:00. Status: Expired. Its time limit has passed. Nothing was paid.
        After the time limit, the seats may still be free: yes tries to book them, no
        leaves them.
        The question is still open: Confirm, for 520.00? (yes or no)
        > yes
        Booked: {ref}
        """,  # noqa: E501 - a pushed line is one line
        known,
    )


def test_json_gets_no_question(connect: Callable[[], LineClient], console: Console) -> None:
    line = connect()
    transcript(line, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    line.call("find", phone=ASHA, date=TRAVEL_DAY, place="Mysuru")
    console.notice("Good morning.")
    console.notice("Good evening.")
    for text in ("Good morning.", "Good evening."):
        method, params = line.notification()
        assert (method, params["text"]) == ("message", text)
