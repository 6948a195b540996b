"""Schema api, the lost reference: found by phone, date and boarding place, all three."""

from tests.conftest import Clock
from tests.support.desk import ASHA, DAY, RAVI, Desk

NIGHT = {"bus_id": 2, "travel_date": DAY, "from_stop": 3, "to_stop": 4}  # leaves Mysuru at 01:00


def found(desk: Desk, phone: str = ASHA, date: str = DAY, place: str = "bangalore") -> list[str]:
    """The references found for ASHA, who boards at Bengaluru on DAY, unless told otherwise."""
    return desk.read("find", phone=phone, date=date, place=place)["references"]


def test_each_booking_is_found_once_whatever_its_size(desk: Desk) -> None:
    booked = [desk.book(count=3), desk.hold(count=1)]
    assert found(desk) == sorted(booking["reference"] for booking in booked)


def test_all_three_must_be_right(desk: Desk) -> None:
    desk.book(1)
    assert found(desk, phone=RAVI) == []
    assert found(desk, date="2026-12-06") == []
    assert found(desk, place="Mandya") == []


def test_the_date_is_that_at_the_boarding_stop(desk: Desk) -> None:
    booked = desk.book(count=1, **NIGHT)
    assert found(desk, place="Mysuru", date="2026-12-06") == [booked["reference"]]
    assert found(desk, place="Mysuru", date=DAY) == []


def test_a_place_finds_what_boards_in_it(desk: Desk) -> None:
    booked = desk.book(1)
    assert found(desk, place="Karnataka") == [booked["reference"]]


def test_whoever_waits_is_found_and_whoever_has_cancelled_is_not(desk: Desk) -> None:
    first, second = desk.book(count=4), desk.book(count=4)
    waiting = desk.book(count=2, waitlist=True)
    desk.cancel(first)
    assert found(desk) == sorted([second["reference"], desk.show(waiting)["reference"]])


def test_a_hold_that_has_run_out_is_not_found_again(desk: Desk, clock: Clock) -> None:
    held = desk.hold(1)
    clock.advance(minutes=11)
    assert found(desk) == []
    assert desk.show(held)["status"] == "expired"


def test_an_unknown_place_is_refused_with_the_nearest_names(desk: Desk) -> None:
    assert desk.read("find", phone=ASHA, date=DAY, place="Bengalooru")["nearest"] == ["Bengaluru"]
