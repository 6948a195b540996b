"""The dialogue `transfer`, in plain text: another name for a ticket."""

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database, LineClient
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


def book(client_socket: LineClient, *seats: int, **more: object) -> str:
    reference = client_socket.call("book", **TRIP, seats=list(seats), phone=ASHA, **more)["reference"]
    return str(reference)


def names(database: Database) -> list[tuple[int, str | None]]:
    return database.query("SELECT ticket_no, name FROM passengers ORDER BY 1")


@pytest.mark.parametrize("command", ["transfer", "rename", "Names"])
def test_a_ticket_gets_another_name(client_socket: LineClient, database: Database, command: str) -> None:
    reference = book(client_socket, 3, 4, passengers=[{"name": "Asha"}, {"name": "Ravi"}])
    client_socket.send(f"{command} {reference} {ASHA}")
    receive_until(client_socket, "Which ticket?")
    client_socket.send("ravi")
    receive_until(client_socket, "New name for ticket 2:")
    client_socket.send("")
    receive_until(client_socket, "An empty line is not a name. Type a name such as Asha.")
    client_socket.send("Meena Rao")
    receive_until(client_socket, "  Ticket 2: seat 4, Meena Rao, 260.00")
    receive_until(client_socket, "Ticket 2 has the name Meena Rao now.")
    assert names(database) == [(1, "Asha"), (2, "Meena Rao")]


def test_a_single_ticket_is_not_asked_for(client_socket: LineClient, database: Database) -> None:
    client_socket.send(f"transfer {book(client_socket, 3)} {ASHA}")
    receive_until(client_socket, "New name for ticket 1:")
    client_socket.send("Uma")
    receive_until(client_socket, "Ticket 1 has the name Uma now.")
    assert names(database) == [(1, "Uma")]


@pytest.mark.parametrize(("answer", "name"), [("yes", "Uma"), ("no", "Asha")])
def test_a_seat_for_women_stays_for_women(
    client_socket: LineClient, database: Database, answer: str, name: str
) -> None:
    database.query("UPDATE bus_info SET women_seats = '{3}' WHERE bus_id = 1")
    reference = book(client_socket, 3, passengers=[{"name": "Asha", "gender": "female"}])
    client_socket.send(f"transfer {reference} {ASHA}")
    receive_until(client_socket, "New name for ticket 1:")
    client_socket.send("Uma")
    receive_until(client_socket, "Seat 3 is for women. Is Uma a woman? (yes or no)")
    client_socket.send(answer)
    end = "Ticket 1 has the name Uma now." if name == "Uma" else "Nothing was changed."
    receive_until(client_socket, end)
    assert names(database) == [(1, name)]


@pytest.mark.parametrize(("answer", "name"), [("yes", "Uma"), ("no", "Asha")])
def test_a_concession_is_that_of_the_new_passenger(
    client_socket: LineClient, database: Database, answer: str, name: str
) -> None:
    child = Jsonb([{"name": "child", "percent": "50", "max_age": 12}])
    database.query("UPDATE bus_info SET concessions = %s WHERE bus_id = 1", child)
    reference = book(client_socket, 3, passengers=[{"name": "Asha", "concession": "child"}])
    client_socket.send(f"transfer {reference} {ASHA}")
    receive_until(client_socket, "New name for ticket 1:")
    client_socket.send("Uma")
    receive_until(client_socket, "The fare has the concession child. Does Uma have it too? (yes or no)")
    client_socket.send(answer)
    end = "Ticket 1 has the name Uma now." if name == "Uma" else "Nothing was changed."
    receive_until(client_socket, end)
    assert names(database) == [(1, name)]


def test_a_cancelled_booking_has_no_ticket_for_another_name(client_socket: LineClient) -> None:
    reference = book(client_socket, 3)
    client_socket.call("cancel", reference=reference, phone=ASHA)
    client_socket.send(f"transfer {reference} {ASHA}")
    receive_until(client_socket, f"Booking {reference} has no ticket that can get another name.")
