"""`find`: the references of bookings by phone number, boarding date and boarding place."""

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi

NIGHT = {"bus_id": 2, "travel_date": DAY, "from_stop": 3, "to_stop": 4}  # departs from Mysuru at 01:00


def found(api: SchemaApi, phone: str = ASHA, date: str = DAY, place: str = "bangalore") -> list[str]:
    """The references that `find` returns; by default for ASHA, who boards in Bengaluru on DAY."""
    return api.read("find", phone=phone, date=date, place=place)["references"]


def test_each_booking_is_found_once(api: SchemaApi) -> None:
    booked = [api.book(count=3), api.hold(count=1)]
    assert found(api) == sorted(booking["reference"] for booking in booked)


def test_phone_date_and_place_must_match(api: SchemaApi) -> None:
    booked = api.book(1)
    assert found(api) == [booked["reference"]]
    assert found(api, phone=RAVI) == []
    assert found(api, date="2026-12-06") == []
    assert found(api, place="Mandya") == []


def test_date_is_the_boarding_date(api: SchemaApi) -> None:
    booked = api.book(count=1, **NIGHT)
    assert found(api, place="Mysuru", date="2026-12-06") == [booked["reference"]]
    assert found(api, place="Mysuru", date=DAY) == []


def test_place_includes_the_places_inside_it(api: SchemaApi) -> None:
    booked = api.book(1)
    assert found(api, place="Karnataka") == [booked["reference"]]


def test_name_of_several_places_stands_for_all_of_them(api: SchemaApi, database: Database) -> None:
    database.query("INSERT INTO places (code, name) VALUES ('BLR', 'Bengaluru Airport')")
    booked = api.book(1)
    assert found(api, place="beng") == [booked["reference"]]
    assert found(api, place="man") == []


def test_waitlisted_booking_is_found_and_cancelled_one_is_not(api: SchemaApi) -> None:
    first, second = api.book(count=4), api.book(count=4)
    waiting = api.book(count=2, waitlist=True)
    api.cancel(first)
    assert found(api) == sorted([second["reference"], api.show(waiting)["reference"]])


def test_expired_hold_is_not_found(api: SchemaApi, clock: Clock) -> None:
    held = api.hold(1)
    clock.advance(minutes=11)
    assert found(api) == []
    assert api.show(held)["status"] == "expired"


def test_unknown_place_is_refused_with_the_nearest_names(api: SchemaApi) -> None:
    assert api.read("find", phone=ASHA, date=DAY, place="Bengalooru")["nearest"] == ["Bengaluru"]
