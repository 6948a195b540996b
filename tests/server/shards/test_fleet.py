"""Vehicles and drivers of an operator whose services are in two databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from busware.server.db import shard_move
from tests.support.line_client import wait_until
from tests.support.schema_api import Answer, check
from tests.support.shards import ShardedInstallation

pytestmark = pytest.mark.system

Connection = psycopg.Connection[Any]
OPERATOR, ACCOUNT = "Fleet Lines", "fleetlines"
SEATS = "...D\nss.ss\nss.ss"
FIRST, SECOND, LATER = 401, 402, 404  # the first one is in one database, the others in the other
STOPS = {
    FIRST: "Mandya | - | 10:00 | 0 | 0 \n Mysuru | 12:00 | - | 45 | 90",
    SECOND: "Mandya | - | 11:00 | 0 | 0 \n Mysuru | 13:00 | - | 45 | 90",
    LATER: "Mandya | - | 14:00 | 0 | 0 \n Mysuru | 16:00 | - | 45 | 90",
}
DAY = str(date.today() + timedelta(days=5))


@pytest.fixture(scope="module")
def proxy(sharded: ShardedInstallation) -> Iterator[Connection]:
    for machine in sharded.shards:
        with machine.connect() as conn:
            for bus_id, stops in STOPS.items():
                conn.execute(
                    "SELECT api.add_service(%s, 'Bus ' || %s, %s, %s, sales_days => 14, stops => %s)",
                    (bus_id, bus_id, OPERATOR, SEATS, stops),
                )
            conn.execute("SELECT api.open_sales(bus_id) FROM bus_info")
    with sharded.proxy.connect() as conn:
        conn.execute("SELECT api.add_operator(%s, 'no hash', %s)", (ACCOUNT, OPERATOR))
        for registration in ("KA09F1", "KA09F2"):
            change(conn, "put_vehicle", registration=registration, layout=SEATS)
        change(conn, "put_driver", code="D1", name="Kumar")
        yield conn
    assert sharded.audit() == []


@pytest.fixture(autouse=True)
def without_assignments(proxy: Connection) -> Iterator[None]:
    yield
    for bus_id in STOPS:
        assign(proxy, bus_id, vehicle=None, drivers=[])


def change(conn: Connection, method: str, key: str | None = None, **args: Any) -> Answer:
    rows = conn.execute(
        "SELECT answer FROM api.change_fleet(%s, %s, %s)", (method, Jsonb({"account": ACCOUNT} | args), key)
    ).fetchall()
    check(method, rows[0][0])
    return dict(rows[0][0])


def assign(conn: Connection, bus_id: int, **assigned: Any) -> Answer:
    return change(conn, "assign", bus_id=bus_id, travel_date=DAY, **assigned)


def read(conn: Connection, method: str, **args: Any) -> Answer:
    arguments = (method, Jsonb({"account": ACCOUNT} | args))
    ((answer,),) = conn.execute("SELECT answer FROM api.read(%s, %s)", arguments).fetchall()
    return dict(answer)


def trip(conn: Connection, bus_id: int) -> Answer:
    """A trip of the day, as its operator sees it."""
    trips = read(conn, "trips", date=DAY)["trips"]
    return next(dict(trip) for trip in trips if trip["bus_id"] == bus_id)


def test_vehicles_and_drivers_are_in_every_database(sharded: ShardedInstallation, proxy: Connection) -> None:
    assert [v["registration"] for v in read(proxy, "vehicles")["vehicles"]] == ["KA09F1", "KA09F2"]
    assert [d["code"] for d in read(proxy, "drivers")["drivers"]] == ["D1"]
    for machine in sharded.shards:
        with machine.connect() as conn:
            found = conn.execute(
                "SELECT registration FROM vehicles WHERE operator = %s ORDER BY 1", [OPERATOR]
            )
            assert found.fetchall() == [("KA09F1",), ("KA09F2",)]


def test_a_vehicle_is_on_one_trip_at_a_time_in_all_databases(proxy: Connection) -> None:
    assert assign(proxy, FIRST, vehicle="KA09F1", drivers=["D1"])["trip"]["vehicle"] == "KA09F1"
    for assigned in ({"vehicle": "KA09F1"}, {"drivers": ["D1"]}):
        refused = assign(proxy, SECOND, **assigned)
        assert (refused["reason"], refused["other_trip"]["bus_id"]) == ("already_assigned", FIRST)
    assert assign(proxy, LATER, vehicle="KA09F1", drivers=["D1"])["assigned"] == 1
    assert trip(proxy, LATER)["drivers"][0]["name"] == "Kumar"


def test_suggested_vehicles_are_free_in_all_databases(proxy: Connection) -> None:
    assign(proxy, FIRST, vehicle="KA09F1")
    assert assign(proxy, SECOND, vehicle="UNKNOWN")["vehicles"] == ["KA09F2"]
    basis = read(proxy, "exchange_vehicle", bus_id=SECOND, travel_date=DAY, vehicle="UNKNOWN")
    assert basis["vehicles"] == ["KA09F2"]


def test_a_vehicle_with_trips_in_any_database_stays_in_service(proxy: Connection) -> None:
    assign(proxy, SECOND, vehicle="KA09F2")
    assign(proxy, FIRST, drivers=["D1"])
    for refused in (
        change(proxy, "put_vehicle", registration="KA09F2", in_service=False),
        change(proxy, "put_driver", code="D1", active=False),
    ):
        assert refused["reason"] == "already_assigned"
    assert change(proxy, "put_vehicle", registration="KA09F1", notes="new tyres")["notes"] == "new tyres"


def test_an_edit_of_a_service_keeps_its_vehicles_on_one_trip(proxy: Connection) -> None:
    assign(proxy, FIRST, vehicle="KA09F1")
    assign(proxy, LATER, vehicle="KA09F1")
    for time, reason in (("11:30", "already_assigned"), ("15:00", None)):
        stops = [
            {"place": "Mandya", "departs": time, "km": 0, "fare": "0"},
            {"place": "Mysuru", "arrives": "17:00", "km": 45, "fare": "90"},
        ]
        edit = {"account": ACCOUNT, "bus_id": LATER, "stops": stops}
        statement = "SELECT answer FROM api.change_service('put_service', %s)"
        ((answer,),) = proxy.execute(statement, (Jsonb(edit),)).fetchall()
        assert answer.get("reason") == reason


def test_an_exchange_of_a_vehicle_follows_the_same_rule(proxy: Connection) -> None:
    assign(proxy, FIRST, vehicle="KA09F1")
    for vehicle, reason in (("KA09F1", "already_assigned"), ("KA09F2", None)):
        trip = {"bus_id": SECOND, "travel_date": DAY, "vehicle": vehicle}
        planned = {
            "version": read(proxy, "exchange_vehicle", **trip)["version"],
            "seats": [],
            "left_over": [],
        }
        counts = {"tickets": 0, "seated": 0, "same_class": 0, "together": 0, "moved": 0}
        first, again = (
            change(proxy, "exchange_vehicle", f"exchange for {vehicle}", **trip, **planned, counts=counts)
            for _ in range(2)
        )
        assert first.get("reason") == reason
        assert first == again


def test_two_dispatchers_cannot_assign_a_vehicle_at_once(
    sharded: ShardedInstallation, proxy: Connection
) -> None:
    waits = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
    with (
        sharded.proxy.connect() as first,
        sharded.proxy.connect() as second,
        ThreadPoolExecutor(1) as threads,
    ):
        with first.transaction():
            assert "reason" not in assign(first, FIRST, vehicle="KA09F1")
            other = threads.submit(assign, second, SECOND, vehicle="KA09F1")
            pid = second.info.backend_pid
            wait_until(lambda: proxy.execute(waits, [pid]).fetchone() == (1,), 30, 0.01)
        assert other.result()["reason"] == "already_assigned"


def test_assignments_move_with_a_virtual_shard(sharded: ShardedInstallation, proxy: Connection) -> None:
    assign(proxy, FIRST, vehicle="KA09F1")
    virtual = FIRST % 64
    home = sharded.home(virtual)
    with (
        sharded.shards[home - 1].connect() as first,
        sharded.shards[2 - home].connect() as second,
        sharded.proxy.connect() as moving,
    ):
        for old, new, number in ((first, second, 3 - home), (second, first, home)):
            shard_move.move(moving, old, new, virtual, number)
            assert trip(proxy, FIRST)["vehicle"] == "KA09F1"
            assert assign(proxy, SECOND, vehicle="KA09F1").get("reason") == "already_assigned"


def test_a_vehicle_in_two_databases_is_found(sharded: ShardedInstallation, proxy: Connection) -> None:
    assign(proxy, FIRST, vehicle="KA09F1")
    assign(proxy, SECOND, vehicle="KA09F2")
    with sharded.shards[SECOND % 2].connect() as conn:
        conn.execute("UPDATE assignments SET vehicle = 'KA09F1' WHERE bus_id = %s", [SECOND])
    found = proxy.execute("SELECT * FROM shards.assigned_twice()").fetchall()
    assert [text[:12] for (text,) in found] == ["vehicle KA09"]
