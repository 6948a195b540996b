"""Invoices and accounts of money as tables and lines."""

from calendar import month_name
from collections.abc import Iterable, Iterator

from busware.server.conversation.words import moment, money
from busware.server.protocol import AccountDay, AccountReport, Invoice, Invoicing, ValidTax
from busware.tables import Row

_KINDS = {"invoice": "invoice", "credit_note": "credit note"}


def invoice_row(invoice: Invoice) -> Row:
    """An invoice or a credit note, whose amounts are below 0."""
    sign = "" if invoice.kind == "invoice" else "-"
    return {
        "Number": invoice.number,
        "Kind": _KINDS[invoice.kind],
        "Date": str(invoice.date),
        "Booking": invoice.reference,
        ">Amount": sign + money(invoice.amount, invoice.currency),
        "Tax": f"{invoice.tax.name} {invoice.tax.percent} %" if invoice.tax else "none",
        ">Included": sign + money(invoice.tax.amount, invoice.currency) if invoice.tax else "",
    }


def account_row(day: AccountDay) -> Row:
    """The money of a day in one currency."""
    return {
        "Date": str(day.date),
        ">Charges": money(day.charges, day.currency),
        ">Refunds": money(day.refunds, day.currency),
        ">Income": money(day.income, day.currency),
        ">Tax": money(day.tax, day.currency),
        ">Kept": money(day.kept, day.currency),
        ">Commission": money(day.commission, day.currency),
        ">Fees": money(day.fees, day.currency),
    }


def account_lines(report: AccountReport) -> Iterator[str]:
    """The sums of a report, one line for each currency."""
    for total in report.totals:
        amounts = ", ".join(
            f"{name} {money(getattr(total, name), total.currency)}"
            for name in ("charges", "refunds", "income", "tax", "kept", "commission", "fees")
        )
        yield f"{report.operator}: {amounts}."


def invoicing_lines(invoicing: Invoicing) -> Iterator[str]:
    """What an operator has on its invoices."""
    if invoicing.prefix is None or invoicing.since is None:
        yield f"{invoicing.operator} issues no invoices. To begin: put-invoicing --prefix KA."
        return
    since = moment(invoicing.since)
    yield f"{invoicing.operator} issues invoices since {since}, with the prefix {invoicing.prefix}."
    if invoicing.year_begins and invoicing.year_begins != 1:
        yield f"Their years begin in {month_name[invoicing.year_begins]}."
    yield f"Seller: {invoicing.seller or invoicing.operator}."
    yield from _taxes(invoicing.taxes)


def _taxes(taxes: Iterable[ValidTax]) -> Iterator[str]:
    for tax in taxes:
        rate = f"{tax.name} {tax.percent} %, number {tax.number}" if tax.name else "none"
        yield f"Tax from {moment(tax.valid_from)}: {rate}."
