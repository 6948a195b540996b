"""Invoices as CSV: a row for each invoice or credit note. The amounts of a credit note are below 0."""

from collections.abc import Iterator
from decimal import Decimal

from busware.server.documents import csv_table
from busware.server.protocol import InvoiceList, InvoicesOfBooking

_HEADER = (
    "number",
    "kind",
    "date",
    "issued_at",
    "reference",
    "bus_id",
    "travel_date",
    "origin",
    "destination",
    "tickets",
    "currency",
    "net",
    "tax",
    "amount",
    "tax_name",
    "tax_percent",
    "tax_number",
    "corrects",
    "agent",
)


def encode(reply: InvoiceList | InvoicesOfBooking) -> bytes:
    """The invoices of a reply as CSV. The number in the last row is `after` of the next page."""
    return csv_table.encode(_HEADER, _rows(reply))


def _rows(reply: InvoiceList | InvoicesOfBooking) -> Iterator[tuple[csv_table.Cell, ...]]:
    for invoice in reply.invoices:
        sign = 1 if invoice.kind == "invoice" else -1
        issue = (invoice.number, invoice.kind, str(invoice.date), invoice.issued_at.isoformat())
        journey = invoice.journey
        sold = (journey.bus_id, str(journey.travel_date), journey.origin, journey.destination)
        tickets = len({line.ticket_no for line in invoice.lines})
        tax = invoice.tax
        yield (
            *issue,
            invoice.reference,
            *sold,
            tickets,
            invoice.currency,
            sign * Decimal(invoice.net),
            sign * Decimal(tax.amount) if tax else Decimal(invoice.amount) * 0,
            sign * Decimal(invoice.amount),
            tax.name if tax else None,
            Decimal(tax.percent) if tax else None,
            tax.number if tax else None,
            " ".join(invoice.corrects),
            invoice.agent,
        )
