"""Sales and occupancy of the operator's services, as a table with bars, and as CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.formats import FORMATS
from busware.server.pages.kinds import N_
from busware.server.pages.operator import frame
from busware.server.pages.visits import Table, Visit, address
from busware.server.protocol import Refusal, SalesReport, SalesRow

PATH = "/operator/sales"
GROUPS = {"service": N_("Service"), "date": N_("Date"), "segment": N_("Segment"), "agent": N_("Agent")}
DATES = {"travel": N_("Travel dates"), "payment": N_("Dates of payment")}
_DAYS = 30  # that are shown at first, with the last one
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


def _query(visit: Visit) -> dict[str, str]:
    """The report that is asked for: by default of the last days, by service and travel date."""
    group, by = visit.value("group"), visit.value("by")
    last = visit.day("to") or frame.today(visit)
    return {
        "from": (visit.day("from") or last - timedelta(days=_DAYS - 1)).isoformat(),
        "to": last.isoformat(),
        "group": group if group in GROUPS else "service",
        "by": by if by in DATES else "travel",
    }


def _report(visit: Visit, query: dict[str, str]) -> SalesReport:
    report: SalesReport = visit.request(protocol.Sales, **query)
    return report


def show_sales(visit: Visit) -> Response:
    """The sales of a period."""
    query, report = _query(visit), None
    try:
        report = _report(visit, query)
    except Refusal as refusal:
        if refusal.reason != "bad_request":
            raise
        visit.refusal = refusal
    values: dict[str, Any] = {"group": query["group"], "by": query["by"]}
    return frame.render(
        visit,
        "operator_sales.html",
        PATH,
        **values,
        from_date=date.fromisoformat(query["from"]),
        to_date=date.fromisoformat(query["to"]),
        groups=GROUPS,
        dates=DATES,
        report=report,
        lines=list(lines(report.rows)) if report else [],
        csv=address(f"{PATH}.csv", query),
        bar_width=_BAR_WIDTH,
    )


def send_csv(visit: Visit) -> Response:
    """The same as CSV."""
    query, csv = _query(visit), FORMATS[protocol.Sales]["csv"]
    name = f"sales-{query['from']}-{query['to']}-{query['group']}.csv"
    return visit.send_file(csv.encode(_report(visit, query)), csv.mime_type, name)


PAGES: Table = {PATH: frame.operator_page(show_sales), f"{PATH}.csv": frame.operator_page(send_csv)}
