"""An installation with shards is upgraded while servers sell: first the shards, then the proxy."""

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from busware.server.db import schema
from busware.server.db.schema import SchemaError
from tests.support.later_release import add_migration, make_release, release_of, replace, version_of
from tests.support.shards import FIRST_BUS, ShardedInstallation
from tests.support.traffic import Traffic

pytestmark = pytest.mark.system

UPGRADES = 2  # the second one creates schema api again
CLIENTS, ANSWERS = 8, 50
SERVICES = (FIRST_BUS, FIRST_BUS + 1)  # of both shards
PARAMETERS = "shards.at(bus_id bigint, writes boolean DEFAULT false)"
MORE_PARAMETERS = "shards.at(bus_id bigint, writes boolean DEFAULT false, more int DEFAULT 0)"


def release(folder: Path, n: int) -> tuple[str, ...]:
    """A later release. In every second one, a function of schema `shards` has one parameter more."""
    sql = make_release(folder, n)
    if n % 2:
        replace(sql / "shards" / "20_map.sql", PARAMETERS, MORE_PARAMETERS)
    return release_of(sql, version_of(n))


def test_a_breaking_migration_changes_no_shard_before_older_servers_have_stopped(
    sharded: ShardedInstallation, sql_folder: Path
) -> None:
    add_migration(sql_folder, "ALTER TABLE trips ADD COLUMN more int", breaking=True)
    with sharded.proxy.connect() as writer:
        writer.execute("SELECT pg_advisory_lock_shared(%s)", [schema.WRITERS_LOCK])
        with pytest.raises(SchemaError, match="Nothing was changed"):
            sharded.prepare(upgrade_leave_seconds=0.1)
    for shard in sharded.shards:
        with shard.connect() as conn:
            assert conn.execute("SELECT FROM migrations WHERE name = '19_more'").fetchall() == []


def test_upgrades_fail_no_request(sharded: ShardedInstallation, tmp_path: Path) -> None:
    installation = sharded.with_databases("upgraded")
    days = sorted({day for shard in installation.shards for _, day in installation.trips(shard)})
    logs = []
    with ExitStack() as stack:
        servers = [stack.enter_context(installation.server())]
        traffic = stack.enter_context(Traffic(CLIENTS, days, [servers[0].port], SERVICES))
        for n in range(1, UPGRADES + 1):
            traffic.wait_for(ANSWERS)
            servers.append(stack.enter_context(installation.server(program=release(tmp_path, n))))
            traffic.wait_for(ANSWERS)  # from the older server, with the new functions
            oldest = servers.pop(0)
            traffic.ports[:] = [server.port for server in servers]
            status, log = oldest.end(signal.SIGTERM)
            assert status == 0, log
            logs.append(log)
        traffic.wait_for(ANSWERS)
        traffic.stop()
        logs += [server.end(signal.SIGTERM)[1] for server in servers]
    assert traffic.failures == [], logs
    assert "Traceback" not in "".join(logs)
    assert installation.audit() == []
    statuses = {}
    for shard in installation.shards:
        with shard.connect() as conn:
            statuses |= dict(conn.execute("SELECT reference, status FROM bookings").fetchall())
    assert statuses == traffic.bookings
