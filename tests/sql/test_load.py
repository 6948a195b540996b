"""The load of a trip by leg, and the tickets of each seat."""

from typing import Any

from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, RAVI, Answer, SchemaApi

TRIP = {"bus_id": 1, "travel_date": DAY}
COUNTS = ("booked", "held", "free", "pending")


def add_conductor(database: Database) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")


def legs(api: SchemaApi) -> list[tuple[int, ...]]:
    load = api.read("load", account="conductor", **TRIP)
    assert [(leg["from_stop"], leg["to_stop"]) for leg in load["legs"]] == [(1, 2), (2, 3), (3, 4), (4, 5)]
    return [tuple(leg[count] for count in COUNTS) for leg in load["legs"]]


def tickets(api: SchemaApi) -> dict[int, list[tuple[Any, ...]]]:
    """The tickets of the seats that have any: first stop, last stop, name and status."""
    seats = api.read("occupancy", account="conductor", **TRIP)["occupancy"]
    assert [seat["seat_no"] for seat in seats] == [1, 2, 3, 4, 5, 6, 7, 8]
    return {
        seat["seat_no"]: [(t["from_stop"], t["to_stop"], t["name"], t["status"]) for t in seat["tickets"]]
        for seat in seats
        if seat["tickets"]
    }


def test_each_leg_counts_the_tickets_that_contain_it(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    add_conductor(database)
    api.book(1, 2, from_stop=1, to_stop=3)
    api.book(1, from_stop=3, to_stop=5, phone=RAVI)
    api.hold(3, from_stop=2, to_stop=4)
    api.cancel(api.book(4))
    assert api.book(count=6, from_stop=1, to_stop=3, waitlist=True)["status"] == "pending"
    assert legs(api) == [(2, 0, 6, 6), (2, 1, 5, 6), (1, 1, 6, 0), (1, 0, 7, 0)]
    assert api.read("trips", account="conductor", date=DAY)["trips"][0]["load"] == 3
    clock.advance(minutes=11)  # the hold has expired, but the trip is not settled
    assert legs(api)[1:3] == [(2, 0, 6, 6), (1, 0, 7, 0)]


def test_first_leg_in_places_and_times(api: SchemaApi, database: Database) -> None:
    add_conductor(database)
    api.book(8)
    first = api.read("load", account="conductor", **TRIP)["legs"][0]
    assert first == {
        "from_stop": 1, "to_stop": 2, "origin": "Bengaluru", "destination": "Ramanagara",
        "departs_at": "2026-12-05T10:00:00+05:30", "arrives_at": "2026-12-05T10:50:00+05:30",
        "booked": 1, "held": 0, "free": 7, "pending": 0,
    }  # fmt: skip


def test_resold_seat_has_a_ticket_for_each_segment(api: SchemaApi, database: Database, clock: Clock) -> None:
    add_conductor(database)
    api.book(1, 2, from_stop=1, to_stop=3, passengers=[{"name": "Asha"}])
    api.book(1, from_stop=3, to_stop=5, phone=RAVI, passengers=[{"name": "Ravi"}])
    api.hold(2, from_stop=4, to_stop=5)
    asha, ravi = (1, 3, "Asha", "booked"), (3, 5, "Ravi", "booked")
    assert tickets(api) == {1: [asha, ravi], 2: [(1, 3, None, "booked"), (4, 5, None, "held")]}
    clock.advance(minutes=11)
    assert tickets(api)[2] == [(1, 3, None, "booked")]


def test_occupancy_has_blocked_seats_and_who_is_on_board(api: SchemaApi, database: Database) -> None:
    add_conductor(database)
    api.book(1, 2, from_stop=1, to_stop=3)
    assert "blocked" not in api.read("occupancy", account="conductor", **TRIP)
    database.query(
        "UPDATE seats SET blocked = '{[2,5)}', taken = taken + '{[2,5)}' WHERE bus_id = 1 AND seat_no = 3"
    )
    database.query("UPDATE passengers SET checked_in_at = api.now() WHERE seat_no = 1")
    found = api.read("occupancy", account="conductor", **TRIP)
    assert found["blocked"] == [{"seat_no": 3, "from_stop": 2, "to_stop": 5, "reason": None}]
    aboard = [ticket.get("checked_in_at") for seat in found["occupancy"] for ticket in seat["tickets"]]
    assert aboard == ["2026-12-01T09:00:00+05:30", None]


def test_another_operator_and_an_unknown_trip_are_refused(api: SchemaApi, database: Database) -> None:
    add_conductor(database)

    def reasons(**trip: Any) -> list[Answer]:
        return [api.read(method, account="conductor", **trip)["reason"] for method in ("load", "occupancy")]

    assert reasons(bus_id=2, travel_date=DAY) == ["not_yours"] * 2
    assert reasons(bus_id=1, travel_date="2027-12-05") == ["unknown_trip"] * 2
