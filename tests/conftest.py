"""The fixtures that the tests share. Everything is real: PostgreSQL, the server, the sockets.

cluster         once a run: a PostgreSQL with nothing in it, from server.postgres, in a temporary folder.
                BUSWARE_TEST_PG names the folder of its programs; without it, the wheel's.
data_folder     an empty folder for an embedded PostgreSQL that the test starts itself.
new_database    makes a database with nothing in it, of the name it is called with. empty_database is one.
sql_folder      a copy of sql/, from which schema.prepare works then, and which the test may change.
database        a database of the test's own, with the schema and the buses of timetable.sql, cloned
                from a template. `.owner` and `.server` are URLs of it; `.query("SELECT …", x)` answers
                rows, `.value(…)` the one value, as the owner; `.connect()` a new connection of the
                owner's (autocommit unless told), `.connect_as_server()` one of the server's role.
clock           api.now() of that database. It stands still at NOW, Tuesday 2026-12-01 09:00 in India,
                unless the test moves it: `clock.set("2026-12-01 10:30+05:30")`, `clock.advance(minutes=11)`.
api             schema api of that database, as Python calls; race: two such desks, one of which waits.
settings        the Settings of `server`: any free port, few connections. A test, or a module, that wants
                others is marked: `@pytest.mark.settings(write_batch=3)`.
server          a running Busware, in this process, on the clone and its clock: `.host`, `.port`, `.settings`,
                and its parts `.pool`, `.writer`, `.listener`, `.pusher`, `.operations`, `.tcp`. No timers
                run: holds that ran out are settled by the next write to their trip, as always. Nothing is
                pushed to clients unless the test uses `pushing`, which is the same server with its pusher
                and its listener started; `console` is the console of an operator on it.
sdk             the SDK's synchronous client and its asynchronous one, in turn, behind the same calls.
http            the HTTP face of `server`: `.url`, and `.call("GET", "/v1/trips", token=…, key=…, json={…})`.
connect         opens a LineClient to `server`, as often as it is called.
client_socket   one such LineClient.
one_day         for a test whose clock goes: no midnight falls into it.
urls            the settings of servers that are processes of their own, on `database`, whose clock goes then;
                line_to(port) opens a LineClient to one of them.

A test that uses a database without a server before it is marked `database`, and so are, by themselves,
the files on functions of schema `api` that no others test: scripts/test runs those on every PostgreSQL.
A test of a whole system (processes, terminals, Docker) is marked `system`. With CI=true a skipped test is a
failed one, and a test marked `system` that fails is run once more; the summary lists it as RERUN.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import hypothesis
import psycopg
import pytest
from psycopg import sql
from pytest_postgresql.janitor import DatabaseJanitor

from busware.server.db import schema
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings
from tests.support.both_clients import sdk  # noqa: F401 - a fixture
from tests.support.http_client import http  # noqa: F401 - a fixture
from tests.support.later_release import sql_folder  # noqa: F401 - a fixture
from tests.support.line_client import WAIT_SECONDS, LineClient  # noqa: F401 - for the tests
from tests.support.processes import running_on, wait_for_end
from tests.support.project import TIMETABLE
from tests.support.pushing import console, pushing  # noqa: F401 - fixtures
from tests.support.race import race  # noqa: F401 - a fixture
from tests.support.schema_api import api  # noqa: F401 - a fixture
from tests.support.serving import line_to, urls  # noqa: F401 - fixtures
from tests.support.writing import held, proxy, submit, writer_through_proxy  # noqa: F401 - fixtures

NOW = datetime.fromisoformat("2026-12-01T09:00:00+05:30")
ZONES = [  # of the timetables that come with Busware
    ZoneInfo(name)
    for name in ("Asia/Kolkata", "Asia/Dubai", "Asia/Singapore", "Europe/London", "America/New_York",
                 "America/Los_Angeles")
]  # fmt: skip

# How long an example takes says something about the machine, and nothing about what is tested.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow],
    parent=hypothesis.settings(),
)  # fmt: skip
hypothesis.settings.load_profile("patient")


# The run ---------------------------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "cluster" in fixtures and "server" not in fixtures:
            item.add_marker(pytest.mark.database)
        if os.environ.get("CI") == "true" and item.get_closest_marker("system"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped, which CI does not accept: {report.longrepr}"
    return report


# The database ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """A running PostgreSQL. `.urls(name)` are those of a database in it: its owner's, and the server's."""

    of_owner: str
    of_server: str
    programs: Path  # of this very version: psql, pg_dump …

    def urls(self, name: str) -> tuple[str, str]:
        return self.of_owner.removesuffix("busware") + name, self.of_server.removesuffix("busware") + name

    def database(self, name: str, **how: Any) -> DatabaseJanitor:
        """A new database, for as long as a `with` lasts; how: what to clone it from, for instance."""
        owner = urlsplit(self.of_owner)
        return DatabaseJanitor(
            host=owner.hostname,
            port=owner.port,
            user=owner.username,
            password=owner.password,
            dbname=name,
            **how,
        )


@dataclass(frozen=True)
class Database:
    """A database of the test's own."""

    owner: str
    server: str
    conn: psycopg.Connection[Any]  # the owner's, autocommit

    def query(self, statement: str, *parameters: Any) -> list[Any]:
        """The rows of a statement; single columns come without their tuples. None: no rows."""
        cursor = self.conn.execute(statement, parameters or None)
        if not cursor.description:
            return []
        return [row[0] if len(row) == 1 else row for row in cursor]

    def value(self, statement: str, *parameters: Any) -> Any:
        """The one value that a statement answers."""
        (value,) = self.query(statement, *parameters)
        return value

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """Another connection of the owner's; close it, or use it in a `with`."""
        return psycopg.connect(self.owner, autocommit=autocommit)

    def connect_as_server(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A connection of the role that may write only by calling."""
        return psycopg.connect(self.server, autocommit=autocommit)


class Clock:
    """The api.now() of a database."""

    def __init__(self, conn: psycopg.Connection[Any], now: datetime) -> None:
        self._conn = conn
        self.now = now

    def set(self, now: datetime | str) -> datetime:
        """Stop the clock at a time."""
        self.now = datetime.fromisoformat(now) if isinstance(now, str) else now
        stop_clock(self._conn, self.now)
        return self.now

    def advance(self, **how_far: float) -> datetime:
        """Move it on, by a timedelta's arguments."""
        return self.set(self.now + timedelta(**how_far))


def stop_clock(conn: psycopg.Connection[Any], now: datetime) -> None:
    stopped = "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN {}::timestamptz"
    conn.execute(sql.SQL(stopped).format(now.isoformat()))


def temporary_folder() -> Path:
    """A new folder that everybody may pass through, as those of pytest's tmp_path may not."""
    memory = "/dev/shm"  # where a database is cloned ten times as fast as on a disk
    roomy = os.path.isdir(memory) and shutil.disk_usage(memory).free > 2**30
    folder = Path(tempfile.mkdtemp(prefix="busware-test-", dir=memory if roomy else None))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator[Running]:
    folder = temporary_folder()
    programs = os.environ.get("BUSWARE_TEST_PG")
    quick = {"fsync": "off", "autovacuum": "off", "max_connections": "200", "max_wal_size": "256MB"}
    postgres = EmbeddedPostgres(folder, options=quick, programs=Path(programs) if programs else None)
    try:
        yield Running(*postgres.start(), postgres.cluster.programs)
    finally:
        postgres.stop()
        shutil.rmtree(folder)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    folder = temporary_folder()
    yield folder
    wait_for_end(running_on(folder))  # the PostgreSQL of a server that was killed is still stopping
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(cluster: Running) -> Iterator[str]:
    owner, server = cluster.urls("template")
    with cluster.database("template", as_template=True):
        schema.prepare(owner, server, Settings(seed=False))
        with psycopg.connect(owner, autocommit=True) as conn:
            stop_clock(conn, NOW)
            conn.execute(TIMETABLE.read_bytes())
        yield "template"


@pytest.fixture
def new_database(cluster: Running) -> Iterator[Callable[..., Database]]:
    with ExitStack() as stack:

        def make(name: str, template: str | None = None) -> Database:
            stack.enter_context(cluster.database(name, template_dbname=template))
            owner, server = cluster.urls(name)
            conn = stack.enter_context(psycopg.connect(owner, autocommit=True))
            return Database(owner, server, conn)

        yield make


@pytest.fixture
def database(new_database: Callable[..., Database], template: str) -> Database:
    return new_database("test", template)


@pytest.fixture
def empty_database(new_database: Callable[..., Database]) -> Database:
    return new_database("empty")


@pytest.fixture
def clock(database: Database) -> Clock:
    return Clock(database.conn, NOW)


@pytest.fixture
def one_day() -> None:
    """Wait until midnight where a service begins, if that is near: `tomorrow` is one date then."""
    if any(now.date() < (now + timedelta(minutes=2)).date() for now in map(datetime.now, ZONES)):
        time.sleep(121)


# The server ------------------------------------------------------------------------------------


@pytest.fixture
def settings(database: Database, request: pytest.FixtureRequest) -> Settings:
    told: dict[str, Any] = {"port": 0, "http_port": 0}
    for mark in reversed([*request.node.iter_markers("settings")]):  # the nearest has the last word
        told |= mark.kwargs
    return Settings(database_url=database.server, owner_url=database.owner, **told)


@pytest.fixture
def server(database: Database, clock: Clock, settings: Settings) -> Iterator[SimpleNamespace]:
    from busware.server.booking.operations import Operations
    from busware.server.db.listener import Listener
    from busware.server.db.pool import Pool
    from busware.server.db.writer import Writer
    from busware.server.push.messages import Messages
    from busware.server.push.pusher import Pusher
    from busware.server.tcp.server import TcpServer

    pool, writer = Pool(database.server, settings), Writer(database.server, settings)
    operations = Operations(pool, writer, settings)
    listener = Listener(database.server, settings)
    pusher = Pusher(Messages(pool, settings), listener)
    tcp = TcpServer(settings, operations, pusher)
    tcp.now = lambda: clock.now
    pool.open()
    writer.start()
    tcp.start()
    try:
        yield SimpleNamespace(
            host=settings.host,
            port=tcp.port,
            settings=settings,
            pool=pool,
            writer=writer,
            operations=operations,
            listener=listener,
            pusher=pusher,
            tcp=tcp,
        )
    finally:
        tcp.drain()
        writer.stop()
        pool.close()


@pytest.fixture
def connect(server: SimpleNamespace) -> Iterator[Callable[[], LineClient]]:
    lines: list[LineClient] = []

    def open_line() -> LineClient:
        lines.append(LineClient(server.host, server.port))
        return lines[-1]

    yield open_line
    for line in lines:
        line.close()


@pytest.fixture
def client_socket(connect: Callable[[], LineClient]) -> LineClient:
    return connect()
