"""What a traveller's answer means, and what a wrong one is told."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.conversation import answers, seating
from busware.server.conversation.dialogue import Problem
from busware.server.conversation.seating import Wanted
from busware.server.protocol import Place, Seat, Seats

TODAY = date(2026, 12, 1)
PLACES = [
    Place(code="BLRU", name="Bengaluru", aliases=["Bangalore"], kinds=["bus"]),
    Place(code="MYSU", name="Mysuru", aliases=["Mysore"], kinds=["bus"]),
    Place(code="MNDY", name="Mandya", aliases=[], kinds=["bus"]),
]
MAP = Seats(
    layout="ss.ss",
    fare="100.00",
    max_seats=6,
    seats=[
        Seat(seat_no=n, deck="main", row=1, column=n, kind="seat", state="taken" if n == 4 else "free")
        for n in range(1, 41)
    ],
)


@pytest.mark.parametrize(
    ("parse", "typed", "meant"),
    [
        (answers.place(PLACES), "bangalore", PLACES[0]),
        (answers.place(PLACES), " MYSU ".strip(), PLACES[1]),
        (answers.place(PLACES), "mand", PLACES[2]),
        (answers.one_or_any({"AC": True, "NON_AC": False}), "non-ac", False),
        (answers.one_or_any({"AC": True, "NON_AC": False}), "", None),
        (answers.one_or_any({"SEMI_SLEEPER": 1, "SLEEPER": 2}), "semi sleeper", 1),
        (answers.one_or_any({"SEMI_SLEEPER": 1, "SLEEPER": 2}), "sl", 2),
        (seating.seats(MAP, "seat"), "7, 8 and 9", Wanted(seats=(7, 8, 9))),
        (seating.seats(MAP, "seat"), "7-9", Wanted(seats=(7, 8, 9))),
        (seating.seats(MAP, "seat"), "best", Wanted(any=1)),
        (seating.seats(MAP, "seat"), "best 3", Wanted(any=3)),
        (seating.seats(MAP, "seat"), "2 seats", Wanted(any=2)),
        (seating.seats(MAP, "seat"), "Best two", Wanted(any=2)),
        (seating.seats(MAP, "seat"), "three seats", Wanted(any=3)),
        (seating.seats(MAP, "seat"), "two", Wanted(any=2)),  # in words: how many; in figures: which
        (seating.seats(MAP, "seat"), "2", Wanted(seats=(2,))),
        (answers.some_of([1, 2, 3], "ticket"), "", (1, 2, 3)),
        (answers.some_of([1, 2, 3], "ticket"), "3 1", (3, 1)),
        (seating.count(8, "seat"), "wait 3", 3),
        (seating.count(8, "seat"), "Two people", 2),
        (seating.positive("seat"), "two", 2),
        (answers.yes_or_no, "Y", True),
        (answers.yes_or_no, "Yes, please", True),
        (answers.yes_or_no, "no thanks", False),
        (answers.reference, "bk7ghj.", "BK7GHJ"),
        (answers.phone, "+44 20 7946-0958", "+44 20 7946-0958"),
        (answers.name, "", None),
        (answers.travel_date(TODAY), "tomorrow", date(2026, 12, 2)),
    ],
)  # fmt: skip
def test_an_answer_means(parse: Callable[[str], Any], typed: str, meant: Any) -> None:
    assert parse(typed) == meant


@pytest.mark.parametrize(
    ("parse", "typed", "told"),
    [
        (answers.place(PLACES), "Mysoor", "Did you mean Mysuru?"),
        (answers.place(PLACES), "Banglore", "Did you mean Bengaluru"),
        (answers.place(PLACES), "", "An empty line is no place that is served."),
        (answers.place(PLACES, PLACES[0]), "BLRU", "the other end must be another place"),
        (answers.one_or_any({"SEMI_SLEEPER": 1, "SEATER": 2}), "se", "SEMI_SLEEPER, SEATER or any"),
        (seating.seats(MAP, "seat"), "41", "There is no seat 41: they are numbered 1 to 40."),
        (seating.seats(MAP, "seat"), "seven and eight", "is not understood"),
        (seating.seats(MAP, "seat"), "7 7", "7 is there twice."),
        (seating.seats(MAP, "seat"), "best 7", "One booking may have 1 to 6 seats; 7 is not among them."),
        (seating.seats(MAP, "seat"), "11-17", "One booking may have 1 to 6 seats"),
        (seating.seats(MAP, "seat"), "1-99999", "is not understood"),
        (seating.seats(MAP, "seat"), "٣", "is not understood"),
        (seating.one_seat(MAP, "seat", (3, 4)), "1 2", "Type the number of one seat that is free."),
        (seating.one_seat(MAP, "seat", (3, 4)), "4", "You have seat 4 already."),
        (answers.one_or_any({"AC": True, "NON_AC": False}), "no", "is none of these: AC, NON_AC or any."),
        (answers.one_or_any({"AC": True, "NON_AC": False}), "yes", "is none of these: AC, NON_AC or any."),
        (answers.message, "", "Type the message"),
        (answers.some_of([1, 3], "ticket"), "2", "There is no ticket 2 to choose: 1 or 3."),
        (answers.number_of([101, 103], "bus"), "102", "is no bus of those above: 101 or 103."),
        (answers.yes_or_no, "", "neither yes nor no"),
        (answers.yes_or_no, "yes no", "neither yes nor no"),
        (answers.reference, "K7", "is no reference"),
        (answers.reference, "tomorrow", "such as CVK7GHJ. I, O, 0, 1, 2, 4, 5 and 6 are in none."),
        (answers.reference, "9845012345", "is no reference"),
        (answers.name, "98450 12345", "is no name. Type one such as Asha, or press Enter for none."),
        (answers.name, "Asha\u202e", "is no name"),
        (answers.phone, "call me", "is no phone number"),
        (answers.name, "x" * 81, "at most 80"),
        (answers.travel_date(TODAY), "2026-11-30", "is in the past; today is 2026-12-01."),
        (answers.travel_date(TODAY), "9" * 1000, "is no date"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_told_what_is_right(parse: Callable[[str], Any], typed: str, told: str) -> None:
    with pytest.raises(Problem) as problem:
        parse(typed)
    assert told in str(problem.value)
    assert len(str(problem.value)) < 400


PARSERS = [
    answers.place(PLACES),
    seating.seats(MAP, "seat"),
    seating.one_seat(MAP, "seat", [4]),
    answers.message,
    answers.some_of([1, 2], "ticket"),
    answers.number_of([1], "bus"),
    seating.count(5, "seat"),
    answers.travel_date(TODAY),
    answers.one_of({"a": 1}),
    answers.phone,
    answers.reference,
    answers.name,
    answers.yes_or_no,
]


@given(st.sampled_from(PARSERS), st.text(max_size=60))
def test_any_line_is_an_answer_or_a_problem(parse: Callable[[str], Any], typed: str) -> None:
    try:
        parse(typed)
    except Problem as problem:
        assert str(problem)


def test_the_longest_line_is_judged_in_no_time() -> None:
    began = time.thread_time()
    with pytest.raises(Problem, match="1 is there twice"):
        seating.seats(MAP, "seat")("1-100 " * 10_000)
    assert time.thread_time() - began < 10  # seconds of the processor; to compare each with each takes hours
