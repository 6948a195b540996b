"""Vehicles, drivers, and their assignments to trips. See tests/support/fleet.py."""

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.fleet import (
    MORNING,
    NOON,
    SEATS,
    add_service,
    assign,
    assigned,
    put_driver,
    put_vehicle,
)
from tests.support.schema_api import DAY, OTHER_DAY, Answer, SchemaApi

# Vehicles and drivers --------------------------------------------------------------------------


def test_a_vehicle_is_added_listed_and_edited(fleet: SchemaApi) -> None:
    fleet.conn.execute("INSERT INTO layouts VALUES ('2+2 seater 8', %s)", (SEATS,))
    added = put_vehicle(fleet, "ka 09-f 3", layout="2+2 seater 8", name="Volvo", notes="Spare key: depot")
    assert (added["registration"], added["operator"], added["layout"]) == ("KA09F3", "KSRTC", SEATS)
    edited = put_vehicle(fleet, "KA09F3", notes=None, in_service=False)
    assert edited == {name: value for name, value in added.items() if name != "notes"} | {"in_service": False}
    page = fleet.read("vehicles", account="ksrtc", limit=2)
    assert [vehicle["registration"] for vehicle in page["vehicles"]] == ["KA09F1", "KA09F2"]
    assert fleet.read("vehicles", account="ksrtc", limit=2, after=page["next"]) == {"vehicles": [edited]}


def test_a_driver_is_added_listed_and_edited(fleet: SchemaApi) -> None:
    added = put_driver(fleet, "d3", name="Asha", phone="+919845012345", licence_no="KA09 20260001")
    assert added["code"] == "D3"
    edited = put_driver(fleet, "D3", phone=None)
    assert edited == {name: value for name, value in added.items() if name != "phone"}
    page = fleet.read("drivers", account="ksrtc", limit=2)
    assert [driver["code"] for driver in page["drivers"]] == ["D1", "D2"]
    assert fleet.read("drivers", account="ksrtc", limit=2, after=page["next"]) == {"drivers": [edited]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"registration": "KA09/1", "layout": SEATS}, "registration"),
        ({"registration": "KA09F9"}, "layout"),
        ({"registration": "KA09F9", "layout": "...D\nxx.xx"}, "layout"),
        ({"registration": "KA09F9", "layout": "no such layout"}, "layout"),
    ],
)
def test_wrong_vehicles_are_refused(fleet: SchemaApi, fields: Answer, field: str) -> None:
    refused = put_vehicle(fleet, **fields)
    assert (refused["reason"], refused["field"]) == ("bad_request", field)


def test_a_new_driver_needs_a_name(fleet: SchemaApi) -> None:
    assert put_driver(fleet, "D9")["field"] == "name"


def test_operators_have_fleets_of_their_own(fleet: SchemaApi) -> None:
    put_vehicle(fleet, "KA09F1", "srs", layout="s")  # the same registration
    (own,) = fleet.read("vehicles", account="srs")["vehicles"]
    assert own["operator"] == "SRS Travels"
    for account, operator, reason in [
        ("ksrtc", "SRS Travels", "not_yours"),
        ("boss", None, "bad_request"),
        ("boss", "SRTC", "bad_request"),
    ]:
        named = {"operator": operator} if operator else {}
        assert fleet.read("vehicles", account=account, **named)["reason"] == reason
        assert fleet.read("drivers", account=account, **named)["reason"] == reason
        assert put_vehicle(fleet, "KA09F7", account, layout="s", **named)["reason"] == reason
        assert put_driver(fleet, "D7", account, name="X", **named)["reason"] == reason
    assert fleet.read("vehicles", account="boss", operator="SRS Travels")["vehicles"] == [own]
    assert assign(fleet, account="srs", vehicle="KA09F1")["reason"] == "not_yours"
    assert assigned(fleet) == (None, [])


# Assignments -----------------------------------------------------------------------------------


def test_an_assignment_is_shown_to_operator_and_passenger(fleet: SchemaApi) -> None:
    booking = fleet.book(1)
    assert "vehicle" not in booking
    put_driver(fleet, "D1", phone="+919845012345")
    answer = assign(fleet, vehicle="ka 09 f 1", drivers=["d1", "D2"])
    assert answer["assigned"] == 1
    trip = fleet.read("trips", account="ksrtc", date=DAY)["trips"][0]
    assert answer["trip"] == trip
    assert trip["vehicle"] == "KA09F1"
    assert trip["drivers"] == [
        {"code": "D1", "name": "Kumar", "phone": "+919845012345"},
        {"code": "D2", "name": "Ravi"},
    ]
    assert fleet.show(booking) == booking | {"vehicle": "KA09F1"}
    assert "vehicle" not in fleet.cancel(booking)


def test_a_field_that_is_not_given_stays(fleet: SchemaApi) -> None:
    assign(fleet, vehicle="KA09F1", drivers=["D1"])
    assign(fleet, drivers=["D2"])
    assert assigned(fleet) == ("KA09F1", ["D2"])
    assign(fleet, vehicle="KA09F2")
    assert assigned(fleet) == ("KA09F2", ["D2"])
    assign(fleet, vehicle=None)
    assert assigned(fleet) == (None, ["D2"])
    assign(fleet, drivers=None)
    assert assigned(fleet) == (None, [])


@pytest.mark.parametrize("resource", [{"vehicle": "KA09F1"}, {"drivers": ["D2", "D1"]}])
def test_nothing_is_on_two_trips_at_once(fleet: SchemaApi, resource: Answer) -> None:
    assign(fleet, MORNING, **resource)
    before = fleet.read("manifest", account="ksrtc", **MORNING)
    refused = assign(fleet, NOON, **resource)
    assert refused["reason"] == "already_assigned"
    assert "is on Day Bus (bus 1) from 2026-12-05 10:00 to 2026-12-05 12:45" in refused["message"]
    assert refused["other_trip"] == {
        "bus_id": 1,
        "travel_date": DAY,
        "name": "Day Bus",
        "departs_at": "2026-12-05T10:00:00+05:30",
        "arrives_at": "2026-12-05T12:45:00+05:30",
    }
    assert assigned(fleet, NOON) == (None, [])
    assert fleet.read("manifest", account="ksrtc", **MORNING) == before
    assign(fleet, MORNING, vehicle=None, drivers=None)
    assert assign(fleet, NOON, **resource)["assigned"] == 1


def test_a_range_of_dates(fleet: SchemaApi) -> None:
    fleet.conn.execute("SELECT api.cancel_trip(1, %s)", (OTHER_DAY,))
    assert assign(fleet, until="2026-12-08", vehicle="KA09F1")["assigned"] == 3
    assert assigned(fleet, {"bus_id": 1, "travel_date": "2026-12-08"}) == ("KA09F1", [])
    assert assign(fleet, until="2026-12-04", vehicle="KA09F1")["field"] == "until"
    assert assign(fleet, NOON, until="2026-12-08", vehicle="KA09F1")["reason"] == "already_assigned"
    free_day = {"bus_id": 3, "travel_date": OTHER_DAY}
    assert assign(fleet, free_day, vehicle="KA09F1")["assigned"] == 1


def test_trips_of_one_request_that_overlap(fleet: SchemaApi) -> None:
    add_service(fleet, 3, "Mysuru | - | 10:00 | 0 | 0 \n Chennai | 35:00 | - | 900 | 900")
    refused = assign(fleet, NOON, until=OTHER_DAY, vehicle="KA09F1")
    assert refused["reason"] == "already_assigned"
    assert refused["other_trip"]["travel_date"] == OTHER_DAY


def test_a_trip_may_begin_when_another_ends(fleet: SchemaApi) -> None:
    add_service(fleet, 3, "Mysuru | - | 12:45 | 0 | 0 \n Mandya | 13:30 | - | 45 | 90")
    assign(fleet, MORNING, vehicle="KA09F1")
    assert assign(fleet, NOON, vehicle="KA09F1")["assigned"] == 1


def test_refusals_name_what_is_free(fleet: SchemaApi) -> None:
    put_vehicle(fleet, "KA09F3", layout="...D\nss.ss\ns..ss")
    put_vehicle(fleet, "KA09F4", layout=SEATS, in_service=False)
    put_driver(fleet, "D3", name="Asha", active=False)
    assign(fleet, NOON, vehicle="KA09F1", drivers=["D1"])
    unknown = assign(fleet, vehicle="KA09F9")
    assert unknown["reason"] == "unknown_vehicle"
    assert unknown["message"] == (
        "KSRTC has no vehicle KA09F9. Vehicles that are free and have the seats: KA09F2."
    )
    lacking = assign(fleet, vehicle="KA09F3")
    assert (lacking["reason"], lacking["seats"], lacking["vehicles"]) == (
        "wrong_layout",
        [6, 7, 8],
        ["KA09F2"],
    )
    assert lacking["message"].startswith("Vehicle KA09F3 does not have seats 6, 7 and 8 of Day Bus (bus 1).")
    assert assign(fleet, vehicle="KA09F4")["reason"] == "not_in_service"
    nobody = assign(fleet, drivers=["D9"])
    assert (nobody["reason"], nobody["drivers"]) == ("unknown_driver", ["D2"])
    assert assign(fleet, drivers=["D2", "D3"])["reason"] == "not_in_service"
    assert assign(fleet, drivers=["D2", "D2"])["field"] == "drivers"
    assert assigned(fleet) == (None, [])


def test_a_larger_vehicle_may_run(fleet: SchemaApi) -> None:
    put_vehicle(fleet, "KA09F3", layout=f"{SEATS}\nsssss")
    assert assign(fleet, vehicle="KA09F3")["assigned"] == 1


def test_trips_that_cannot_be_assigned(fleet: SchemaApi) -> None:
    fleet.conn.execute("SELECT api.cancel_trip(1, %s, 'Flood.')", (DAY,))
    assert assign(fleet, vehicle="KA09F1")["reason"] == "trip_cancelled"
    assert (
        assign(fleet, {"bus_id": 1, "travel_date": "2027-12-05"}, vehicle="KA09F1")["reason"]
        == "unknown_trip"
    )
    assert assign(fleet, {"bus_id": 77, "travel_date": DAY}, vehicle="KA09F1")["reason"] == "unknown_trip"
    fleet.conn.execute("UPDATE bus_info SET repeat_legs = 1, runs_on = '{}' WHERE bus_id = 3")
    assert assign(fleet, NOON, vehicle="KA09F1")["field"] == "bus_id"


def test_a_cancelled_trip_releases_its_vehicle_and_drivers(fleet: SchemaApi) -> None:
    assign(fleet, MORNING, vehicle="KA09F1", drivers=["D1"])
    fleet.conn.execute("SELECT api.cancel_trip(1, %s)", (DAY,))
    assert assign(fleet, NOON, vehicle="KA09F1", drivers=["D1"])["assigned"] == 1
    fleet.conn.execute("SELECT api.end_service(3, %s)", ("2026-12-04",))
    fleet.conn.execute("SELECT api.add_trip(1, %s)", (DAY,))
    assert assigned(fleet) == (None, [])
    assert assign(fleet, MORNING, vehicle="KA09F1", drivers=["D1"])["assigned"] == 1


def test_an_edit_of_a_vehicle_that_its_trips_need_is_refused(fleet: SchemaApi, clock: Clock) -> None:
    assign(fleet, until=OTHER_DAY, vehicle="KA09F1", drivers=["D1"])
    kept = [put_vehicle(fleet, "KA09F1", in_service=False), put_vehicle(fleet, "KA09F1", layout="ss.ss")]
    kept.append(put_driver(fleet, "D1", active=False))
    assert [refused["reason"] for refused in kept] == ["already_assigned"] * 3
    assert kept[0]["message"] == (
        "Vehicle KA09F1 is assigned to 2 trips. "
        "The first is Day Bus (bus 1) of 2026-12-05: assign another one first."
    )
    clock.set("2026-12-06T12:45+05:30")
    assert put_vehicle(fleet, "KA09F1", in_service=False)["in_service"] is False
    assert put_driver(fleet, "D1", active=False)["active"] is False


# Edits of a service ----------------------------------------------------------------------------


def move(api: SchemaApi, departs: str, arrives: str) -> None:
    """Give service 1 two stops with these times."""
    add_service(api, 1, f"Bengaluru | - | {departs} | 0 | 0 \n Mysuru | {arrives} | - | 145 | 260")


def test_assignments_follow_a_changed_timetable(fleet: SchemaApi) -> None:
    assign(fleet, until="2026-12-08", vehicle="KA09F1")
    move(fleet, "18:00", "20:45")
    assert assign(fleet, NOON, until="2026-12-08", vehicle="KA09F1")["assigned"] == 4


def test_all_trips_of_a_day_move_at_once(fleet: SchemaApi) -> None:
    """The new time of each trip overlaps the old time of the next."""
    assign(fleet, until="2026-12-08", vehicle="KA09F1")
    move(fleet, "11:00", "34:00")
    move(fleet, "12:00", "35:00")


def test_a_timetable_that_puts_a_vehicle_on_two_trips_is_refused(fleet: SchemaApi) -> None:
    move(fleet, "18:00", "20:45")
    assign(fleet, MORNING, vehicle="KA09F1")
    assign(fleet, NOON, vehicle="KA09F1")
    on_the_other = r"KA09F1 is on Bus 3 \(bus 3\) from 2026-12-05 12:00"
    with pytest.raises(psycopg.errors.RaiseException, match=on_the_other):
        move(fleet, "13:00", "20:45")
    assert assigned(fleet, MORNING) == ("KA09F1", [])


def test_a_layout_with_seats_that_the_vehicle_lacks_is_refused(fleet: SchemaApi) -> None:
    assign(fleet, MORNING, vehicle="KA09F1")
    with pytest.raises(psycopg.errors.RaiseException, match="vehicle KA09F1 is assigned on 2026-12-05"):
        fleet.conn.execute("SELECT api.add_service(1, layout => 'sssss', replace => true)")
    fleet.conn.execute("SELECT api.add_service(1, layout => E'...D\\nss.ss', replace => true)")
    assert assigned(fleet, MORNING) == ("KA09F1", [])


def test_a_change_of_operator_removes_assignments(fleet: SchemaApi) -> None:
    assign(fleet, MORNING, vehicle="KA09F1", drivers=["D1"])
    fleet.conn.execute("SELECT api.add_service(1, operator => 'SRS Travels', replace => true)")
    assert assigned(fleet, MORNING) == (None, [])


def test_trips_off_the_calendar_release_their_vehicles(fleet: SchemaApi) -> None:
    assign(fleet, MORNING, vehicle="KA09F1")  # a Saturday
    fleet.conn.execute("SELECT api.add_service(1, runs_on => 'Mon-Fri', replace => true)")
    assert assign(fleet, NOON, vehicle="KA09F1")["assigned"] == 1


# By hand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["vehicle", "driver"])
def test_the_constraints_hold_for_sql_by_hand(fleet: SchemaApi, database: Database, column: str) -> None:
    assign(fleet, MORNING, vehicle="KA09F1", drivers=["D1"])
    database.query("""INSERT INTO assignments SELECT 3, travel_date, assignment_no, operator, vehicle, driver,
        tstzrange(upper(period), upper(period) + interval '1 hour') FROM assignments WHERE bus_id = 1""")
    with pytest.raises(psycopg.errors.ExclusionViolation, match=f"{column}_on_one_trip"):
        database.query(
            "UPDATE assignments SET period = tstzrange(lower(period) - interval '1 second', upper(period)) "
            f"WHERE bus_id = 3 AND {column} IS NOT NULL"
        )
    database.query("DELETE FROM assignments WHERE bus_id = 3")
