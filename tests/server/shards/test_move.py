"""A virtual shard moves to another database while clients book: no booking fails, and none is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest

from busware import connect
from busware.server.db import shard_move
from tests.support.booking_load import BookingLoad
from tests.support.line_client import wait_until
from tests.support.processes import ServerProcess, start
from tests.support.schema_api import ASHA, audit
from tests.support.shards import FIRST_BUS, Machine, ShardedInstallation

pytestmark = pytest.mark.system

BOOKINGS = 60
VIRTUAL_SHARD = FIRST_BUS % 64


@pytest.fixture
def server(sharded: ShardedInstallation) -> Iterator[ServerProcess]:
    with sharded.server() as server:
        yield server
    assert sharded.audit() == []


def run(sharded: ShardedInstallation, *arguments: str, **changed: str) -> tuple[int, str]:
    """Run a subcommand of the server. Returns the exit status and the output."""
    process = start(*arguments, **(sharded.settings | changed))
    output, _ = process.communicate()
    return process.returncode, output


def shards(sharded: ShardedInstallation, *arguments: str, **changed: str) -> tuple[int, str]:
    """Run `busware-server shards`. Returns the exit status and the output."""
    return run(sharded, "shards", *arguments, **changed)


def test_bookings_go_on_while_a_virtual_shard_moves_and_moves_back(
    sharded: ShardedInstallation, server: ServerProcess
) -> None:
    trips = [trip for shard in sharded.shards for trip in sharded.trips(shard) if trip[0] <= FIRST_BUS + 1]
    before, first = sharded.references(), sharded.home(VIRTUAL_SHARD)
    with BookingLoad([server.port], trips) as load:
        load.wait_for(BOOKINGS)
        for number in (3 - first, first):
            status, output = shards(sharded, "move", str(VIRTUAL_SHARD), str(number))
            assert (status, f"is in shard {number} now" in output) == (0, True), output
            assert sharded.home(VIRTUAL_SHARD) == number
            load.wait_for(BOOKINGS)
    assert not load.errors
    assert sharded.references() - before == load.acknowledged.keys()
    assert sharded.audit() == []


def test_a_move_that_failed_changes_nothing(sharded: ShardedInstallation, server: ServerProcess) -> None:
    first = sharded.home(VIRTUAL_SHARD)
    other = sharded.shards[2 - first]
    with other.connect() as conn:
        conn.execute("ALTER TABLE trips ADD COLUMN surplus int")
    status, output = shards(sharded, "move", str(VIRTUAL_SHARD), str(3 - first))
    with other.connect() as conn:
        conn.execute("ALTER TABLE trips DROP COLUMN surplus")
    assert (status, "other columns" in output) == (1, True), output
    assert sharded.home(VIRTUAL_SHARD) == first
    with BookingLoad([server.port], sharded.trips(sharded.shards[first - 1])) as load:
        load.wait_for(BOOKINGS)
    assert not load.errors


def test_an_added_database_gets_a_virtual_shard(sharded: ShardedInstallation, server: ServerProcess) -> None:
    """The server was started before, so it does not know the new database."""
    first = sharded.home(VIRTUAL_SHARD)
    with ExitStack() as stack:
        added = Machine(stack, sharded.proxy.urls)
        urls = ",".join((sharded.settings["BUSWARE_SHARDS"], added.urls.owner))
        status, output = shards(sharded, "add", BUSWARE_SHARDS=urls)
        assert (status, "    3         0  none" in output) == (0, True), output
        status, output = shards(sharded, "move", str(VIRTUAL_SHARD), "3", BUSWARE_SHARDS=urls)
        assert status == 0, output
        trips = [trip for trip in sharded.trips(added) if trip[0] == FIRST_BUS]
        reference = book(server.port, *trips[0])
        with added.connect() as conn:
            found = conn.execute("SELECT bus_id FROM passengers WHERE reference = %s", [reference])
            assert found.fetchall() == [(FIRST_BUS,)]
            assert audit(conn) == []
        status, output = shards(sharded, "move", str(VIRTUAL_SHARD), str(first), BUSWARE_SHARDS=urls)
        assert status == 0, output
        assert reference in sharded.references()


def test_audit_checks_all_databases(sharded: ShardedInstallation) -> None:
    clean = (0, "Clean: every rule holds.\n")
    assert run(sharded, "audit") == clean
    with sharded.shards[0].connect() as conn:
        conn.execute("UPDATE places SET name = 'Elsewhere' WHERE code = 'CHEN'")
    found = run(sharded, "audit")
    sharded.prepare()  # copies the place again
    assert found == (1, "shard 1 | copies | 1 | places, layouts, vehicles or drivers differ from the proxy\n")
    assert run(sharded, "audit") == clean


def test_each_table_with_services_is_moved(sharded: ShardedInstallation) -> None:
    with sharded.proxy.connect() as conn:
        tables = conn.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'bus_id'"
        )
        assert {name for (name,) in tables} == {*shard_move.TABLES, *shard_move.UNSUPPORTED}


def test_list_shows_the_virtual_shards(sharded: ShardedInstallation) -> None:
    status, output = shards(sharded, "list")
    assert status == 0
    assert output.count("\n") == 3


def test_a_move_that_ended_during_the_switch_is_completed_by_the_next_one(
    sharded: ShardedInstallation, server: ServerProcess
) -> None:
    first = sharded.home(VIRTUAL_SHARD)
    old, new = sharded.shards[first - 1], sharded.shards[2 - first]
    trips = [trip for trip in sharded.trips(old) if trip[0] == FIRST_BUS]
    before = sharded.references()
    with old.connect() as blocking:
        blocking.execute("BEGIN")
        blocking.execute("LOCK TABLE route_table IN SHARE MODE")  # the old database cannot delete
        process = start("shards", "move", str(VIRTUAL_SHARD), str(3 - first), **sharded.settings)
        wait_until(lambda: owns(new), 60, 0.1)
        process.kill()
        process.communicate()
    assert owns(old)
    assert sharded.home(VIRTUAL_SHARD) == first
    assert f"being moved: {VIRTUAL_SHARD}" in shards(sharded, "list")[1]
    with ThreadPoolExecutor() as executor:
        booking = executor.submit(book, server.port, *trips[0])
        status, output = shards(sharded, "move", str(VIRTUAL_SHARD), str(3 - first))
        assert status == 0, output
        reference = booking.result()
    assert (owns(old), owns(new), sharded.home(VIRTUAL_SHARD)) == (False, True, 3 - first)
    assert sharded.references() - before == {reference}
    assert shards(sharded, "move", str(VIRTUAL_SHARD), str(first))[0] == 0  # as other tests expect it


def test_rows_that_are_not_deleted_yet_are_not_shown_and_the_next_move_deletes_them(
    sharded: ShardedInstallation, server: ServerProcess
) -> None:
    first = sharded.home(VIRTUAL_SHARD)
    old = sharded.shards[first - 1]
    trips = [trip for trip in sharded.trips(old) if trip[0] == FIRST_BUS]
    day = trips[0][1]
    with connect("127.0.0.1", server.port) as client:
        client.register("ravi", "a long password")
        before = client.book(FIRST_BUS, day, "Bengaluru", "Mysuru", count=1).reference
        with old.connect() as blocking:
            blocking.execute("BEGIN")
            blocking.execute("LOCK TABLE provider_fees IN SHARE MODE")  # the first that is deleted after it
            process = start("shards", "move", str(VIRTUAL_SHARD), str(3 - first), **sharded.settings)
            wait_until(lambda: sharded.home(VIRTUAL_SHARD) == 3 - first, 60, 0.1)
            assert client.cancel(before).status == "cancelled"
            after = client.book(FIRST_BUS, day, "Bengaluru", "Mysuru", count=1).reference
            assert [b.reference for b in client.bookings()] == [after, before]
            assert [b.status for b in client.bookings()] == ["booked", "cancelled"]
            found = [trip.bus_id for trip in client.search("Bengaluru", "Mysuru", day)]
            assert len(found) == len(set(found))
            assert FIRST_BUS in found
            assert f"rows to delete: {VIRTUAL_SHARD}" in shards(sharded, "list")[1]
            process.kill()
            process.communicate()
    assert rows(old)
    assert shards(sharded, "move", str(VIRTUAL_SHARD), str(3 - first))[0] == 0  # it is there already
    assert not rows(old)
    assert shards(sharded, "move", str(VIRTUAL_SHARD), str(first))[0] == 0  # as other tests expect it


def rows(machine: Machine) -> list[Any]:
    """The tickets of the virtual shard in a database."""
    with machine.connect() as conn:
        query = "SELECT FROM passengers WHERE shards.virtual_shard(bus_id) = %s"
        return conn.execute(query, [VIRTUAL_SHARD]).fetchall()


def owns(machine: Machine) -> bool:
    with machine.connect() as conn:
        found = conn.execute("SELECT FROM shards.owned WHERE virtual_shard = %s", [VIRTUAL_SHARD])
        return found.fetchone() is not None


def book(port: int, bus_id: int, day: date) -> str:
    with connect("127.0.0.1", port, tries=1) as client:
        return str(client.book(bus_id, day, "Bengaluru", "Mysuru", count=1, phone=ASHA).reference)
