"""The figures: kept as they come, and put into docs/performance.md as a table, and as plots beside it.

They are kept by name in a file beside the benchmark's database, so that one can be measured anew
without the others.
"""

import json
import os
import statistics
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from scripts.benchmark import PROJECT, plots
from scripts.benchmark.measurements import MEASUREMENTS, Measurement, Result
from scripts.benchmark.sides import medians

PAGE = PROJECT / "docs" / "performance.md"
_BEGIN, _END = "<!-- figures: scripts/bench write -->\n", "<!-- figures end -->\n"

Figures = dict[str, Any]


def figures(result: Result) -> Figures:
    """What to keep of a result: the medians of either side, each ratio, the day, the machine."""
    return {
        "ours": medians(result.ours),
        "limit": medians(result.limits),
        "ratios": result.ratios,
        "on": f"{date.today()}, {os.cpu_count()} cores",
    }


def sentence(name: str, kept: Figures) -> str:
    """A figure in one line."""
    measurement = MEASUREMENTS[name]
    ours, limit, ratio = _figures(measurement, kept)
    beside = f" to {limit}: {ratio:.2f}" if limit else ""
    reached = "reached" if measurement.target.reached(ratio) else "NOT REACHED"
    return f"{ours}{beside} (to reach {measurement.target}: {reached})"


def keep(folder: Path, name: str, kept: Figures) -> None:
    """Add a figure to those that are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(kept_figures(folder) | {name: kept}, indent=1))


def kept_figures(folder: Path) -> Figures:
    """Those that are kept, by name."""
    file = folder / "figures.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write(folder: Path) -> None:
    """Put what is kept into the page."""
    kept = kept_figures(folder)
    head, _, rest = PAGE.read_text().partition(_BEGIN)
    PAGE.write_text(head + _BEGIN + "\n" + "\n".join(_table(kept)) + "\n\n" + _END + rest.partition(_END)[2])
    plots.draw(kept, PAGE.parent)


def _table(kept: Figures) -> Iterator[str]:
    heads = (
        "`scripts/bench`",
        "what",
        "Busware",
        "beside it",
        "ratio",
        "to reach",
        "reached",
        "processor time",
    )
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    yield from (_row(name, kept[name]) for name in MEASUREMENTS if name in kept)


def _row(name: str, kept: Figures) -> str:
    measurement, ratios = MEASUREMENTS[name], kept["ratios"]
    ours, limit, ratio = _figures(measurement, kept)
    beside = f"{limit} ({measurement.limit.name})" if measurement.limit else ""
    between = f"**{ratio:.2f}** ({min(ratios):.2f} to {max(ratios):.2f})" if measurement.limit else ""
    reached = "yes" if measurement.target.reached(ratio) else "no"
    spent = kept["ours"]
    time = f"{spent['server_us']:.0f} + {spent['database_us']:.0f} µs" if "server_us" in spent else ""
    idle = f"; {spent['idle_kb']:.0f} kB an idle client" if "idle_kb" in spent else ""
    what, target = measurement.what + idle, f"{measurement.target}"
    cells = (f"`{name}`", what, ours, beside, between, target, reached, time)
    return "| " + " | ".join(cells) + " |"


def _figures(measurement: Measurement, kept: Figures) -> tuple[str, str, float]:
    """Ours and what is beside it (empty where nothing is), as they are written, and the ratio."""
    ours, limit = (
        _written(kept[side][measurement.quantity], measurement) if kept[side] else ""
        for side in ("ours", "limit")
    )
    return ours, limit, statistics.median(kept["ratios"])


def _written(figure: float, measurement: Measurement) -> str:
    return f"{figure:,.0f}/s" if measurement.quantity == "rate" else f"{1000 * figure:,.2f} ms"
