"""Operators add and change services and places through the proxy."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.processes import start
from tests.support.shards import FIRST_BUS, ROWS, STOPS, ShardedInstallation

pytestmark = pytest.mark.system

STOP_LINES = [[cell.strip() for cell in line.split("|")] for line in STOPS.strip().splitlines()]
DOCUMENT = {
    "name": "New Bus",
    "operator": "KSRTC",
    "layout": "...D\n" + "ss.ss\n" * ROWS,
    "sales_days": 14,
    "stops": [
        {"place": place} | ({"arrives": arrives} if arrives != "-" else {})
        | ({"departs": departs} if departs != "-" else {}) | {"km": km, "fare": fare}
        for place, arrives, departs, km, fare in STOP_LINES
    ],
}  # fmt: skip


@pytest.fixture
def proxy(sharded: ShardedInstallation) -> Iterator[psycopg.Connection[Any]]:
    with sharded.proxy.connect() as conn:
        conn.execute("SELECT api.add_operator('admin', 'no hash')")
        yield conn
    assert sharded.audit() == []


def change(proxy: psycopg.Connection[Any], method: str, key: str | None = None, **args: Any) -> Any:
    statement = "SELECT refused, answer FROM api.change_service(%s, %s, %s)"
    ((refused, answer),) = proxy.execute(statement, [method, json.dumps({"account": "admin"} | args), key])
    assert not refused, answer
    return answer


def read(proxy: psycopg.Connection[Any], method: str, **args: Any) -> Any:
    statement = "SELECT refused, answer FROM api.read(%s, %s)"
    ((refused, answer),) = proxy.execute(statement, [method, json.dumps({"account": "admin"} | args)])
    assert not refused, answer
    return answer


def test_a_new_service_gets_a_number_of_the_proxy_and_is_added_once(
    sharded: ShardedInstallation, proxy: psycopg.Connection[Any]
) -> None:
    first, again = (change(proxy, "add_service", "the same request", **DOCUMENT) for _ in range(2))
    second = change(proxy, "add_service", "another request", **DOCUMENT)
    assert first["bus_id"] == again["bus_id"] != second["bus_id"]
    for bus_id in (first["bus_id"], second["bus_id"]):
        with sharded.shards[bus_id % 2].connect() as conn:
            assert conn.execute("SELECT name FROM bus_info WHERE bus_id = %s", [bus_id]).fetchone()
        changed = change(proxy, "put_service", bus_id=bus_id, name="Other Bus")
        assert [field["to"] for field in changed["changes"]] == ["Other Bus"]
        assert read(proxy, "service", bus_id=bus_id)["name"] == "Other Bus"


def test_a_repeated_request_for_a_new_service_is_answered_after_a_move(
    sharded: ShardedInstallation, proxy: psycopg.Connection[Any]
) -> None:
    bus_id = change(proxy, "add_service", "before the move", **DOCUMENT)["bus_id"]
    ((number,),) = proxy.execute("SELECT database_no FROM shards.map WHERE virtual_shard = %s", [bus_id % 64])
    for other in (3 - number, number):
        process = start("shards", "move", str(bus_id % 64), str(other), **sharded.settings)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        assert change(proxy, "add_service", "before the move", **DOCUMENT)["bus_id"] == bus_id


def test_the_first_read_of_an_account_in_a_shard_is_answered(proxy: psycopg.Connection[Any]) -> None:
    proxy.execute("SELECT api.add_operator('new', 'no hash')")
    for bus_id in (FIRST_BUS, FIRST_BUS + 1):
        assert read(proxy, "service", bus_id=bus_id, account="new")["name"] == f"Bus {bus_id}"


def test_services_are_paged_over_all_shards(proxy: psycopg.Connection[Any]) -> None:
    found, after = [], {}
    while True:
        page = read(proxy, "services", limit=2, **after)
        found += [service["bus_id"] for service in page["services"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert found == sorted(set(found))
    assert {1, 2, 101, 102} <= set(found)


def test_a_place_is_written_to_all_databases(
    sharded: ShardedInstallation, proxy: psycopg.Connection[Any]
) -> None:
    change(proxy, "put_place", code="NEWP", name="New Place")
    for machine in (sharded.proxy, *sharded.shards):
        with machine.connect() as conn:
            found = conn.execute("SELECT name FROM places WHERE code = 'NEWP'").fetchone()
        assert found == ("New Place",)
