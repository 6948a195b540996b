"""The dialogue of `show` in plain text, on the seeded theatre of 25 seats."""

import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Clock, Cluster, Database, LineClient
from tests.support.processes import ServerProcess
from tests.support.project import PROJECT
from tests.support.transcript import receive_until, transcript

HOW_MANY = "How many seats? (The Clay Cart, Tue 1 Dec 2026 11:00, {free} free, 150.00 each)"
EMPTY_SEAT_MAP = ["0 0 0 0 0"] * 5
LEGEND = "0 is free, 1 is not."
NO_TIME_OR_DATE = "is not a time such as 18:30, or a date such as 2026-12-05."
HOW_TO_CANCEL = """Booked at once, for {fare}.00.
To see the fare before you book, type: show choose.
Keep the reference.
To see the booking: status {ref}. To cancel it: cancel {ref}."""
ENDS = "The connection ends. Connect again to ask for fewer."
ENDED = "The dialogue has ended. To begin again, type show, or: show choose."
SEAT_QUESTION = "Seat number, from 1 to 25:"


@pytest.fixture(scope="module")
def template(cluster: Cluster, template: str) -> Iterator[str]:
    """The template database with the seeded theatre."""
    with cluster.database("theatre", template_dbname=template, as_template=True):
        with psycopg.connect(cluster.urls("theatre")[0], autocommit=True) as conn:
            conn.execute((PROJECT / "sql" / "98_seed_theatre.sql").read_bytes())
        yield "theatre"


def seats_question(count: int) -> str:
    return f"Seat numbers, {count} of them, from 1 to 25:"


def ask_for(line: LineClient, count: int, free: int = 25, command: str = "show") -> list[str]:
    """Go up to the question for seats; return the seat map."""
    transcript(line, f"> {command}\n{HOW_MANY.format(free=free)}\n> {count}")
    seat_map = [line.receive().decode() for _ in range(5)]
    assert line.receive().decode() == LEGEND
    assert line.receive().decode() == (seats_question(count) if count > 1 else SEAT_QUESTION)
    return seat_map


def reserve(line: LineClient, *seats: int, free: int) -> list[str]:
    """Book seats by the dialogue; return the ticket numbers."""
    ask_for(line, len(seats), free)
    line.send(" ".join(map(str, seats)))
    replies = [line.receive().decode() for _ in range(len(seats) + 5)]
    reference = re.fullmatch(r"Reference ([A-Z0-9]+)\.", replies[-5])[1]
    assert replies[-4:] == HOW_TO_CANCEL.format(ref=reference, fare=f"{150 * len(seats):,}").splitlines()
    assert replies[:-5] == [f"Ticket {reference}0{n} reserved" for n in range(1, len(seats) + 1)]
    return [ticket.split()[1] for ticket in replies[:-5]]


def test_published_dialogue(client_socket: LineClient) -> None:
    known = transcript(
        client_socket,
        f"""
        > show
        {HOW_MANY.format(free=25)}
        > 2
        0 0 0 0 0
        0 0 0 0 0
        0 0 0 0 0
        0 0 0 0 0
        0 0 0 0 0
        {LEGEND}
        {seats_question(2)}
        > 7 8
        Ticket {{first}} reserved
        Ticket {{second}} reserved
        Reference {{ref}}.
        Booked at once, for 300.00.
        To see the fare before you book, type: show choose.
        Keep the reference.
        To see the booking: status {{ref}}. To cancel it: cancel {{ref}}.
        > show
        {HOW_MANY.format(free=23)}
        > 1
        0 0 0 0 0
        0 1 1 0 0
        0 0 0 0 0
        0 0 0 0 0
        0 0 0 0 0
        {LEGEND}
        {SEAT_QUESTION}
        > 25
        Ticket {{third}} reserved
        Reference {{other}}.
        Booked at once, for 150.00.
        To see the fare before you book, type: show choose.
        Keep the reference.
        To see the booking: status {{other}}. To cancel it: cancel {{other}}.
        > status {{ref}}
        Booked: {{ref}}
        Ranga Players The Clay Cart (show 801)
        Ranga Hall
        Begins Tue 1 Dec 2026 11:00
        Ends   Tue 1 Dec 2026 13:15
          Ticket 1: seat 7, 150.00
          Ticket 2: seat 8, 150.00
        Fare 300.00
        """,
    )
    first, second, third = (known[name] for name in ("first", "second", "third"))
    assert (first, second, third) == (f"{known['ref']}01", f"{known['ref']}02", f"{known['other']}01")


def test_ticket_number_opens_its_booking(client_socket: LineClient) -> None:
    _, second = reserve(client_socket, 7, 8, free=25)
    assert len(second) == 10
    for command in ("status", "cancel", "change"):
        transcript(client_socket, f"> {command} {second.lower()}\nBooked: {second[:-2]}")
        client_socket.send("quit" if command != "status" else "back")
        while not client_socket.receive().startswith((b"You left", b"No question is open")):
            pass


def test_more_seats_than_free_are_refused_and_the_connection_ends(
    connect: Callable[[], LineClient], database: Database
) -> None:
    reserve(connect(), *range(1, 24), free=25)
    late = connect()
    refused = f"Only 2 seats are free: 3 cannot be booked.\n{ENDS}"
    transcript(late, f"> show\n{HOW_MANY.format(free=2)}\n> 3\n{refused}")
    assert late.receive() == b""
    reserve(connect(), 24, free=2)
    last = connect()
    refused = f"Only 1 seat is free: 26 cannot be booked.\n{ENDS}"
    transcript(last, f"> show\n{HOW_MANY.format(free=1)}\n> 26\n{refused}")
    assert last.receive() == b""
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'booked'") == 24


def test_taken_seat_gets_a_warning_and_nothing_is_booked(
    connect: Callable[[], LineClient], database: Database
) -> None:
    reserve(connect(), 13, free=25)
    line = connect()
    assert ask_for(line, 3, free=24)[2] == "0 0 1 0 0"
    transcript(
        line,
        f"""
        > 12, 13, 14
        Warning: Seat 13 is taken. Nothing is booked.
        0 0 0 0 0
        0 0 0 0 0
        0 0 1 0 0
        0 0 0 0 0
        0 0 0 0 0
        {LEGEND}
        {seats_question(3)}
        """,
    )
    assert database.value("SELECT count(*) FROM passengers") == 1
    transcript(
        line, "> 11 12 14\nTicket {a} reserved\nTicket {b} reserved\nTicket {c} reserved\nReference {ref}."
    )


def test_connection_ends_if_too_few_seats_are_left_after_a_taken_seat(
    connect: Callable[[], LineClient],
) -> None:
    slow, quick = connect(), connect()
    ask_for(slow, 2)
    reserve(quick, *range(1, 25), free=25)
    transcript(
        slow,
        f"""
        > 24 25
        Warning: Seat 24 is taken. Nothing is booked.
        Only 1 seat is free: 2 cannot be booked.
        {ENDS}
        """,
    )
    assert slow.receive() == b""


def test_any_seats_can_be_booked(connect: Callable[[], LineClient]) -> None:
    line = connect()
    ask_for(line, 2)
    transcript(
        line,
        f"""
        > best 3
        "best 3" is not a list of numbers, such as 1 and 2.
        {seats_question(2)}
        > best 2
        Ticket {{first}} reserved
        Ticket {{second}} reserved
        Reference {{ref}}.
        Seats 1 and 2 are yours.
        Booked at once, for 300.00.
        To see the fare before you book, type: show choose.
        Keep the reference.
        """,
    )
    other = connect()
    ask_for(other, 2, free=23)
    transcript(
        other,
        f"""
        > window
        "window" is not a list of numbers, such as 3 and 4.
        {seats_question(2)}
        """,
    )


def test_concurrent_clients_get_different_seats_and_tickets(
    connect: Callable[[], LineClient], database: Database
) -> None:
    """Twenty clients want five pairs of seats. Each pair goes to one client, and the others get a warning."""
    lines = [connect() for _ in range(20)]
    for line in lines:
        ask_for(line, 2)
    with ThreadPoolExecutor(len(lines)) as clients:

        def choose(n: int) -> list[str]:
            first = 2 * (n % 5) + 1
            lines[n].send(f"{first} {first + 1}")
            replies = [lines[n].receive().decode()]
            if replies[0].startswith("Ticket"):
                replies += [lines[n].receive().decode(), lines[n].receive().decode()]
            return replies

        outcomes = list(clients.map(choose, range(20)))
    booked = [replies for replies in outcomes if len(replies) == 3]
    assert len(booked) == 5
    assert len({ticket for replies in booked for ticket in replies[:2]}) == 10
    assert all(replies[0].startswith("Warning: Seat") for replies in outcomes if len(replies) == 1)
    assert database.value("SELECT count(*) FROM api.audit()") == 0


def test_ticket_numbers_are_unique_across_performances(client_socket: LineClient) -> None:
    first = reserve(client_socket, 1, 2, free=25)
    transcript(
        client_socket,
        "> show 15:00\nHow many seats? (The Clay Cart, Tue 1 Dec 2026 15:00, 25 free, 200.00 each)",
    )
    transcript(client_socket, "> quit\nYou left the dialogue. Nothing was changed.")
    assert len({*first, *reserve(client_socket, 3, free=23)}) == 3


@pytest.mark.parametrize(
    ("command", "performance"),
    [
        ("show", "The Clay Cart, Tue 1 Dec 2026 11:00, 25 free, 150.00 each"),
        ("show 18:30", "Hayavadana, Tue 1 Dec 2026 18:30, 25 free, 300.00 each"),
        ("SHOW 21:30 tomorrow", "Hayavadana, Wed 2 Dec 2026 21:30, 25 free, 250.00 each"),
        ("show tomorrow 18:30", "Hayavadana, Wed 2 Dec 2026 18:30, 25 free, 300.00 each"),
        ("show 5 dec", "The Clay Cart, Sat 5 Dec 2026 11:00, 25 free, 150.00 each"),
    ],
)
def test_time_and_date_select_a_performance(
    client_socket: LineClient, command: str, performance: str
) -> None:
    transcript(client_socket, f"> {command}\nHow many seats? ({performance})")


def test_performances_that_begin_at_the_same_time_are_offered(
    client_socket: LineClient, database: Database
) -> None:
    database.query("""
        SELECT api.add_service(805, 'Tughlaq', 'Ranga Players', 'hall 25', kind => 'show',
            phone_required => false,
            stops => E'RANGA-DOORS | - | 18:30 | 0 | 0\\nRANGA-CURTAIN | 21:00 | - | 0 | 80')""")
    transcript(
        client_socket,
        """
        > show 18:30
          803  Hayavadana, 300.00, 25 free
          805  Tughlaq, 80.00, 25 free
        Performance id:
        > 805
        How many seats? (Tughlaq, Tue 1 Dec 2026 18:30, 25 free, 80.00 each)
        """,
    )


def test_show_offers_a_performance_that_has_not_begun(client_socket: LineClient, clock: Clock) -> None:
    clock.set("2026-12-01T18:30:00+05:30")
    transcript(
        client_socket,
        """
        > show
        How many seats? (Hayavadana, Tue 1 Dec 2026 21:30, 25 free, 250.00 each)
        > quit
        You left the dialogue. Nothing was changed.
        > show 18:30
        How many seats? (Hayavadana, Wed 2 Dec 2026 18:30, 25 free, 300.00 each)
        """,
    )
    clock.set("2026-12-01T22:00:00+05:30")
    transcript(client_socket, "> back\nYou left the dialogue. Nothing was changed.\n> show")
    assert b"The Clay Cart, Wed 2 Dec 2026 11:00" in client_socket.receive()


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (
            "show 17:00",
            "No performance begins at 17:00. Others: 11:00, 15:00, 18:30 and 21:30.",
        ),
        (
            "show 25:00",
            f'"25:00" {NO_TIME_OR_DATE}',
        ),
        (
            "show me",
            f'"me" {NO_TIME_OR_DATE}',
        ),
        ("show 11:00 2020-01-01", "2020-01-01 is in the past; today is 2026-12-01."),
        ("show 11:00 2029-01-01", "Sales are open up to 2027-03-31."),
    ],
)
def test_unknown_performance_is_refused(client_socket: LineClient, command: str, problem: str) -> None:
    transcript(client_socket, f"> {command}\n{problem}\n{ENDED}")
    ask_for(client_socket, 1)


def test_other_times_are_listed_if_sales_end_soon(client_socket: LineClient, database: Database) -> None:
    database.query("DELETE FROM seats WHERE travel_date > '2026-12-03'")
    database.query("DELETE FROM trips WHERE travel_date > '2026-12-03'")
    transcript(
        client_socket,
        """
        > show 10:00
        No performance begins at 10:00. Others: 11:00, 15:00, 18:30 and 21:30.
        """,
    )


def test_show_asks_again_after_each_of_ten_invalid_answers(
    client_socket: LineClient, database: Database
) -> None:
    question = HOW_MANY.format(free=25)
    transcript(client_socket, f"> show\n{question}")
    for wrong in ("", "0", "-1", "too", "2.5", "1e3", "\u0662", "99999999", "2 3", "x\x1b[2J"):
        client_socket.send(wrong)
        assert "is not a number of seats. Type a number such as 2." in client_socket.receive().decode()
        assert client_socket.receive().decode() == question
    transcript(client_socket, "\n".join(["> 2", *EMPTY_SEAT_MAP, LEGEND, seats_question(2)]))
    for wrong, problem in {
        "": "An empty line is not a list of numbers, such as 1 and 2.",
        "7": "You typed 1 number. Type 2 seat numbers.",
        "7 8 9": "You typed 3 numbers. Type 2 seat numbers.",
        "7 7": "7 appears more than once.",
        "0 1": "There is no seat 0. The seats are numbered 1 to 25.",
        "25 26": "There is no seat 26. The seats are numbered 1 to 25.",
        "seventy eight": '"seventy eight" is not a list of numbers, such as 1 and 2.',
        "7,-8": '"7,-8" is not a list of numbers, such as 1 and 2.',
        "1-25": "You typed 25 numbers. Type 2 seat numbers.",
        "7;drop table": '"7;drop table" is not a list of numbers, such as 1 and 2.',
    }.items():
        transcript(client_socket, f"> {wrong}\n{problem}\n{seats_question(2)}")
    assert database.value("SELECT count(*) FROM passengers") == 0
    transcript(client_socket, "> 7-8\nTicket {a} reserved\nTicket {b} reserved\nReference {ref}.")


# By questions ----------------------------------------------------------------------------------


def test_choose_lists_the_performances_and_shows_the_fare_before_booking(
    client_socket: LineClient, database: Database
) -> None:
    known = transcript(
        client_socket,
        """
        > show choose sat
        Ranga Hall, Sat 5 Dec 2026:
          Show  Begins  Ends      Lasts       Fare  Free  Service
           801  11:00   13:15      2h15     150.00    25  Ranga Players The Clay Cart
           802  15:00   17:15      2h15     200.00    25  Ranga Players The Clay Cart
           803  18:30   20:45      2h15     300.00    25  Ranga Players Hayavadana
           804  21:30   23:45      2h15     250.00    25  Ranga Players Hayavadana
        1 11:00, 2 15:00, 3 18:30, 4 21:30
        Performance (its number, time or title; Enter: 11:00), or another date:
        > 99
        There is no performance 99. Type 801, 802, 803 or 804, or a time such as 18:30.
        1 11:00, 2 15:00, 3 18:30, 4 21:30
        Performance (its number, time or title; Enter: 11:00), or another date:
        > 2
        The Clay Cart, Sat 5 Dec 2026 15:00, 25 free, 200.00 each.
        How many seats? (Enter: 1)
        > 99
        Only 25 seats are free: 99 cannot be booked.
        How many seats? (Enter: 1)
        > 2
        main (seats)
        +----------------+
        |  1  2  3  4  5 |
        |  6  7  8  9 10 |
        | 11 12 13 14 15 |
        | 16 17 18 19 20 |
        | 21 22 23 24 25 |
        +----------------+
        A number means free.
        25 of 25 free, 200.00 each.
        Seat numbers, 2 of them, from 1 to 25 (Enter: the server chooses 2):
        > 7 8
        Held: {ref}
        """,
    )
    assert database.query("SELECT DISTINCT status FROM passengers") == ["held"]
    receive_until(client_socket, "Confirm, for 400.00? (yes or no)")
    transcript(client_socket, "> yes\nBooked: {ref}", known)
    assert database.query("SELECT seat_no FROM passengers WHERE status = 'booked' ORDER BY 1") == [7, 8]


# After a restart -------------------------------------------------------------------------------


def test_sold_seats_are_taken_after_a_restart(data_folder: Path) -> None:
    """The server and its database stop and start again."""
    day = date.today() + timedelta(days=5)
    with ServerProcess("0", "--data", str(data_folder), BUSWARE_SEED="true") as server:
        with closing(LineClient(server.host, server.port)) as line:
            assert read_seat_map(line, day) == EMPTY_SEAT_MAP
            transcript(line, "> 13\nTicket {ticket} reserved\nReference {ref}.")
        assert server.end(signal.SIGTERM)[0] == 0
    with (
        ServerProcess("0", "--data", str(data_folder)) as server,
        closing(LineClient(server.host, server.port)) as line,
    ):
        assert read_seat_map(line, day) == [*EMPTY_SEAT_MAP[:2], "0 0 1 0 0", *EMPTY_SEAT_MAP[3:]]


def read_seat_map(line: LineClient, day: date) -> list[str]:
    """Go up to the question for a seat; return the seat map."""
    line.send(f"show 18:30 {day}")
    assert line.receive().startswith(b"How many seats?")
    line.send("1")
    seat_map = [line.receive().decode() for _ in range(5)]
    assert [line.receive().decode() for _ in range(2)] == [LEGEND, SEAT_QUESTION]
    return seat_map


def test_next_performance_is_from_today_at_the_theatre(client_socket: LineClient, clock: Clock) -> None:
    clock.set("2026-12-01 20:00-08:00")  # the 2nd at the theatre
    transcript(client_socket, f"> show\n{HOW_MANY.format(free=25).replace('Tue 1 Dec', 'Wed 2 Dec')}")
