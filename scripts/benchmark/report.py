"""The figures: stored in a file, and written into docs/performance.md as a table and plots.

They are stored by name in the folder of the benchmark's database, so that one can be measured again without
the others.
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
    """What is stored of a result: the medians of both sides, each ratio, the date, the number of cores."""
    return {
        "ours": medians(result.ours),
        "baseline": medians(result.baselines),
        "ratios": result.ratios,
        "on": f"{date.today()}, {os.cpu_count()} cores",
    }


def summary(name: str, stored: Figures) -> str:
    """A result in one line."""
    measurement = MEASUREMENTS[name]
    ours, baseline, ratio = _texts(measurement, stored)
    comparison = f" to {baseline}: {ratio:.2f}" if baseline else ""
    met = "met" if measurement.target.is_met_by(ratio) else "NOT MET"
    return f"{ours}{comparison} (target {measurement.target}: {met})"


def store(folder: Path, name: str, stored: Figures) -> None:
    """Store the figures of a measurement."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(stored_figures(folder) | {name: stored}, indent=1))


def stored_figures(folder: Path) -> Figures:
    """All stored figures, by name."""
    file = folder / "figures.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write(folder: Path) -> None:
    """Write the stored figures into the page."""
    stored = stored_figures(folder)
    head, _, rest = PAGE.read_text().partition(_BEGIN)
    PAGE.write_text(
        head + _BEGIN + "\n" + "\n".join(_table(stored)) + "\n\n" + _END + rest.partition(_END)[2]
    )
    plots.draw(stored, PAGE.parent)


def _table(stored: Figures) -> Iterator[str]:
    headers = (
        "`scripts/bench` | measurement | Busware | compared with | ratio | target | met | processor time"
    )
    yield f"| {headers} |"
    yield "|---" * len(headers.split(" | ")) + "|"
    yield from (_row(name, stored[name]) for name in MEASUREMENTS if name in stored)


def _row(name: str, stored: Figures) -> str:
    measurement, ratios = MEASUREMENTS[name], stored["ratios"]
    ours, baseline, ratio = _texts(measurement, stored)
    compared = f"{baseline} ({measurement.baseline.name})" if measurement.baseline else ""
    ratio_range = f"**{ratio:.2f}** ({min(ratios):.2f} to {max(ratios):.2f})" if measurement.baseline else ""
    met = "yes" if measurement.target.is_met_by(ratio) else "no"
    spent = stored["ours"]
    time = f"{spent['server_us']:.0f} + {spent['database_us']:.0f} µs" if "server_us" in spent else ""
    idle = f"; {spent['idle_kb']:.0f} kB for each idle client" if "idle_kb" in spent else ""
    title, target = measurement.title + idle, f"{measurement.target}"
    cells = (f"`{name}`", title, ours, compared, ratio_range, target, met, time)
    return "| " + " | ".join(cells) + " |"


def _texts(measurement: Measurement, stored: Figures) -> tuple[str, str, float]:
    """Our figure and the baseline's as text ('' if there is no baseline), and the ratio."""
    ours, baseline = (
        _figure_text(stored[side][measurement.quantity], measurement) if stored[side] else ""
        for side in ("ours", "baseline")
    )
    return ours, baseline, statistics.median(stored["ratios"])


def _figure_text(figure: float, measurement: Measurement) -> str:
    return f"{figure:,.0f}/s" if measurement.quantity == "rate" else f"{1000 * figure:,.2f} ms"
