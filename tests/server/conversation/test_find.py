"""The dialogue of `find`, in plain text."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.conftest import Database, LineClient
from tests.support.project import PROJECT
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until, transcript

ENDED = "The dialogue has ended. To begin again, type find. To disconnect, type quit."
NOT_FOUND = """No open booking has that phone number, date and boarding place.
A booking without a phone number cannot be found: only its reference opens it."""
TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


@pytest.mark.parametrize(
    "typed",
    [
        "98450 12345", "sun Mysore 98450 12345", "6 dec 2026 mysuru +91 98450 12345",
        "+91 98450 12345 sun mysuru", "2026-12-06 MYSU", "+5 Mysuru", "", "in 5 days mysuru 9845012345",
        "mysuru sun 98450 12345", "mysuru +91 98450 12345 6 dec", "98450 12345 2026-12-06 mysuru", "Mysore",
    ],
)  # fmt: skip
def test_find_takes_date_place_and_phone_and_asks_for_the_rest(
    connect: Callable[[], LineClient], typed: str
) -> None:
    booked = connect().call(
        "book", bus_id=2, travel_date=TRAVEL_DAY, origin="Mysuru", destination="Ooty", count=1, phone=ASHA
    )
    line = connect()
    line.send(f"find {typed}")
    answers = {
        "Phone number of the booking:": ASHA,
        "Date of journey (2026-12-05, tomorrow, sat or 5 dec):": "6 dec",
        "Source (where you board):": "Mysuru",
    }
    asked = []
    while (received := line.receive().decode()) in answers:
        asked.append(received.partition(" ")[0])
        line.send(answers[received])
    expected = f"Reference {booked['reference']} (bus 2, seat 1) from Mysuru to Ooty, Sun 6 Dec 2026 01:00."
    assert received == expected
    has_phone, has_place = ("45" in typed, "mys" in typed.lower())
    has_date = has_place and typed != "Mysore"
    assert asked == ["Phone"] * (not has_phone) + ["Date"] * (not has_date) + ["Source"] * (not has_place)


def test_found_hold_is_not_taken_for_a_booking(connect: Callable[[], LineClient]) -> None:
    held = connect().call("hold", **TRIP, count=1, phone=ASHA)["reference"]
    line = connect()
    line.send(f"find sat bengaluru {ASHA}")
    shown = " ".join(line.receive().decode().strip() for _ in range(2))
    assert shown.startswith(f"Reference {held} ")
    assert shown.endswith("Sat 5 Dec 2026 10:00. Held, not booked yet.")


def test_status_offers_the_booking_that_find_named(connect: Callable[[], LineClient]) -> None:
    booked = [connect().call("book", **TRIP, seats=[n], phone=ASHA)["reference"] for n in (3, 4)]
    line = connect()
    line.send(f"find sat bengaluru {ASHA}")
    shown = [line.receive().decode()]
    while not shown[-1].startswith("To see the booking"):
        shown.append(line.receive().decode())
    first, second = (text.split()[1] for text in shown if text.startswith("Reference"))
    assert {first, second} == {*booked}
    assert shown[-1] == f"To see the booking, type: status {first} {ASHA}"
    line.send("status")
    assert line.receive().decode() == f"Reference of the booking (Enter: {first}):"


def test_find_takes_the_places_of_all_kinds_of_services(
    connect: Callable[[], LineClient], database: Database
) -> None:
    for seed in ("97_seed_flights", "99_seed_hotel"):
        database.conn.execute((PROJECT / f"sql/{seed}.sql").read_bytes())
    stay = {"bus_id": 901, "boarding_date": "2026-12-08", "from_stop": 9, "to_stop": 10}
    ride = connect().call("book", **TRIP, seats=[4], phone=ASHA)
    booked = {
        "5 dec beng": ride,  # Bengaluru, or its airport
        "5 dec blr": ride,  # the code of the airport, and a beginning of the code of Bengaluru
        "8 dec brindavan": connect().call("book", **stay, count=1, phone=ASHA),
    }
    line = connect()
    for typed, booking in booked.items():
        line.send(f"find {typed} {ASHA}")
        receive_until(line, f"To see the booking, type: status {booking['reference']} {ASHA}")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("me", '"me" is not a place on any route.'),
        ("tue mysuru 98450 12345", "Today is a Tuesday."),
        ("5 dec nowhere 98450 12345", '"nowhere" is not a place on any route.'),
    ],
)
def test_find_explains_a_word_that_it_does_not_understand(
    client_socket: LineClient, typed: str, message: str
) -> None:
    client_socket.send(f"find {typed}")
    assert client_socket.receive().decode().startswith(message)


def test_find_shows_lost_references_until_the_rate_limit(
    connect: Callable[[], LineClient], server: SimpleNamespace
) -> None:
    booked = connect().call(
        "book", bus_id=2, travel_date=TRAVEL_DAY, origin="Mysuru", destination="Ooty", count=1, phone=ASHA
    )
    known = {"ref": booked["reference"]}
    traveller = connect()
    ask = """
        > find
        Phone number of the booking:
        > 98450 12345
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > {day}
        Source (where you board):
        > Mysore
    """
    transcript(traveller, ask, {"day": "sun"})  # the Saturday bus leaves Mysuru after midnight
    transcript(
        traveller,
        """
        Reference {ref} (bus 2, seat 1) from Mysuru to Ooty, Sun 6 Dec 2026 01:00.
        To see the booking, type: status {ref} 98450 12345
        """,
        known,
    )
    for _ in range(server.settings.attempts_per_booking):
        transcript(traveller, ask, {"day": "sat"})
        transcript(traveller, f"{NOT_FOUND}\n{ENDED}")
    transcript(traveller, ask, {"day": "sun"})
    assert traveller.receive().startswith(b"Too many wrong attempts")
