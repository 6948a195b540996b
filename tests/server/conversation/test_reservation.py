"""A reservation in plain text: every step, and its errors."""

import socket
import textwrap
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.conftest import Clock, Database, LineClient
from tests.support.line_client import wait_until
from tests.support.transcript import ASHA, RESERVATION, TRAVEL_DAY, receive_until, transcript


def test_quit_releases_the_hold(client_socket: LineClient, database: Database) -> None:
    transcript(client_socket, RESERVATION)
    transcript(client_socket, "> quit\nYour hold is released. Nothing was paid.\nYou left the dialogue.")
    assert database.query("SELECT status FROM passengers") == ["cancelled", "cancelled"]


CHANGED_FARE = """
    > yes
    The hold has expired. The seats are still free.
    The fare was {before}. It is {fare} now.
    Confirm, for the new fare of {fare}? (yes or no)
"""


def change_fare(database: Database, fare: int) -> None:
    database.query("UPDATE route_table SET fare = %s WHERE bus_id = 1 AND stop_no = 5", fare)


def test_expired_hold_is_booked_once_its_new_fare_was_shown(
    client_socket: LineClient, database: Database, clock: Clock
) -> None:
    transcript(client_socket, RESERVATION)
    clock.advance(minutes=11)
    for before, fare in (("520.00", 300), ("600.00", 1310)):
        change_fare(database, fare)
        transcript(client_socket, CHANGED_FARE.format(before=before, fare=f"{2 * fare:,}.00"))
    assert database.query("SELECT status FROM passengers") == ["expired", "expired"]
    transcript(client_socket, "> yes\nBooked: {ref}")
    assert database.query("SELECT kind, amount::text FROM payments") == [("charge", "1310.00")] * 2


def test_new_fare_of_an_expired_hold_is_declined(
    client_socket: LineClient, database: Database, clock: Clock
) -> None:
    transcript(client_socket, RESERVATION)
    clock.advance(minutes=11)
    change_fare(database, 300)
    transcript(client_socket, CHANGED_FARE.format(before="520.00", fare="600.00"))
    transcript(
        client_socket,
        "> no\nThe seats are released. Nothing was paid.\nChoose other seats, or type: back, quit.",
    )
    assert database.query("SELECT status FROM passengers") == ["expired", "expired"]


def test_back_at_the_new_fare_returns_to_the_question_before(
    client_socket: LineClient, database: Database, clock: Clock
) -> None:
    transcript(client_socket, RESERVATION)
    clock.advance(minutes=11)
    change_fare(database, 300)
    transcript(client_socket, CHANGED_FARE.format(before="520.00", fare="600.00"))
    transcript(client_socket, "> back\nYour hold is released.\nPhone number:")


def test_closed_connection_releases_its_hold(connect: Callable[[], LineClient], database: Database) -> None:
    closing = connect()
    transcript(closing, RESERVATION)
    closing.close()
    wait_until(lambda: database.query("SELECT status FROM passengers") == ["cancelled", "cancelled"])
    transcript(connect(), RESERVATION)


def test_draining_server_releases_holds(
    client_socket: LineClient, server: SimpleNamespace, database: Database
) -> None:
    transcript(client_socket, RESERVATION)
    server.tcp.drain()
    assert client_socket.receive() == b"Your hold is released. Nothing was paid."
    assert client_socket.receive() == b"Server: I am going down now. Good-bye."
    assert database.query("SELECT status FROM passengers") == ["cancelled", "cancelled"]


def test_reservation_accepts_ten_invalid_answers_to_each_question(client_socket: LineClient) -> None:
    wrong = {
        "Reservation or cancellation:": '"maybe" is not valid. Type reservation or cancellation.',
        "Date of journey": '"maybe" is not a date such as',
        "SLEEPER, SEMI_SLEEPER": '"maybe" is not valid. Type SLEEPER, SEMI_SLEEPER, SEATER or any.',
        "AC, NON_AC": '"maybe" is not valid. Type AC, NON_AC or any.',
        "Source:": '"maybe" is not a place on any route.',
        "Destination:": '"maybe" is not a place on any route.',
        "Bus id:": '"maybe" is not a bus in the list. Type 1.',
        "Seat numbers": '"maybe" is not a list of numbers, such as 1 and 2, or best 2',
        "Phone number:": '"maybe" is not a phone number, such as',
        "Confirm,": '"maybe" is not valid. Type yes or no.',
    }
    steps = textwrap.dedent(RESERVATION).strip().splitlines()
    before = ""  # the line before the current one
    for step in steps:
        if step.startswith(">"):
            client_socket.send(step[1:].strip())
            continue
        received = client_socket.receive().decode()
        options = [before] if before.startswith("1 ") else []
        for question, problem in wrong.items():
            if received.startswith(question):
                for _ in range(10):
                    client_socket.send("maybe")
                    assert client_socket.receive().decode().startswith(problem[:40])
                    again = [client_socket.receive().decode() for _ in range(len(options) + 1)]
                    assert again == [*options, received]
        before = received
    transcript(client_socket, "> yes\nBooked: {ref}")


def test_options_are_chosen_by_number(client_socket: LineClient) -> None:
    by_number = RESERVATION.replace("> sat", "> 05-12")
    for word, number in (("reservation", 1), ("seater", 3), ("non-ac", 2)):
        by_number = by_number.replace(f"> {word}\n", f"> {number}\n")
    transcript(client_socket, by_number)
    transcript(client_socket, "> quit\nYour hold is released. Nothing was paid.\nYou left the dialogue.")
    transcript(client_socket, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    transcript(client_socket, '> 3\n"3" is not valid. Type 1 or 2.')
    transcript(client_socket, "1 reservation, 2 cancellation\nReservation or cancellation:")
    transcript(client_socket, "> 2\nReference of the booking:")


def test_command_at_a_question_gets_a_hint(client_socket: LineClient) -> None:
    before, _ = RESERVATION.split("> 7, 8")
    transcript(client_socket, before)
    client_socket.send("status K7GHJ3ABC")
    transcript(client_socket, "status is no answer to this question. To use status, type quit first.")


def test_command_line_with_a_wrong_place_is_refused_before_the_other_questions(
    connect: Callable[[], LineClient],
) -> None:
    date = "Date of journey (2026-12-05, tomorrow, sat or 5 dec):"
    asked = f"\n{date}\n> sat\nSat 5 Dec 2026.\nDestination:\n> Ooty\n"
    for typed, problem in (
        ("bengaluru mysru", '"mysru" is not a place on any route. Did you mean Mysuru?'),
        ("mysuru bengaluru", "No bus goes from Mysuru to Bengaluru. From Mysuru you reach Ooty."),
    ):
        transcript(connect(), f"> bus {typed}\n{problem}{asked}")


def test_client_that_sends_nothing_more_is_told_that_its_hold_is_released(
    client_socket: LineClient, database: Database
) -> None:
    """Ctrl-D in nc -N, or the end of a file, at the question for confirmation."""
    transcript(client_socket, RESERVATION)
    client_socket.socket.shutdown(socket.SHUT_WR)
    transcript(client_socket, "Your hold is released. Nothing was paid.")
    assert client_socket.receive() == b""
    assert database.query("SELECT status FROM passengers") == ["cancelled", "cancelled"]


def test_phone_number_refused_by_the_server_is_asked_again(client_socket: LineClient) -> None:
    steps = RESERVATION.split(f"> {ASHA}")
    transcript(client_socket, steps[0])
    wrong = '"12345678" is not a phone number, such as 98450 12345 or +44 20 7946 0958.'
    for _ in range(10):
        transcript(client_socket, f"> 12345678\n{wrong}\nPhone number:")
    transcript(client_socket, textwrap.dedent(f"    > {ASHA}{steps[1]}"))


def question_for_seats(free: int, last: str, marks: str) -> str:
    """The seat map of bus 1, and the question for seats."""
    return f"""
        main (seats)
        +--- driver +
        | 1 2   3 4 |
        | 5 6   {last} |
        +-----------+
        A number means free{marks}.
        {free} of 8 free, 260.00 each.
        Seat numbers, such as 1 2, or best 2 for any two:
    """


def test_seat_taken_while_choosing_repeats_only_that_question(connect: Callable[[], LineClient]) -> None:
    slow, quick = connect(), connect()
    before, _ = RESERVATION.split(f"> {ASHA}")
    transcript(slow, before)
    booked = quick.call(
        "book", bus_id=1, travel_date=TRAVEL_DAY, origin="Mandya", destination="Mysuru", seats=[8], phone=ASHA
    )
    assert booked["status"] == "booked"
    question = question_for_seats(7, "7 x", ", x taken")
    transcript(slow, f"        > {ASHA}\n        Seat 8 is taken between Bengaluru and Mysuru.{question}")
    transcript(slow, f"        > 7 8\n        Seat 8 is not free. Free seats: 1, 2, 3, 4, 5, 6, 7.{question}")
    transcript(slow, "> best 1\nHeld: {ref}")


def test_seat_that_became_free_is_accepted(connect: Callable[[], LineClient]) -> None:
    slow, quick = connect(), connect()
    before, _ = RESERVATION.split("    > 1\n")
    transcript(slow, before)
    trip = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
    held = quick.call("hold", **trip, seats=[7, 8], phone=ASHA)
    question = question_for_seats(6, "~ ~", ", ~ held by another traveller")
    transcript(slow, f"        > 1{question}")
    message = "Seats 7 and 8 are not free. Free seats: 1, 2, 3, 4, 5, 6."
    transcript(slow, f"        > 7, 8\n        {message}{question}")
    quick.call("release", reference=held["reference"], phone=ASHA)
    transcript(slow, "> 7, 8\nPhone number:")


def test_back_after_declining_does_not_hold_again(client_socket: LineClient, database: Database) -> None:
    transcript(client_socket, RESERVATION)
    released = "The seats are released. Nothing was paid.\n        Choose other seats, or type: back, quit."
    transcript(client_socket, f"        > no\n        {released}{question_for_seats(8, '7 8', '')}")
    table = RESERVATION[RESERVATION.index("    Bengaluru to") : RESERVATION.index("    > 1\n")]
    transcript(client_socket, f"    > back\n{table}")
    transcript(client_socket, "> quit\nYou left the dialogue. Nothing was changed.")
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]
    assert database.value("SELECT count(DISTINCT reference) FROM passengers") == 1


def test_full_bus_offers_the_waitlist(connect: Callable[[], LineClient], clock: Clock) -> None:
    full = {
        "bus_id": 2,
        "travel_date": TRAVEL_DAY,
        "origin": "Bengaluru",
        "destination": "Ooty",
        "phone": ASHA,
    }
    traveller, other = connect(), connect()
    taken = other.call("book", **full, count=4)
    known = transcript(
        traveller,
        f"""
        > bus
        1 reservation, 2 cancellation
        Reservation or cancellation:
        > book
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > {TRAVEL_DAY}
        1 SLEEPER, 2 SEMI_SLEEPER, 3 SEATER, 4 any
        SLEEPER, SEMI_SLEEPER, SEATER or any:
        >
        1 AC, 2 NON_AC, 3 any
        AC, NON_AC or any:
        > any
        Source:
        > mandya
        Destination:
        > ooty
        Mandya to Ooty, Sat 5 Dec 2026:
           Bus  Leaves  Arrives   Takes       Fare  Free  Service
             2  23:45   05:30 +1   5h45     550.50     0  SRS Travels Night Sleeper, AC
                                                          SLEEPER
        Bus id:
        > 2
        lower (berths)     upper (berths)
        + driver +         +-------+
        | x   x  |         | x   x |
        +--------+         +-------+
        x taken.
        0 of 4 free, 550.50 each.
        All seats are taken between Mandya and Ooty. You can join the waitlist.
        How many seats do you want? (back: choose another bus)
        > 2
        Phone number:
        > +91 98800 99000
        Wait for 2 seats at 550.50 each, and pay when you get them? (yes or no)
        > yes
        Pending: {{ref}}
        SRS Travels Night Sleeper (bus 2)
        Mandya, Sat 5 Dec 2026 23:45
          to Ooty, Sun 6 Dec 2026 05:30
          Ticket 1: no seat yet, 550.50
          Ticket 2: no seat yet, 550.50
        Fare 1,101.00
        Position on the waitlist: 1.
        Keep the reference. You get a message when your seats are booked.
        To see your position: status {{ref}}. To leave the waitlist: cancel {{ref}}.
        """,
    )
    other.call("cancel", reference=taken["reference"], phone=ASHA, tickets=[1, 2])
    transcript(
        traveller,
        """
        > status {ref} 98800 99000
        Booked: {ref}
        SRS Travels Night Sleeper (bus 2)
        Mandya, Sat 5 Dec 2026 23:45
          to Ooty, Sun 6 Dec 2026 05:30
          Ticket 1: seat 1, 550.50
          Ticket 2: seat 2, 550.50
        Fare 1,101.00
        """,
        known,
    )


def test_search_without_result_shows_alternatives(client_socket: LineClient) -> None:
    transcript(
        client_socket,
        """
        > bus
        1 reservation, 2 cancellation
        Reservation or cancellation:
        > res
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > 2 dec
        Wed 2 Dec 2026.
        1 SLEEPER, 2 SEMI_SLEEPER, 3 SEATER, 4 any
        SLEEPER, SEMI_SLEEPER, SEATER or any:
        > semi sleeper
        1 AC, 2 NON_AC, 3 any
        AC, NON_AC or any:
        > ac
        Source:
        > bengaluru
        Destination:
        > ooty
        No AC SEMI_SLEEPER bus runs from Bengaluru to Ooty on Wed 2 Dec 2026. Available
        on that date:
        Bengaluru to Ooty, Wed 2 Dec 2026:
           Bus  Leaves  Arrives   Takes       Fare  Free  Service
             2  22:00   05:30 +1   7h30     900.50     4  SRS Travels Night Sleeper, AC
                                                          SLEEPER
        Bus id:
        """,
    )


JOURNEY_QUESTIONS = """
    Date of journey (2026-12-05, tomorrow, sat or 5 dec):
    > sat
    Sat 5 Dec 2026.
"""
DAY_BUS = """
    Bengaluru to Mysuru, Sat 5 Dec 2026:
       Bus  Leaves  Arrives   Takes       Fare  Free  Service
         1  10:00   12:45      2h45     260.00     8  KSRTC Day Bus, NON_AC SEATER
"""
BOTH_BUSES = f"""
    {DAY_BUS.strip()}
         2  22:00   00:50 +1   2h50     500.00     4  SRS Travels Night Sleeper, AC
                                                      SLEEPER
    Bus id:
"""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("bus bengaluru mysuru sat", BOTH_BUSES),
        ("bus 5 dec beng mys", BOTH_BUSES),
        ("BUS from Bangalore to Mysore on 05-12 non-ac seater", DAY_BUS),
        ("bus bengaluru mysuru", JOURNEY_QUESTIONS + BOTH_BUSES),
        ("bus bengaluru mysuru please", f'    "please" is not understood.{JOURNEY_QUESTIONS}{BOTH_BUSES}'),
        ("bus to mysuru sat", f"    Source:\n    > bengaluru{BOTH_BUSES}"),
        ("bus sat", f"    Source:\n    > Bangalore,Mysuru{BOTH_BUSES}"),
        (
            "bus bengaluru mysoor sat",
            '    "mysoor" is not a place on any route. Did you mean Mysuru?\n'
            f"    Destination:\n    > mys{BOTH_BUSES}",
        ),
    ],
)
def test_words_after_the_command_are_used(client_socket: LineClient, line: str, shown: str) -> None:
    shown = "\n".join(line for line in textwrap.dedent(shown).splitlines() if line.strip())
    transcript(client_socket, f"> {line}\n{shown}")


@pytest.mark.parametrize("word", ["reservation", "1", "cancel", "2"])
def test_purpose_may_follow_the_command(client_socket: LineClient, word: str) -> None:
    question = (
        JOURNEY_QUESTIONS.split("    >")[0].strip() if word in "reservation1" else "Reference of the booking:"
    )
    transcript(client_socket, f"> bus {word}\n{question}")


def test_source_and_destination_in_one_answer(client_socket: LineClient, database: Database) -> None:
    database.query("UPDATE places SET aliases = '{Bengaluru Mandya}' WHERE code = 'OOTY'")
    for typed in ("bus", "1", "sat", "4", "3"):
        client_socket.send(typed)
    while client_socket.receive() != b"Source:":
        pass
    transcript(
        client_socket,
        """
        > Bengaluru Mandya
        No bus on sale leaves Ooty.
        Source:
        > Bengaluru Mandia
        "Mandia" is not a place on any route. Did you mean Mandya?
        Source:
        > Bengaluru Mysuru tomorrow
        "Bengaluru Mysuru t…" is more than two places. Type one or two.
        Source:
        > Bangalore to Mysore
        Bengaluru to Mysuru, Sat 5 Dec 2026:
        """,
    )


def test_destination_that_no_service_reaches_is_refused(client_socket: LineClient) -> None:
    refused = "No bus goes from Mysuru to Bengaluru. From Mysuru you reach Ooty."
    transcript(client_socket, f"> bus mysuru bengaluru sat\n{refused}\nDestination:")
    transcript(client_socket, f"> bengaluru\n{refused}\nDestination:")
    transcript(client_socket, "> mysuru\nYou leave from Mysuru. Type another place.\nDestination:")
    transcript(client_socket, "> ?\nOne of: Ooty.")


def test_known_destination_cannot_be_the_source(client_socket: LineClient) -> None:
    refused = "You go to Mysuru. Type another place."
    transcript(client_socket, f"> bus to mysuru sat\nSource:\n> mysuru\n{refused}\nSource:")


def test_another_destination_is_asked_for_if_no_trip_is_near_the_date(
    client_socket: LineClient, database: Database
) -> None:
    database.query("UPDATE trips SET state = 'cancelled' WHERE travel_date <> '2026-12-15'")
    transcript(
        client_socket,
        """
        > bus bengaluru mysuru today
        No bus runs from Bengaluru to Mysuru near that date.
        Another destination:
        > chennai
        """,
    )
    assert b"is not a place" in client_socket.receive()


def test_date_outside_sales_is_asked_again(client_socket: LineClient) -> None:
    transcript(
        client_socket,
        """
        > bus
        1 reservation, 2 cancellation
        Reservation or cancellation:
        > res
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > 1 nov 2026
        Sun 1 Nov 2026 is in the past. Today is Tue 1 Dec 2026.
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > ?
        The date on which you board, up to Wed 16 Dec 2026.
        Or type: back (previous question), quit (leave), say TEXT (ask the operator).
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > 2027-06-01
        Tue 1 Jun 2027 is too far ahead. Sales are open up to Wed 16 Dec 2026.
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > 16 dec
        Wed 16 Dec 2026.
        1 SLEEPER, 2 SEMI_SLEEPER, 3 SEATER, 4 any
        SLEEPER, SEMI_SLEEPER, SEATER or any:
        > any
        1 AC, 2 NON_AC, 3 any
        AC, NON_AC or any:
        > any
        Source:
        > bengaluru
        Destination:
        > mysuru
        No bus runs from Bengaluru to Mysuru on Wed 16 Dec 2026. The nearest date is
        Tue 15 Dec 2026:
        """,
    )


@pytest.mark.parametrize(
    ("bus_type", "message"),
    [
        ("sleeper", "No AC SLEEPER bus runs from Bengaluru to Mysuru on Wed 16 Dec 2026. The nearest\n"
         "date is Tue 15 Dec 2026:"),
        ("seater", "No AC SEATER bus runs from Bengaluru to Mysuru on Wed 16 Dec 2026. The nearest\n"
         "date of any other bus is Tue 15 Dec 2026:"),
    ],
)  # fmt: skip
def test_nearest_date_prefers_the_wanted_type(client_socket: LineClient, bus_type: str, message: str) -> None:
    for typed in ("bus", "res", "16 dec", bus_type, "ac", "bengaluru"):
        client_socket.send(typed)
        while not client_socket.receive().endswith(b":"):
            pass
    transcript(client_socket, f"> mysuru\n{message}\nBengaluru to Mysuru, Tue 15 Dec 2026:")
    shown = [client_socket.receive().decode() for _ in range(2)]
    assert ("Night Sleeper" in shown[1]) == (bus_type == "sleeper")


def test_date_after_the_last_one_of_an_origin_is_asked_again(
    client_socket: LineClient, database: Database
) -> None:
    database.query(
        """SELECT api.add_service(bus_id => 90, name => 'X', operator => 'Y', layout => E'ss.ss',
            stops => E'Ooty | - | 09:00 | 0 | 0\nMysuru | 13:00 | - | 120 | 300', sales_days => 60)"""
    )
    for typed in ("bus", "res", "25 jan", "any", "any", "bengaluru"):
        client_socket.send(typed)
        while not client_socket.receive().endswith(b":"):
            pass
    transcript(
        client_socket,
        """
        > mysuru
        No bus runs from Bengaluru to Mysuru near that date.
        Sales are open up to 2026-12-15.
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > 16 dec
        Wed 16 Dec 2026.
        No bus runs from Bengaluru to Mysuru on Wed 16 Dec 2026. The nearest date is
        Tue 15 Dec 2026:
        """,
    )


def test_expired_hold_repeats_the_choice_of_seats_only(
    connect: Callable[[], LineClient], clock: Clock
) -> None:
    slow = connect()
    transcript(slow, RESERVATION)
    clock.advance(minutes=11)
    connect().call(
        "book",
        bus_id=1,
        travel_date=TRAVEL_DAY,
        origin="Bengaluru",
        destination="Mysuru",
        seats=[7],
        phone=ASHA,
    )
    transcript(
        slow,
        """
        > yes
        The hold has expired, and at least one seat of it is taken.
        main (seats)
        +--- driver +
        | 1 2   3 4 |
        | 5 6   x 8 |
        +-----------+
        A number means free, x taken.
        7 of 8 free, 260.00 each.
        Seat numbers, such as 1 2, or best 2 for any two:
        > 8
        Held: {ref}
        """,
    )


def test_date_is_in_the_past_by_the_time_at_the_places(
    client_socket: LineClient, clock: Clock, database: Database
) -> None:
    database.query("UPDATE places SET time_zone = 'Pacific/Pago_Pago'")
    clock.set("2026-12-01 09:00+05:30")  # the 30th of November at the places
    transcript(
        client_socket,
        """
        > bus
        1 reservation, 2 cancellation
        Reservation or cancellation:
        > reservation
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > 2026-11-29
        Sun 29 Nov 2026 is in the past. Today is Mon 30 Nov 2026.
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > 2026-11-30
        1 SLEEPER, 2 SEMI_SLEEPER, 3 SEATER, 4 any
        SLEEPER, SEMI_SLEEPER, SEATER or any:
        > any
        1 AC, 2 NON_AC, 3 any
        AC, NON_AC or any:
        > NON_AC
        Source:
        > Bengaluru
        Destination:
        > Mysuru
        Bengaluru to Mysuru, Mon 30 Nov 2026:
           Bus  Leaves  Arrives   Takes       Fare  Free  Service
             1  17:30   20:15      2h45     260.00     8  KSRTC Day Bus, NON_AC SEATER
        Bus id:
        """,
    )


@pytest.mark.parametrize(("typed", "origin"), [("2 mysuru", "Mysuru"), ("mandya", "Mandya")])
def test_stop_of_a_bus_that_is_found_several_times(
    client_socket: LineClient, typed: str, origin: str
) -> None:
    client_socket.send("bus KA ooty sat")
    receive_until(client_socket, "Bus id:")
    client_socket.send(typed)
    receive_until(client_socket, "Seat numbers, such as 1 2, or best 2 for any two:")
    client_socket.send("1")
    receive_until(client_socket, "Phone number:")
    client_socket.send(ASHA)
    held, bus, boards = (client_socket.receive().decode() for _ in range(3))
    assert held.startswith("Held: ")
    assert bus.endswith("(bus 2)")
    assert boards.startswith(f"{origin}, ")
