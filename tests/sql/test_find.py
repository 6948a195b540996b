"""Schema api, the lost reference: found by phone, date and boarding place, all three."""

from tests.conftest import Clock
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi

NIGHT = {"bus_id": 2, "travel_date": DAY, "from_stop": 3, "to_stop": 4}  # leaves Mysuru at 01:00


def found(api: SchemaApi, phone: str = ASHA, date: str = DAY, place: str = "bangalore") -> list[str]:
    """The references found for ASHA, who boards at Bengaluru on DAY, unless told otherwise."""
    return api.read("find", phone=phone, date=date, place=place)["references"]


def test_each_booking_is_found_once_whatever_its_size(api: SchemaApi) -> None:
    booked = [api.book(count=3), api.hold(count=1)]
    assert found(api) == sorted(booking["reference"] for booking in booked)


def test_all_three_must_be_right(api: SchemaApi) -> None:
    api.book(1)
    assert found(api, phone=RAVI) == []
    assert found(api, date="2026-12-06") == []
    assert found(api, place="Mandya") == []


def test_the_date_is_that_at_the_boarding_stop(api: SchemaApi) -> None:
    booked = api.book(count=1, **NIGHT)
    assert found(api, place="Mysuru", date="2026-12-06") == [booked["reference"]]
    assert found(api, place="Mysuru", date=DAY) == []


def test_a_place_finds_what_boards_in_it(api: SchemaApi) -> None:
    booked = api.book(1)
    assert found(api, place="Karnataka") == [booked["reference"]]


def test_whoever_waits_is_found_and_whoever_has_cancelled_is_not(api: SchemaApi) -> None:
    first, second = api.book(count=4), api.book(count=4)
    waiting = api.book(count=2, waitlist=True)
    api.cancel(first)
    assert found(api) == sorted([second["reference"], api.show(waiting)["reference"]])


def test_a_hold_that_has_run_out_is_not_found_again(api: SchemaApi, clock: Clock) -> None:
    held = api.hold(1)
    clock.advance(minutes=11)
    assert found(api) == []
    assert api.show(held)["status"] == "expired"


def test_an_unknown_place_is_refused_with_the_nearest_names(api: SchemaApi) -> None:
    assert api.read("find", phone=ASHA, date=DAY, place="Bengalooru")["nearest"] == ["Bengaluru"]
