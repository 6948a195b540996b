"""The terminal client on screens of other sizes, and a partly typed line across resizes and restarts."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from tests.conftest import Database, LineClient
from tests.support.processes import ServerProcess, kill
from tests.support.traveller import SEATS, STEPS, Traveller, tomorrow

pytestmark = pytest.mark.system

StartClient = Callable[[int, int], Traveller]  # columns, rows
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
UP, DOWN, RIGHT, LEFT = (f"\x1b[{letter}" for letter in "ABCD")


@pytest.fixture(autouse=True)
def today(database: Database) -> None:
    """Let the database use the real time, as the client does, and put trips on sale from today."""
    database.query("CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN now()")
    database.query("SELECT api.open_sales(bus_id) FROM bus_info")


def lines_of(seen: str) -> list[str]:
    """The printed lines, without colours."""
    return [line.rstrip() for line in ANSI.sub("", seen).splitlines()]


@pytest.fixture
def start_client(server: SimpleNamespace) -> Iterator[StartClient]:
    travellers: list[Traveller] = []

    def start(columns: int, rows: int) -> Traveller:
        travellers.append(Traveller(server.port, columns=columns, rows=rows))
        return travellers[-1]

    yield start
    for traveller in travellers:
        kill(traveller.child)


@pytest.mark.parametrize(("columns", "rows", "beside"), [(200, 50, True), (80, 24, False)])
def test_buses_have_one_line_each_if_the_width_allows(
    start_client: StartClient, columns: int, rows: int, beside: bool
) -> None:
    asha = start_client(columns, rows)
    asha.answer(*STEPS[:3])
    asha.wait_for("Leaves")
    lines = lines_of(asha.wait_for("Bus (Enter: 1; or a filter"))
    (day,) = [line for line in lines if "10:00" in line]
    (night,) = [line for line in lines if "22:00" in line]
    assert day.endswith("KSRTC Day Bus, non-AC seater") is beside
    assert night.endswith("SRS Travels Night Sleeper, AC sleeper") is beside
    assert sum("Day Bus" in line or "Night Sleeper" in line for line in lines) == 2


def test_keys_mark_seats_on_the_map(start_client: StartClient, database: Database) -> None:
    asha = start_client(80, 24)
    asha.answer(*STEPS[:4])
    asha.wait_for(SEATS)
    for key, seen in (
        (DOWN, "> 1<"), (RIGHT, "> 2<"), (" ", "> 2]"), (DOWN, "> 6<"), (RIGHT, "> 7<"), (" ", "> 7]"),
        (LEFT, "> 6<"), (UP, "> 2]"), (" ", "> 2<"), (LEFT, "> 1<"), (" ", "> 1]"),
    ):  # fmt: skip
        asha.child.send(key)
        asha.wait_for(seen)
    asha.type_line("4")  # the typed line is 7 1, so that keys and typing can be mixed
    asha.answer(("Phone number (", "98450 12345"))
    asha.wait_for("Confirm, for 780.00?")
    assert database.query("SELECT seat_no FROM passengers ORDER BY 1") == [1, 4, 7]


def test_enter_takes_the_seat_under_the_cursor(start_client: StartClient) -> None:
    asha = start_client(80, 24)
    asha.answer(*STEPS[:4])
    asha.wait_for(SEATS)
    for key, seen in ((DOWN, "> 1<"), (DOWN, "> 5<")):
        asha.child.send(key)
        asha.wait_for(seen)
    asha.type_line("")
    asha.wait_for("Phone number (")


def test_enter_on_a_seat_that_is_not_free_says_so(
    start_client: StartClient, connect: Callable[[], LineClient]
) -> None:
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    connect().call("book", **trip, seats=[1], phone="98800 99000")
    asha = start_client(80, 24)
    asha.answer(*STEPS[:4])
    asha.wait_for(SEATS)
    for key, seen in ((DOWN, "> 2<"), (LEFT, ">××<")):
        asha.child.send(key)
        asha.wait_for(seen)
    asha.type_line("")
    asha.wait_for("Seat 1 is not free. Free seats: 2,", SEATS)


def test_enter_does_not_take_a_seat_that_the_cursor_has_left(
    start_client: StartClient, database: Database
) -> None:
    """All keys may arrive at once, so that the map is not drawn between them."""
    asha = start_client(80, 24)
    asha.answer(*STEPS[:4])
    asha.wait_for(SEATS)
    for key, seen in ((DOWN, "> 1<"), (DOWN, "> 5<")):
        asha.child.send(key)
        asha.wait_for(seen)
    asha.child.send("7\x7f\r")
    asha.answer(("Phone number (", "98450 12345"))
    asha.wait_for("Confirm, for 260.00?")
    assert database.query("SELECT seat_no FROM passengers") == [1]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (60, 8)])
def test_error_is_between_the_map_and_the_question(
    start_client: StartClient, columns: int, rows: int, connect: Callable[[], LineClient]
) -> None:
    """On 8 rows the map is cropped, so that the error and the question are visible."""
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    connect().call("book", **trip, seats=[4], phone="98800 99000")
    end_of_map = "7 of 8 free" if rows == 24 else "more lines below"
    asha = start_client(columns, rows)
    asha.answer(*STEPS[:4])
    asha.wait_for("╭", end_of_map, SEATS)
    for typed, message in (("99", "There is no seat 99."), ("4", "Seat 4 is not free. Free seats: 1,")):
        asha.type_line(typed)
        assert end_of_map in asha.wait_for(message)
        assert "╭" not in asha.wait_for(SEATS)
    asha.type_line("3")
    assert "╭" not in asha.wait_for("Phone number (")


def test_help_is_between_the_map_and_the_question(start_client: StartClient) -> None:
    asha = start_client(80, 24)
    asha.answer(*STEPS[:4], (SEATS, "?"))
    asha.wait_for("╰", "The arrow keys move", "type 2 seats", "Or type: back", SEATS)


def test_resize_keeps_the_map_and_the_typed_text(start_client: StartClient, database: Database) -> None:
    asha = start_client(80, 24)
    asha.answer(*STEPS[:4])
    asha.wait_for(SEATS)
    asha.child.send("3 7")
    asha.wait_for("[ 3]", "[ 7]")  # each resize must draw both again
    for rows, columns in ((50, 200), (30, 60)):
        asha.child.setwinsize(rows, columns)
        asha.wait_for("╭", "[ 3]", "[ 7]", SEATS, "3 7")
    asha.type_line("")
    asha.answer(*STEPS[5:])
    asha.wait_for("Confirm, for 520.00?")
    assert database.query("SELECT seat_no FROM passengers ORDER BY 1") == [3, 7]


def test_resize_stacks_the_decks(start_client: StartClient) -> None:
    asha = start_client(80, 24)
    asha.answer(*STEPS[:3], ("Bus (Enter: 1; or a filter", "2"))
    beside = lines_of(asha.wait_for("╭ Lower ", SEATS))
    assert any("╮    ╭ Upper" in line for line in beside)
    asha.child.send("1")
    asha.wait_for("[ 1═]")
    asha.child.setwinsize(30, 30)
    stacked = lines_of(asha.wait_for("╭ Lower ", "[ 1═]", "╭ Upper ", SEATS))
    assert not any("╮    ╭ Upper" in line for line in stacked)


@pytest.mark.parametrize(
    ("step", "typed", "rest", "kept"),
    [
        (4, "3", " 7", ["[ 3]", SEATS, "3"]),
        (5, "98450 12345, Lakshmi N", "arayan", [STEPS[5][0], "98450 12345"]),
    ],
)
def test_partly_typed_text_survives_a_restart(
    database: Database, step: int, typed: str, rest: str, kept: list[str]
) -> None:
    """The server is killed after a part of an answer is typed. step: the index in STEPS of this answer."""
    urls = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    with ServerProcess("0", **urls) as served:
        asha = Traveller(served.port)
        asha.answer(*STEPS[:step])
        asha.wait_for(STEPS[step][0])
        asha.child.send(typed)
        asha.wait_for(typed)
        served.process.kill()
        asha.wait_for("The connection is lost.", *kept)
    with ServerProcess(str(served.port), **urls):
        asha.wait_for("Connected again.", *kept)
        asha.type_line(rest)
        asha.answer(*STEPS[step + 1 :])
        asha.wait_for("Confirm, for 520.00?")
        kill(asha.child)
    seats, names = ([3, 7], ["Asha", None]) if step == 4 else ([3, 4], ["Lakshmi Narayan", None])
    assert database.query("SELECT seat_no, name FROM passengers ORDER BY 1") == list(
        zip(seats, names, strict=True)
    )
