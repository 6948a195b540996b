"""The file formats in which a reply is offered besides JSON, by method."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from busware.server.documents import (
    accounts_csv,
    csv_table,
    invoice_pdf,
    invoices_csv,
    manifest_csv,
    manifest_pdf,
    sales_csv,
    settlement_csv,
)
from busware.server.protocol import (
    AccountsOfMoney,
    GetInvoice,
    GetSettlement,
    Invoices,
    Manifest,
    Request,
    Sales,
)


class Format(NamedTuple):
    """A format. extension: of the name of its files. encode: makes the file of a reply."""

    extension: str
    mime_type: str
    encode: Callable[[Any], bytes]


FORMATS: dict[type[Request], Mapping[str, Format]] = {
    Manifest: {
        "csv": Format("csv", csv_table.MIME_TYPE, manifest_csv.encode),
        "pdf": Format("pdf", "application/pdf", manifest_pdf.encode),
    },
    Sales: {"csv": Format("csv", csv_table.MIME_TYPE, sales_csv.encode)},
    Invoices: {"csv": Format("csv", csv_table.MIME_TYPE, invoices_csv.encode)},
    GetInvoice: {
        "csv": Format("csv", csv_table.MIME_TYPE, invoices_csv.encode),
        "pdf": Format("pdf", "application/pdf", invoice_pdf.encode),
    },
    AccountsOfMoney: {"csv": Format("csv", csv_table.MIME_TYPE, accounts_csv.encode)},
    GetSettlement: {"csv": Format("csv", csv_table.MIME_TYPE, settlement_csv.encode)},
}
