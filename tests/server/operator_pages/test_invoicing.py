"""Settings of invoices, on the pages for operators: begun, changed, refused, and only one's own."""

from typing import Any

from tests.conftest import Database
from tests.support.invoices import publish
from tests.support.page_visitor import Form, Page, Visitor
from tests.support.schema_api import SchemaApi

PATH = "/operator/invoices/settings"
GST = {"tax_name": "GST", "tax_percent": "5", "tax_number": "29AAACK1234A1Z5"}


def form_of(page: Page, do: str) -> Form:
    return next(form for form in page.forms if ("do", do) in form.fields)


def begin(visitor: Visitor, **values: Any) -> Page:
    form = form_of(visitor.get(PATH), "begin")
    return visitor.send(form, **{"prefix": "KA", "seller": "KSRTC, Bengaluru", **GST, **values})


def taxes(database: Database) -> list[Any]:
    return database.query("SELECT name, percent::text, number FROM taxes ORDER BY tax_no")


def test_operator_begins_to_issue_invoices(operator: Visitor, api: SchemaApi, database: Database) -> None:
    assert operator.get("/operator/invoices").link("Settings of invoices") == PATH
    page = begin(operator)
    for text in ("It is saved.", "GST 5 %, 29AAACK1234A1Z5", "Payments since Tue 1 Dec 2026, 09:00"):
        assert text in page.text
    api.book(1)
    publish(api)
    assert "KA-2026-000001" in operator.get("/operator/invoices").text
    assert database.query("SELECT prefix, seller, year_begins FROM invoicing") == [
        ("KA", "KSRTC, Bengaluru", 4)
    ]


def test_invoices_without_a_tax(operator: Visitor, database: Database) -> None:
    page = begin(operator, tax_name="", tax_percent="", tax_number="", year_begins="1")
    assert "No tax" in page.text
    assert taxes(database) == []


def test_wrong_values_are_refused_at_their_fields_and_kept(operator: Visitor, database: Database) -> None:
    for name, value in {"prefix": "KA/", "tax_percent": "five", "tax_number": ""}.items():
        page = begin(operator, **{name: value})
        assert page.status == 400
        assert f'value="{value}"' in page.html
        assert f'aria-describedby="{name}-hint"' in page.html.partition('aria-invalid="true"')[2][:60]
        assert form_of(page, "begin").value("seller") == "KSRTC, Bengaluru"
    assert database.value("SELECT count(*) FROM invoicing") == 0


def test_tax_is_changed_from_a_day_on(operator: Visitor, database: Database) -> None:
    form = form_of(begin(operator), "tax")
    assert {name: form.value(name) for name in GST} == GST
    page = operator.send(form, **GST | {"tax_percent": "12", "tax_from": "2027-01-01"})
    assert "GST 12 %, 29AAACK1234A1Z5 from Fri 1 Jan 2027, 00:00 on" in page.text
    for _ in range(2):
        page = operator.send(form_of(page, "tax"), no_tax="on", tax_from="2027-04-01")
        assert "No tax from Thu 1 Apr 2027, 00:00 on" in page.text
    assert len(taxes(database)) == 3


def test_form_of_an_old_tab_keeps_what_others_changed(operator: Visitor, database: Database) -> None:
    form = form_of(begin(operator), "change")
    operator.send(form, seller="KSRTC, Mysuru")
    operator.send(form, year_begins="1")
    assert database.query("SELECT seller, year_begins FROM invoicing") == [("KSRTC, Mysuru", 1)]


def test_prefix_stays_after_an_invoice(operator: Visitor, api: SchemaApi) -> None:
    page = begin(operator)
    api.book(1)
    publish(api)
    refused = operator.send(form_of(page, "change"), prefix="KB")
    assert refused.status == 400
    assert "Invoices of KSRTC have the prefix KA, so it stays." in refused.text


def test_invoicing_of_another_operator_is_not_changed(operator: Visitor, other_operator: Visitor) -> None:
    begin(operator)
    assert "KSRTC, Bengaluru" not in other_operator.get(PATH).html
    assert other_operator.get(f"{PATH}?operator=KSRTC").status == 403
