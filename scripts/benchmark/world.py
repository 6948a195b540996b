"""The worlds of the benchmark: databases with a timetable, on a PostgreSQL of their own.

A world is made once, as a template, through api.add_service like any timetable; it is kept, and made
anew when it is another. A load that writes gets a clone of it, and drops that afterwards, so that every
load begins with the same rows. PostgreSQL runs as the server's embedded one does: fsync and
synchronous_commit are on.

The services of a district call at the same stops, of which no other district has any; all of a world's
trips run on dates far ahead, so that a world does not age.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from busware.server.db.schema import prepare
from busware.server.embedded.data_folder import Urls
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings

FIRST_DATE = date(2090, 1, 2)
MINUTES_OF_SERVICE = 18 * 60  # over which the departures of a district are spread
CONNECTIONS = 400  # 256 of pgbench's, and the server's own
SALE_CHUNK = 500  # bookings of a world with tickets that are made in one transaction

Connection = psycopg.Connection[tuple[Any, ...]]


class Unsound(Exception):
    """A load left something behind that the audit finds fault with, or lost what it acknowledged."""


@dataclass(frozen=True)
class World:
    """What a world has. rows: of four seats. districts: sizes, repeated until there are enough services.

    sold: of every second seat, so many stretches of one leg are booked, and listed in bench_bookings.
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
        """The seats of a trip."""
        return 4 * self.rows

    @property
    def trips(self) -> int:
        """How many trips there are."""
        return self.services * self.days

    @property
    def stretches(self) -> int:
        """How many bookings of one seat over one leg there is room for."""
        return self.trips * self.seats * (self.stops - 1)

    def timetable(self) -> Iterator[tuple[int, int, int]]:
        """Each service: its number, its district, and its departure from the origin in minutes."""
        bus_id = district = 0
        while True:
            for size in self.districts:
                district += 1
                for n in range(size):
                    bus_id += 1
                    if bus_id > self.services:
                        return
                    yield bus_id, district, n * MINUTES_OF_SERVICE // size

    def digest(self) -> str:
        """Changes when the world would come out another; its tables and functions are brought up to date."""
        return hashlib.sha256(repr(self).encode() + Path(__file__).read_bytes()).hexdigest()


class Worlds:
    """The PostgreSQL with the worlds in it, for as long as a `with` lasts."""

    def __init__(self, folder: Path) -> None:
        self._postgres = EmbeddedPostgres(folder, options={"max_connections": str(CONNECTIONS)})

    def __enter__(self) -> Self:
        self._urls = self._postgres.start()
        self._ready: set[World] = set()
        return self

    def __exit__(self, *_: object) -> None:
        self._postgres.stop()

    @property
    def programs(self) -> Path:
        """The folder of PostgreSQL's programs, pgbench among them."""
        return self._postgres.cluster.programs

    def urls(self, database: str) -> Urls:
        """How to connect to a database."""
        return Urls(*(url.removesuffix("busware") + database for url in self._urls))

    def connect(self, database: str) -> Connection:
        """A connection as the owner, in autocommit."""
        return psycopg.connect(self.urls(database).owner, autocommit=True)

    def template(self, world: World) -> str:
        """The database of a world, with the functions of this version; made where it is missing."""
        name = f"world_{world.name}"
        if world not in self._ready:
            if self._comment(name) != world.digest():
                self._make(world, name)
            prepare(*self.urls(name), Settings(seed=False))
            self._ready.add(world)
        return name

    @contextmanager
    def clone(self, world: World) -> Iterator[str]:
        """A database like the world's, for one load."""
        template = self.template(world)
        with self.connect("busware") as conn:
            conn.execute("DROP DATABASE IF EXISTS load WITH (FORCE)")
            conn.execute(sql.SQL("CREATE DATABASE load TEMPLATE {}").format(sql.Identifier(template)))
            conn.execute("CHECKPOINT")
            try:
                yield "load"
            finally:
                conn.execute("DROP DATABASE load WITH (FORCE)")

    def audit(self, database: str) -> None:
        """Raises Unsound when a rule of the house is broken."""
        with self.connect(database) as conn:
            findings = conn.execute("SELECT rule, bus_id, travel_date, finding FROM api.audit()").fetchall()
        if findings:
            raise Unsound(f"the audit has {len(findings)} findings, first: {findings[0]}")

    def _comment(self, database: str) -> str | None:
        with self.connect("busware") as conn:
            row = conn.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
            ).fetchone()
        return row[0] if row else None

    def _make(self, world: World, name: str) -> None:
        print(f"Making the world {world.name}: {world.trips:,} trips of {world.seats} seats …", flush=True)
        database = sql.Identifier(name)
        with self.connect("busware") as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
            conn.execute(sql.SQL("CREATE DATABASE {}").format(database))
            prepare(*self.urls(name), Settings(seed=False))
            with self.connect(name) as inside:
                _add_services(inside, world)
                _sell(inside, world)
                inside.execute("VACUUM ANALYZE")
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
            conn.execute(comment.format(database, sql.Literal(world.digest())))


def stop_name(district: int, stop: int) -> str:
    """What a stop of a district is called."""
    return f"Stop {district}-{stop}"


def _add_services(conn: Connection, world: World) -> None:
    drawing = "\n".join(["ss.ss"] * world.rows)
    place = "INSERT INTO places (code, name) VALUES (%s, %s)"
    districts = {district for _, district, _ in world.timetable()}
    conn.cursor().executemany(
        place, [(f"S{d}-{n}", stop_name(d, n)) for d in sorted(districts) for n in range(1, world.stops + 1)]
    )
    conn.execute("ANALYZE places")  # before the functions that find them are planned
    for bus_id, district, minute in world.timetable():
        with conn.transaction():
            conn.execute(
                "SELECT api.add_service(bus_id => %s, name => 'Bench', operator => 'Bench', "
                "layout => %s, stops => %s, first_date => %s)",
                (bus_id, drawing, _stops(world, district, minute), FIRST_DATE),
            )
            conn.execute(
                "SELECT api.open_sales(%s::bigint, %s::date, %s::date + %s::int - 1)",
                (bus_id, FIRST_DATE, FIRST_DATE, world.days),
            )


def _stops(world: World, district: int, minute: int) -> str:
    """The timetable of a service, ten minutes from stop to stop."""
    lines = []
    for n in range(1, world.stops + 1):
        at = minute + 10 * n
        time = f"{at // 60}:{at % 60:02}"
        arrives, departs = ("-", time) if n == 1 else (time, "-" if n == world.stops else time)
        lines.append(f"{stop_name(district, n)} | {arrives} | {departs} | {10 * n} | {15 * n}")
    return "\n".join(lines)


def _sell(conn: Connection, world: World) -> None:
    """Book what is sold of a world, seat by seat and leg by leg, and list it in bench_bookings."""
    conn.execute("CREATE TABLE bench_bookings (n int PRIMARY KEY, reference text, phone text, seat_no int)")
    for n in range(0, world.sold, SALE_CHUNK):
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
            FROM api.batch((SELECT jsonb_agg(jsonb_build_object('method', 'book', 'caller', '', 'args',
                    jsonb_build_object('bus_id', w.bus_id, 'travel_date', w.travel_date, 'phone', w.phone,
                        'from_stop', w.stop_no, 'to_stop', w.stop_no + 1, 'seats', ARRAY[w.seat_no]))
                    ORDER BY w.n) FROM wanted w)) AS b
            JOIN wanted w ON w.n = b.n + %(n)s::int
            """,
            {
                "n": n,
                "chunk": SALE_CHUNK,
                "sold": world.sold,
                "pairs": world.seats // 2,
                "trips": world.trips,
                "services": world.services,
                "days": world.days,
                "first": FIRST_DATE,
            },
        )
