"""The command line of scripts/bench."""

import argparse
import resource
import signal
import sys

from scripts.benchmark import PROJECT, batch, report, reseat, seats, shards, standby
from scripts.benchmark.datasets import Datasets, InvalidRun
from scripts.benchmark.load import Duration
from scripts.benchmark.measurements import MEASUREMENTS
from scripts.benchmark.sides import Sample, Side

_ALONE = ("list", "reseat", "shards", "write")  # commands that take no other name
_OTHERS = ("seats", "batch", "standby")  # they compare nothing with pgbench, and only run when they are named
FOLDER = PROJECT / "data" / "bench"  # of the benchmark's PostgreSQL, and of the figures


def main() -> None:
    """Run the chosen measurements, and print each result."""
    exit_on_sigterm()
    try:
        _run(_arguments())
    except InvalidRun as error:
        sys.exit(f"No figure: {error}.")


def exit_on_sigterm() -> None:
    """Let SIGTERM raise SystemExit, so that the servers and PostgreSQL of the benchmark are stopped."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _run(arguments: argparse.Namespace) -> None:
    if arguments.names == ["list"]:
        for name, measurement in MEASUREMENTS.items():
            print(f"{name:20} {measurement.title} ({measurement.target})")
    elif arguments.names == ["write"]:
        report.write(FOLDER)
    elif arguments.names == ["reseat"]:
        reseat.measure()
    elif arguments.names == ["shards"]:
        _raise_file_limit()
        shards.measure(FOLDER / "shards", arguments.runs, Duration(arguments.warmup, arguments.seconds))
    else:
        _raise_file_limit()
        with Datasets(FOLDER / "postgres") as datasets:
            for name in arguments.names or MEASUREMENTS:
                if name == "seats":
                    report.store(FOLDER, "seats", seats.measure(datasets))
                elif name == "batch":
                    batch.measure(datasets)
                elif name == "standby":
                    standby.measure(datasets)
                else:
                    _measure(name, datasets, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Compare this server with pgbench, PostgreSQL's own benchmark."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help="measurements, in the order of their run (default: all); also `seats`: the share of the demand "
        "that is sold with each strategy for choosing seats, `batch`: the time of a batch in PostgreSQL, in "
        "total and by function, and `standby`: the processor time of a read that a standby executes. Alone: "
        "`list`: list the measurements; `reseat`: the time of a plan of seats for another vehicle, without a "
        "database; `shards`: bookings and searches of several databases, compared with one; `write`: write "
        "the figures measured so far into docs/performance.md",
    )  # fmt: skip
    parser.add_argument(
        "--runs", type=int, default=5, help="runs of Busware and pgbench; the median counts (5)"
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="measured seconds of a run (4)")
    parser.add_argument("--warmup", type=float, default=1.0, help="seconds before them, not measured (1)")
    arguments = parser.parse_args()
    if len(arguments.names) > 1 and (alone := set(arguments.names) & set(_ALONE)):
        parser.error(f"{' and '.join(sorted(alone))}: use it without other names")
    if unknown := set(arguments.names) - {*MEASUREMENTS, *_ALONE, *_OTHERS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}. `scripts/bench list` lists the measurements")
    return arguments


def _measure(name: str, datasets: Datasets, arguments: argparse.Namespace) -> None:
    duration = Duration(arguments.warmup, arguments.seconds)
    measurement = MEASUREMENTS[name]
    print(f"\n{name}: {measurement.title} ({measurement.target})", flush=True)
    result = measurement.run(datasets, arguments.runs, duration, _print_sample)
    figures = report.figures(result)
    report.store(FOLDER, name, figures)
    print(f"  = {report.summary(name, figures)}", flush=True)


def _print_sample(side: Side, sample: Sample) -> None:
    """Print a sample. "a + b µs" is the processor time of an operation in the server and in the database."""
    spent = "" if sample.server_us is None else f"   {sample.server_us:.0f} + {sample.database_us:.0f} µs"
    idle = f", {sample.idle_kb:.0f} kB for each idle client" if sample.idle_kb is not None else ""
    refused = f", refused {sample.refused.total():,}" if sample.refused else ""
    print(
        f"  {side.name:32} {sample.rate:9,.0f}/s   median {1000 * sample.median:8.2f} ms"
        f"   p99 {1000 * sample.p99:8.2f} ms{spent}{refused}{idle}",
        flush=True,
    )


def _raise_file_limit() -> None:
    """Raise the limit of open files to its maximum, because the measurement `idle` opens 5,000 connections.

    The server inherits the limit.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
