"""Compares an installation with shards with one database: what bookings and searches cost, and their rate.

Each database, of the proxy and of each shard, has a PostgreSQL of its own on this machine: Debian's 15, with
the same settings. The installations run in turn: one database, one shard, two shards, one database, … A ratio
is a figure divided by the mean of the two figures of one database beside it.

Processor time is the utime and stime of processes, in /proc. That of PostgreSQL is measured without a server:
bookings in batches of 64, over a connection for each queue of a server, so that a batch is for one shard; and
searches over one connection. That of the server is measured with clients, as are the rate of bookings and the
latency of searches.
"""

import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

from msgspec import Raw

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import connect
from busware.server.settings import Settings
from scripts.benchmark import batch, workloads
from scripts.benchmark.datasets import Datasets
from scripts.benchmark.load import Duration
from scripts.benchmark.measurements import Target, at_least, at_most
from scripts.benchmark.sides import Server, backend_times

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PL_PROXY = Path("/usr/share/postgresql/15/extension/plproxy.control")
BATCH_SIZE = 64
# Operations of a run without a server, for each measured second.
BATCHES_PER_SECOND = 100
SEARCHES_PER_SECOND = 500
WARMUP_SEARCHES = 50  # the first ones plan every function, and are not measured
BOOKINGS = Server(workloads.BOOK, 128)  # 64 clients for each of two shards
_SERVICES = replace(workloads.SEARCH_DATASETS[100], name="services_100_short", days=10)
SEARCHES = Server(replace(workloads.search(100, 10), dataset=_SERVICES), 1)
_READ = "SELECT 0, refused, answer FROM api.read(%s, %s)"  # as in server/db/reader.py

_SEARCH_P99 = "search: p99, ms"
_BOOKING_TIME = "booking: processor time, µs"
_RATE = "bookings/s"
TARGETS = {
    (_BOOKING_TIME, "one shard"): at_most(1.3),
    (_BOOKING_TIME, "two shards"): at_most(1.3),
    (_RATE, "two shards"): at_least(0.8),
    (_SEARCH_P99, "four shards"): at_most(1.5),
}

Figures = dict[str, float]
Samples = dict[str, list[Figures]]  # by installation; the first one has one more than the others


def measure(folder: Path, runs: int, duration: Duration) -> None:
    """Print the figures of each installation, and the ratios. Raises InvalidRun.

    folder: of the databases, which are kept for the next time.
    """
    if not (PROGRAMS.exists() and PL_PROXY.exists()):
        sys.exit("This needs PostgreSQL 15 with PL/Proxy: apt install postgresql-15 postgresql-15-plproxy")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        one, *shards = [stack.enter_context(Datasets(folder / f"{n}", PROGRAMS)) for n in range(5)]
        few = {"one shard": one.spread(shards[:1]), "two shards": one.spread(shards[:2])}
        for installations, take in ((few, _book), ({"four shards": one.spread(shards)}, _search)):
            samples = _alternate({"one database": one, **installations}, runs, partial(take, duration))
            print("\n".join(["", *_table(samples), "", *_ratios(samples), ""]), flush=True)


def _book(duration: Duration, datasets: Datasets) -> Figures:
    with datasets.clone(BOOKINGS.workload.dataset) as database:
        batches = max(1, round(BATCHES_PER_SECOND * duration.seconds))
        databases_us = batch.book(datasets, database, BATCH_SIZE, batches).databases_us
    sample = BOOKINGS.run(datasets, duration)
    server_us = sample.server_us or 0.0
    return {
        _BOOKING_TIME: server_us + sum(databases_us),
        **_times(server_us, databases_us),
        _RATE: sample.rate,
    }


def _search(duration: Duration, datasets: Datasets) -> Figures:
    sample = SEARCHES.run(datasets, duration)
    databases_us = _read(datasets, max(1, round(SEARCHES_PER_SECOND * duration.seconds)))
    latencies = {"search: p50, ms": 1000 * sample.median, _SEARCH_P99: 1000 * sample.p99}
    return latencies | _times(sample.server_us or 0.0, databases_us)


def _read(datasets: Datasets, searches: int) -> list[float]:
    """The processor time of a search in each of the databases, in microseconds."""
    workload, settings = SEARCHES.workload, Settings()
    database = datasets.template(workload.dataset)
    with connect(datasets.urls(database).server, settings, "bench", Deadlines(settings)) as conn:
        made = islice(workload.operations(workload.dataset, conn), WARMUP_SEARCHES + searches)
        calls = [json.loads(line) for (line,) in made]
        reads = [(call["method"], Raw(json.dumps(call["params"]).encode())) for call in calls]
        for read in reads[:WARMUP_SEARCHES]:
            conn.execute(_READ, read, prepare=True)
        before = backend_times(datasets, database)
        for read in reads[WARMUP_SEARCHES:]:
            conn.execute(_READ, read, prepare=True)
        after = backend_times(datasets, database)
    return [(b - a) / searches for a, b in zip(before, after, strict=True)]


def _times(server_us: float, databases_us: list[float]) -> Figures:
    """The processor times. The first of several databases is that of the proxy."""
    proxy_us, *shards_us = databases_us if len(databases_us) > 1 else (0.0, *databases_us)
    return {
        "in the server, µs": server_us,
        "in PostgreSQL, proxy, µs": proxy_us,
        "in PostgreSQL, others, µs": sum(shards_us),
    }


def _alternate(
    installations: Mapping[str, Datasets], runs: int, take: Callable[[Datasets], Figures]
) -> Samples:
    """Samples of each installation in turn, beginning and ending with the first one."""
    samples: Samples = {name: [] for name in installations}

    def sample(name: str) -> None:
        figures = take(installations[name])
        samples[name].append(figures)
        shown = ", ".join(f"{title} {_text(figure)}" for title, figure in figures.items())
        print(f"  {name:14}{shown}", flush=True)

    first, *others = installations
    sample(first)
    for _ in range(runs):
        for name in (*others, first):
            sample(name)
    return samples


def _table(samples: Samples) -> Iterator[str]:
    """The median of each figure, as a table in Markdown."""
    yield f"| | {' | '.join(samples)} |"
    yield "|---" * (1 + len(samples)) + "|"
    for title in next(iter(samples.values()))[0]:
        medians = (statistics.median(figures[title] for figures in of) for of in samples.values())
        yield f"| {title} | {' | '.join(map(_text, medians))} |"


def _ratios(samples: Samples) -> Iterator[str]:
    """The ratio of each target: the median, the smallest and the largest one."""
    baselines = next(iter(samples.values()))
    for (title, name), target in TARGETS.items():
        if name in samples:
            means = (statistics.mean((before[title], after[title])) for before, after in pairwise(baselines))
            ratios = [ours[title] / mean for ours, mean in zip(samples[name], means, strict=True)]
            yield _ratio_text(f"{title}, {name} to one database", ratios, target)


def _ratio_text(title: str, ratios: list[float], target: Target) -> str:
    ratio = statistics.median(ratios)
    met = "met" if target.is_met_by(ratio) else "NOT MET"
    return f"{title}: {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), target {target}: {met}"


def _text(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 20 else f"{figure:.2f}"
