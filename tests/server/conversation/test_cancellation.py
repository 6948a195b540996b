"""Cancelling and alighting in plain text: the quote is confirmed, and tickets and stops can be named."""

from collections.abc import Callable

import pytest

from tests.conftest import Database, LineClient
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until, transcript

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
ALL_TICKETS = "Which tickets? (numbers, or Enter for all)"


def test_refund_that_changes_after_the_quote_is_confirmed_again(
    connect: Callable[[], LineClient], database: Database
) -> None:
    line = connect()
    reference = line.call("book", **TRIP, seats=[7], phone=ASHA)["reference"]
    line.send(f"cancel {reference} {ASHA}")
    receive_until(line, "Cancel ticket 1 (seat 7), and get 130.00 of 260.00 back? (yes or no)")
    database.query("UPDATE passengers SET refund_percent = 10")
    transcript(
        line,
        """
        > yes
        The refund has changed: it was 130.00.
        The refund is 26.00 if you cancel before Sat 5 Dec 2026 10:00.
        Cancel ticket 1 (seat 7), and get 26.00 of 260.00 back? (yes or no)
        """,
    )
    assert database.query("SELECT status FROM passengers") == ["booked"]
    line.send("yes")
    receive_until(line, "Ticket 1 is cancelled. 26.00 is refunded.")


def test_ticket_that_another_request_cancels_is_not_reported(connect: Callable[[], LineClient]) -> None:
    line, other = connect(), connect()
    reference = line.call("book", **TRIP, seats=[5, 6, 7], phone=ASHA)["reference"]
    line.send(f"cancel {reference} {ASHA}")
    receive_until(line, ALL_TICKETS)
    line.send("2")
    receive_until(line, "Cancel ticket 2 (seat 6), and get 130.00 of 260.00 back? (yes or no)")
    other.call("cancel", reference=reference, phone=ASHA, tickets=[1])
    line.send("yes")
    receive_until(line, "Ticket 2 is cancelled. 130.00 is refunded.")


@pytest.mark.parametrize("typed", ["2", "ticket 2", "Ticket #2", "seat 6", "#2", "tickets 2", "ticket no. 2"])
def test_ticket_with_its_noun(connect: Callable[[], LineClient], typed: str) -> None:
    line = connect()
    reference = line.call("book", **TRIP, seats=[5, 6], phone=ASHA)["reference"]
    line.send(f"cancel {reference} {ASHA}")
    receive_until(line, ALL_TICKETS)
    line.send(typed)
    receive_until(line, "Cancel ticket 2 (seat 6), and get 130.00 of 260.00 back? (yes or no)")


@pytest.mark.parametrize("typed", ["tickets 1,2", "tickets 1 and 2", "tickets 1-2"])
def test_tickets_with_their_noun(connect: Callable[[], LineClient], typed: str) -> None:
    line = connect()
    reference = line.call("book", **TRIP, seats=[5, 6, 7], phone=ASHA)["reference"]
    line.send(f"cancel {reference} {ASHA}")
    receive_until(line, ALL_TICKETS)
    line.send(typed)
    receive_until(line, "Cancel tickets 1 and 2 (seats 5 and 6), and get 260.00 of 520.00 back? (yes or no)")


@pytest.mark.parametrize("typed", ["closepet", "CLOS", "rama", "stop 1", "1", "RMNG"])
def test_stop_is_named_by_its_aliases_and_beginnings(
    connect: Callable[[], LineClient], database: Database, typed: str
) -> None:
    database.query("UPDATE places SET aliases = '{Closepet}' WHERE name = 'Ramanagara'")
    line = connect()
    reference = line.call("book", **TRIP, seats=[7], phone=ASHA)["reference"]
    line.send(f"alight {reference} {ASHA}")
    receive_until(line, "Where do you get off? (1 to 3)")
    transcript(
        line,
        f"""
        > Ooty
        "Ooty" is not one of the stops. Type a number, or Ramanagara, Mandya or Srirangapatna.
        Where do you get off? (1 to 3)
        > {typed}
        Get off at Ramanagara? Nothing is refunded. (yes or no)
        """,
    )


@pytest.mark.parametrize("typed", ["seat 7", "7", "seat no 7"])
def test_another_seat_with_its_noun(connect: Callable[[], LineClient], typed: str) -> None:
    line = connect()
    reference = line.call("book", **TRIP, seats=[5], phone=ASHA)["reference"]
    line.send(f"change {reference} {ASHA}")
    receive_until(line, "Which seat instead of seat 5?")
    line.send(typed)
    receive_until(line, "Ticket 1 has seat 7 now.")
