"""The command: which figures to measure, how often, for how long, and what to do with them."""

import argparse
import resource
import sys

from scripts.benchmark import PROJECT, batch, report, seats
from scripts.benchmark.load import Time
from scripts.benchmark.measurements import MEASUREMENTS
from scripts.benchmark.sides import Sample, Side
from scripts.benchmark.world import Unsound, Worlds

_COMMANDS = ("list", "seats", "batch", "write")
FOLDER = PROJECT / "data" / "bench"  # PostgreSQL's, and the figures


def main() -> None:
    """Measure, and print each figure as it comes."""
    told = _arguments()
    if told.command == "list":
        for name, measurement in MEASUREMENTS.items():
            print(f"{name:20} {measurement.what} ({measurement.target})")
    elif told.command == "write":
        report.write(FOLDER)
    else:
        _raise_file_limit()
        with Worlds(FOLDER / "postgres") as worlds:
            if told.command == "seats":
                report.keep(FOLDER, "seats", seats.measure(worlds))
            elif told.command == "batch":
                batch.measure(worlds)
            else:
                _measure(worlds, told)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure this server against PostgreSQL's own limit, pgbench."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help="what to measure (all, when none is named); or `list`: what there is; `seats`: how full "
        "the bus gets; `batch`: what a batch costs PostgreSQL, and which functions; `write`: put the figures "
        "measured so far into docs/performance.md",
    )  # fmt: skip
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts (5)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run that count (4)")
    parser.add_argument("--warmup", type=float, default=1.0, help="seconds before them (1)")
    told = parser.parse_args()
    told.command = told.names[0] if told.names and told.names[0] in _COMMANDS else ""
    if unknown := set(told.names) - set(MEASUREMENTS) - {told.command}:
        parser.error(f"there is no {', '.join(sorted(unknown))}: `scripts/bench list` says what there is")
    return told


def _measure(worlds: Worlds, told: argparse.Namespace) -> None:
    time = Time(told.warmup, told.seconds)
    for name in told.names or MEASUREMENTS:
        measurement = MEASUREMENTS[name]
        print(f"\n{name}: {measurement.what} ({measurement.target})", flush=True)
        try:
            result = measurement.run(worlds, told.runs, time, _tell)
        except Unsound as error:
            sys.exit(f"No figure: {error}.")
        kept = report.figures(result)
        report.keep(FOLDER, name, kept)
        print(f"  = {report.sentence(name, kept)}", flush=True)


def _tell(side: Side, sample: Sample) -> None:
    """Print a sample; what is added up is processor time of an operation, the server's and the database's."""
    spent = "" if sample.server_us is None else f"   {sample.server_us:.0f} + {sample.database_us:.0f} µs"
    idle = f", {sample.idle_kb:.0f} kB an idle client" if sample.idle_kb is not None else ""
    refused = f", refused {sample.refused.total():,}" if sample.refused else ""
    print(
        f"  {side.name:32} {sample.rate:9,.0f}/s   median {1000 * sample.median:8.2f} ms"
        f"   p99 {1000 * sample.p99:8.2f} ms{spent}{refused}{idle}",
        flush=True,
    )


def _raise_file_limit() -> None:
    """5,000 clients want 5,000 files open, here and in the server, which inherits this."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
