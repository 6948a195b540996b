"""Invoices, taxes and accounts of money: the requests and the replies."""

import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from busware.server.protocol.fields import BusId, CurrencyCode, Cursor, Date, Limit, OperatorName
from busware.server.protocol.replies import Balance, FarePart, IncludedTax, Instant, Money
from busware.server.protocol.requests import BookingRequest, Request, method

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"

InvoicePrefix = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9]{1,8}$(?!\n)",
        description="1 to 8 letters and digits, with which the numbers of invoices begin, such as KA",
    ),
]
YearBegins = Annotated[
    int,
    Meta(ge=1, le=12, description="the month in which your financial year begins, 1 to 12; of India, 4"),
]
Seller = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        pattern=_PRINTABLE,
        description="the name and the address of the seller, on one line with commas",
    ),
]
TaxName = Annotated[
    str,
    Meta(min_length=1, max_length=20, pattern=_PRINTABLE, description="the name of the tax, such as GST"),
]
TaxPercent = Annotated[
    str,
    Meta(
        pattern=r"^(100(\.0{1,3})?|[0-9]{1,2}(\.[0-9]{1,3})?)$(?!\n)",
        description="a rate in percent, 0 to 100, with up to three decimals, such as 5",
    ),
]
TaxNumber = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=_PRINTABLE,
        description="the number under which the operator is registered for the tax",
    ),
]


class Tax(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tax that is included in fares. percent: of the amount without the tax."""

    name: TaxName
    percent: TaxPercent
    number: TaxNumber


NewTax = Annotated[
    Tax,
    Meta(description="a tax with name, percent (0 to 100, up to three decimals) and number; null: no tax"),
]


# Replies ---------------------------------------------------------------------------------------


class ValidTax(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tax of an operator, and from when it is valid. Without name, percent and number: no tax."""

    valid_from: Instant
    name: str | None = None
    percent: str | None = None
    number: str | None = None


class Invoicing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operator has on its invoices. prefix, year_begins, since: missing if it issues none.

    since: payments that were recorded earlier are on none. seller: missing for the name of the operator.
    taxes: the present one, and those that are planned.
    """

    operator: str
    taxes: list[ValidTax]
    prefix: str | None = None
    seller: str | None = None
    year_begins: int | None = None
    since: Instant | None = None


class InvoiceLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment on an invoice: the charge or the refund of a ticket. tax: the tax in the amount.

    payment_no: 1 is the first charge of the ticket. fare_parts: of that charge, if the fare has several.
    """

    ticket_no: int
    payment_no: int
    amount: Money
    tax: Money
    seat_no: int | None = None
    fare_parts: list[FarePart] | None = None


class InvoicedJourney(Struct, frozen=True, kw_only=True):
    """What was sold, as the booking showed it then."""

    kind: str
    name: str
    bus_id: BusId
    travel_date: datetime.date
    origin: str
    destination: str
    departs_at: Instant


class Invoice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice for charges of a booking, or a credit note for refunds. It never changes.

    date: of the payments, in the time zone of the service. amount: the sum of the lines; net: without the
    tax. corrects: the numbers of the invoices of the booking before a credit note. agent: who sold the
    booking at a counter. tax: missing if the operator had none.
    """

    number: str
    kind: Literal["invoice", "credit_note"]
    date: datetime.date
    issued_at: Instant
    operator: str
    seller: str
    reference: str
    currency: CurrencyCode
    amount: Money
    net: Money
    journey: InvoicedJourney
    lines: list[InvoiceLine]
    tax: IncludedTax | None = None
    corrects: list[str] = field(default_factory=list)
    agent: str | None = None


class InvoicesOfBooking(Struct, frozen=True, kw_only=True):
    """The invoices and credit notes of a booking, in the order in which they were issued."""

    invoices: list[Invoice]


class InvoiceList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of invoices and credit notes. next: the value of `after` for the next page."""

    invoices: list[Invoice]
    next: str | None = None


class AccountSums(Struct, frozen=True, kw_only=True):
    """Sums of money in one currency. income: charges less refunds.

    tax: on the invoices, less that on the credit notes; a part of the income. kept: of tickets that were
    cancelled or exchanged, the fares that were not refunded and the fees; a part of the income of this or of
    earlier days. commission: of agents, in settlements. fees: of providers of payments. Neither of them is
    subtracted from the income.
    """

    currency: CurrencyCode
    charges: Money
    refunds: Money
    income: Balance
    tax: Balance
    kept: Balance
    commission: Balance
    fees: Balance


class AccountDay(AccountSums, frozen=True, kw_only=True):
    """The money of a day, in one currency."""

    date: datetime.date


class AccountReport(Struct, frozen=True, kw_only=True):
    """The money of an operator by day and currency. totals: the sums of the rows, one of each currency."""

    operator: str
    rows: list[AccountDay]
    totals: list[AccountSums]


# Requests --------------------------------------------------------------------------------------


class _Period(Request, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}):
    from_date: Date
    to_date: Date
    operator: OperatorName | None = None


@method("invoice", InvoicesOfBooking, "GET /v1/bookings/{reference}/invoice")
class GetInvoice(BookingRequest, frozen=True, kw_only=True):
    """Show the invoices and credit notes of a booking."""


@method("invoices", InvoiceList, "GET /v1/invoices")
class Invoices(_Period, frozen=True, kw_only=True):
    """For operators: list your invoices and credit notes, by date."""

    limit: Limit | None = None
    after: Cursor | None = None


@method("accounts", AccountReport, "GET /v1/operator/accounts")
class AccountsOfMoney(_Period, frozen=True, kw_only=True):
    """For operators: add up your charges, refunds, taxes and fees, by day and currency."""


@method("invoicing", Invoicing, "GET /v1/invoicing")
class GetInvoicing(Request, frozen=True, kw_only=True):
    """For operators: show what is on your invoices: their prefix, the seller and the tax."""

    operator: OperatorName | None = None


@method("put_invoicing", Invoicing, "PUT /v1/invoicing")
class PutInvoicing(Request, frozen=True, kw_only=True):
    """For operators: begin to issue invoices, or change the tax. A field that is not given stays as it
    is."""

    operator: OperatorName | None = None
    prefix: InvoicePrefix | UnsetType = UNSET
    year_begins: YearBegins | UnsetType = UNSET
    seller: Seller | UnsetType | None = UNSET
    tax: NewTax | UnsetType | None = UNSET
    tax_from: Date | UnsetType = UNSET
