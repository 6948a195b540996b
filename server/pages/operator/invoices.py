"""The invoices and credit notes of an operator, year by year, with their documents."""

from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.formats import FORMATS
from busware.server.pages.operator import frame
from busware.server.pages.operator.sales import PATH as SALES
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import Invoice, InvoiceList, InvoicesOfBooking, Invoicing

PATH = "/operator/invoices"
_DOCUMENT = f"{PATH}/{{reference}}.pdf"
_OLDEST, _LATEST = 2000, 2199  # years that the page offers


def _period(visit: Visit) -> tuple[Invoicing, int, dict[str, Any]]:
    """The invoicing, the year in which the financial year begins, and its dates as fields of a request."""
    operator = frame.operator_named(visit)
    invoicing: Invoicing = visit.request(protocol.GetInvoicing, operator=operator)
    begins = invoicing.year_begins or 1
    today = frame.today(visit)
    present = today.year if today.month >= begins else today.year - 1
    year = min(max(visit.whole_number("year", present), _OLDEST), _LATEST)
    last_month, last_year = ((begins - 2) % 12 + 1, year if begins == 1 else year + 1)
    first = date(year, begins, 1)
    last = date(last_year, last_month, monthrange(last_year, last_month)[1])
    return invoicing, year, {"operator": operator, "from": first.isoformat(), "to": last.isoformat()}


def show_invoices(visit: Visit) -> Response:
    """The invoices of a financial year."""
    invoicing, year, period = _period(visit)
    listed: InvoiceList = visit.request(protocol.Invoices, **period, after=visit.value("after"))
    return frame.render(
        visit,
        "operator_invoices.html",
        SALES,
        invoicing=invoicing,
        year=year,
        titles={one: _title(one, invoicing.year_begins or 1) for one in range(year - 1, year + 2)},
        invoices=listed.invoices,
        next=listed.next,
        signed=_signed,
    )


def _title(year: int, begins: int) -> str:
    """The name of the financial year that begins in a year, such as 2026–27. begins: its first month."""
    return str(year) if begins == 1 else f"{year}–{(year + 1) % 100:02d}"


def _signed(invoice: Invoice, amount: str) -> Decimal:
    """An amount of an invoice, below 0 for a credit note."""
    return -Decimal(amount) if invoice.kind == "credit_note" else Decimal(amount)


def send_csv(visit: Visit) -> Response:
    """All invoices of a financial year as CSV."""
    _, year, period = _period(visit)
    pages = frame.pages_of(visit, protocol.Invoices, **period)
    every = [invoice for page in pages for invoice in page.invoices]
    csv = FORMATS[protocol.Invoices]["csv"]
    return visit.send_file(csv.encode(InvoiceList(invoices=every)), csv.mime_type, f"invoices-{year}.csv")


def send_document(visit: Visit) -> Response:
    """The invoices and credit notes of a booking as PDF."""
    found: InvoicesOfBooking = visit.request(protocol.GetInvoice, reference=visit.path["reference"])
    pdf = FORMATS[protocol.GetInvoice]["pdf"]
    return visit.send_file(pdf.encode(found), pdf.mime_type, f"invoices-{found.invoices[0].reference}.pdf")


PAGES: Table = {
    PATH: frame.owned_page(show_invoices),
    f"{PATH}.csv": frame.owned_page(send_csv),
    _DOCUMENT: frame.operator_page(send_document),
}
