"""Class of seats, concessions, infants and promo code in the dialogues."""

import pytest
from psycopg.types.json import Jsonb

from busware.server.protocol import Booking
from tests.conftest import Database, LineClient
from tests.support.playing import Play
from tests.support.transcript import ASHA, receive_until, transcript

PREMIUM = {"name": "premium", "seats": [1, 2], "percent": "20"}
CHILD = {"name": "child", "percent": "50", "max_age": 12}
SENIOR = {"name": "senior", "amount": "40.00", "min_age": 60}
INFANT = {"name": "infant", "percent": "90", "seat": False}
BUS = "bus bengaluru mysuru sat seater"
CLASS = "Class (others 260.00, premium 312.00; Enter: others):"
CONCESSION = "Concession (child, senior; Enter: none):"
INFANTS = "Infants on laps (their names; Enter: none):"
PROMO = "Promo code (Enter: none):"
PHONE = "Phone number (such as 98450 12345; names may follow):"


@pytest.fixture(autouse=True)
def rules(database: Database) -> None:
    """Service 1 has rules, service 2 has none."""
    for column, value in (("seat_classes", [PREMIUM]), ("concessions", [CHILD, SENIOR, INFANT])):
        database.query(f"UPDATE bus_info SET {column} = %s WHERE bus_id = 1", Jsonb(value))
    database.query(
        """INSERT INTO promo_codes (operator, code, percent, services)
           VALUES ('KSRTC', 'DIWALI', 10, '{1}'), ('SRS Travels', 'OTHER', 10, '{7}')"""
    )


def fares(database: Database) -> list[tuple[int, str, str | None]]:
    return database.query(
        "SELECT seat_no, fare::text, infant FROM passengers WHERE status = 'booked' ORDER BY 1"
    )


def test_terminal_asks_for_what_the_service_has(play: Play, database: Database) -> None:
    played = play(BUS, "", "2 seats", "premium", "child", "Uma", "diwali", ASHA, "yes")
    assert played.questions[2:] == [
        CLASS,
        CONCESSION,
        INFANTS,
        PROMO,
        PHONE,
        "Confirm, for 449.28? (yes or no)",
    ]
    assert isinstance(played.shown[-1], Booking)
    assert fares(database) == [(1, "168.48", "Uma"), (2, "280.80", None)]


def test_enter_answers_none(play: Play, database: Database) -> None:
    played = play(BUS, "", "", "", "", "", "", ASHA, "yes")
    assert played.questions[2:6] == [CLASS, CONCESSION, INFANTS, PROMO]
    assert fares(database) == [(3, "260.00", None)]


def test_class_of_chosen_seats_is_not_asked_for(play: Play) -> None:
    assert play(BUS, "", "1").questions[2] == CONCESSION


def test_service_without_rules_has_no_more_questions(play: Play) -> None:
    assert play("bus bengaluru mysuru sat sleeper", "", "").questions[2] == PHONE


def test_words_after_the_command_are_not_asked_for(play: Play, database: Database) -> None:
    line = f"{BUS} class premium concession none, child infant Uma promo DIWALI"
    played = play(line, "", "2 seats", ASHA, "yes")
    assert played.questions[2] == PHONE
    assert fares(database) == [(1, "308.88", "Uma"), (2, "140.40", None)]


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (["first"], '"first" is not valid. Type premium.'),
        (["", "student"], '"student" is not valid. Type child, senior or none.'),
        (["", "child, child"], "You typed 2 for 1 seat. Type at most one for each seat."),
        (["", "", "12"], '"12" is not a name. Type a name such as Asha.'),
        (["", "", "", "x!"], '"x!" is not a promo code, such as DIWALI-25. Enter: none.'),
    ],
)
def test_impossible_answer(play: Play, answers: list[str], text: str) -> None:
    assert play(BUS, "", "1 seat", *answers).texts[-1] == text


def test_refused_promo_code_is_asked_for_again(play: Play, database: Database) -> None:
    played = play(BUS, "", "1 seat", "", "child", "", "SUMMER", ASHA, "", "yes")
    assert played.questions[-3:] == [PHONE, PROMO, "Confirm, for 130.00? (yes or no)"]
    assert 'KSRTC has no promo code "SUMMER" for this bus.' in played.texts
    assert fares(database) == [(3, "130.00", None)]


def test_answers_are_kept_when_other_seats_are_chosen(play: Play, database: Database) -> None:
    played = play(BUS, "", "3 4", "none, child", "", "diwali", ASHA, "no", "5 6", "no", "7", "", "yes")
    assert played.questions[-3:] == [
        "Seat numbers such as 1 2, or 2 seats (Enter: the server chooses 1):",
        CONCESSION,  # for one passenger
        "Confirm, for 234.00? (yes or no)",
    ]
    assert fares(database) == [(7, "234.00", None)]


ADD = "After the phone number, you can type: concession child or senior, infant NAME or promo CODE."


def test_plain_text_takes_words_on_the_command_line(client_socket: LineClient, database: Database) -> None:
    client_socket.send(f"{BUS} class premium concession child promo DIWALI")
    receive_until(client_socket, "Bus id:")
    client_socket.send("1")
    receive_until(client_socket, "Seat numbers, such as 1 2, or best 2 for any two:")
    client_socket.send("best 1")
    received = [client_socket.receive().decode() for _ in range(3)]
    assert " ".join(received) == f"{ADD} Phone number:"
    client_socket.send(ASHA)
    receive_until(client_socket, "  Ticket 1: 260.00 + premium 52.00 - child 156.00 - DIWALI 15.60")
    receive_until(client_socket, "Confirm, for 140.40? (yes or no)")


def test_plain_text_takes_words_after_the_phone_number(client_socket: LineClient, database: Database) -> None:
    client_socket.send(BUS)
    receive_until(client_socket, "Bus id:")
    client_socket.send("1")
    receive_until(client_socket, "Seat numbers, such as 1 2, or best 2 for any two:")
    client_socket.send("3 4")
    receive_until(client_socket, "Phone number:")
    client_socket.send(f"{ASHA} concession child, none promo SUMMER")
    assert client_socket.receive() == b'KSRTC has no promo code "SUMMER" for this bus.'
    receive_until(client_socket, "Confirm, for 390.00? (yes or no)")
    transcript(client_socket, "> yes\nBooked: {ref}")
    assert fares(database) == [(3, "130.00", None), (4, "260.00", None)]
