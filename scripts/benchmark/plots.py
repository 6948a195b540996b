"""The plots of docs/performance.md: rates of bookings, times of searches, and seats sold.

Their x axes are the number of clients, the number of services, and the demand.
"""

from pathlib import Path
from typing import Any

from scripts.benchmark.workloads import DISTRICTS_BY_SIZE, SEARCH_DATASETS

CLIENTS = (1, 16, 64, 256)

Series = dict[str, dict[float, float]]  # the points of each line, by its name


def draw(stored: dict[str, Any], folder: Path) -> None:
    """Draw the plots as SVG. A plot or a point without a stored result is left out."""
    bookings: Series = {
        name: {n: stored[f"book-{n}"][side]["rate"] for n in CLIENTS if f"book-{n}" in stored}
        for name, side in (("Busware", "ours"), ("pgbench", "baseline"))
    }
    _plot(folder / "performance-bookings.svg", "clients", "bookings a second", bookings)
    searches: Series = {
        f"{name}, finds {found}": {
            n: 1000 * stored[f"search-{n}-{found}"][side]["p99"]
            for n in SEARCH_DATASETS
            if f"search-{n}-{found}" in stored
        }
        for found in DISTRICTS_BY_SIZE
        for name, side in (("Busware", "ours"), ("pgbench", "baseline"))
    }
    _plot(folder / "performance-search.svg", "services", "p99 of a search, ms", searches)
    seats: Series = {
        method: {float(load): share for load, share in shares.items()}
        for method, shares in stored.get("seats", {}).items()
    }
    _plot(
        folder / "performance-seats.svg", "demand, as a multiple of the capacity", "share of the bound", seats
    )


def _plot(file: Path, x_label: str, y_label: str, series: Series) -> None:
    """Draw lines with their points. Without points, draw nothing."""
    ticks = sorted({x for points in series.values() for x in points})
    if not ticks:
        return
    from matplotlib.figure import Figure  # not at the top: only `scripts/bench write` installs it

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for name, points in series.items():
        axes.plot(list(points), list(points.values()), marker="o", label=name)
    if ticks[-1] > 10 * ticks[0]:
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
    axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
    axes.minorticks_off()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(file, metadata={"Date": None})
