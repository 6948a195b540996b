"""What shards cost: bookings and searches through the proxy, compared with one database.

All databases are in one PostgreSQL 15 of Debian, which has PL/Proxy. Bookings are sent as a server's writer
sends them: in batches, each for the services of one shard. The processor time is that of all backends.
"""

import datetime
import json
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

import msgspec
import psycopg
from msgspec import Raw

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import connect
from busware.server.db.schema import prepare
from busware.server.db.shards import prepare_shards
from busware.server.db.writer import BATCH, Call
from busware.server.embedded.data_folder import Urls
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings
from scripts.benchmark.sides import processor_time

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
SHARDS = 4
FIRST_BUS, BUSES, SEATS, DAYS = 1001, 64, 160, 10
BATCH_SIZE, BATCHES, ROUNDS = 64, 40, 5
WARMUP_BATCHES, SEARCHES, WARMUP_SEARCHES = 20, 150, 20
_LAYOUT = "...D\n" + "ss.ss\n" * (SEATS // 4)
_PLACES = "INSERT INTO places (code, name) VALUES ('AA', 'Aa'), ('BB', 'Bb'), ('CC', 'Cc')"
_SERVICES = """
SELECT api.add_service(n, 'Bus ' || n, 'KSRTC', %s, sales_days => 14, stops => E'AA | - | 10:00 | 0 | 0\\n'
    'BB | 11:00 | 11:05 | 50 | 90\\nCC | 12:00 | - | 100 | 180') FROM generate_series(%s::int, %s) AS n
"""
_OF_SHARDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'busware proxy'"
_SEARCH = "SELECT 0, refused, answer FROM api.read('search', %s)"  # as in server/db/reader.py


@dataclass(frozen=True)
class _Side:
    """What is measured: the URLs of a database with all services, or of the proxy."""

    name: str
    urls: Urls


def measure() -> None:
    """Print the medians of the rounds, in which the sides alternate."""
    with _databases() as (plain, proxy):
        sides = (_Side("one database", plain), _Side(f"{SHARDS} shards", proxy))
        for title, work in (("a booking in batches of 64", _book), ("a search that finds 64 trips", _search)):
            results: dict[str, list[tuple[float, ...]]] = {side.name: [] for side in sides}
            numbers = {side.name: count() for side in sides}
            for _ in range(ROUNDS):
                for side in sides:
                    results[side.name].append(work(side, numbers[side.name]))
            _print_table(title, results)
        _print_throughput(plain, proxy)


def _print_table(title: str, results: dict[str, list[tuple[float, ...]]]) -> None:
    print(f"\n{title}: medians of {ROUNDS} rounds, µs")
    print(f"{'':16}{'processor':>12}{'in the proxy':>14}{'p50':>10}{'p99':>10}")
    widths = (12, 14, 10, 10)
    for name, rounds in results.items():
        medians = [statistics.median(values) for values in zip(*rounds, strict=True)]
        cells = [f"{value:{width}.0f}" for value, width in zip(medians, widths, strict=True)]
        print(f"{name:16}{''.join(cells)}")
    pairs = list(zip(*results.values(), strict=True))
    ratios = [statistics.median(shards[n] / plain[n] for plain, shards in pairs) for n in (0, 2, 3)]
    print(f"{'ratio':16}{ratios[0]:12.2f}{'':14}{ratios[1]:10.2f}{ratios[2]:10.2f}", flush=True)


@contextmanager
def _databases() -> Iterator[tuple[Urls, Urls]]:
    """One database with all services, and an installation with shards."""
    folder = Path(tempfile.mkdtemp(prefix="busware-bench-"))
    folder.chmod(0o711)
    postgres = EmbeddedPostgres(folder, options={"max_connections": "60"}, programs=PROGRAMS)
    try:
        plain = postgres.start()
        names = ["proxy", *(f"shard{n}" for n in range(1, SHARDS + 1))]
        with psycopg.connect(plain.owner, autocommit=True) as conn:
            for name in names:
                conn.execute(f"CREATE DATABASE {name}".encode())
        urls = {name: Urls(*(url.removesuffix("busware") + name for url in plain)) for name in names}
        settings = Settings(seed=False, shards=tuple(urls[name].owner for name in names[1:]))
        prepare(plain.owner, plain.server, settings)
        prepare_shards(urls["proxy"].owner, urls["proxy"].server, settings)
        for url in (plain, *urls.values()):
            with psycopg.connect(url.owner, autocommit=True) as conn:
                conn.execute(_PLACES)
                conn.execute(_SERVICES, (_LAYOUT, FIRST_BUS, FIRST_BUS + BUSES - 1))
                conn.execute("SELECT api.open_sales(bus_id) FROM bus_info")
        yield plain, urls["proxy"]
    finally:
        postgres.stop()
        shutil.rmtree(folder)


def _batches(numbers: Iterator[int], first_bus: int, shard: int = 0) -> Iterator[bytes]:
    """Batches of bookings of free seats on services of one shard, by position."""
    buses = [bus for bus in range(first_bus, first_bus + BUSES) if bus % SHARDS == shard]
    while True:
        calls = []
        for n in islice(numbers, BATCH_SIZE):
            trip, seat = divmod(n, SEATS)
            day, bus = divmod(trip, len(buses))
            args = {
                "bus_id": buses[bus], "travel_date": _day(day), "origin": "Aa", "destination": "Cc",
                "seats": [seat + 1], "phone": "+919845012345",
            }  # fmt: skip
            calls.append(Call("book", Raw(json.dumps(args).encode()), f"{shard}-{n}"))
        yield msgspec.json.encode(calls)


def _day(number: int) -> str:
    return str(datetime.date.today() + datetime.timedelta(days=2 + number))


def _timed(
    side: _Side, statement: str, parameters: list[Raw], warmup: int
) -> tuple[float, float, list[float]]:
    """The processor time of a statement, of it that in the proxy, and how long each took: microseconds."""
    settings = Settings()
    with (
        connect(side.urls.server, settings, "bench", Deadlines(settings)) as conn,
        psycopg.connect(side.urls.owner, autocommit=True) as owner,
    ):
        for parameter in parameters[:warmup]:
            _send(conn, statement, parameter)
        others = [pid for (pid,) in owner.execute(_OF_SHARDS)]
        groups = ([conn.info.backend_pid], others)
        before, durations = [processor_time(group) for group in groups], []
        for parameter in parameters[warmup:]:
            began = perf_counter()
            rows = _send(conn, statement, parameter)
            durations.append(1e6 * (perf_counter() - began))
            if any(refused for _, refused, _ in rows):
                raise SystemExit("No figure: a call was refused.")
        own, of_shards = (processor_time(group) - begun for group, begun in zip(groups, before, strict=True))
    number = len(durations)
    return (own + of_shards) / number, own / number if others else 0.0, durations


def _send(conn: psycopg.Connection[Any], statement: str, parameter: Raw) -> list[tuple[Any, ...]]:
    """Execute a statement; as the writer does, again if two bookings of the batch got one reference."""
    while True:
        with suppress(psycopg.errors.UniqueViolation):
            return conn.execute(statement, (parameter,), prepare=True).fetchall()


def _book(side: _Side, numbers: Iterator[int]) -> tuple[float, ...]:
    batches = [Raw(batch) for batch in islice(_batches(numbers, FIRST_BUS), WARMUP_BATCHES + BATCHES)]
    used, in_proxy, durations = _timed(side, BATCH, batches, WARMUP_BATCHES)
    each = [duration / BATCH_SIZE for duration in durations]
    return (used / BATCH_SIZE, in_proxy / BATCH_SIZE, *_centiles(each))


def _search(side: _Side, numbers: Iterator[int]) -> tuple[float, ...]:
    args = Raw(json.dumps({"origin": "Aa", "destination": "Cc", "date": _day(1)}).encode())
    used, in_proxy, durations = _timed(side, _SEARCH, [args] * (WARMUP_SEARCHES + SEARCHES), WARMUP_SEARCHES)
    return (used, in_proxy, *_centiles(durations))


def _centiles(durations: list[float]) -> tuple[float, float]:
    centiles = statistics.quantiles(durations, n=100)
    return centiles[49], centiles[98]


def _print_throughput(plain: Urls, proxy: Urls) -> None:
    """Print the bookings of one database in a second, and those of two shards at the same time."""
    rates: dict[str, list[float]] = {"one database": [], "two shards at once": []}
    offset = 2 * ROUNDS * BATCH_SIZE * (BATCHES + WARMUP_BATCHES)
    for n in range(ROUNDS):
        start = offset + n * BATCH_SIZE * BATCHES
        rates["one database"].append(_rate(plain, [0], start))
        rates["two shards at once"].append(_rate(proxy, [0, 1], start))
    print(f"\nbookings a second in batches of {BATCH_SIZE}: medians of {ROUNDS} rounds")
    for name, values in rates.items():
        print(f"{name:24}{statistics.median(values):8.0f}")
    ratio = statistics.median(two / one for one, two in zip(*rates.values(), strict=True))
    print(f"{'ratio':24}{ratio:8.2f}")


def _rate(urls: Urls, shards: list[int], start: int) -> float:
    """The bookings a second, with a connection for each of the shards."""
    settings = Settings()

    def book(shard: int) -> None:
        with connect(urls.server, settings, "bench", Deadlines(settings)) as conn:
            for batch in islice(_batches(count(start), FIRST_BUS, shard), BATCHES // len(shards)):
                _send(conn, BATCH, Raw(batch))

    threads = [Thread(target=book, args=(shard,)) for shard in shards]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return BATCHES // len(shards) * len(shards) * BATCH_SIZE / (perf_counter() - began)
