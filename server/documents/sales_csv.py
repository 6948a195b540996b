"""Sales as CSV: a row for each service, date, segment or agent. The sums of the reply are left out."""

from collections.abc import Iterator
from decimal import Decimal

from busware.server.documents import csv_table
from busware.server.protocol import SalesReport

_HEADER = (
    "bus_id",
    "name",
    "date",
    "from_stop",
    "to_stop",
    "origin",
    "destination",
    "tickets",
    "charges",
    "refunds",
    "income",
    "occupancy",
    "agent",
    "currency",
)


def encode(report: SalesReport) -> bytes:
    """The rows of a report as CSV."""
    return csv_table.encode(_HEADER, _rows(report))


def _rows(report: SalesReport) -> Iterator[tuple[csv_table.Cell, ...]]:
    for row in report.rows:
        segment = (row.from_stop, row.to_stop, row.origin, row.destination)
        amounts = (Decimal(row.charges), Decimal(row.refunds), Decimal(row.income))
        occupancy = Decimal(row.occupancy) if row.occupancy else None
        sums = (row.tickets, *amounts, occupancy, row.agent, row.currency)
        yield row.bus_id, row.name, str(row.date or ""), *segment, *sums
