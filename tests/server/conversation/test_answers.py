"""Parsers of answers: valid answers, and the messages about invalid ones."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.conversation import answers, seating
from busware.server.conversation.dialogue import InvalidInput
from busware.server.conversation.seating import Wanted
from busware.server.protocol import Place, Seat, Seats

TODAY = date(2026, 12, 1)
LAST = date(2027, 1, 31)  # on sale
PLACES = [
    Place(code="BLRU", name="Bengaluru", aliases=["Bangalore"], kinds=["bus"]),
    Place(code="MYSU", name="Mysuru", aliases=["Mysore"], kinds=["bus"]),
    Place(code="MNDY", name="Mandya", aliases=[], kinds=["bus"]),
]
NEUSTADT = [
    Place(code="NEUD", name="Neustadt", aliases=[], kinds=["bus"]),
    Place(code="NEUW", name="Neustadt", aliases=["Neustadt an der Weinstraße"], kinds=["bus"]),
    Place(code="LUX", name="Luxembourg", aliases=[], kinds=["bus"]),
    Place(code="LUXB", name="Benelux", aliases=[], kinds=["bus"], part_of="LUX"),
    Place(code="LUXC", name="Luxembourg City", aliases=["Luxembourg"], kinds=["bus"], part_of="LUXB"),
    Place(code="ROME", name="Roma", aliases=[], kinds=["bus"]),
    Place(code="RSPA", name="Rome Spa", aliases=["Rome", "Malmö"], kinds=["bus"]),
]
MAP = Seats(
    currency="INR",
    bus_id=1,
    travel_date=date(2026, 12, 5),
    boarding_date=date(2026, 12, 5),
    from_stop=1,
    to_stop=5,
    layout="ss.ss",
    fare="100.00",
    max_seats=6,
    seats=[
        Seat(seat_no=n, deck="main", row=1, column=n, kind="seat", state="taken" if n == 4 else "free")
        for n in range(1, 41)
    ],
)

AC = answers.ask_option("AC:", {"AC": True, "NON_AC": False, "any": None}, "ac", "").parse
TYPE = answers.ask_option("Type:", {"SLEEPER": 1, "SEMI_SLEEPER": 2, "SEATER": 3, "any": None}, "", "").parse


@pytest.mark.parametrize(
    ("parse", "typed", "value"),
    [
        (answers.place(PLACES), "bangalore", PLACES[0]),
        (answers.place(PLACES), " MYSU ".strip(), PLACES[1]),
        (answers.place(PLACES), "mand", PLACES[2]),
        (answers.place(NEUSTADT), "neuw", NEUSTADT[1]),
        (answers.place(NEUSTADT), "Luxembourg", NEUSTADT[2]),  # the whole, not its part
        (answers.place(NEUSTADT), "rome", NEUSTADT[5]),  # a code comes before a name
        (answers.place(NEUSTADT), "MALMO\u0308", NEUSTADT[6]),
        (AC, "non-ac", False),
        (AC, "", None),
        (AC, "1", True),
        (AC, "2", False),
        (AC, "3", None),
        (TYPE, "3", 3),
        (TYPE, "4", None),
        (TYPE, "semi sleeper", 2),
        (TYPE, "sl", 1),
        (seating.seats(MAP, "seat"), "7, 8 and 9", Wanted(3, (7, 8, 9))),
        (seating.seats(MAP, "seat"), "7-9", Wanted(3, (7, 8, 9))),
        (seating.seats(MAP, "seat"), "best", Wanted(1)),
        (seating.seats(MAP, "seat"), "best 3", Wanted(3)),
        (seating.seats(MAP, "seat"), "2 seats", Wanted(2)),
        (seating.seats(MAP, "seat"), "Best two", Wanted(2)),
        (seating.seats(MAP, "seat"), "three seats", Wanted(3)),
        (seating.seats(MAP, "seat"), "two", Wanted(2)),  # a word is a count; a figure is a seat number
        (seating.seats(MAP, "seat"), "2", Wanted(1, (2,))),
        (answers.some_of([1, 2, 3], "ticket"), "", (1, 2, 3)),
        (answers.some_of([1, 2, 3], "ticket"), "3 1", (3, 1)),
        (seating.count("seat", 8), "wait 3", 3),
        (seating.count("seat", 8), "Two people", 2),
        (seating.count("seat"), "two", 2),
        (answers.yes_or_no, "Y", True),
        (answers.yes_or_no, "Yes, please", True),
        (answers.yes_or_no, "no thanks", False),
        (answers.reference, "bk7ghj.", "BK7GHJ"),
        (answers.phone, "+44 20 7946-0958", "+44 20 7946-0958"),
        (answers.optional_phone, "", None),
        (answers.optional_phone, "None", None),
        (answers.optional_phone, "98450 12345", "98450 12345"),
        (answers.contact(1, "seat", "98450 12345", required=False), "none", answers.Contact(None)),
        (answers.contact(1, "seat", "98450 12345", required=True), "", answers.Contact("98450 12345")),
        (
            answers.contact(2, "seat", None, required=True),
            "98450 12345 Asha Rao, Ravi",
            answers.Contact("98450 12345", ("Asha Rao", "Ravi")),
        ),
        (answers.name, "", None),
        (answers.name, "അവന്‍", "അവന്‍"),
        (answers.date_on_sale(TODAY, TODAY, LAST), "tomorrow", date(2026, 12, 2)),
    ],
)  # fmt: skip
def test_valid_answer_is_parsed(parse: Callable[[str], Any], typed: str, value: Any) -> None:
    assert parse(typed) == value


@pytest.mark.parametrize(
    ("parse", "typed", "message"),
    [
        (answers.place(PLACES), "Mysoor", "Did you mean Mysuru?"),
        (
            answers.place(NEUSTADT), "neustadt",
            'Several places are called "neustadt": Neustadt (NEUD) and Neustadt (NEUW). Type the code',
        ),
        (
            answers.place(NEUSTADT), "neust",
            'Several places begin with "neust": Neustadt (NEUD) and Neustadt (NEUW). Type the whole',
        ),
        (answers.place(PLACES), "Banglore", "Did you mean Bengaluru"),
        (answers.place(PLACES), "", "An empty line is not a place. Type ? for a list."),
        (answers.place(PLACES), "my", '"my" is not a place on any route. Type 3 characters or more.'),
        (answers.place(PLACES, PLACES[0]), "BLRU", "You leave from Bengaluru. Type another place."),
        (TYPE, "se", "SEMI_SLEEPER, SEATER or any"),
        (seating.seats(MAP, "seat"), "41", "There is no seat 41. The seats are numbered 1 to 40."),
        (seating.seats(MAP, "seat"), "seven and eight", "is not a list of numbers"),
        (seating.seats(MAP, "seat"), "7 7", "7 appears more than once."),
        (seating.seats(MAP, "seat"), "best 7", "You asked for 7 seats. One booking may have 1 to 6."),
        (seating.seats(MAP, "seat"), "11-17", "One booking may have 1 to 6."),
        (seating.seats(MAP, "seat"), "1-99999", "is not a list of numbers"),
        (seating.seats(MAP, "seat"), "٣", "is not a list of numbers"),
        (seating.another_seat(MAP, "seat", (3, 4)), "1 2", '"1 2" is not a seat. Type the number of a'),
        (seating.another_seat(MAP, "seat", (3, 4)), "4", "You have seat 4 already."),
        (AC, "no", "Type AC, NON_AC or any."),
        (AC, "yes", "Type AC, NON_AC or any."),
        (AC, "4", "Type 1, 2 or 3."),
        (TYPE, "0", "Type 1, 2, 3 or 4."),
        (answers.message, "", "Type a message"),
        (answers.some_of([1, 3], "ticket"), "2", "There is no ticket 2. Type 1 or 3."),
        (answers.number_of([101, 103], "bus"), "102", "is not a bus in the list. Type 101 or 103."),
        (answers.yes_or_no, "", "Type yes or no."),
        (answers.yes_or_no, "c", "Type yes or no."),  # `confirm` means yes, but cannot be abbreviated
        (answers.yes_or_no, "yes no", "Type yes or no."),
        (answers.reference, "K7", "is not a reference"),
        (answers.reference, "tomorrow", "reference: one has no I, O, 0, 1, 2, 4, 5 or 6."),
        (answers.reference, "9845012345", "is not a reference"),
        (answers.name, "98450 12345", "is not a name. Type a name such as Asha."),
        (answers.name, "Asha\u202e", "is not a name"),
        (answers.phone, "call me", "is not a phone number"),
        (answers.contact(1, "seat", "98450 12345", required=True), "none", "is not a phone number"),
        (answers.name, "x" * 81, "at most 80"),
        (answers.date_on_sale(TODAY, TODAY, LAST), "2026-11-30", "is in the past. Today is Tue 1 Dec 2026."),
        (answers.date_on_sale(TODAY, TODAY, LAST), "9" * 1000, "is not a date"),
    ],
)  # fmt: skip
def test_message_about_an_invalid_answer_says_what_is_valid(
    parse: Callable[[str], Any], typed: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        parse(typed)
    assert message in str(error.value)
    assert len(str(error.value)) < 400


PARSERS = [
    answers.place(PLACES),
    seating.seats(MAP, "seat"),
    seating.another_seat(MAP, "seat", [4]),
    answers.message,
    answers.some_of([1, 2], "ticket"),
    answers.number_of([1], "bus"),
    seating.count("seat", 5),
    answers.date_on_sale(TODAY, TODAY, LAST),
    answers.one_of({"a": 1}),
    answers.phone,
    answers.reference,
    answers.name,
    answers.yes_or_no,
]


@given(st.sampled_from(PARSERS), st.text(max_size=60))
def test_any_line_is_parsed_or_raises_invalid_input(parse: Callable[[str], Any], typed: str) -> None:
    try:
        parse(typed)
    except InvalidInput as error:
        assert str(error)


def test_longest_line_is_parsed_in_linear_time() -> None:
    began = time.thread_time()
    with pytest.raises(InvalidInput, match="1 appears more than once"):
        seating.seats(MAP, "seat")("1-100 " * 10_000)
    assert time.thread_time() - began < 10  # CPU seconds; a quadratic parser takes hours


def test_message_about_a_taken_seat_lists_the_first_free_seats() -> None:
    message = seating.describe_unavailable(MAP, Wanted(2, (3, 4)), "seat")
    assert message == "Seat 4 is not free. Free seats: 1, 2, 3, 5, 6, 7, 8, 9 and 31 more."
    assert seating.describe_unavailable(MAP, Wanted(1, (3,)), "seat") == ""
