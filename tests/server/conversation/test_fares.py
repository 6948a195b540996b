"""Texts about fares: the parts of a ticket's fare, and the classes of a seat map."""

import msgspec
import pytest

from busware.server.conversation.fares import lowest_fare, part_lines, seat_fares
from busware.server.http.examples import EXAMPLES
from busware.server.protocol import Booking, FarePart, Seats, Trip

replace = msgspec.structs.replace
PARTS = [
    FarePart(part="segment", amount="1260.00"),
    FarePart(part="class", name="premium", amount="252.00"),
    FarePart(part="concession", name="child", amount="-756.00"),
]
CLASSES = [
    {"name": None, "fare": "260.00", "seats_free": 1},
    {"name": "premium", "fare": "312.00", "seats_free": 0},
]


@pytest.fixture
def booking() -> Booking:
    return msgspec.convert(EXAMPLES["book"].reply, Booking)


@pytest.fixture
def seat_map() -> Seats:
    return msgspec.convert(EXAMPLES["seat_map"].reply, Seats)


def test_parts_are_a_sum(booking: Booking) -> None:
    assert list(part_lines(booking)) == []
    first, *others = booking.tickets
    tickets = [replace(first, fare_parts=PARTS, infant="Devi"), *others]
    assert list(part_lines(replace(booking, tickets=tickets))) == [
        "Ticket 1: 1,260.00 + premium 252.00 - child 756.00, with Devi"
    ]


def test_parts_have_the_currency_of_the_booking(booking: Booking) -> None:
    parts = [replace(part, amount=f"{part.amount}0") for part in PARTS]
    tickets = [replace(booking.tickets[0], fare_parts=parts)]
    assert list(part_lines(replace(booking, tickets=tickets, currency="KWD"))) == [
        "Ticket 1: 1,260.000 KWD + premium 252.000 KWD - child 756.000 KWD"
    ]


def test_seat_map_has_a_fare_or_a_line_for_each_class(seat_map: Seats) -> None:
    assert seat_fares(seat_map) == ["260.00 each"]
    first = seat_map.seats[0]
    seats = [
        replace(first, seat_no=1, state="free"),
        replace(first, seat_no=2, seat_class="premium", state="taken"),
    ]
    classes = msgspec.convert({**EXAMPLES["seat_map"].reply, "classes": CLASSES}, Seats).classes
    assert seat_fares(replace(seat_map, seats=seats, classes=classes)) == [
        "others 260.00 each, free: 1",
        "premium 312.00 each, free: none",
    ]


def test_trip_with_classes_has_its_lowest_fare() -> None:
    (example,) = EXAMPLES["search"].reply["trips"][:1]
    assert lowest_fare(msgspec.convert(example, Trip)) == "260.00"
    assert lowest_fare(msgspec.convert({**example, "classes": CLASSES}, Trip)) == "from 260.00"
