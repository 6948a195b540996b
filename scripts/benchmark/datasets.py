"""The datasets of the benchmark: databases with a timetable, on an embedded PostgreSQL of their own.

A dataset is created once, as a template, by api.add_service like any timetable; it is created again when its
definition has changed. A run that writes gets a clone, which is dropped afterwards, so that all runs begin
with the same rows. PostgreSQL has the options of the server's embedded one: fsync and synchronous_commit are
on.

With shards (`Datasets.spread`), a dataset is a database of the proxy, and one of the same name in each shard
with its part of the services.

A district is a group of services with the same stops. Two districts have no stop in common. All trips are on
dates far in the future, so that a dataset can be used for years.
"""

import copy
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from busware.server.db.schema import prepare
from busware.server.db.shards import VIRTUAL_SHARDS, prepare_shards
from busware.server.embedded.data_folder import Urls
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings

FIRST_DATE = date(2090, 1, 2)
DEPARTURE_PERIOD_MINUTES = 18 * 60  # the departures of a district are spread over this time
MAX_CONNECTIONS = 400  # 256 of pgbench, and those of the server
BOOKINGS_PER_TRANSACTION = 500  # while a dataset with bookings is created

Connection = psycopg.Connection[tuple[Any, ...]]


class InvalidRun(Exception):
    """A run without a valid figure: the audit has findings, an operation was lost, or a limit was reached."""


@dataclass(frozen=True)
class Dataset:
    """The definition of a dataset.

    rows: the number of rows of four seats in the layout of every service.
    districts: the number of services in each district; the tuple is repeated until all services have one.
    sold: the number of bookings that the dataset begins with. Each is of one leg. They are on every second
    seat, and the table bench_bookings lists them.
    """

    name: str
    services: int = 20
    days: int = 10
    rows: int = 10
    stops: int = 21
    districts: tuple[int, ...] = (20,)
    sold: int = 0

    @property
    def seats(self) -> int:
        """The number of seats of a trip."""
        return 4 * self.rows

    @property
    def trips(self) -> int:
        """The number of trips."""
        return self.services * self.days

    @property
    def capacity(self) -> int:
        """The maximal number of bookings, if each is of one seat over one leg."""
        return self.trips * self.seats * (self.stops - 1)

    def timetable(self) -> Iterator[tuple[int, int, int]]:
        """For each service: its number, its district, and the minute of its departure."""
        bus_id = district = 0
        while True:
            for size in self.districts:
                district += 1
                for n in range(size):
                    bus_id += 1
                    if bus_id > self.services:
                        return
                    yield bus_id, district, n * DEPARTURE_PERIOD_MINUTES // size

    def digest(self) -> str:
        """A digest of the definition. It does not depend on sql/, which is upgraded in place."""
        return hashlib.sha256(repr(self).encode() + Path(__file__).read_bytes()).hexdigest()


class Datasets:
    """The embedded PostgreSQL with the datasets; it runs inside a `with`.

    programs: the folder of PostgreSQL's programs; None: those that the server chooses.
    """

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        options = {"max_connections": str(MAX_CONNECTIONS)}
        self._postgres = EmbeddedPostgres(folder, options=options, programs=programs)
        self._shards: Sequence[Datasets] = ()
        self._ready: set[Dataset] = set()

    def __enter__(self) -> Self:
        self._urls = self._postgres.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._postgres.stop()

    def spread(self, shards: "Sequence[Datasets]") -> "Datasets":
        """The datasets of an installation with shards, with the databases of its proxy on this PostgreSQL."""
        datasets = copy.copy(self)
        datasets._shards, datasets._ready = tuple(shards), set()
        return datasets

    @property
    def programs(self) -> Path:
        """The folder of PostgreSQL's programs, such as pgbench."""
        return self._postgres.data_folder.programs

    @property
    def queues(self) -> int:
        """The number of queues that a server has for writes: one for each shard."""
        return max(1, len(self._shards))

    def queue_of(self, bus_id: int) -> int:
        """The queue of a service, from 0, in a new installation."""
        return bus_id % VIRTUAL_SHARDS % self.queues

    def urls(self, database: str) -> Urls:
        """The URLs of a database; with shards, of the database of the proxy."""
        return Urls(*(url.removesuffix("busware") + database for url in self._urls))

    def shard_urls(self, database: str) -> list[str]:
        """The owner's URLs of the shards of a database."""
        return [shard.urls(database).owner for shard in self._shards]

    def connect(self, database: str) -> Connection:
        """A connection as the owner, in autocommit mode; with shards, to the database of the proxy."""
        return psycopg.connect(self.urls(database).owner, autocommit=True)

    @contextmanager
    def connect_each(self, database: str) -> Iterator[list[Connection]]:
        """Connections to a database and to its shards, as `connect`."""
        with ExitStack() as stack:
            yield [stack.enter_context(each.connect(database)) for each in (self, *self._shards)]

    def template(self, dataset: Dataset) -> str:
        """The database of a dataset, with the functions of this version. Created if it is missing."""
        name = f"dataset_{dataset.name}" + (f"_{len(self._shards)}" if self._shards else "")
        if dataset not in self._ready:
            stored = {each._stored_digest(name) for each in (self, *self._shards)}
            if stored != {dataset.digest()}:
                self._create(dataset, name)
            self._prepare(name)
            self._ready.add(dataset)
        return name

    @contextmanager
    def clone(self, dataset: Dataset) -> Iterator[str]:
        """A copy of a dataset, for one run."""
        template = self.template(dataset)
        with ExitStack() as stack:
            for each in (self, *self._shards):
                stack.enter_context(each._copy(template, "load"))
            if self._shards:
                self._prepare("load")  # the map of the copy leads to the template
            yield "load"

    def audit(self, database: str) -> None:
        """Raise InvalidRun if the audit has findings."""
        with self.connect_each(database) as connections:
            for conn in connections:
                rows = conn.execute("SELECT rule, bus_id, travel_date, finding FROM api.audit()").fetchall()
                if rows:
                    raise InvalidRun(f"the audit has {len(rows)} findings, first: {rows[0]}")

    @contextmanager
    def _copy(self, template: str, name: str) -> Iterator[None]:
        with self.connect("busware") as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            conn.execute(copied.format(sql.Identifier(name), sql.Identifier(template)))
            conn.execute("CHECKPOINT")
            try:
                yield
            finally:
                conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _prepare(self, name: str) -> None:
        """Bring a database, and its shards, to this version."""
        settings = Settings(seed=False, shards=tuple(self.shard_urls(name)) or None)
        if self._shards:
            prepare_shards(*self.urls(name), settings)
        else:
            prepare(*self.urls(name), settings)

    def _stored_digest(self, database: str) -> str | None:
        """The digest in the comment on a database; None without a database or a comment."""
        with self.connect("busware") as conn:
            row = conn.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
            ).fetchone()
        return row[0] if row else None

    def _create(self, dataset: Dataset, name: str) -> None:
        spread = f" in {len(self._shards)} shards" if self._shards else ""
        print(
            f"Creating dataset {dataset.name}{spread}: {dataset.trips:,} trips with {dataset.seats} seats …",
            flush=True,
        )
        database = sql.Identifier(name)
        for each in (self, *self._shards):
            with each.connect("busware") as conn:
                conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
                conn.execute(sql.SQL("CREATE DATABASE {}").format(database))
        self._prepare(name)
        with self.connect_each(name) as connections:
            for conn in connections:
                _add_services(conn, dataset)
            _create_bookings(connections[0], dataset)
            for conn in connections:
                conn.execute("VACUUM ANALYZE")
                comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
                conn.execute(comment.format(database, sql.Literal(dataset.digest())))


def stop_name(district: int, stop: int) -> str:
    """The name of a stop of a district."""
    return f"Stop {district}-{stop}"


def _add_services(conn: Connection, dataset: Dataset) -> None:
    """Add the services that the database may have: all, or those of a shard, or none in that of the proxy."""
    drawing = "\n".join(["ss.ss"] * dataset.rows)
    place = "INSERT INTO places (code, name) VALUES (%s, %s)"
    districts = {district for _, district, _ in dataset.timetable()}
    conn.cursor().executemany(
        place,
        [(f"S{d}-{n}", stop_name(d, n)) for d in sorted(districts) for n in range(1, dataset.stops + 1)],
    )
    conn.execute("ANALYZE places")  # the functions that look them up are planned with these statistics
    for bus_id, district, minute in dataset.timetable():
        if conn.execute("SELECT api.keeps_service(%s)", [bus_id]).fetchone() == (False,):
            continue
        with conn.transaction():
            conn.execute(
                "SELECT api.add_service(bus_id => %s, name => 'Bench', operator => 'Bench', "
                "layout => %s, stops => %s, first_date => %s)",
                (bus_id, drawing, _stops(dataset, district, minute), FIRST_DATE),
            )
            conn.execute(
                "SELECT api.open_sales(%s::bigint, %s::date, %s::date + %s::int - 1)",
                (bus_id, FIRST_DATE, FIRST_DATE, dataset.days),
            )


def _stops(dataset: Dataset, district: int, minute: int) -> str:
    """The timetable of a service, with ten minutes between stops."""
    lines = []
    for n in range(1, dataset.stops + 1):
        at = minute + 10 * n
        time = f"{at // 60}:{at % 60:02}"
        arrives, departs = ("-", time) if n == 1 else (time, "-" if n == dataset.stops else time)
        lines.append(f"{stop_name(district, n)} | {arrives} | {departs} | {10 * n} | {15 * n}")
    return "\n".join(lines)


def _create_bookings(conn: Connection, dataset: Dataset) -> None:
    """Make the bookings of a dataset, and list them in bench_bookings."""
    conn.execute("CREATE TABLE bench_bookings (n int PRIMARY KEY, reference text, phone text, seat_no int)")
    for n in range(0, dataset.sold, BOOKINGS_PER_TRANSACTION):
        conn.execute(
            """
            WITH wanted AS (
                SELECT n, '+9199' || lpad(n::text, 8, '0') AS phone, 1 + n %% %(services)s AS bus_id,
                       %(first)s + n / %(services)s %% %(days)s AS travel_date,
                       2 * (n / %(trips)s %% %(pairs)s) + 1 AS seat_no,
                       1 + n / %(trips)s / %(pairs)s AS stop_no
                FROM generate_series(%(n)s::int, least(%(n)s::int + %(chunk)s, %(sold)s) - 1) AS n
            )
            INSERT INTO bench_bookings
            SELECT w.n, b.answer ->> 'reference', w.phone, w.seat_no
            FROM api.batch((SELECT jsonb_agg(jsonb_build_object('method', 'book', 'args',
                    jsonb_build_object('bus_id', w.bus_id, 'travel_date', w.travel_date, 'phone', w.phone,
                        'from_stop', w.stop_no, 'to_stop', w.stop_no + 1, 'seats', ARRAY[w.seat_no]))
                    ORDER BY w.n) FROM wanted w)) AS b
            JOIN wanted w ON w.n = b.n + %(n)s::int
            """,
            {
                "n": n,
                "chunk": BOOKINGS_PER_TRANSACTION,
                "sold": dataset.sold,
                "pairs": dataset.seats // 2,
                "trips": dataset.trips,
                "services": dataset.services,
                "days": dataset.days,
                "first": FIRST_DATE,
            },
        )
