"""What is on the invoices of an operator: the prefix of their numbers, the seller, the year, the tax."""

from typing import Any

import msgspec
from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.kinds import N_
from busware.server.pages.operator import form_fields, frame, invoices
from busware.server.pages.operator.form_fields import FormField
from busware.server.pages.operator.sales import PATH as SALES
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import Invoicing, Refusal, Tax

PATH = f"{invoices.PATH}/settings"
FIELDS = [
    FormField(
        "prefix",
        "text",
        N_("Prefix of the numbers"),
        N_("1 to 8 letters and digits, such as KA for KA-2026-000001. It stays once an invoice has it."),
    ),
    FormField(
        "seller",
        "nullable",
        N_("Seller"),
        N_("Name and address on one line, with commas. Empty: the name of the operator."),
    ),
    FormField("year_begins", "number", N_("The financial year begins in")),
]
_TAX = "tax_"  # begins the names of the fields of a tax


def show_invoicing(visit: Visit) -> Response:
    """What is on the invoices, and the forms that change it."""
    invoicing: Invoicing = visit.request(protocol.GetInvoicing, operator=frame.operator_named(visit))
    now = form_fields.texts_of(FIELDS, msgspec.to_builtins(invoicing))
    return frame.render(
        visit,
        "operator_invoicing.html",
        SALES,
        invoicing=invoicing,
        texts=now | (form_fields.typed(FIELDS, visit.form) if "prefix" in visit.form else {}),
        was=form_fields.encode(now),
        fields=FIELDS[:-1],
        months={str(number): name for number, name in enumerate(visit.language.months, 1)},
        done=visit.query.get("done", [""])[0],
    )


def put_invoicing(visit: Visit) -> Response:
    """Begin to issue invoices, change what is on them, or change the tax."""
    values: dict[str, Any] = {}
    if visit.value("do") != "tax":
        was = form_fields.decode(visit.value("was"))
        values |= form_fields.changed(FIELDS, was, form_fields.typed(FIELDS, visit.form))
    if visit.value("do") != "change":
        values |= _tax(visit)
    exact = {name: frame.exactly(value) for name, value in values.items()}
    visit.request(protocol.PutInvoicing, operator=frame.operator_named(visit), **exact)
    return visit.see(frame.link(visit, PATH, done="saved"))


def _tax(visit: Visit) -> dict[str, Any]:
    """The tax of the form, and from when it is valid, as fields of a request. Raises Refusal (bad_request).

    A new operator may leave all fields of the tax empty.
    """
    begins = {"tax_from": visit.value("tax_from")} if visit.value("tax_from") else {}
    if visit.value("no_tax") == "on":
        return {"tax": None, **begins}
    texts = {name: visit.value(_TAX + name) for name in Tax.__struct_fields__}
    if visit.value("do") == "begin" and not any(texts.values()):
        return {}
    for field in msgspec.structs.fields(Tax):
        try:
            msgspec.convert(texts[field.name], field.type)
        except msgspec.ValidationError:
            takes = field.type.__metadata__[0].description
            message = f"The tax has {takes}."
            raise Refusal("bad_request", message, field=_TAX + field.name, takes=takes) from None
    return {"tax": texts, **begins}


PAGES: Table = {PATH: frame.owned_page(show_invoicing, put_invoicing)}
