"""All measurements by name: what is measured, what it is compared with, and the target.

A measurement compares this server with a baseline. They run in turn on one PostgreSQL: baseline, ours,
baseline, ours, … baseline. The ratio of a run is our figure divided by the mean of the baseline's figures
before and after it. The result is the median of the ratios.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from scripts.benchmark import workloads
from scripts.benchmark.datasets import Datasets
from scripts.benchmark.load import Duration
from scripts.benchmark.sides import ClientHelp, PgBench, Sample, Server, Side, Starting

Quantity = Literal["rate", "median", "p99"]


@dataclass(frozen=True)
class Target:
    """The smallest acceptable ratio, or figure if there is no baseline; for latencies, the largest."""

    limit: float
    is_maximum: bool = False
    unit: str = ""  # of a figure

    def is_met_by(self, value: float) -> bool:
        """Whether a ratio or figure meets the target."""
        return value <= self.limit if self.is_maximum else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.is_maximum else '≥'} {self.limit:g}{self.unit}"


@dataclass(frozen=True)
class Measurement:
    """A row of the table in docs/performance.md.

    baseline: None if the target is for the figure itself, not for a ratio.
    """

    title: str
    ours: Side
    baseline: Side | None
    target: Target
    quantity: Quantity = "rate"

    def run(
        self, datasets: Datasets, runs: int, duration: Duration, on_sample: Callable[[Side, Sample], None]
    ) -> "Result":
        """Run the two sides in turn. on_sample: called with each sample. Raises InvalidRun."""

        def sample(side: Side) -> Sample:
            taken = side.run(datasets, duration)
            on_sample(side, taken)
            return taken

        ours: list[Sample] = []
        baselines = [sample(self.baseline)] if self.baseline else []
        for _ in range(runs):
            ours.append(sample(self.ours))
            if self.baseline:
                baselines.append(sample(self.baseline))
        return Result(self, ours, baselines)


@dataclass(frozen=True)
class Result:
    """The samples of a measurement. baselines: one more than ours, or none."""

    measurement: Measurement
    ours: list[Sample]
    baselines: list[Sample]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """The ratio of each run; the figure itself if there is no baseline."""
        ours, baselines = self.figures(self.ours), self.figures(self.baselines)
        means = [(before + after) / 2 for before, after in pairwise(baselines)]
        return (
            [figure / baseline for figure, baseline in zip(ours, means, strict=True)] if baselines else ours
        )

    def figures(self, samples: list[Sample]) -> list[float]:
        """The measured quantity of each sample."""
        return [float(getattr(sample, self.measurement.quantity)) for sample in samples]


def at_least(limit: float, unit: str = "") -> Target:
    """A target for throughput."""
    return Target(limit, unit=unit)


def at_most(limit: float, unit: str = "") -> Target:
    """A target for latency."""
    return Target(limit, is_maximum=True, unit=unit)


def _booking() -> Iterator[tuple[str, Measurement]]:
    book, one_trip = workloads.BOOK, workloads.BOOK_ONE_TRIP
    one = Server(book, 1)
    yield "book-1", Measurement("bookings, 1 client: latency", one, PgBench(book, 1), at_most(1.6), "median")
    for clients, connections, target in ((16, 16, 0.9), (64, 64, 1.3), (256, 256, 2), (512, 256, 2)):
        title = f"bookings, {clients} clients, 200 trips"
        yield (
            f"book-{clients}",
            Measurement(title, Server(book, clients), PgBench(book, connections), at_least(target)),
        )
    hot = Server(one_trip, 64)
    title = "bookings on one trip, 64 clients, compared with pgbench"
    yield "hot", Measurement(title, hot, PgBench(one_trip, 64), at_least(3))
    title = "bookings on one trip, 64 clients, compared with 200 trips"
    yield "hot-own", Measurement(title, hot, Server(book, 64), at_least(0.8))


def _other_writes() -> Iterator[tuple[str, Measurement]]:
    for name, title, workload, target in (
        ("four", "parties of 4 in named seats, 64 clients", workloads.BOOK_FOUR, 1.3),
        ("any-four", "parties of 4 in any seats, 64 clients", workloads.BOOK_ANY_FOUR, 1.3),
        ("cancel", "cancellations, 64 clients", workloads.CANCEL, 1.2),
        ("hold", "hold and confirm, 64 clients", workloads.HOLD_AND_CONFIRM, 1.2),
        ("change", "changes of a seat, 64 clients", workloads.CHANGE_SEAT, 1.2),
    ):
        yield name, Measurement(title, Server(workload, 64), PgBench(workload, 64), at_least(target))


def _reads() -> Iterator[tuple[str, Measurement]]:
    for services in workloads.SEARCH_DATASETS:
        for found in workloads.DISTRICTS_BY_SIZE:
            workload = workloads.search(services, found)
            title = f"search that finds {found} of {services:,} services: p99"
            baseline = PgBench(workload, 1)
            yield (
                f"search-{services}-{found}",
                Measurement(title, Server(workload, 1), baseline, at_most(3), "p99"),
            )
    any_ten = workloads.search(100, 10)
    same, baseline = Server(workloads.repeat_first(any_ten), 64), PgBench(any_ten, 64)
    title = "the same search by 64 clients; pgbench: different searches, each with as many results"
    yield "search-rush", Measurement(title, same, baseline, at_least(2))
    seats = workloads.SEAT_MAP
    for clients in (16, 64):
        ours, baseline = Server(seats, clients), PgBench(seats, clients)
        yield (
            f"seat-map-{clients}",
            Measurement(f"seat map, {clients} clients", ours, baseline, at_least(0.7)),
        )


def _whole_server() -> Iterator[tuple[str, Measurement]]:
    book = workloads.BOOK
    hundred = Server(book, 100)
    idle = Server(book, 100, idle=4_900)
    title = "bookings, 100 clients and 4,900 idle ones, compared with 100 alone"
    yield "idle", Measurement(title, idle, hundred, at_least(0.8))
    two = Server(book, 64, processes=2)
    yield (
        "processes",
        Measurement("bookings, 64 clients, 2 processes, compared with 1", two, Server(book, 64), at_least(1)),
    )
    http = Server(book, 16, http="POST /v1/bookings")
    yield "http", Measurement("`POST /v1/bookings`, 16 clients", http, None, at_least(1_000, "/s"))
    ten = workloads.search(100, 10)
    page, reply = (Server(ten, 16, http=target) for target in ("GET /trips", "GET /v1/trips"))
    title = "search results as a page, 10 trips, 16 clients; compared with the reply as JSON"
    yield "page", Measurement(title, page, reply, at_least(0.2))
    start = Starting(book.dataset)
    yield (
        "start",
        Measurement("start of the server to its first answer", start, None, at_most(1.0, " s"), "median"),
    )
    yield "client", Measurement("`client --help`", ClientHelp(), None, at_most(0.25, " s"), "median")


MEASUREMENTS: dict[str, Measurement] = dict([*_booking(), *_other_writes(), *_reads(), *_whole_server()])
