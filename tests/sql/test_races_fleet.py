"""Concurrent assignments, and assignments against cancellations and edits (see tests/support/race.py)."""

import pytest

from tests.support.fleet import (
    MORNING,
    NOON,
    add_fleet,
    assign,
    assigned,
    edit_service,
    put_driver,
    put_vehicle,
)
from tests.support.race import Race
from tests.support.schema_api import DAY, Answer, call


@pytest.fixture
def fleet_race(race: Race) -> Race:
    add_fleet(race.second)  # which commits each statement
    return race


@pytest.mark.parametrize("resource", [{"vehicle": "KA09F1"}, {"drivers": ["D2", "D1"]}])
def test_two_dispatchers_assign_one_resource_to_overlapping_trips(fleet_race: Race, resource: Answer) -> None:
    race = fleet_race
    assert assign(race.first, MORNING, **resource)["assigned"] == 1
    second = race.start(lambda: assign(race.second, NOON, **resource))
    refused = race.then_commit(second)
    assert (refused["reason"], refused["other_trip"]["bus_id"]) == ("already_assigned", 1)
    assert assigned(race.second, NOON) == (None, [])


def test_two_dispatchers_and_the_first_rolls_back(fleet_race: Race) -> None:
    race = fleet_race
    assign(race.first, MORNING, vehicle="KA09F1")
    second = race.start(lambda: assign(race.second, NOON, vehicle="KA09F1"))
    assert race.then_rollback(second)["assigned"] == 1


def test_two_dispatchers_assign_drivers_in_different_order(fleet_race: Race) -> None:
    """The drivers are locked in the order of their codes, so that the dispatchers do not deadlock."""
    race = fleet_race
    assign(race.first, MORNING, drivers=["D1", "D2"])
    second = race.start(lambda: assign(race.second, NOON, drivers=["D2", "D1"]))
    assert race.then_commit(second)["reason"] == "already_assigned"


@pytest.mark.parametrize("commits", [True, False])
def test_assignment_against_sql_by_hand(fleet_race: Race, commits: bool) -> None:
    """SQL by hand takes no lock of the vehicle: the exclusion constraint decides."""
    race = fleet_race
    race.first.conn.execute(
        "INSERT INTO assignments SELECT bus_id, %s, 0, operator, 'KA09F1', NULL, api.trip_period(s, %s) "
        "FROM bus_info s WHERE bus_id = 1",
        (DAY, DAY),
    )
    second = race.start(lambda: assign(race.second, NOON, vehicle="KA09F1"))
    if commits:
        assert race.then_commit(second)["reason"] == "already_assigned"
    else:
        assert race.then_rollback(second)["assigned"] == 1


def test_assignment_against_a_cancellation_of_the_trip(fleet_race: Race) -> None:
    race = fleet_race
    race.first.conn.execute("SELECT api.cancel_trip(1, %s)", (DAY,))
    second = race.start(lambda: assign(race.second, vehicle="KA09F1"))
    assert race.then_commit(second)["reason"] == "trip_cancelled"


def test_cancellation_of_a_trip_against_an_assignment(fleet_race: Race) -> None:
    """A batch does not wait; the vehicle is free when the trip is cancelled."""
    race = fleet_race
    cancellation = call("cancel_trip", account="ksrtc", reason="Flood.", **MORNING)
    assign(race.first, vehicle="KA09F1", drivers=["D1"])
    assert race.second.batch(cancellation) == [None]
    race.first.conn.commit()
    (answer,) = race.second.batch(cancellation)
    assert answer is not None
    assert answer["state"] == "cancelled"
    assert assign(race.second, NOON, vehicle="KA09F1", drivers=["D1"])["assigned"] == 1


def test_assignment_against_a_vehicle_going_out_of_service(fleet_race: Race) -> None:
    race = fleet_race
    put_vehicle(race.first, "KA09F1", in_service=False)
    second = race.start(lambda: assign(race.second, vehicle="KA09F1"))
    assert race.then_commit(second)["reason"] == "not_in_service"


def test_an_edit_of_a_vehicle_against_its_assignment(fleet_race: Race) -> None:
    race = fleet_race
    assign(race.first, vehicle="KA09F1")
    second = race.start(lambda: put_vehicle(race.second, "KA09F1", layout="s"))
    assert race.then_commit(second)["reason"] == "already_assigned"


def test_an_edit_of_a_driver_against_an_assignment(fleet_race: Race) -> None:
    race = fleet_race
    assign(race.first, drivers=["D1"])
    second = race.start(lambda: put_driver(race.second, "D1", active=False))
    assert race.then_commit(second)["reason"] == "already_assigned"


def test_assignment_against_an_edit_of_the_timetable(fleet_race: Race) -> None:
    """The audit at the end finds an assignment with the times of the previous timetable."""
    race = fleet_race
    race.first.conn.execute("""SELECT api.add_service(1, replace => true, stops => $$
        Bengaluru | - | 18:00 | 0 | 0
        Mysuru | 20:45 | - | 145 | 260 $$)""")
    second = race.start(lambda: assign(race.second, vehicle="KA09F1"))
    assert race.then_commit(second)["assigned"] == 1


def test_an_edit_of_the_timetable_against_an_assignment_on_another_service(fleet_race: Race) -> None:
    """The edit would move the trip of service 1 into that of service 3, which has the vehicle meanwhile."""
    race = fleet_race
    edit = [{"place": "Bengaluru", "departs": "18:00", "km": "0", "fare": "0"}]
    edit.append({"place": "Mysuru", "arrives": "20:45", "km": "145", "fare": "260"})
    edit_service(race.second, stops=edit)
    assign(race.second, MORNING, vehicle="KA09F1")
    assign(race.first, NOON, vehicle="KA09F1")
    edit[0]["departs"] = "12:30"
    second = race.start(lambda: edit_service(race.second, stops=edit))
    refused = race.then_commit(second)
    assert (refused["reason"], refused["other_trip"]["bus_id"]) == ("already_assigned", 3)


def test_an_edit_of_the_operator_against_an_assignment(fleet_race: Race) -> None:
    race = fleet_race
    assign(race.first, vehicle="KA09F1")
    edit = "SELECT api.add_service(1, operator => 'SRS Travels', replace => true)"
    second = race.start(lambda: race.second.conn.execute(edit))
    race.then_commit(second)
    assert assigned(race.second) == (None, [])
