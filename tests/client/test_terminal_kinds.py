"""The terminal client with flights, the theatre and the hotel."""

from collections.abc import Iterator
from types import SimpleNamespace

import psycopg
import pytest

from tests.conftest import Cluster, Database
from tests.support.processes import kill
from tests.support.project import PROJECT
from tests.support.pushing import Console
from tests.support.traveller import SEATS, Traveller

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
    kill(traveller.child)


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
    question = "From and to (such as usa ind):"
    asha.answer((question, "USA,IND,+9,10:00"))
    asha.wait_for("Held for you", "New York JFK → Delhi Airport")
    asha.answer(("Confirm, for 62,000.00?", "no"))
    asha.wait_for("Nothing was booked.")
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]
    asha.answer(("What would you like?", "USA,IND,+9,10:00"), ("Confirm, for 62,000.00?", "yes"))
    asha.wait_for(
        "Ticket", "New York JFK → Delhi Airport", "▀▀▀▀▀", "Keep the reference", "What would you like?"
    )
    asha.answer(
        ("", "flight choose"),
        ("From and to (such as usa ind):", "usa ind"),
        ("Date of journey", "+9"),
    )
    table = asha.wait_for("Flight", "705", "from San Francisco Airport", "Flight (Enter: 7")
    assert "Type" not in table  # flights have no type
    assert "…" not in table  # nothing is cut
    asha.answer(
        ("", "701"), (SEATS, "3 4"), ("Phone number (Enter: none;", ", Asha"),
        ("Confirm, for 124,000.00?", "yes"),
    )  # fmt: skip
    asha.wait_for("Ticket", "Keep the reference")
    assert booked(database) == [("flight", [1]), ("flight", [3, 4])]


def test_full_flight_asks_before_it_joins_the_waitlist(asha: Traveller, database: Database) -> None:
    request = "USA,IND,+9,10:00"
    asha.answer(("What would you like?", "flight choose usa ind +9"))
    asha.answer(("Flight (Enter: 701", "701"), ("Seat numbers such as", "1-4"))
    asha.answer(("Phone number", ""), ("Confirm, for", "yes"), ("What would you like?", request))
    asha.answer(("Wait for 1 seat at 62,000.00 each, and pay when you get them?", "no"))
    asha.answer(("Nothing was booked.", request), ("Wait for 1 seat", "yes"))
    asha.wait_for("Position 1 on the waitlist", "To leave the waitlist: cancel ")
    assert database.query("SELECT status, count(*) FROM passengers GROUP BY 1 ORDER BY 1") == [
        ("booked", 4), ("pending", 1),
    ]  # fmt: skip


@pytest.mark.usefixtures("away_from_midnight")
def test_theatre(asha: Traveller, database: Database) -> None:
    asha.answer(("What would you like?", "show 18:30 tomorrow"), ("How many seats?", "2"))
    seen = asha.wait_for(
        "25 of 25 free", "Seat numbers, 2 of them, from 1 to 25 (Enter: the server chooses 2):"
    )
    assert "0 is free" not in seen  # only the seat map of plain text has it
    asha.type_line("7 8")
    asha.wait_for("Held for you", "Confirm, for 600.00?")
    assert booked(database) == []
    asha.type_line("no")
    asha.wait_for("25 of 25 free", "The seats are released.")
    asha.answer(("Seat numbers, 2 of them", "12 13"), ("Confirm, for 600.00?", "yes"))
    asha.wait_for("Ticket", "Ranga Hall", "Keep the reference")
    asha.answer(("What would you like?", "show 18:30 tomorrow"), ("23 free", "24"))
    asha.wait_for("Only 23 seats are free: 24 cannot be booked.")
    asha.answer(("How many seats?", "quit"))
    asha.wait_for("What would you like?")
    asha.answer(("", "exchange"), ("Reference of the booking (Enter:", ""), ("New date (Enter:", "+5"))
    asha.wait_for("Show (Enter: 8", "Hayavadana")
    asha.answer(("", ""), ("Exchange, and pay nothing?", "yes"))
    asha.wait_for("The booking is exchanged. Nothing is charged.")
    assert booked(database) == [("show", [12, 13])]


@pytest.mark.usefixtures("away_from_midnight")
def test_performance_is_chosen_from_those_of_a_date(asha: Traveller, database: Database) -> None:
    asha.answer(("What would you like?", "show tomorrow"))
    asha.wait_for("Ranga Hall, ", "Show", "Begins", "Ends", "Lasts", "803", "18:30", "Hayavadana")
    question = "Performance (its number, time or title; Enter: 11:00), or another date:"
    asha.answer((question, "17:00"))
    asha.wait_for("No performance begins at 17:00 on ")
    asha.answer((question, "yesterday"))
    asha.wait_for("is in the past")
    asha.answer((question, "+5"), (question, "4"), ("How many seats? (Enter: 1)", ""))
    asha.answer(
        ("Seat number, from 1 to 25 (Enter: the server chooses 1):", "7"), ("Confirm, for 250.00?", "yes")
    )
    asha.wait_for("Keep the reference")
    sold = database.query(
        "SELECT bus_id, travel_date - (now() AT TIME ZONE 'Asia/Kolkata')::date "
        "FROM passengers WHERE status = 'booked'"
    )
    assert sold == [(804, 5)]


def test_hotel(asha: Traveller, database: Database) -> None:
    asha.answer(
        ("What would you like?", "hotel"), ("Check-in date", "tomorrow"), ("Check-out date", "2"),
    )  # fmt: skip
    asha.wait_for("2 nights, ", ".00 for each room.")  # the amount depends on the day of the week
    asha.answer(
        (SEATS, "best 2"), ("Phone number (Enter: none;", ""),
        ("Confirm, for", "yes"),
    )  # fmt: skip
    seen = asha.wait_for("Ticket", "Brindavan House", "until", "Room", "Keep the reference")
    assert "→" not in seen  # a stay has one place
    ((kind, rooms),) = booked(database)
    assert (kind, len(rooms)) == ("hotel", 2)
    asha.answer(("What would you like?", "exchange"), ("Reference of the booking (Enter:", ""))
    asha.answer(("New date (Enter:", "+3"), ("Exchange, and", "yes"))
    asha.wait_for("The booking is exchanged.")
    nights = database.value(
        "SELECT DISTINCT upper(segment) - lower(segment) FROM passengers WHERE status = 'booked'"
    )
    assert nights == 2


def test_messages_to_and_from_the_operator(asha: Traveller, console: Console) -> None:
    asha.answer(
        ("What would you like?", "say Which gate?"),
        ("Sent to the operator.", "bus"),
        ("From and to", "say And when?"),
    )
    asha.wait_for("Sent to the operator.", "From and to")
    first, second = console.after(0)
    assert (first.body, second.body, first.client_no) == ("Which gate?", "And when?", second.client_no)
    console.notice("Gate 5, at nine.", client_no=second.client_no)
    asha.wait_for("Message from the operator: Gate 5, at nine.")
