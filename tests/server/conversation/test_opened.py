"""Bookings that a connection has made or opened are opened again by their references."""

from collections.abc import Callable

import msgspec

from busware.server.conversation import OpenedBookings
from busware.server.conversation.dialogue import MAX_OPENED_BOOKINGS
from busware.server.protocol import Book, Booking, GetBooking, Hold
from tests.conftest import LineClient
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


def test_each_booking_of_a_connection_is_opened_again(connect: Callable[[], LineClient]) -> None:
    other, traveller = connect(), connect()
    references = [other.call("book", **TRIP, seats=[n], phone=ASHA)["reference"] for n in (3, 4)]
    for reference in references:
        traveller.send(f"status {reference} {ASHA}")
        receive_until(traveller, "Fare 260.00")
    for reference in references:
        traveller.send(f"status {reference}")
        assert traveller.receive().decode() == f"Booked: {reference}"
        receive_until(traveller, "Fare 260.00")
    traveller.send(f"cancel {references[0]}")
    receive_until(traveller, "Cancel ticket 1 (seat 3), and get 130.00 of 260.00 back? (yes or no)")
    traveller.send("yes")
    receive_until(traveller, "Ticket 1 is cancelled. 130.00 is refunded.")
    stranger = connect()
    stranger.send(f"status {references[1]}")
    assert stranger.receive().decode() == "Phone number of the booking (Enter: it was booked without one):"


def test_opened_bookings_are_limited_and_holds_are_not_opened(connect: Callable[[], LineClient]) -> None:
    booking = msgspec.convert(connect().call("book", **TRIP, seats=[3], phone=ASHA), Booking)
    opened = OpenedBookings()
    references = [f"DT{n:05}" for n in range(MAX_OPENED_BOOKINGS + 1)]
    book = msgspec.convert({**TRIP, "seats": [3], "phone": ASHA}, Book)
    for reference in references:
        opened.record(book, msgspec.structs.replace(booking, reference=reference))
    hold = msgspec.convert({**TRIP, "seats": [4], "phone": ASHA}, Hold)
    opened.record(hold, msgspec.structs.replace(booking, reference="DTHELD1"))
    assert opened.last == references[-1]
    assert opened.request("DTHELD1") is None
    assert opened.request(references[0]) is None
    assert opened.request(references[1]) == GetBooking(reference=references[1], phone=ASHA)


def test_last_booking_is_one_that_has_not_ended(connect: Callable[[], LineClient]) -> None:
    traveller = connect()
    first, second = (traveller.call("book", **TRIP, seats=[seat], phone=ASHA)["reference"] for seat in (3, 4))
    for reference in (first, second):
        traveller.send(f"status {reference} {ASHA}")
        receive_until(traveller, "Fare 260.00")
    traveller.send(f"cancel {second}")
    receive_until(traveller, "Cancel ticket 1 (seat 4), and get 130.00 of 260.00 back? (yes or no)")
    traveller.send("yes")
    receive_until(traveller, "Ticket 1 is cancelled. 130.00 is refunded.")
    traveller.send("cancel")
    assert traveller.receive().decode() == f"Reference of the booking (Enter: {first}):"
    traveller.send(first)
    receive_until(traveller, "Cancel ticket 1 (seat 3), and get 130.00 of 260.00 back? (yes or no)")
    traveller.send("yes")
    receive_until(traveller, "Ticket 1 is cancelled. 130.00 is refunded.")
    traveller.send("status")
    assert traveller.receive().decode() == f"Reference of the booking (Enter: {first}):"  # both have ended
