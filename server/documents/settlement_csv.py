"""A settlement as CSV: a row for each payment, with a refund below 0. The sums of the reply are left out."""

from collections.abc import Iterator
from decimal import Decimal

from busware.server.documents import csv_table
from busware.server.protocol import Settlement

_HEADER = (
    "agent",
    "settlement_no",
    "at",
    "kind",
    "amount",
    "reference",
    "ticket_no",
    "bus_id",
    "travel_date",
    "currency",
)


def encode(settlement: Settlement) -> bytes:
    """The payments of a settlement as CSV."""
    return csv_table.encode(_HEADER, _rows(settlement))


def _rows(settlement: Settlement) -> Iterator[tuple[csv_table.Cell, ...]]:
    number = (settlement.agent, settlement.settlement_no)
    for payment in settlement.payments:
        amount = Decimal(payment.amount) * (1 if payment.kind == "charge" else -1)
        ticket = (payment.reference, payment.ticket_no, payment.bus_id, str(payment.travel_date))
        yield *number, payment.at.isoformat(), payment.kind, amount, *ticket, settlement.currency
