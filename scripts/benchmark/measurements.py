"""All measurements by name: what is measured, what it is compared with, and the target.

A measurement compares two sides, which run in turn on one PostgreSQL: limit, ours, limit, ours, … limit. The
ratio of a run is our figure divided by the mean of the limits before and after it. The result is the median
of the ratios.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from scripts.benchmark import workloads
from scripts.benchmark.datasets import Datasets
from scripts.benchmark.load import Duration
from scripts.benchmark.sides import Client, PgBench, Sample, Server, Side, Starting

Quantity = Literal["rate", "median", "p99"]


@dataclass(frozen=True)
class Target:
    """The smallest acceptable ratio; for latencies, the largest."""

    ratio: float
    at_most: bool = False

    def reached(self, ratio: float) -> bool:
        """Whether a ratio meets the target."""
        return ratio <= self.ratio if self.at_most else ratio >= self.ratio

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.ratio:g}"


@dataclass(frozen=True)
class Measurement:
    """A row of the table. limit: None if the target is for the figure itself, not for a ratio."""

    what: str
    ours: Side
    limit: Side | None
    target: Target
    quantity: Quantity = "rate"

    def run(
        self, datasets: Datasets, runs: int, duration: Duration, tell: Callable[[Side, Sample], None]
    ) -> "Result":
        """Run the two sides in turn. tell: called with each sample. Raises InvalidRun."""

        def sample(side: Side) -> Sample:
            taken = side.run(datasets, duration)
            tell(side, taken)
            return taken

        ours: list[Sample] = []
        limits = [sample(self.limit)] if self.limit else []
        for _ in range(runs):
            ours.append(sample(self.ours))
            if self.limit:
                limits.append(sample(self.limit))
        return Result(self, ours, limits)


@dataclass(frozen=True)
class Result:
    """The samples of a measurement. limits: one more than ours, or none."""

    of: Measurement
    ours: list[Sample]
    limits: list[Sample]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """The ratio of each run; the figure itself if there is no limit."""
        ours, limits = self.figures(self.ours), self.figures(self.limits)
        beside = [(before + after) / 2 for before, after in pairwise(limits)]
        return [figure / limit for figure, limit in zip(ours, beside, strict=True)] if limits else ours

    def figures(self, samples: list[Sample]) -> list[float]:
        """The measured quantity of each sample."""
        return [float(getattr(sample, self.of.quantity)) for sample in samples]


def least(ratio: float) -> Target:
    """A target for throughput."""
    return Target(ratio)


def most(ratio: float) -> Target:
    """A target for latency."""
    return Target(ratio, at_most=True)


def _booking() -> Iterator[tuple[str, Measurement]]:
    book, rush = workloads.BOOK, workloads.RUSH
    one = Server(book, 1)
    yield "book-1", Measurement("bookings, 1 client: latency", one, PgBench(book, 1), most(1.6), "median")
    for clients, limit, target in ((16, 16, 0.9), (64, 64, 1.3), (256, 256, 2), (512, 256, 2)):
        what = f"bookings, {clients} clients, 200 trips"
        yield f"book-{clients}", Measurement(what, Server(book, clients), PgBench(book, limit), least(target))
    hot = Server(rush, 64)
    what = "bookings on one trip, 64 clients, compared with pgbench"
    yield "hot", Measurement(what, hot, PgBench(rush, 64), least(3))
    what = "bookings on one trip, 64 clients, compared with 200 trips"
    yield "hot-own", Measurement(what, hot, Server(book, 64), least(0.8))


def _other_writes() -> Iterator[tuple[str, Measurement]]:
    for name, what, workload, target in (
        ("four", "parties of 4 in named seats, 64 clients", workloads.BOOK_FOUR, 1.3),
        ("any-four", "parties of 4 in any seats, 64 clients", workloads.BOOK_ANY_FOUR, 1.3),
        ("cancel", "cancellations, 64 clients", workloads.CANCEL, 1.2),
        ("hold", "hold and confirm, 64 clients", workloads.HOLD_AND_CONFIRM, 1.2),
        ("change", "changes of a seat, 64 clients", workloads.CHANGE_SEAT, 1.2),
    ):
        yield name, Measurement(what, Server(workload, 64), PgBench(workload, 64), least(target))


def _reads() -> Iterator[tuple[str, Measurement]]:
    for services in workloads.SEARCHED:
        for found in workloads.DISTRICTS_OF_A_HUNDRED:
            workload = workloads.search(services, found)
            what = f"search that finds {found} of {services:,} services: p99"
            limit = PgBench(workload, 1)
            yield f"search-{services}-{found}", Measurement(what, Server(workload, 1), limit, most(3), "p99")
    any_ten = workloads.search(100, 10)
    rush, limit = Server(workloads.alike(any_ten), 64), PgBench(any_ten, 64)
    what = "one search by 64 clients; pgbench: different searches that find as many"
    yield "search-rush", Measurement(what, rush, limit, least(2))
    seats = workloads.SEAT_MAP
    for clients in (16, 64):
        ours, limit = Server(seats, clients), PgBench(seats, clients)
        yield f"seat-map-{clients}", Measurement(f"seat map, {clients} clients", ours, limit, least(0.7))


def _whole_server() -> Iterator[tuple[str, Measurement]]:
    book = workloads.BOOK
    hundred = Server(book, 100)
    idle = Server(book, 100, idle=4_900)
    what = "bookings, 100 clients and 4,900 idle ones, compared with 100 alone"
    yield "idle", Measurement(what, idle, hundred, least(0.8))
    two = Server(book, 64, processes=2)
    yield (
        "processes",
        Measurement("bookings, 64 clients, 2 processes, compared with 1", two, Server(book, 64), least(1)),
    )
    http = Server(book, 16, http=True)
    yield "http", Measurement("`POST /v1/bookings`, 16 clients", http, None, least(1_000))
    start = Starting(book.dataset)
    yield "start", Measurement("start of the server to its first answer", start, None, most(1.0), "median")
    yield "client", Measurement("`client --help`", Client(), None, most(0.25), "median")


MEASUREMENTS: dict[str, Measurement] = dict([*_booking(), *_other_writes(), *_reads(), *_whole_server()])
