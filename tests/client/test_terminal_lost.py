"""The terminal client when the connection is lost, the window is closed, or the traveller interrupts it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from busware.server.conversation.dialogue import OUTCOME_UNKNOWN
from tests.conftest import Database, LineClient
from tests.support.line_client import wait_until
from tests.support.processes import ServerProcess, kill
from tests.support.serving import register_console
from tests.support.traveller import CTRL_C, SEATS, STEPS, Traveller, tomorrow

CTRL_Z = "\x1a"
OTHER = "98800 99000"

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("away_from_midnight")]


@pytest.fixture
def served(urls: dict[str, str]) -> Iterator[ServerProcess]:
    with ServerProcess("0", **urls) as served:
        yield served


@pytest.fixture
def asha(served: ServerProcess) -> Iterator[Traveller]:
    asha = Traveller(served.port)
    yield asha
    kill(asha.child)


@pytest.mark.parametrize("when", ["while disconnected", "after the reconnection"])
def test_change_of_a_booking_is_shown_after_a_reconnection(
    served: ServerProcess, asha: Traveller, urls: dict[str, str], line_to: Callable[[int], LineClient],
    database: Database, when: str,
) -> None:  # fmt: skip
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    other = line_to(served.port)
    _, taken = (other.call("book", **trip, count=4, phone=OTHER)["reference"] for _ in range(2))
    asha.answer(
        *STEPS[:3],
        ("Bus (Enter: 2;", "1"),  # bus 1 is full
        ("How many seats do you want?", "1"),
        ("Phone number (", "98450 12345, Asha"),
        ("Wait for 1 seat at 260.00 each", "yes"),
    )
    asha.wait_for("You get a message", "What would you like?")
    served.process.kill()
    asha.wait_for("The connection is lost.")
    if when == "while disconnected":
        database.query("SELECT api.cancel(%s, '+919880099000')", taken)
    with ServerProcess(str(served.port), **urls):
        asha.wait_for("Connected again.")
        if when == "after the reconnection":
            register_console(database)
            followed = "SELECT count(*) FROM clients WHERE reference IS NOT NULL"
            wait_until(lambda: database.value(followed))
            line_to(served.port).call("cancel", reference=taken, phone=OTHER)
        asha.wait_for("(bus 1, seat ", "Status: Booked, fare 260.00")


def test_message_is_shown_once_although_a_new_connection_gets_it_again(
    served: ServerProcess, asha: Traveller, urls: dict[str, str], line_to: Callable[[int], LineClient],
    database: Database,
) -> None:  # fmt: skip
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    with closing(line_to(served.port)) as other:
        reference = other.call("book", **trip, count=1, phone=OTHER)["reference"]
    asha.wait_for("What would you like?")
    database.query("SELECT api.notice('Good morning.')")
    asha.wait_for("Message from the operator: Good morning.", "To answer, type: say TEXT")
    served.process.kill()
    asha.wait_for("The connection is lost.")
    with ServerProcess(str(served.port), **urls):
        asha.wait_for("Connected again.")
        asha.type_line(f"status {reference} {OTHER}")
        asha.wait_for("Ticket", reference)
        missed = "SELECT count(*) FROM messages_read WHERE reader = %s"
        wait_until(lambda: database.value(missed, reference))
        database.query("SELECT api.notice('Good night.')")
        assert "Good morning." not in asha.wait_for("Message from the operator: Good night.")


def request_hold_from_stopped_server(served: ServerProcess, asha: Traveller) -> None:
    """Let the traveller request a hold from a stopped server, and wait until the client waits."""
    asha.answer(*STEPS[:-1])
    asha.wait_for("Phone number (")
    served.process.send_signal(signal.SIGSTOP)
    asha.type_line("98450 12345")
    asha.wait_for("Waiting for the server", "Ctrl-C stops waiting")


def held_seats(database: Database) -> list[int]:
    return database.query("SELECT seat_no FROM passengers WHERE status = 'held'")


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM])
def test_closed_window_releases_the_hold(asha: Traveller, database: Database, how: int) -> None:
    asha.answer(*STEPS)
    asha.wait_for("Confirm, for")
    assert held_seats(database) == [3, 4]
    asha.child.kill(how)
    if how == signal.SIGTERM:
        asha.wait_for("Your hold is released.", "Good-bye.")
        assert asha.wait_for_exit() == 0
    wait_until(lambda: held_seats(database) == [])


def test_closed_window_releases_the_hold_despite_further_signals(
    served: ServerProcess, asha: Traveller, database: Database, urls: dict[str, str]
) -> None:
    asha.answer(*STEPS)
    asha.wait_for("Confirm, for")
    served.process.kill()
    asha.wait_for("The connection is lost.")
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # from kernel and shell
        asha.child.kill(number)
    with ServerProcess(str(served.port), **urls):
        wait_until(lambda: held_seats(database) == [])


def test_termination_during_a_call_warns_that_the_outcome_is_unknown(
    served: ServerProcess, asha: Traveller
) -> None:
    request_hold_from_stopped_server(served, asha)
    asha.child.kill(signal.SIGTERM)
    asha.wait_for(OUTCOME_UNKNOWN, "Good-bye.")
    assert asha.wait_for_exit() == 0


def test_text_typed_before_the_fare_is_visible_confirms_nothing(
    served: ServerProcess, asha: Traveller, database: Database
) -> None:
    request_hold_from_stopped_server(served, asha)
    asha.type_line("yes")
    asha.wait_for("yes")
    served.process.send_signal(signal.SIGCONT)
    asha.wait_for("Held for you", "Confirm, for 520.00?")
    asha.type_line("no")
    asha.wait_for(SEATS)
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]


def test_leaving_after_an_interrupted_hold_releases_it(
    served: ServerProcess, asha: Traveller, database: Database
) -> None:
    request_hold_from_stopped_server(served, asha)
    asha.child.send(CTRL_C)
    asha.wait_for("Interrupted. The server may have executed the request.", "Press Enter to try again")
    served.process.send_signal(signal.SIGCONT)
    asha.child.send(CTRL_C)
    asha.wait_for("Your hold is released.", "You left the dialogue.\r")
    wait_until(lambda: held_seats(database) == [])


def test_client_can_be_suspended(served: ServerProcess) -> None:
    asha = Traveller(served.port, shell=True)
    asha.answer(*STEPS[:1])
    asha.wait_for("From and to")
    asha.child.send("Mys")
    asha.wait_for("Mys")
    asha.child.send(CTRL_Z)
    asha.wait_for("Stopped", "shell>")
    asha.type_line("fg")
    asha.wait_for("From and to", "Mys")
    asha.type_line("uru")
    asha.wait_for("From Mysuru to:")
    kill(asha.child)


@pytest.mark.parametrize("rows", [8, 12])
def test_question_and_menu_fit_a_low_window(served: ServerProcess, rows: int) -> None:
    ravi = Traveller(served.port, rows=rows)
    ravi.answer(*STEPS[:2])
    assert "too small" not in ravi.wait_for("Date of journey", "today", "tomorrow")
    kill(ravi.child)
