"""Accounts of money as CSV: a row for each day and currency. The sums of the reply are left out."""

from collections.abc import Iterator
from decimal import Decimal

from busware.server.documents import csv_table
from busware.server.protocol import AccountReport

_AMOUNTS = ("charges", "refunds", "income", "tax", "kept", "commission", "fees")
_HEADER = ("operator", "date", "currency", *_AMOUNTS)


def encode(report: AccountReport) -> bytes:
    """The rows of a report as CSV."""
    return csv_table.encode(_HEADER, _rows(report))


def _rows(report: AccountReport) -> Iterator[tuple[csv_table.Cell, ...]]:
    for day in report.rows:
        amounts = (Decimal(getattr(day, name)) for name in _AMOUNTS)
        yield report.operator, str(day.date), day.currency, *amounts
