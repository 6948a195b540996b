"""The questions of the commands on a terminal: before they give something up, and for passwords."""

import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pexpect
import pytest

from tests.conftest import WAIT_SECONDS, Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.operator import Operator
from tests.support.processes import kill
from tests.support.project import PROJECT
from tests.support.traveller import CTRL_C, CTRL_D, client_environment, restore_signal_handlers

TRIP = {"bus_id": 1, "travel_date": "2026-12-05", "origin": "Bengaluru", "destination": "Mysuru"}
PHONE = "98450 12345"
PASSWORD = "correct horse battery"

Spawn = Callable[..., pexpect.spawn]


@pytest.fixture
def spawn(server: SimpleNamespace) -> Iterator[Spawn]:
    """Runs a command line of the client in a terminal."""
    children: list[pexpect.spawn] = []

    def spawn(*arguments: str) -> pexpect.spawn:
        where = {"BUSWARE_HOST": server.host, "BUSWARE_PORT": str(server.port)}
        children.append(
            pexpect.spawn(
                sys.executable, ["-m", "client", *arguments], dimensions=(24, 200), encoding="utf-8",
                timeout=WAIT_SECONDS, cwd=str(PROJECT), preexec_fn=restore_signal_handlers,
                env=client_environment(TERM="xterm", NO_COLOR="1", **where),
            )
        )  # fmt: skip
        return children[-1]

    yield spawn
    for child in children:
        kill(child)


def status_of(child: pexpect.spawn) -> int:
    """Wait for the end of a command; return its exit status."""
    child.expect(pexpect.EOF)
    child.wait()
    child.close()
    return int(child.exitstatus)


@pytest.fixture
def booked(client_socket: LineClient) -> str:
    """The reference of a booking with three tickets."""
    return str(client_socket.call("book", **TRIP, seats=[1, 2, 3], phone=PHONE)["reference"])


def statuses(database: Database) -> list[str]:
    return database.query("SELECT status FROM passengers ORDER BY ticket_no")


@pytest.mark.parametrize("answer", ["n\r", "no\r", "\r", CTRL_C, CTRL_D])
def test_cancellation_that_is_not_confirmed_changes_nothing(
    spawn: Spawn, booked: str, database: Database, answer: str
) -> None:
    child = spawn("cancel", booked, "--phone", PHONE)
    child.expect_exact("Cancel tickets 1, 2 and 3 (seats 1, 2 and 3) from Bengaluru to Mysuru, ")
    child.send(answer)
    child.expect_exact("Nothing was changed.")
    assert status_of(child) == 1
    assert statuses(database) == ["booked"] * 3


def test_cancellation_is_confirmed(spawn: Spawn, booked: str, database: Database) -> None:
    child = spawn("cancel", booked, "--phone", PHONE, "--tickets", "2")
    child.expect_exact("Cancel ticket 2 (seat 2) from Bengaluru to Mysuru, ")
    child.send("perhaps\r")
    child.expect_exact("Type yes or no.")
    child.expect_exact("[y/N] ")
    child.send("yes\r")
    child.expect_exact("Ticket 2 is cancelled. 130.00 is refunded.")
    assert status_of(child) == 0
    assert statuses(database) == ["booked", "cancelled", "booked"]


def test_alighting_early_is_confirmed(spawn: Spawn, booked: str) -> None:
    child = spawn("alight", booked, "mandya", "--phone", PHONE)
    child.expect_exact(
        "End tickets 1, 2 and 3 (seats 1, 2 and 3) at Mandya instead of Mysuru, and get 0.00 back? [y/N] "
    )
    child.send("y\r")
    child.expect_exact("Tickets 1, 2 and 3 end at Mandya. Seats 1, 2 and 3 are for sale again from there on.")
    assert status_of(child) == 0


@pytest.mark.parametrize(
    ("command", "place", "done"),
    [
        ("cancel", (), "Tickets 1 and 3 are cancelled. 260.00 is refunded."),
        ("alight", ("mandya",), "Tickets 1 and 3 end at Mandya. Seats 1 and 3 are for sale again from"),
    ],
)
def test_what_another_client_has_done_is_not_reported(
    spawn: Spawn, booked: str, client_socket: LineClient, command: str, place: tuple[str, ...], done: str
) -> None:
    child = spawn(command, booked, *place, "--phone", PHONE)
    child.expect_exact("[y/N] ")
    client_socket.call("cancel", reference=booked, phone=PHONE, tickets=[2])
    child.send("y\r")
    child.expect_exact("This has changed meanwhile.")
    child.expect_exact("tickets 1 and 3 (seats 1 and 3)")
    child.expect_exact("[y/N] ")
    child.send("y\r")
    child.expect_exact(done)
    assert status_of(child) == 0


def test_cancelled_trip_is_confirmed(
    spawn: Spawn, client_socket: LineClient, booked: str, database: Database
) -> None:
    client_socket.call("hold", **TRIP, seats=[4], phone=PHONE)
    client_socket.call("book", **TRIP, seats=[5], phone=PHONE)
    token = client_socket.call("register", username="boss", password=PASSWORD)["token"]
    database.query("UPDATE accounts SET role = 'admin'")
    arguments = ("cancel-trip", "1", "2026-12-05", "Landslide.", "--token", token)
    question = (
        "4 tickets of 2 bookings will be refunded in full. 1 ticket held or waiting will end.\r\n"
        "Cancel Day Bus (1) of Sat 5 Dec 2026? [y/N] "
    )
    child = spawn(*arguments)
    child.expect_exact(question)
    child.send("\r")
    assert status_of(child) == 1
    assert set(statuses(database)) == {"booked", "held"}
    child = spawn(*arguments)
    child.expect_exact(question)
    child.send("y\r")
    child.expect_exact("The trip is cancelled: 5 tickets, 1,040.00 refunded.")
    assert status_of(child) == 0
    assert set(statuses(database)) == {"cancelled"}
    child = spawn(*arguments)
    child.expect_exact("The trip is already cancelled. Landslide.")
    assert status_of(child) == 1


def test_exchange_of_a_vehicle_is_confirmed_as_planned(
    spawn: Spawn, client_socket: LineClient, booked: str, database: Database
) -> None:
    token = client_socket.call("register", username="boss", password=PASSWORD)["token"]
    database.query("UPDATE accounts SET role = 'admin'")
    client_socket.call("login", username="boss", password=PASSWORD)
    client_socket.call("put_vehicle", registration="KA09S3", operator="KSRTC", layout="...D\nss.s")
    arguments = ("exchange-vehicle", "1", "2026-12-05", "KA09S3", "--token", token)
    child = spawn(*arguments)
    child.expect_exact("3 of 3 tickets have a seat: 3 with the same number, 0 with another one.")
    child.expect_exact("Exchange the vehicle? [y/N] ")
    child.send("n\r")
    assert status_of(child) == 1
    child = spawn(*arguments)
    child.expect_exact("[y/N] ")
    client_socket.call("cancel", reference=booked, phone=PHONE, tickets=[2])
    child.send("y\r")
    child.expect_exact("This has changed meanwhile.")
    child.expect_exact("2 of 2 tickets have a seat")
    child.expect_exact("[y/N] ")
    child.send("y\r")
    child.expect_exact("the vehicle is exchanged.")
    assert status_of(child) == 0


@pytest.mark.parametrize("option", [("--yes",), ("--key", "mine")])
def test_confirmed_or_repeated_command_does_not_ask(
    spawn: Spawn, booked: str, database: Database, option: tuple[str, ...]
) -> None:
    assert status_of(spawn("cancel", booked, "--phone", PHONE, *option)) == 0
    assert set(statuses(database)) == {"cancelled"}


def test_refused_cancellation_does_not_ask(spawn: Spawn, booked: str) -> None:
    child = spawn("cancel", booked, "--phone", PHONE, "--tickets", "9")
    child.expect_exact(f"Booking {booked} has only 3 tickets: 1, 2, 3.")
    assert status_of(child) == 1


# Passwords -------------------------------------------------------------------------------------


def answer(child: pexpect.spawn, *steps: tuple[str, str]) -> None:
    """Wait for each question, and type its answer."""
    for question, typed in steps:
        child.expect_exact(question)
        child.send(f"{typed}\r")


def test_new_password_is_typed_twice(spawn: Spawn, client_socket: LineClient) -> None:
    child = spawn("register", "asha")
    answer(
        child,
        ("New password for asha: ", PASSWORD),
        ("Repeat the password: ", "another one"),
        ("The two passwords are different.\r\nNew password for asha: ", PASSWORD),
        ("Repeat the password: ", PASSWORD),
    )
    child.expect_exact("Signed in as asha (traveller)")
    assert status_of(child) == 0
    child = spawn("login", "asha")
    answer(child, ("Password: ", PASSWORD))
    child.expect_exact("Signed in as asha (traveller)")
    assert status_of(child) == 0


def test_new_password_is_asked_three_times(spawn: Spawn, database: Database) -> None:
    child = spawn("register", "asha")
    answer(child, *[("New password for asha: ", PASSWORD), ("Repeat the password: ", "another one")] * 3)
    child.expect_exact("The password was not set.")
    assert status_of(child) == 1
    assert database.value("SELECT count(*) FROM accounts") == 0


def test_new_guest_of_the_hotel_repeats_the_password(
    spawn: Spawn, http: HttpClient, database: Database
) -> None:
    database.query((PROJECT / "sql/99_seed_hotel.sql").read_text())
    child = spawn("hotel", "--url", f"{http.url}/hotel")
    answer(
        child,
        ("Username: ", "asha"),
        ("Password: ", PASSWORD),
        ("Your first booking registers you.\r\nRepeat the password: ", "another one"),
        ("The two passwords are different.\r\nNew password for asha: ", PASSWORD),
        ("Repeat the password: ", PASSWORD),
        ("hotel> ", "book 1"),
        ("Rooms booked successfully: [1]", "quit"),
    )
    assert status_of(child) == 0
    child = spawn("hotel", "--url", f"{http.url}/hotel")
    answer(child, ("Username: ", "asha"), ("Password: ", PASSWORD), ("Your booked rooms: [1]", "quit"))
    assert status_of(child) == 0


def test_password_of_an_operator_is_typed_twice(database: Database) -> None:
    urls = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    with Operator("operator", "add", "boss", "--admin", **urls) as operator:
        for shown, prompt, typed in (  # what is typed before the prompt is discarded
            ("", "New password for boss: ", "short"),
            (
                "The password is too short: it needs at least 8 characters.",
                "New password for boss: ",
                PASSWORD,
            ),
            ("", "Repeat the password: ", "another one"),
            ("The two passwords are different.", "New password for boss: ", PASSWORD),
            ("", "Repeat the password: ", PASSWORD),
        ):
            operator.wait_for(shown, prompt)
            operator.type_line(typed)
        operator.wait_for('The account "boss" was created.')
        assert operator.wait_for_exit() == 0


def test_exchange_shows_its_cost_and_charges_what_was_confirmed(
    spawn: Spawn, booked: str, database: Database
) -> None:
    database.query("UPDATE bus_info SET exchange_fee = 10")
    child = spawn("exchange", booked, "--phone", PHONE, "--date", "6 dec 2026", "--seats", "4,5,6")
    child.expect_exact("Day Bus (1): Bengaluru, ")
    child.expect_exact("Seats 4, 5 and 6.")
    child.expect_exact("Fare 780.00, paid 780.00, fee 30.00.")
    child.expect_exact(f"Exchange booking {booked}, and pay 30.00? ")
    child.send("yes\r")
    child.expect_exact("The booking is exchanged. 30.00 is charged.")
    assert status_of(child) == 0
    assert database.query("SELECT DISTINCT travel_date::text FROM passengers") == ["2026-12-06"]


def test_exchange_quote_and_its_text(spawn: Spawn, booked: str) -> None:
    child = spawn("exchange-quote", booked, "--phone", PHONE, "--destination", "mandya")
    child.expect_exact("Fare 540.00, paid 780.00, not refunded 120.00.")
    child.expect_exact("To exchange: get 120.00 back. Valid until ")
    assert status_of(child) == 0


def test_exchange_over_http(http: HttpClient, booked: str) -> None:
    path = f"/v1/bookings/{booked}/exchange"
    wanted = {"phone": PHONE, "boarding_date": "2026-12-06"}
    quote = http.call("GET", f"{path}-quote", params=wanted)
    assert (quote.status_code, quote.json()["due"], quote.json()["journey"]["bus_id"]) == (200, "0.00", 1)
    nothing = http.call("POST", path, json={"phone": PHONE})
    assert (nothing.status_code, nothing.json()["field"]) == (400, "travel_date")
    both = http.call("POST", path, json={**wanted, "travel_date": "2026-12-06"})
    assert (both.status_code, both.json()["field"]) == (400, "boarding_date")
    done = http.call("POST", path, json=wanted)
    assert (done.status_code, done.json()["travel_date"]) == (200, "2026-12-06")
