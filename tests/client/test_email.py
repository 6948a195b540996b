"""The command `email` of the dialogues and of the command line: the ticket by mail."""

from collections.abc import Callable

from tests.client.test_commands import PHONE, Run, book, operate, run  # noqa: F401 - fixtures
from tests.conftest import Clock, Database, LineClient
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until

EMAIL = "asha@example.org"
SALE = {
    "bus_id": 1,
    "travel_date": TRAVEL_DAY,
    "origin": "Bengaluru",
    "destination": "Mysuru",
    "count": 1,
    "phone": ASHA,
}


def contacts(database: Database) -> list[object]:
    """The contacts of all bookings."""
    return database.query("SELECT email, coalesce(language, ''), sms FROM contacts")


def test_email_of_the_last_booking_in_plain_text(client_socket: LineClient, database: Database) -> None:
    booked = client_socket.call(
        "book",
        bus_id=1,
        travel_date=TRAVEL_DAY,
        origin="Bengaluru",
        destination="Mysuru",
        count=1,
        phone=ASHA,
    )
    client_socket.send(f"status {booked['reference']} {ASHA}")
    receive_until(client_socket, f"Booked: {booked['reference']}")
    client_socket.send(f"email {EMAIL}")
    receive_until(client_socket, "The ticket is sent to a***@example.org, and later messages too.")
    assert contacts(database) == [(EMAIL, "", False)]


def test_wrong_address_is_asked_again(client_socket: LineClient, database: Database) -> None:
    reference = client_socket.call("book", **SALE)["reference"]
    client_socket.send(f"status {reference} {ASHA}")
    receive_until(client_socket, f"Booked: {reference}")
    client_socket.send("email asha")
    receive_until(client_socket, '"asha" is not an e-mail address, such as asha@example.org.')
    receive_until(client_socket, "E-mail address:")
    client_socket.send(EMAIL)
    receive_until(client_socket, "The ticket is sent to a***@example.org, and later messages too.")
    assert contacts(database) == [(EMAIL, "", False)]


def test_email_of_another_booking(
    client_socket: LineClient, connect: Callable[[], LineClient], database: Database
) -> None:
    reference = connect().call("book", **SALE)["reference"]
    client_socket.send(f"email {EMAIL} {reference} {ASHA}")
    receive_until(client_socket, "The ticket is sent to a***@example.org, and later messages too.")
    assert contacts(database) == [(EMAIL, "", False)]


def test_address_that_has_bounced_is_said_to_get_no_mail(
    client_socket: LineClient, database: Database
) -> None:
    database.query("INSERT INTO bounces (address, at, reason) VALUES (%s, api.now(), '550 no')", EMAIL)
    reference = client_socket.call("book", **SALE)["reference"]
    client_socket.send(f"email {EMAIL} {reference} {ASHA}")
    receive_until(client_socket, "Mail to a***@example.org cannot be delivered. Give another address: email")
    receive_until(client_socket, "ADDRESS.")  # the line is broken at 80 columns


def test_options_of_book(run: Run, database: Database) -> None:  # noqa: F811
    booked = book(run, "--seats", "1", "--email", EMAIL, "--language", "kn", "--sms")
    assert booked["contact"] == {"email": "a***@example.org", "language": "kn", "sms": True}
    assert contacts(database) == [(EMAIL, "kn", True)]
    shown = run("booking", booked["reference"], *PHONE).out
    assert "Messages by mail to a***@example.org and SMS." in shown


def test_command_email_sets_and_removes_the_address(run: Run, database: Database) -> None:  # noqa: F811
    reference = book(run, "--seats", "1")["reference"]
    assert run("email", reference, EMAIL, "--language", "hi", *PHONE).status == 0
    assert contacts(database) == [(EMAIL, "hi", False)]
    assert run("email", reference, "none", *PHONE).status == 0
    assert contacts(database) == []


def test_ticket_says_that_the_address_does_not_work(run: Run, database: Database) -> None:  # noqa: F811
    reference = book(run, "--seats", "1", "--email", EMAIL)["reference"]
    database.query("INSERT INTO bounces (address, at, reason) VALUES (%s, api.now(), '550 no')", EMAIL)
    assert "Mail to a***@example.org cannot be delivered." in run("booking", reference, *PHONE).out


def test_manifest_shows_the_address(operate: Run, run: Run, clock: Clock) -> None:  # noqa: F811
    book(run, "--seats", "1", "--email", EMAIL)
    assert EMAIL in operate("manifest", "1", "2026-12-05", "--json").out
