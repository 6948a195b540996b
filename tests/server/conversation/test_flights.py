"""The dialogue of `flight` in plain text, with the lines that programs rely on, on the seeded flights."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import psycopg
import pytest

from tests.conftest import Clock, Cluster, Database, LineClient
from tests.support.project import PROJECT
from tests.support.transcript import receive_until, transcript

ENDED = "The dialogue has ended. To begin again, type flight, or: flight choose."
QUESTION = (
    "Please enter the source country, destination country, and travel date/time "
    "(format: source,destination,date,time):"
)
DAY = "2026-12-15"  # the tests' NOW is 2026-12-01 09:00 in India
BOOKED = f"Booking flight from USA to IND on {DAY} at 10:00. Status: Booked"
PENDING = f"Booking flight from USA to IND on {DAY} at 10:00. Status: Pending"


@pytest.fixture(scope="module")
def template(cluster: Cluster, template: str) -> Iterator[str]:
    """The template database with the seeded flights."""
    with cluster.database("flights", template_dbname=template, as_template=True):
        with psycopg.connect(cluster.urls("flights")[0], autocommit=True) as conn:
            conn.execute((PROJECT / "sql" / "97_seed_flights.sql").read_bytes())
        yield "flights"


HOW_TO_CANCEL = """Booked at once, for {thousands},{rest}.00.
To see the fare before you book, type: flight choose.
Keep the reference.
To see the booking: status {ref}. To cancel it: cancel {ref}."""
HOW_TO_LEAVE = """Keep the reference. You get a message when your seats are booked.
To see your position: status {ref}. To leave the waitlist: cancel {ref}."""


def book(line: LineClient, request: str = f"USA,IND,{DAY},10:00", status: str = BOOKED) -> str:
    """Book by the dialogue; return the reference."""
    reply = f"{status}\nReference {{ref}}.\n{HOW_TO_CANCEL}"
    return transcript(line, f"> flight\n{QUESTION}\n> {request}\n{reply}")["ref"]


def wait(
    line: LineClient, position: int, request: str = f"USA,IND,{DAY},10:00", status: str = PENDING
) -> str:
    """Join the waitlist by the dialogue; return the reference."""
    reply = f"{status}\nReference {{ref}}.\nNumber {position} in the queue.\n{HOW_TO_LEAVE}"
    return transcript(line, f"> flight\n{QUESTION}\n> {request}\n{reply}")["ref"]


def test_airport_may_be_given_by_the_beginning_of_its_name(client_socket: LineClient) -> None:
    transcript(
        client_socket,
        f"""
        > jfk,delhi air,{DAY},10:00
        Booking flight from JFK to Delhi Airport on {DAY} at 10:00. Status: Booked
        Reference {{ref}}.
        """,
    )


# The published lines ---------------------------------------------------------------------------


def test_country_at_the_question_is_welcomed(client_socket: LineClient) -> None:
    transcript(client_socket, f"> flight\n{QUESTION}\n> usa\nWelcome to USA\n> flight\n{QUESTION}")


def test_published_dialogue(client_socket: LineClient) -> None:
    transcript(
        client_socket,
        f"""
        > USA
        Welcome to USA
        > flight
        {QUESTION}
        > USA,IND,{DAY},10:00
        {BOOKED}
        Reference {{ref}}.
        Booked at once, for 62,000.00.
        To see the fare before you book, type: flight choose.
        Keep the reference.
        To see the booking: status {{ref}}. To cancel it: cancel {{ref}}.
        > status {{ref}}
        Booked: {{ref}}
        Atlantic Star AS 701 (flight 701)
        New York JFK, Tue 15 Dec 2026 10:00
          to Delhi Airport, Wed 16 Dec 2026 10:35
          Ticket 1: seat 1, 62,000.00
        Fare 62,000.00
        > STOP
        STOPPED
        """,
    )
    assert client_socket.receive() == b""


@pytest.mark.parametrize(
    ("typed", "welcomed"),
    [
        ("USA", "USA"), ("IND", "IND"), ("UK", "UK"), ("usa", "USA"), ("  uk ", "UK"), ("India", "India"),
        ("united kingdom", "United Kingdom"), ("Great  Britain", "Great Britain"), ("UAE", "UAE"),
    ],
)  # fmt: skip
def test_welcome_uses_the_stored_spelling(client_socket: LineClient, typed: str, welcomed: str) -> None:
    client_socket.send(typed)
    assert client_socket.receive().decode() == f"Welcome to {welcomed}"


def test_country_is_welcomed_if_a_flight_serves_it(client_socket: LineClient, database: Database) -> None:
    transcript(client_socket, '> FRA\n"FRA" is not a command. Type help for all commands.')
    database.query("INSERT INTO places (code, name) VALUES ('FRA', 'France')")
    transcript(client_socket, '> FRA\n"FRA" is not a command. Type help for all commands.')  # no flight yet
    database.query(
        """INSERT INTO places (code, name, part_of, time_zone)
        VALUES ('CDG', 'Paris CDG', 'FRA', 'Europe/Paris');
        SELECT api.add_service(bus_id => 790, name => 'X', operator => 'Y', kind => 'flight',
            layout => 'cabin 4', time_zone => 'Europe/Paris', phone_required => false,
            stops => E'CDG | - | 08:00 | 0 | 0\nDEL | 20:00 | - | 6600 | 50000')"""
    )
    transcript(client_socket, "> FRA\nWelcome to FRA\n> france\nWelcome to France")
    request = f"France,India,{DAY},8:00"
    book(client_socket, request, f"Booking flight from France to India on {DAY} at 08:00. Status: Booked")


def test_airport_is_not_welcomed_but_can_be_booked(client_socket: LineClient) -> None:
    transcript(client_socket, '> JFK\n"JFK" is not a command. Type help for all commands.')
    book(
        client_socket,
        f"JFK,DEL,{DAY},10:00",
        f"Booking flight from JFK to DEL on {DAY} at 10:00. Status: Booked",
    )


def test_line_with_a_misspelt_place_is_a_journey(client_socket: LineClient) -> None:
    transcript(
        client_socket,
        """
        > flight Inida USA 15 dec
        "Inida" is not a place on any route. Did you mean India?
        From (a country or an airport):
        """,
    )


def test_request_line_works_without_the_command(client_socket: LineClient) -> None:
    transcript(client_socket, f"> usa , ind,{DAY} , 10:00\n{BOOKED}\nReference {{ref}}.")


# Full flights ----------------------------------------------------------------------------------


def test_full_flight_has_a_waitlist_that_a_cancellation_promotes(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    first, waiting, last = connect(), connect(), connect()
    references = [book(first) for _ in range(4)]
    ahead, behind = wait(waiting, 1), wait(last, 2)
    transcript(
        first,
        f"""
        > cancel {references[2]}
        Booked: {references[2]}
        Atlantic Star AS 701 (flight 701)
        New York JFK, Tue 15 Dec 2026 10:00
          to Delhi Airport, Wed 16 Dec 2026 10:35
          Ticket 1: seat 3, 62,000.00
        Fare 62,000.00
        The refund is 31,000.00 if you cancel before Tue 15 Dec 2026 10:00.
        Cancel ticket 1 (seat 3), and get 31,000.00 of 62,000.00 back? (yes or no)
        > yes
        Cancelled: {references[2]}
        """,
    )
    promoted = f"(flight 701, seat 3) from New York JFK to Delhi Airport on {DAY} at 10:00. Status: Booked"
    promoted += ", fare 62,000.00"
    assert waiting.receive().decode() == f"Booking {ahead} {promoted}"
    transcript(waiting, f"> status {ahead}\nBooked: {ahead}")
    transcript(last, f"> status {behind}\nPending: {behind}")
    assert database.value("SELECT count(*) FROM api.audit()") == 0


def test_full_flight_is_replaced_by_another_at_the_same_time(
    client_socket: LineClient, database: Database
) -> None:
    database.query(
        "SELECT api.add_service(bus_id => 791, name => 'X', operator => 'Y', kind => 'flight',"
        " layout => 'cabin 4', time_zone => 'America/New_York', phone_required => false,"
        " stops => E'JFK | - | 10:00 | 0 | 0\nBOM | 25:00 | - | 12000 | 70000')"
    )
    for _ in range(8):
        book(client_socket)
    wait(client_socket, 1)
    sold = "SELECT bus_id, count(*) FROM passengers WHERE status = 'booked' GROUP BY 1 ORDER BY 1"
    assert database.query(sold) == [(701, 4), (791, 4)]


def test_legs_are_sold_separately(client_socket: LineClient, database: Database) -> None:
    """The flight has a stop in London. Its six seats are sold on each leg."""
    for _ in range(6):
        book(
            client_socket,
            f"USA,UK,{DAY},21:30",
            f"Booking flight from USA to UK on {DAY} at 21:30. Status: Booked",
        )
    for _ in range(6):
        onward = "Booking flight from UK to IND on 2026-12-16 at 11:15. Status: Booked"
        book(client_socket, "UK,IND,2026-12-16,11:15", onward)
    full = f"Booking flight from USA to IND on {DAY} at 21:30. Status: Pending"
    wait(client_socket, 1, f"USA,IND,{DAY},21:30", full)
    taken = database.query(
        "SELECT DISTINCT taken::text FROM seats WHERE bus_id = 703 AND travel_date = %s", DAY
    )
    assert taken == ["{[1,3)}"]


# Invalid requests ------------------------------------------------------------------------------

EXAMPLE = "such as USA,IND,2026-12-15,10:00."
NO_TIME = f"is not a time. Type a line {EXAMPLE}"
NOT_FOUR_PARTS = "does not have the form source,destination,date,time."
SERVED = "Flights serve IND, SGP, UAE, UK and USA."


@pytest.mark.parametrize(
    ("request_line", "problem"),
    [
        (f"Narnia,IND,{DAY},10:00", f'No flight serves "Narnia". {SERVED}'),
        (f"USA,Bengaluru,{DAY},10:00", "No flight from USA to Bengaluru Airport leaves at 10:00. "
         "On Tue 15 Dec 2026: 20:40."),
        (f"USA,IND,{DAY}", f'"USA,IND,{DAY}" {NOT_FOUR_PARTS}'),
        (f"USA,,{DAY},10:00", f'"USA,,{DAY},10…" {NOT_FOUR_PARTS}'),
        (f"USA,IND,{DAY},10:00,", f'"USA,IND,{DAY}…" {NOT_FOUR_PARTS}'),
        ("", f"An empty line {NOT_FOUR_PARTS}"),
        ("hello", f'"hello" {NOT_FOUR_PARTS}'),
        ("delhi tomorrow", f'"delhi tomorrow" {NOT_FOUR_PARTS}'),
        (f"{DAY},10:00,USA,IND", f'"IND" {NO_TIME}'),
        ("USA,IND,10:00,10:00", '"10:00" is not a date such as 2026-12-05, tomorrow, sat or 5 dec.'),
        (f"USA,IND,{DAY},25:00", f'"25:00" {NO_TIME}'),
        ("USA,IND,2026-02-30,10:00", '"2026-02-30": February 2026 has no day 30.'),
        ("USA,IND,2020-01-01,10:00", "2020-01-01 is in the past; today is 2026-11-30."),  # New York
        (f"USA,IND,{DAY},11:00", "No flight from USA to IND leaves at 11:00. "
         "On Tue 15 Dec 2026: 10:00, 20:40 and 21:30."),
        (f"SGP,USA,{DAY},10:00", "No flight from SGP to USA is on sale for Tue 15 Dec 2026."),
        (f"USA,USA,{DAY},10:00", "No flight from USA to USA is on sale for Tue 15 Dec 2026."),
        ("USA,IND,2029-01-01,10:00", "Sales are open up to 2027-10-26."),
    ],
)  # fmt: skip
def test_invalid_request_gets_one_line_and_ends_the_dialogue(
    client_socket: LineClient, database: Database, request_line: str, problem: str
) -> None:
    client_socket.send("flight")
    assert client_socket.receive().decode() == QUESTION
    client_socket.send(request_line)
    assert client_socket.receive().decode() == problem
    assert client_socket.receive().decode() == ENDED
    assert database.value("SELECT count(*) FROM passengers") == 0
    transcript(client_socket, f"> USA,IND,{DAY},10:00\n{BOOKED}\nReference {{ref}}.\n{HOW_TO_CANCEL}")
    book(client_socket)


def test_departed_flight_is_not_on_sale(client_socket: LineClient, clock: Clock) -> None:
    clock.set("2026-12-15T10:00:00-05:00")
    transcript(
        client_socket,
        f"""
        > USA,IND,{DAY},10:00
        No flight from USA to IND leaves at 10:00. On Tue 15 Dec 2026: 20:40 and 21:30.
        {ENDED}
        """,
    )


def test_escape_sequences_in_a_request_are_removed(client_socket: LineClient) -> None:
    client_socket.send(b"flight\n\xc2\x9b2JUSA\x07,\xe2\x80\xaeIND," + DAY.encode() + b",10:00\n")
    assert client_socket.receive().decode() == QUESTION
    answer = client_socket.receive().decode()
    assert answer == f'No flight serves "2JUSA". {SERVED}'


# By questions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [f"usa delhi {DAY}", f"choose usa delhi {DAY}", f"to delhi from usa {DAY}"])
def test_journey_after_the_command_is_booked_by_questions(client_socket: LineClient, typed: str) -> None:
    client_socket.send(f"flight {typed}")
    assert client_socket.receive().decode() == "New York JFK to Delhi Airport, Tue 15 Dec 2026:"
    receive_until(client_socket, "Flight id:")


def test_flight_booked_by_questions(client_socket: LineClient) -> None:
    transcript(
        client_socket,
        f"""
        > flight choose
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > {DAY}
        From (a country or an airport):
        > united states
        To (a country or an airport):
        > Delhi Airport
        New York JFK to Delhi Airport, Tue 15 Dec 2026:
        Flight  Leaves  Arrives   Takes       Fare  Free  Service
           701  10:00   10:35 +1  14h05  62,000.00     4  Atlantic Star AS 701
        Flight id:
        > 701
        main (seats)
        +-------+
        | 1   2 |
        | 3   4 |
        +-------+
        A number means free.
        4 of 4 free, 62,000.00 each.
        Seat numbers, such as 1 2, or best 2 for any two:
        > 3 4
        Phone number (Enter: none):
        >
        Held: {{ref}}
        Atlantic Star AS 701 (flight 701)
        New York JFK, Tue 15 Dec 2026 10:00
          to Delhi Airport, Wed 16 Dec 2026 10:35
          Ticket 1: seat 3, 62,000.00
          Ticket 2: seat 4, 62,000.00
        Fare 124,000.00
        The hold expires at 22:40:00 in New York JFK, in 10 min 00 s.
        If you leave before you answer, the seats are released.
        Confirm, for 124,000.00? (yes or no)
        """,
    )  # the hold is shown in the server's time zone, not in New York's


def test_help_back_and_quit_at_the_request_question(client_socket: LineClient) -> None:
    transcript(
        client_socket,
        f"""
        > flight
        {QUESTION}
        > help
        USA,IND,2026-12-15,10:00 books a seat at once. choose asks questions, and shows
        the fare first.
        Or type: back (previous question), quit (leave), say TEXT (ask the operator).
        {QUESTION}
        > back
        You left the dialogue. Nothing was changed.
        > flight
        {QUESTION}
        > quit
        You left the dialogue. Nothing was changed.
        """,
    )
