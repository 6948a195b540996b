"""The cost of a batch in PostgreSQL: bookings in batches of several sizes, over one connection, no server.

The difference between elapsed time and processor time is mostly the wait of the commit for the disk. The
times of functions come from track_functions, which is off while batches are timed.
"""

import json
from collections.abc import Iterator
from itertools import islice
from time import perf_counter

import msgspec
import psycopg
from msgspec import Raw

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import connect
from busware.server.db.writer import BATCH, Call
from busware.server.settings import Settings
from scripts.benchmark.datasets import Datasets, InvalidRun
from scripts.benchmark.sides import processor_time
from scripts.benchmark.workloads import BOOK

SIZES = (1, 4, 16, 64, 256)
BOOKINGS = 12_000  # for each size, in at most MAX_BATCHES batches
MAX_BATCHES = 2_000
WARMUP_BATCHES = 20  # the first ones plan every function, and are not measured
PROFILED_BATCH_SIZE = 64  # for the times of functions
MAX_FUNCTIONS = 16


def measure(datasets: Datasets) -> None:
    """Print the cost of a booking by batch size, and the time in each function. Raises InvalidRun."""
    print(f"{'batch':>8}{'bookings/s':>12}{'µs each':>10}{'processor':>12}")
    for size in SIZES:
        with datasets.clone(BOOK.dataset) as database:
            seconds, processor_us, count = _book(datasets, database, size)
        print(
            f"{size:8}{count / seconds:12,.0f}{1e6 * seconds / count:10.0f}{processor_us / count:12.0f}",
            flush=True,
        )
    with datasets.clone(BOOK.dataset) as database:
        _profile(datasets, database)


def _profile(datasets: Datasets, database: str) -> None:
    with datasets.connect(database) as owner:
        owner.execute(f"ALTER DATABASE {database} SET track_functions = 'all'")
        _, _, count = _book(datasets, database, PROFILED_BATCH_SIZE)
        owner.execute("SELECT pg_stat_force_next_flush()")
        rows = owner.execute(
            "SELECT funcname, calls, self_time FROM pg_stat_user_functions ORDER BY self_time DESC LIMIT %s",
            [MAX_FUNCTIONS],
        ).fetchall()
    bookings = count + WARMUP_BATCHES * PROFILED_BATCH_SIZE
    print(f"\nTime in each function for a booking, in batches of {PROFILED_BATCH_SIZE}:")
    for name, calls, milliseconds in rows:
        print(f"{1000 * milliseconds / bookings:8.1f} µs  {name} (called {calls / bookings:.2f} times)")


def _book(datasets: Datasets, database: str, size: int) -> tuple[float, float, int]:
    """Make bookings; return the seconds, the backend's processor time in microseconds, and their number."""
    measured = min(MAX_BATCHES, BOOKINGS // size)
    settings = Settings()
    with connect(datasets.urls(database).server, settings, "bench", Deadlines(settings)) as conn:
        batches = islice(_batches(datasets, database, size), WARMUP_BATCHES + measured)
        for batch in islice(batches, WARMUP_BATCHES):
            _send(conn, batch)
        rest, pid = list(batches), conn.info.backend_pid
        before, began = processor_time([pid]), perf_counter()
        for batch in rest:
            _send(conn, batch)
        seconds, processor_us = perf_counter() - began, processor_time([pid]) - before
    datasets.audit(database)
    return seconds, processor_us, measured * size


def _batches(datasets: Datasets, database: str, size: int) -> Iterator[bytes]:
    """The parameters of the writer's statement, with bookings that are not refused."""
    with datasets.connect(database) as conn:
        operations = BOOK.operations(BOOK.dataset, conn)
        n = 0
        while batch := list(islice(operations, size)):
            calls = []
            for (line,) in batch:
                args = json.loads(line)["params"]
                calls.append(Call("book", Raw(json.dumps(args).encode()), f"{n}"))
                n += 1
            yield msgspec.json.encode(calls)


def _send(conn: psycopg.Connection, batch: bytes) -> None:
    if any(refused for _, refused, _ in conn.execute(BATCH, (Raw(batch),), prepare=True)):
        raise InvalidRun("a booking of a free seat was refused")
