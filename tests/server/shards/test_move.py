"""A virtual shard moves to another database while clients book: no booking fails, and none is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from busware import connect
from busware.server.db import shard_move
from tests.support.booking_load import BookingLoad
from tests.support.line_client import wait_until
from tests.support.processes import ServerProcess, start
from tests.support.schema_api import ASHA
from tests.support.shards import FIRST_BUS, Machine, ShardedInstallation

pytestmark = pytest.mark.system

BOOKINGS = 60
VIRTUAL_SHARD = FIRST_BUS % 64


@pytest.fixture
def server(sharded: ShardedInstallation) -> Iterator[ServerProcess]:
    with sharded.server() as server:
        yield server
    assert sharded.audit() == []


def shards(sharded: ShardedInstallation, *arguments: str) -> tuple[int, str]:
    """Run `busware-server shards`. Returns the exit status and the output."""
    process = start("shards", *arguments, **sharded.settings)
    output, _ = process.communicate()
    return process.returncode, output


def home(sharded: ShardedInstallation) -> int:
    """The number of the shard that has the virtual shard."""
    with sharded.proxy.connect() as conn:
        query = "SELECT database_no FROM shards.map WHERE virtual_shard = %s"
        ((number,),) = conn.execute(query, [VIRTUAL_SHARD])
    return int(number)


def test_bookings_go_on_while_a_virtual_shard_moves_and_moves_back(
    sharded: ShardedInstallation, server: ServerProcess
) -> None:
    trips = [trip for shard in sharded.shards for trip in sharded.trips(shard) if trip[0] <= FIRST_BUS + 1]
    before, first = sharded.references(), home(sharded)
    with BookingLoad([server.port], trips) as load:
        load.wait_for(BOOKINGS)
        for number in (3 - first, first):
            status, output = shards(sharded, "move", str(VIRTUAL_SHARD), str(number))
            assert (status, f"is in shard {number} now" in output) == (0, True), output
            assert home(sharded) == number
            load.wait_for(BOOKINGS)
    assert not load.errors
    assert sharded.references() - before == load.acknowledged.keys()
    assert sharded.audit() == []


def test_a_move_that_failed_changes_nothing(sharded: ShardedInstallation, server: ServerProcess) -> None:
    first = home(sharded)
    other = sharded.shards[2 - first]
    with other.connect() as conn:
        conn.execute("ALTER TABLE trips ADD COLUMN surplus int")
    status, output = shards(sharded, "move", str(VIRTUAL_SHARD), str(3 - first))
    with other.connect() as conn:
        conn.execute("ALTER TABLE trips DROP COLUMN surplus")
    assert (status, "other columns" in output) == (1, True), output
    assert home(sharded) == first
    with BookingLoad([server.port], sharded.trips(sharded.shards[first - 1])) as load:
        load.wait_for(BOOKINGS)
    assert not load.errors


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
    first = home(sharded)
    old, new = sharded.shards[first - 1], sharded.shards[2 - first]
    trips = [trip for trip in sharded.trips(old) if trip[0] == FIRST_BUS]
    before = sharded.references()
    with old.connect() as blocking:
        blocking.execute("BEGIN")
        blocking.execute("LOCK TABLE provider_fees IN SHARE MODE")  # the old database cannot delete
        process = start("shards", "move", str(VIRTUAL_SHARD), str(3 - first), **sharded.settings)
        wait_until(lambda: owns(new), 60, 0.1)
        process.kill()
        process.communicate()
    assert owns(old)
    assert home(sharded) == first
    assert f"being moved: {VIRTUAL_SHARD}" in shards(sharded, "list")[1]
    with ThreadPoolExecutor() as executor:
        booking = executor.submit(book, server.port, *trips[0])
        status, output = shards(sharded, "move", str(VIRTUAL_SHARD), str(3 - first))
        assert status == 0, output
        reference = booking.result()
    assert (owns(old), owns(new), home(sharded)) == (False, True, 3 - first)
    assert sharded.references() - before == {reference}


def owns(machine: Machine) -> bool:
    with machine.connect() as conn:
        found = conn.execute("SELECT FROM shards.owned WHERE virtual_shard = %s", [VIRTUAL_SHARD])
        return found.fetchone() is not None


def book(port: int, bus_id: int, day: date) -> str:
    with connect("127.0.0.1", port, tries=1) as client:
        return str(client.book(bus_id, day, "Bengaluru", "Mysuru", count=1, phone=ASHA).reference)
