"""An installation with shards: a PostgreSQL 15 of Debian, which has PL/Proxy, for each database."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from busware.server.db.shards import prepare_shards
from busware.server.embedded.data_folder import Urls
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings
from tests.support.processes import ServerProcess, postmaster
from tests.support.project import TIMETABLE
from tests.support.schema_api import audit

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PL_PROXY = Path("/usr/share/postgresql/15/extension/plproxy.control")
SHARDS = 2
ROWS = 40  # of four seats, in the services of `add_services`
FIRST_BUS, BUSES = 101, 4
STOPS = """
    Bengaluru     | -     | 10:00 |   0 |   0
    Ramanagara    | 10:50 | 10:55 |  50 |  90
    Mandya        | 11:45 | 11:50 | 100 | 180
    Srirangapatna | 12:20 | 12:25 | 128 | 230
    Mysuru        | 12:45 | -     | 145 | 260
"""


class Machine:
    """A PostgreSQL with one database. urls: for its owner and for the server's role."""

    def __init__(self, stack: ExitStack, password_of: Urls | None = None) -> None:
        from tests.conftest import temporary_folder

        self._folder = temporary_folder()
        stack.callback(shutil.rmtree, self._folder)
        self._stack = stack
        self._postgres = self._start()
        self.urls = self._postgres.start()
        if password_of is not None:  # the server's role has one password everywhere
            role, here = urlsplit(password_of.server), urlsplit(self.urls.server)
            place = f"{role.username}:{role.password}@{here.hostname}:{here.port}"
            self.urls = Urls(self.urls.owner, urlunsplit(here._replace(netloc=place)))

    def _start(self) -> EmbeddedPostgres:
        options = {"max_connections": "100"}
        postgres = EmbeddedPostgres(self._folder, options=options, programs=PROGRAMS)
        self._stack.callback(postgres.stop)
        return postgres

    def connect(self) -> psycopg.Connection[Any]:
        """A connection as the owner, in autocommit mode."""
        return psycopg.connect(self.urls.owner, autocommit=True)

    def with_database(self, name: str) -> "Machine":
        """The same PostgreSQL with a new database, also if a failed test has left one with this name."""
        with self.connect() as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            conn.execute(f"CREATE DATABASE {name}".encode())
        other = copy(self)
        other.urls = Urls(
            *(urlunsplit(urlsplit(url)._replace(path=name)) for url in (self.urls.owner, self.urls.server))
        )
        return other

    def stop(self) -> None:
        """Stop PostgreSQL."""
        self._postgres.stop()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Context in which all processes of PostgreSQL are stopped, and continue at its end."""
        first = postmaster(self._folder)
        children = Path(f"/proc/{first}/task/{first}/children")
        os.kill(first, signal.SIGSTOP)  # first, so that it starts no further process
        processes = [first, *map(int, children.read_text().split())]
        try:
            for process in processes[1:]:
                os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def start_again(self) -> None:
        """Start PostgreSQL again, on the same port."""
        self._postgres = self._start()
        assert self._postgres.start().owner == self.urls.owner


class ShardedInstallation:
    """The databases. proxy, shards: their machines. settings: of its servers, as variables."""

    def __init__(self, proxy: Machine, shards: list[Machine]) -> None:
        self.proxy, self.shards = proxy, shards
        self.settings = {
            "DATABASE_URL": self.proxy.urls.server,
            "BUSWARE_OWNER_URL": self.proxy.urls.owner,
            "BUSWARE_SHARDS": ",".join(shard.urls.owner for shard in self.shards),
            "BUSWARE_EXEMPT_NETWORKS": "127.0.0.0/8",
            "BUSWARE_LOG_LEVEL": "warning",
        }
        self.prepare()
        self.add_services()

    def prepare(self, **changed: Any) -> None:
        """Prepare all databases, as a server does at its start. changed: settings."""
        urls = tuple(shard.urls.owner for shard in self.shards)
        settings = Settings(shards=urls, seed=False, connect_seconds=2, **changed)
        prepare_shards(self.proxy.urls.owner, self.proxy.urls.server, settings)

    def add_services(self) -> None:
        """Add the services of timetable.sql, and large ones with the numbers from FIRST_BUS on."""
        for machine in (self.proxy, *self.shards):
            with machine.connect() as conn:
                conn.execute(TIMETABLE.read_bytes())
                conn.execute(
                    "SELECT api.add_service(n, 'Bus ' || n, 'KSRTC', %s, sales_days => 14, stops => %s) "
                    "FROM generate_series(%s::int, %s) AS n",
                    ("...D\n" + "ss.ss\n" * ROWS, STOPS, FIRST_BUS, FIRST_BUS + BUSES - 1),
                )
                conn.execute("SELECT api.open_sales(bus_id) FROM bus_info")

    def with_databases(self, name: str) -> "ShardedInstallation":
        """Another installation, in new databases on the same machines."""
        return ShardedInstallation(
            self.proxy.with_database(name), [shard.with_database(name) for shard in self.shards]
        )

    def trips(self, shard: Machine) -> list[tuple[int, date]]:
        """The later trips of the large services of a shard."""
        later = """
            SELECT bus_id, travel_date FROM trips
            WHERE bus_id BETWEEN %s AND %s AND travel_date > current_date + 1
        """
        with shard.connect() as conn:
            return conn.execute(later, (FIRST_BUS, FIRST_BUS + BUSES - 1)).fetchall()

    def home(self, virtual_shard: int) -> int:
        """The number of the database of a virtual shard, from 1."""
        query = "SELECT database_no FROM shards.map WHERE virtual_shard = %s"
        with self.proxy.connect() as conn:
            ((number,),) = conn.execute(query, [virtual_shard])
        return int(number)

    def references(self) -> set[str]:
        """The references of the bookings of all shards."""
        found: set[str] = set()
        for shard in self.shards:
            with shard.connect() as conn:
                found |= {ref for (ref,) in conn.execute("SELECT DISTINCT reference FROM passengers")}
        return found

    def audit(self) -> list[Any]:
        """The findings of all databases."""
        findings = []
        for machine in (self.proxy, *self.shards):
            with machine.connect() as conn:
                findings += audit(conn)
        return findings

    def server(self, *arguments: str, **settings: Any) -> ServerProcess:
        """A server of the installation. settings: more of them, or `program`, that of another release."""
        return ServerProcess("0", *arguments, **(self.settings | settings))


@pytest.fixture(scope="session")
def sharded() -> Iterator[ShardedInstallation]:
    if not PL_PROXY.exists():
        pytest.skip("PL/Proxy is not installed: apt install postgresql-15-plproxy")
    with ExitStack() as stack:
        proxy = Machine(stack)
        yield ShardedInstallation(proxy, [Machine(stack, proxy.urls) for _ in range(SHARDS)])
