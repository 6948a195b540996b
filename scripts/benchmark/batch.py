"""The cost of a batch in PostgreSQL: bookings in batches of several sizes, over one connection, no server.

The difference between elapsed time and processor time is mostly the wait of the commit for the disk. The
times of functions come from track_functions, which is off while batches are timed.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
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
from scripts.benchmark.sides import backend_times
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
            result = book(datasets, database, size, min(MAX_BATCHES, BOOKINGS // size))
        elapsed_us, processor_us = 1e6 * result.seconds, sum(result.databases_us)
        print(f"{size:8}{1e6 / elapsed_us:12,.0f}{elapsed_us:10.0f}{processor_us:12.0f}", flush=True)
    with datasets.clone(BOOK.dataset) as database:
        _profile(datasets, database)


def _profile(datasets: Datasets, database: str) -> None:
    with datasets.connect(database) as owner:
        owner.execute(f"ALTER DATABASE {database} SET track_functions = 'all'")
        batches = BOOKINGS // PROFILED_BATCH_SIZE
        book(datasets, database, PROFILED_BATCH_SIZE, batches)
        owner.execute("SELECT pg_stat_force_next_flush()")
        rows = owner.execute(
            "SELECT funcname, calls, self_time FROM pg_stat_user_functions ORDER BY self_time DESC LIMIT %s",
            [MAX_FUNCTIONS],
        ).fetchall()
    bookings = (batches + WARMUP_BATCHES) * PROFILED_BATCH_SIZE
    print(f"\nTime in each function for a booking, in batches of {PROFILED_BATCH_SIZE}:")
    for name, calls, milliseconds in rows:
        print(f"{1000 * milliseconds / bookings:8.1f} µs  {name} (called {calls / bookings:.2f} times)")


@dataclass(frozen=True)
class Booked:
    """What a booking took. seconds: elapsed.

    databases_us: processor time of the backends in microseconds: in the database, then in each of its shards.
    """

    seconds: float
    databases_us: list[float]


def book(datasets: Datasets, database: str, size: int, batches: int) -> Booked:
    """Make bookings in a number of batches of one size. With shards, the batches are for each in turn."""
    settings = Settings()
    with ExitStack() as stack:
        url, deadlines = datasets.urls(database).server, Deadlines(settings)
        queues = range(datasets.queues)
        connections = [stack.enter_context(connect(url, settings, "bench", deadlines)) for _ in queues]
        warmup = WARMUP_BATCHES * datasets.queues
        made = list(islice(_batches(datasets, database, size), warmup + batches))
        for queue, batch in made[:warmup]:
            _send(connections[queue], batch)
        before, began = backend_times(datasets, database), perf_counter()
        for queue, batch in made[warmup:]:
            _send(connections[queue], batch)
        seconds, after = perf_counter() - began, backend_times(datasets, database)
    datasets.audit(database)
    bookings = size * len(made[warmup:])
    return Booked(seconds / bookings, [(b - a) / bookings for a, b in zip(before, after, strict=True)])


def _batches(datasets: Datasets, database: str, size: int) -> Iterator[tuple[int, bytes]]:
    """The parameters of the writer's statement, with bookings that are not refused, and the queue of each."""
    waiting: list[list[Call]] = [[] for _ in range(datasets.queues)]
    with datasets.connect(database) as conn:
        for n, (line,) in enumerate(BOOK.operations(BOOK.dataset, conn)):
            args = json.loads(line)["params"]
            queue = datasets.queue_of(args["bus_id"])
            waiting[queue].append(Call("book", Raw(json.dumps(args).encode()), f"{n}"))
            if len(waiting[queue]) == size:
                yield queue, msgspec.json.encode(waiting[queue])
                waiting[queue] = []


def _send(conn: psycopg.Connection, batch: bytes) -> None:
    if any(refused for _, refused, _ in conn.execute(BATCH, (Raw(batch),), prepare=True)):
        raise InvalidRun("a booking of a free seat was refused")
