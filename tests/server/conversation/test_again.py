"""Questions that are asked again in an extended dialogue: an empty line repeats the last answer."""

import pytest

from tests.conftest import Database, LineClient
from tests.support.playing import Play
from tests.support.project import PROJECT
from tests.support.transcript import ASHA, TRAVEL_DAY

RAVI = "98450 33333"
TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


def test_back_from_confirm_keeps_the_phone_number_and_the_names(play: Play, database: Database) -> None:
    contact = f"{RAVI}, Asha, Ravi"
    played = play("bus bengaluru mysuru sat", "1", "2 seats", contact, "back", "", "yes", last_phone=ASHA)
    assert played.questions[2] == f"Phone number (Enter: {ASHA}; names may follow):"
    assert played.questions[4] == f"Phone number (Enter: {contact}; names may follow):"
    assert f"Phone number: {contact}." in played.texts
    booked = "SELECT name, phone FROM passengers WHERE status = 'booked' ORDER BY ticket_no"
    assert [name for name, _ in database.query(booked)] == ["Asha", "Ravi"]
    assert len({phone for _, phone in database.query("SELECT name, phone FROM passengers")}) == 1


def test_names_of_a_larger_party_are_not_repeated(play: Play) -> None:
    answers = ["1", "2 seats", f"{RAVI}, Asha, Ravi", "back", "back", "1"]
    played = play("bus bengaluru mysuru sat", *answers, last_phone=ASHA)
    assert played.questions[-1] == f"Phone number (Enter: {ASHA}; names may follow):"


@pytest.mark.parametrize("typed", [("bus bengaluru mysuru sat",), ("bus bengaluru mysuru", "sat")])
def test_back_keeps_the_date(play: Play, typed: tuple[str, ...]) -> None:
    played = play(*typed, "back", "")
    assert played.questions[-2] == "Date of journey (Enter: Sat 5 Dec 2026):"
    assert played.texts[-1] == "Date of journey: Sat 5 Dec 2026."


def test_back_keeps_the_number_of_seats(play: Play, database: Database) -> None:
    database.conn.execute((PROJECT / "sql/98_seed_theatre.sql").read_bytes())
    played = play("show", "", "3", "back", "")
    assert played.questions[-2] == "How many seats? (Enter: 3)"
    assert played.questions[-1].startswith("Seat numbers, 3 of them")


def test_back_at_the_first_question_leaves(play: Play) -> None:
    played = play("status", "DTUKG3A", "", "back")
    assert played.questions[-1] == "Reference of the booking (Enter: DTUKG3A):"
    assert played.texts[-1] == "You left the dialogue. Nothing was changed."


def test_reference_and_phone_number_in_one_answer(play: Play, client_socket: LineClient) -> None:
    reference = client_socket.call("book", **TRIP, count=1, phone=ASHA)["reference"]
    played = play("status", f"{reference} {ASHA}")
    assert [one.reference for one in played.shown] == [reference]
    assert play("status", "cancel DTUKG3A").texts == [
        "cancel is no answer to this question. To use cancel, type quit first."
    ]


def test_phone_number_is_kept_after_a_wrong_reference(play: Play, client_socket: LineClient) -> None:
    reference = client_socket.call("book", **TRIP, count=1, phone=ASHA)["reference"]
    played = play(f"status DTXXXXX {ASHA}", reference, "")
    assert played.questions[-1] == f"Phone number of the booking (Enter: {ASHA}):"
    assert [one.reference for one in played.shown] == [reference]


def test_find_asks_again_for_the_place(play: Play, client_socket: LineClient) -> None:
    reference = client_socket.call("book", **TRIP, count=1, phone=ASHA)["reference"]
    played = play("find", "sat", "mysuru", ASHA, "bengaluru")
    assert played.texts[-1] == f"To see the booking, type: status {reference} {ASHA}"
    asked = play("find", "sun", "bengaluru", ASHA, "back", "5 dec", "", "", last_phone=RAVI)
    assert asked.questions[3:] == [
        "From (where you board):",
        "Date of journey (Enter: Sun 6 Dec 2026):",
        "From (where you board) (Enter: BLRU):",
        f"Phone number of the booking (Enter: {ASHA}):",
    ]
    assert asked.texts[-1] == f"To see the booking, type: status {reference} {ASHA}"
