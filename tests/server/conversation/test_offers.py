"""The dialogue of `offer`, after a vehicle was exchanged for one without the seats of a booking."""

from collections.abc import Callable

import pytest

from tests.conftest import Database, LineClient
from tests.support.offers import LATER, add_later_bus, displace
from tests.support.playing import Play
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until, transcript

ACCEPT_OR_DECLINE = "Accept or decline:"


@pytest.fixture
def displaced(connect: Callable[[], LineClient], database: Database) -> str:
    """The reference of a booking of service 1 that has lost its seats; seats of service 3 are offered."""
    add_later_bus(database)
    booking = connect().call(
        "book",
        bus_id=1,
        travel_date=TRAVEL_DAY,
        origin="Bengaluru",
        destination="Mysuru",
        count=2,
        phone=ASHA,
    )
    reference = str(booking["reference"])
    displace(database, reference)
    return reference


def test_offer_is_accepted_in_plain_text(
    client_socket: LineClient, database: Database, displaced: str
) -> None:
    client_socket.send(f"status {displaced} {ASHA}")
    receive_until(client_socket, f"To accept or decline the offer, type: offer {displaced}.")
    client_socket.send(f"offer {displaced} {ASHA}")
    receive_until(client_socket, "Offer 1: A smaller bus runs.")
    receive_until(client_socket, ACCEPT_OR_DECLINE)
    transcript(client_socket, f"> accept\nBooked: {displaced}\nKSRTC Later Bus (bus {LATER})")
    receive_until(client_socket, "The offer is accepted.")
    assert database.query(
        "SELECT DISTINCT bus_id, status FROM passengers WHERE reference = %s", displaced
    ) == [(LATER, "booked")]


def test_offer_is_declined_after_a_question(
    client_socket: LineClient, database: Database, displaced: str
) -> None:
    client_socket.send(f"decline {displaced} {ASHA}")
    receive_until(client_socket, ACCEPT_OR_DECLINE)
    question = "Decline the offer, and get 520.00 back? (yes or no)"
    transcript(client_socket, f"> decline\n{question}\n> no\nThe offer is still open.")
    client_socket.send("offer")
    receive_until(client_socket, f"Reference of the booking (Enter: {displaced}):")
    client_socket.send("")
    receive_until(client_socket, ACCEPT_OR_DECLINE)
    transcript(client_socket, f"> 2\n{question}\n> yes\nCancelled: {displaced}")
    receive_until(client_socket, "The offer is declined. 520.00 is refunded.")
    assert database.query("SELECT sum(amount)::text FROM payments WHERE kind = 'refund'") == ["520.00"]


def test_terminal_asks_the_same(play: Play, displaced: str) -> None:
    played = play(f"offer {displaced} {ASHA}", "accept")
    assert played.questions == [ACCEPT_OR_DECLINE]
    assert played.texts == ["The offer is accepted."]


def test_booking_without_an_offer(client_socket: LineClient, displaced: str) -> None:
    booked = client_socket.call(
        "book",
        bus_id=2,
        travel_date=TRAVEL_DAY,
        origin="Bengaluru",
        destination="Mysuru",
        count=1,
        phone=ASHA,
    )["reference"]
    client_socket.send(f"offer {booked} {ASHA}")
    receive_until(client_socket, f"Booking {booked} has no open offer.")
