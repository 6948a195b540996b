"""Invoices and credit notes of a booking as PDF: a page for each.

fpdf is imported where it is used, because its import takes a second.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time

import msgspec

from busware.server.conversation.words import moment, money
from busware.server.documents.pdf_text import PdfText
from busware.server.protocol import Invoice, InvoiceLine, InvoicesOfBooking

# Lengths in millimetres, sizes of type in points.
_MARGIN = 15
_ROW = 8
_GAP = 6
_COLUMNS = (5.0, 1.0, 2.0, 2.0)
_LARGE, _MEDIUM, _SMALL = 17, 12, 10

_TITLES = {"invoice": "Invoice", "credit_note": "Credit note"}


def encode(reply: InvoicesOfBooking) -> bytes:
    """The invoices as PDF. The same invoices are the same file."""
    return _Writer(reply).encode()


class _Writer:
    """Writes the invoices of one booking."""

    def __init__(self, reply: InvoicesOfBooking) -> None:
        from fpdf import FPDF

        self._invoices = reply.invoices
        first = reply.invoices[0]
        self._pdf = FPDF(format="A4")
        self._text = PdfText(self._pdf, msgspec.json.encode(reply).decode())
        self._pdf.set_margin(_MARGIN)
        self._pdf.set_auto_page_break(True, margin=_MARGIN)
        self._pdf.set_title(f"Invoice {first.number}")
        self._pdf.set_lang("en")
        self._pdf.set_creation_date(datetime.combine(first.date, time(), UTC))

    def encode(self) -> bytes:
        for invoice in self._invoices:
            self._pdf.add_page()
            self._invoice(invoice)
        return bytes(self._pdf.output())

    def _invoice(self, invoice: Invoice) -> None:
        self._line(f"{_TITLES[invoice.kind]} {invoice.number}", _LARGE)
        for line in _head(invoice):
            self._line(line, _MEDIUM)
        self._pdf.ln(_GAP)
        self._table([("", "Seat", "Tax", "Amount"), *map(_row, invoice.lines)])
        self._pdf.ln(_GAP)
        for line in _sums(invoice):
            self._line(line, _MEDIUM)
        self._pdf.ln(_GAP)
        self._line("The amounts include the tax." if invoice.tax else "The amounts include no tax.", _SMALL)

    def _table(self, rows: list[tuple[str, ...]]) -> None:
        pdf = self._pdf
        pdf.set_font(PdfText.MAIN, size=_MEDIUM)
        self._text.shape("".join("".join(row) for row in rows))
        with pdf.table(
            borders_layout="HORIZONTAL_LINES",
            col_widths=_COLUMNS,
            first_row_as_headings=False,
            line_height=_ROW,
            text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT"),
        ) as table:
            for row in rows:
                table.row([self._text.printable(cell) for cell in row])

    def _line(self, text: str, points: int) -> None:
        with self._pdf.local_context(font_family=PdfText.MAIN, font_size_pt=points):
            self._text.shape(text)
            self._pdf.multi_cell(
                0, _ROW, self._text.printable(text), align="L", new_x="LMARGIN", new_y="NEXT"
            )


def _head(invoice: Invoice) -> Iterator[str]:
    """Who sold what, and when."""
    journey = invoice.journey
    yield f"Date: {invoice.date}"
    yield invoice.seller
    if invoice.tax:
        yield f"{invoice.tax.name} number: {invoice.tax.number}"
    if invoice.corrects:
        yield f"For: {', '.join(invoice.corrects)}"
    yield f"Booking: {invoice.reference}"
    yield f"{journey.name} ({journey.bus_id}), {journey.origin} – {journey.destination}"
    yield f"Departure: {moment(journey.departs_at)}"


def _row(line: InvoiceLine) -> tuple[str, ...]:
    """The cells of a line of an invoice."""
    parts = [
        f"{part.part if part.name is None else part.name} {part.amount}" for part in line.fare_parts or ()
    ]
    ticket = f"Ticket {line.ticket_no}" + (f" ({', '.join(parts)})" if parts else "")
    return ticket, str(line.seat_no or ""), money(line.tax), money(line.amount)


def _sums(invoice: Invoice) -> Iterator[str]:
    """The sums below the lines."""
    if invoice.tax:
        yield f"Without tax: {money(invoice.net)} {invoice.currency}"
        yield f"{invoice.tax.name} {invoice.tax.percent} %: {money(invoice.tax.amount)} {invoice.currency}"
    total = "Total" if invoice.kind == "invoice" else "Total given back"
    yield f"{total}: {money(invoice.amount)} {invoice.currency}"
