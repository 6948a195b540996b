"""Exchanges of a vehicle against sales, edits and other exchanges (see tests/support/race.py)."""

import pytest

from tests.support.exchange import apply, exchange, plan, read_basis
from tests.support.fleet import MORNING, NOON, add_fleet, assign, assigned, edit_service, put_vehicle
from tests.support.race import Race
from tests.support.schema_api import DAY, RAVI, SchemaApi, book, call, outcomes_of

FOUR = "...D\nss.ss"


@pytest.fixture
def fleet_race(race: Race) -> Race:
    """Two seats are sold, and the vehicle KA09S4 has four; the service has eight."""
    add_fleet(race.second)  # which commits each statement
    put_vehicle(race.second, "KA09S4", layout=FOUR)
    race.second.book(7, 8)
    return race


def sold(api: SchemaApi) -> list[int]:
    statement = "SELECT seat_no FROM passengers WHERE travel_date = %s AND status = 'booked' ORDER BY 1"
    return [seat for (seat,) in api.conn.execute(statement, (DAY,))]


@pytest.mark.parametrize("commits", [True, False])
def test_a_booking_while_a_plan_waits(fleet_race: Race, commits: bool) -> None:
    race = fleet_race
    planned = plan(read_basis(race.second, "KA09S4"))
    assert outcomes_of(race.first.batch(book(5, phone=RAVI))) == ["booked"]
    second = race.start(lambda: apply(race.second, "KA09S4", planned))
    if commits:
        assert race.then_commit(second)["reason"] == "plan_changed"
        assert sold(race.second) == [5, 7, 8]
        assert exchange(race.second, "KA09S4")["left_over"] == []
    else:
        assert len(race.then_rollback(second)["moves"]) == 2
    assert set(sold(race.second)) < {1, 2, 3, 4}


@pytest.mark.parametrize("commits", [True, False])
def test_a_booking_while_an_exchange_is_not_committed(fleet_race: Race, commits: bool) -> None:
    """A batch waits for no lock: the booking is deferred, and sold on the seats that the trip has then."""
    race = fleet_race
    exchange(race.first, "KA09S4")
    calls = [book(6, phone=RAVI), book(phone=RAVI)]
    assert race.second.batch(*calls) == [None, None]
    if commits:
        race.first.conn.commit()
        assert outcomes_of(race.second.batch(*calls)) == ["unknown_seat", "booked"]
        assert set(sold(race.second)) < {1, 2, 3, 4}
    else:
        race.first.conn.rollback()
        assert outcomes_of(race.second.batch(*calls)) == ["booked", "booked"]
        assert assigned(race.second) == (None, [])


def test_two_exchanges_of_one_plan(fleet_race: Race) -> None:
    race = fleet_race
    planned = plan(read_basis(race.second, "KA09S4"))
    assert len(apply(race.first, "KA09S4", planned)["moves"]) == 2
    second = race.start(lambda: apply(race.second, "KA09S4", planned))
    assert race.then_commit(second)["reason"] == "plan_changed"
    assert exchange(race.second, "KA09S4")["moves"] == []
    assert race.second.conn.execute("SELECT count(*) FROM messages").fetchone() == (1,)


def test_a_plan_against_an_edit_of_its_vehicle(fleet_race: Race) -> None:
    race = fleet_race
    planned = plan(read_basis(race.second, "KA09S4"))
    put_vehicle(race.first, "KA09S4", layout="...D\nss")
    second = race.start(lambda: apply(race.second, "KA09S4", planned))
    assert race.then_commit(second)["reason"] == "plan_changed"


def test_an_edit_of_the_vehicle_against_its_exchange(fleet_race: Race) -> None:
    race = fleet_race
    exchange(race.first, "KA09S4")
    second = race.start(lambda: put_vehicle(race.second, "KA09S4", layout="...D\nss"))
    assert race.then_commit(second)["reason"] == "already_assigned"


def test_one_vehicle_for_two_trips(fleet_race: Race) -> None:
    race = fleet_race
    exchange(race.first, "KA09F1")
    second = race.start(lambda: assign(race.second, NOON, vehicle="KA09F1"))
    assert race.then_commit(second)["reason"] == "already_assigned"


def test_an_exchange_against_a_cancellation_of_the_trip(fleet_race: Race) -> None:
    race = fleet_race
    planned = plan(read_basis(race.second, "KA09S4"))
    race.first.conn.execute("SELECT api.cancel_trip(1, %s)", (DAY,))
    second = race.start(lambda: apply(race.second, "KA09S4", planned))
    assert race.then_commit(second)["reason"] == "trip_cancelled"


def test_a_cancellation_while_an_exchange_is_not_committed(fleet_race: Race) -> None:
    race = fleet_race
    cancellation = call("cancel_trip", account="ksrtc", reason="Flood.", **MORNING)
    exchange(race.first, "KA09S4")
    assert race.second.batch(cancellation) == [None]
    race.first.conn.commit()
    assert race.second.batch(cancellation)[0]["tickets"] == 2  # type: ignore[index]


@pytest.mark.parametrize("exchange_first", [True, False])
def test_an_exchange_against_an_edit_of_the_layout(fleet_race: Race, exchange_first: bool) -> None:
    """Whichever is first: the trip has the seats of its vehicle, and the service the new ones."""
    race = fleet_race
    larger = "...D\nss.ss\nss.ss\ns...s"
    if exchange_first:
        exchange(race.first, "KA09S4")
        second = race.start(lambda: edit_service(race.second, layout=larger))
        race.then_commit(second)
    else:
        planned = plan(read_basis(race.second, "KA09S4"))
        edit_service(race.first, layout=larger)
        second = race.start(lambda: apply(race.second, "KA09S4", planned))
        assert race.then_commit(second)["reason"] == "plan_changed"
        exchange(race.second, "KA09S4")
    assert set(sold(race.second)) < {1, 2, 3, 4}
    assert len(race.second.free(travel_date="2026-12-06")) == 10


def test_a_hold_that_ends_while_a_plan_waits(fleet_race: Race) -> None:
    race = fleet_race
    held = race.second.hold(1, 2)
    planned = plan(read_basis(race.second, "KA09S4"))
    release = call("release", reference=held["reference"], phone="+919845012345")
    assert outcomes_of(race.first.batch(release)) == ["cancelled"]
    second = race.start(lambda: apply(race.second, "KA09S4", planned))
    assert race.then_commit(second)["reason"] == "plan_changed"
