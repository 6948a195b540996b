"""The dialogue of `exchange`: the date, the destination and the trip, the quote, and the result."""

import json
from collections.abc import Callable

import pytest

from busware.server.conversation.commands import help_text
from tests.conftest import Database, LineClient
from tests.support.playing import Play
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until, transcript

LATER = 3  # a service of the same operator
OTHER_OPERATOR = 4
NEW_DATE = "New date (Enter: Sat 5 Dec, as now):"
NEW_DESTINATION = "New destination (Enter: Mysuru, as now):"
WHICH_BUS = "Bus (Enter: 1; or a filter such as ac, non-ac, sleeper):"
FRONT = {"name": "Front", "seats": [1, 2], "amount": "40.00"}


@pytest.fixture
def booked(connect: Callable[[], LineClient], database: Database) -> str:
    """The reference of a booking of two seats on service 1; its operator and another one run later buses."""
    for bus_id, name, operator in ((LATER, "Later Bus", "KSRTC"), (OTHER_OPERATOR, "Other Bus", "Other")):
        database.query(
            "SELECT api.add_service(bus_id => %s, name => %s, operator => %s, sales_days => 14,"
            " layout => 'ss.ss', stops => E'Bengaluru | - | 12:00 | 0 | 0\\nMysuru | 14:45 | - | 145 | 300')",
            bus_id, name, operator,
        )  # fmt: skip
    return book(connect())


def book(client: LineClient, method: str = "book") -> str:
    journey = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
    return str(client.call(method, **journey, count=2, phone=ASHA)["reference"])


def begin(client: LineClient, reference: str) -> None:
    client.send(f"exchange {reference} {ASHA}")
    receive_until(client, NEW_DATE)


def test_another_date_and_service(client_socket: LineClient, database: Database, booked: str) -> None:
    """The buses of another operator are not shown."""
    begin(client_socket, booked)
    transcript(
        client_socket,
        f"""
        > 6 dec
        Sun 6 Dec 2026.
        {NEW_DESTINATION}
        >
        Bengaluru to Mysuru, Sun 6 Dec 2026:
           Bus  Leaves  Arrives   Takes       Fare  Free  Service
             1  10:00   12:45      2h45     260.00     8  KSRTC Day Bus, NON_AC SEATER
             3  12:00   14:45      2h45     300.00     4  KSRTC Later Bus
        {WHICH_BUS}
        > 4
        "4" is not a bus in the list. Type 1 or 3.
        {WHICH_BUS}
        > 3
        Later Bus (3): Bengaluru, Sun 6 Dec 2026 12:00, to Mysuru, Sun 6 Dec 2026
        14:45.
        Seats 1 and 2.
        Fare 600.00, paid 520.00.
        Exchange, and pay 80.00? (yes or no)
        > yes
        Booked: {booked}
        KSRTC Later Bus (bus 3)
        Bengaluru, Sun 6 Dec 2026 12:00
          to Mysuru, Sun 6 Dec 2026 14:45
          Ticket 1: seat 1, 300.00
          Ticket 2: seat 2, 300.00
        Fare 600.00
        The booking is exchanged. 80.00 is charged.
        """,
    )
    assert database.query(
        "SELECT DISTINCT bus_id, travel_date::text FROM passengers WHERE reference = %s", booked
    ) == [(LATER, "2026-12-06")]


def test_enter_keeps_everything(client_socket: LineClient, database: Database, booked: str) -> None:
    """Enter at each question keeps the journey, which is refused; another destination is an exchange."""
    begin(client_socket, booked)
    transcript(client_socket, f">\n{NEW_DESTINATION}\n>")
    receive_until(client_socket, WHICH_BUS)
    transcript(
        client_socket,
        f"""
        >
        Bus 1, 10:00 KSRTC Day Bus.
        The booking has this journey already. Choose another date, place or bus.
        {NEW_DATE}
        >
        {NEW_DESTINATION}
        > delhi
        "delhi" is not a place on any route. Type ? for a list.
        """,
    )
    receive_until(client_socket, NEW_DESTINATION)
    client_socket.send("mandya")
    receive_until(client_socket, WHICH_BUS)
    transcript(
        client_socket,
        """
        >
        Bus 1, 10:00 KSRTC Day Bus.
        Day Bus (1): Bengaluru, Sat 5 Dec 2026 10:00, to Mandya, Sat 5 Dec 2026 11:45.
        Seats 1 and 2.
        Fare 360.00, paid 520.00, not refunded 80.00.
        The difference is refunded at the rate of a cancellation.
        Exchange, and get 80.00 back? (yes or no)
        """,
    )
    transcript(client_socket, f"> no\nNothing was exchanged.\n> exchange {booked}")
    receive_until(client_socket, NEW_DATE)
    assert database.value("SELECT count(*) FROM exchanges") == 0


def test_amounts_that_have_changed_are_asked_again(
    client_socket: LineClient, database: Database, booked: str
) -> None:
    begin(client_socket, booked)
    transcript(client_socket, f"> 2026-12-06\n{NEW_DESTINATION}\n>")
    receive_until(client_socket, WHICH_BUS)
    client_socket.send("")
    receive_until(client_socket, "Exchange, and pay nothing? (yes or no)")
    database.query("UPDATE bus_info SET exchange_fee = 15")
    client_socket.send("yes")
    receive_until(client_socket, "The amounts have changed.")
    receive_until(client_socket, "Fare 520.00, paid 520.00, fee 30.00.")
    transcript(client_socket, "Exchange, and pay 30.00? (yes or no)\n> yes")
    receive_until(client_socket, "The booking is exchanged. 30.00 is charged.")


def test_terminal_asks_for_a_class(play: Play, database: Database, booked: str) -> None:
    """Another class on the same trip is an exchange; Enter is the class as now, which is none."""
    database.query("UPDATE bus_info SET seat_classes = %s WHERE bus_id = 1", json.dumps([FRONT]))
    played = play(f"exchange {booked} {ASHA}", "", "", "", "", "", "", "", "front", "yes")
    ask_class = "Class (others 260.00, Front 300.00; Enter: as now):"
    questions = [NEW_DATE, NEW_DESTINATION, WHICH_BUS, ask_class]
    assert played.questions == [*questions, *questions, "Exchange, and pay 80.00? (yes or no)"]
    assert played.texts[-1] == "The booking is exchanged. 80.00 is charged."


def test_seats_are_kept_if_they_are_free(play: Play, client_socket: LineClient, booked: str) -> None:
    journey = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}
    reference = client_socket.call("book", **journey, travel_date=TRAVEL_DAY, seats=[7, 4])["reference"]
    advice = "The new seats replace seats 7 and 4. To choose others afterwards, type change."
    to_sunday = (f"exchange {reference} {ASHA}", "6 dec", "", "1")
    played = play(*to_sunday)
    assert "\nSeats 7 and 4.\n" in played.texts[-1]
    client_socket.call("book", **journey, travel_date="2026-12-06", seats=[4])
    played = play(*to_sunday)
    assert "\nSeats 1 and 2.\n" in played.texts[-2]
    assert played.texts[-1] == advice
    assert "\nSeats 1 and 2.\n" in play(*to_sunday[:3], str(LATER)).texts[-2]  # other seats


def test_exchange_stays_with_the_operator(play: Play, database: Database, booked: str) -> None:
    """Only destinations of the operator are offered; another one is explained, and Enter is as before."""
    database.query("UPDATE bus_info SET operator = 'Other' WHERE bus_id = 2")
    played = play(f"exchange {booked} {ASHA}", "", "ooty", "")
    assert played.texts[0] == "You can exchange only for a trip of KSRTC."
    assert "Mysuru" in played.choices[1]
    assert "Ooty" not in played.choices[1]
    assert "No bus of KSRTC runs from Bengaluru to Ooty near that date." in played.texts
    assert played.questions[2:] == ["Another destination (Enter: Mysuru, as now):", WHICH_BUS]


def test_no_trip_with_enough_seats(play: Play, booked: str, client_socket: LineClient) -> None:
    """After the refusal, the dialogue asks for another journey."""
    client_socket.call(
        "book", bus_id=LATER, travel_date=TRAVEL_DAY, origin="Bengaluru", destination="Mysuru", count=4,
        phone=ASHA,
    )  # fmt: skip
    played = play(f"exchange {booked} {ASHA}", "", "", str(LATER))
    assert played.questions == [NEW_DATE, NEW_DESTINATION, WHICH_BUS, NEW_DATE]


def test_back_and_leaving(client_socket: LineClient, booked: str) -> None:
    begin(client_socket, booked)
    transcript(
        client_socket,
        f"""
        > sun
        Sun 6 Dec 2026.
        {NEW_DESTINATION}
        > back
        """,
    )
    receive_until(client_socket, NEW_DATE)
    transcript(
        client_socket,
        f"""
        > 2025-12-05
        Fri 5 Dec 2025 is in the past. Today is Tue 1 Dec 2026.
        {NEW_DATE}
        > quit
        You left the dialogue. Nothing was changed.
        """,
    )


def test_booking_that_cannot_be_exchanged(client_socket: LineClient, database: Database, booked: str) -> None:
    held = book(client_socket, "hold")
    client_socket.send(f"exchange {held} {ASHA}")
    receive_until(client_socket, f"Booking {held} has no booked ticket that can be exchanged.")
    database.query("UPDATE bus_info SET exchange_until = NULL")
    begin(client_socket, booked)
    transcript(client_socket, f"> 2026-12-06\n{NEW_DESTINATION}\n>")
    receive_until(client_socket, WHICH_BUS)
    transcript(
        client_socket,
        """
        >
        Bus 1, 10:00 KSRTC Day Bus.
        Tickets of Day Bus (bus 1) cannot be exchanged.
        The dialogue has ended. To begin again, type exchange. To disconnect, type
        quit.
        """,
    )


def test_lines_of_the_help_fit_a_screen() -> None:
    assert max(map(len, help_text().splitlines())) < 80
