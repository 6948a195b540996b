"""The terminal client with flights, the theatre and the hotel."""

from collections.abc import Iterator
from types import SimpleNamespace

import psycopg
import pytest

from tests.conftest import Cluster, Database
from tests.support.project import PROJECT
from tests.support.pushing import Console
from tests.support.traveller import Traveller

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def template(cluster: Cluster, template: str) -> Iterator[str]:
    """The database of the tests with the services of all kinds and the real time, as the client has it."""
    with cluster.database("kinds", template_dbname=template, as_template=True):
        with psycopg.connect(cluster.urls("kinds")[0], autocommit=True) as conn:
            conn.execute("CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN now()")
            for seed in ("97_seed_flights", "98_seed_theatre", "99_seed_hotel"):
                conn.execute((PROJECT / "sql" / f"{seed}.sql").read_bytes())
        yield "kinds"


@pytest.fixture
def asha(server: SimpleNamespace) -> Iterator[Traveller]:
    traveller = Traveller(server.port)
    traveller.wait_for("Welcome to Busware")
    yield traveller
    traveller.child.close(force=True)


def booked(database: Database) -> list[tuple[str, list[int]]]:
    """The bookings in order: kind and seats."""
    return database.query(
        """SELECT s.kind, array_agg(p.seat_no ORDER BY p.ticket_no)
        FROM passengers p JOIN bus_info s USING (bus_id) WHERE p.status = 'booked'
        GROUP BY s.kind, p.reference ORDER BY min(p.created_at)"""
    )


def test_flight_by_request_line_and_step_by_step(asha: Traveller, database: Database) -> None:
    asha.answer(
        ("What would you like?", "USA"),
        ("Welcome to USA", "flight"),
    )
    asha.wait_for("A line books a seat at once.")
    asha.answer(("source,destination,date,time):", "USA,IND,+9,10:00"))
    asha.wait_for(
        "Ticket", "New York JFK → Delhi Airport", "▀▀▀▀▀", "Keep the reference", "What would you like?"
    )
    asha.answer(
        ("", "flight choose"),
        ("Date of journey", "+9"),
        ("From (a country or an airport):", "usa"),
        ("To (a country or an airport):", "ind"),
    )
    table = asha.wait_for("Flight", "705", "from San Francisco Airport", "Flight id:")
    assert "Type" not in table  # flights have no type
    assert "…" not in table  # nothing is cut
    asha.answer(
        ("", "701"), ("Seat numbers", "3 4"), ("Name of passenger 1", "Asha"),
        ("Name of passenger 2", ""), ("Phone number (Enter: none):", ""), ("Confirm, for 124,000.00?", "yes"),
    )  # fmt: skip
    asha.wait_for("Ticket", "Keep the reference")
    assert booked(database) == [("flight", [1]), ("flight", [3, 4])]


@pytest.mark.usefixtures("away_from_midnight")
def test_theatre(asha: Traveller, database: Database) -> None:
    asha.answer(("What would you like?", "show 18:30 tomorrow"), ("How many seats?", "2"))
    seen = asha.wait_for(
        "The fare is 600.00. Your answer books the seats at once.",
        "25 of 25 free",
        "Seat numbers, 2 of them, from 1 to 25:",
    )
    assert "0 is free" not in seen  # only the seat map of plain text has it
    asha.type_line("7 8")
    asha.wait_for("Ticket", "Ranga Hall, doors", "What would you like?")
    asha.answer(("", "show tomorrow"), ("Also on that day: 15:00, 18:30 and 21:30.", "back"))
    asha.answer(("What would you like?", "show 18:30 tomorrow"), ("23 free", "24"))
    asha.wait_for("Only 23 seats are free: 24 cannot be booked.")
    asha.answer(("How many seats?", "quit"))
    asha.wait_for("What would you like?")
    assert booked(database) == [("show", [7, 8])]


def test_hotel(asha: Traveller, database: Database) -> None:
    asha.answer(
        ("What would you like?", "hotel"), ("Check-in date", "tomorrow"), ("Check-out date", "2"),
    )  # fmt: skip
    asha.wait_for("2 nights: ", ".00 for each room.")  # the amount depends on the day of the week
    asha.answer(
        ("Room numbers", "best 2"), ("Name of guest 1 of 2", ""),
        ("Name of guest 2 of 2", ""), ("Phone number (Enter: none):", ""), ("Confirm, for", "yes"),
    )  # fmt: skip
    seen = asha.wait_for("Ticket", "Brindavan House", "until", "Room", "Guest", "Keep the reference")
    assert "→" not in seen  # a stay has one place
    ((kind, rooms),) = booked(database)
    assert (kind, len(rooms)) == ("hotel", 2)


def test_messages_to_and_from_the_operator(asha: Traveller, console: Console) -> None:
    asha.answer(
        ("What would you like?", "say Which gate?"),
        ("Sent to the operator.", "bus"),
        ("Reservation or cancellation:", "say And when?"),
    )
    asha.wait_for("Sent to the operator.", "Reservation or cancellation:")
    first, second = console.after(0)
    assert (first.body, second.body, first.client_no) == ("Which gate?", "And when?", second.client_no)
    console.notice("Gate 5, at nine.", client_no=second.client_no)
    asha.wait_for("Message from the operator: Gate 5, at nine.")
