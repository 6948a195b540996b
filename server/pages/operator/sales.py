"""Sales and occupancy of the operator's services, as a table with bars, and as CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.kinds import N_
from busware.server.pages.operator import frame, reports
from busware.server.pages.visits import Table, Visit, address
from busware.server.protocol import SalesReport, SalesRow

PATH = "/operator/sales"
GROUPS = {"service": N_("Service"), "date": N_("Date"), "segment": N_("Segment"), "agent": N_("Agent")}
DATES = {"travel": N_("Travel dates"), "payment": N_("Dates of payment")}
_BAR_WIDTH = 120  # of the longest bar, in pixels
_ALL = Decimal(100)  # percent


@dataclass(frozen=True)
class Line:
    """A row of a report, with the widths of its bars in pixels. No bar is shown for an income below 0."""

    row: SalesRow
    income: float
    occupancy: float | None


def lines(rows: Sequence[SalesRow]) -> Iterator[Line]:
    """The lines of a report. The longest bar of a currency is its largest income."""
    largest: dict[str, Decimal] = {}
    for row in rows:
        largest[row.currency] = max(largest.get(row.currency, Decimal(0)), Decimal(row.income))
    for row in rows:
        occupancy = _width(Decimal(row.occupancy), _ALL) if row.occupancy else None
        yield Line(row, _width(Decimal(row.income), largest[row.currency]), occupancy)


def _width(part: Decimal, whole: Decimal) -> float:
    share = min(max(part / whole, Decimal(0)), Decimal(1)) if whole > 0 else Decimal(0)
    return round(float(share * _BAR_WIDTH), 1)


def _grouping(visit: Visit) -> dict[str, str]:
    """What a row is, and what the dates are, as fields of a request; by default services and travel dates."""
    group, by = visit.value("group"), visit.value("by")
    return {"group": group if group in GROUPS else "service", "by": by if by in DATES else "travel"}


def show_sales(visit: Visit) -> Response:
    """The sales of a period."""
    period, grouping = reports.period_of(visit), _grouping(visit)
    query = period.fields | grouping
    report: SalesReport | None = reports.read_report(visit, protocol.Sales, **query)
    return frame.render(
        visit,
        "operator_sales.html",
        PATH,
        group=grouping["group"],
        by=grouping["by"],
        from_date=period.first,
        to_date=period.last,
        groups=GROUPS,
        dates=DATES,
        report=report,
        lines=list(lines(report.rows)) if report else [],
        csv=address(f"{PATH}.csv", query),
        bar_width=_BAR_WIDTH,
    )


def send_sales(visit: Visit) -> Response:
    """The same as CSV."""
    period, grouping = reports.period_of(visit), _grouping(visit)
    name = f"sales-{period.first}-{period.last}-{grouping['group']}.csv"
    return reports.send_csv(visit, protocol.Sales, name, **period.fields, **grouping)


PAGES: Table = {PATH: frame.operator_page(show_sales), f"{PATH}.csv": frame.operator_page(send_sales)}
