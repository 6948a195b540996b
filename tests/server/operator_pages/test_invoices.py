"""Invoices on the pages for operators: of a financial year, as PDF and CSV, and only one's own."""

import re

import pytest

from tests.conftest import Clock
from tests.support.invoices import GST, publish, put_invoicing
from tests.support.page_visitor import Visitor
from tests.support.schema_api import SchemaApi

PATH = "/operator/invoices"


@pytest.fixture
def invoiced(operator: Visitor, api: SchemaApi) -> str:
    """A booking of December 2026 with an invoice; the financial year of its operator begins in April."""
    put_invoicing(api, "conductor", prefix="KA", year_begins=4, tax=GST)
    reference: str = api.book(1, 2)["reference"]
    publish(api)
    return reference


def test_invoices_of_a_financial_year(operator: Visitor, invoiced: str, clock: Clock) -> None:
    page = operator.get(PATH)
    assert "Invoices of 2026–27" in page.text
    assert "₹520.00" in page.text
    assert "There are no invoices of this year." in operator.get(page.link("2025–26")).text
    clock.set("2027-03-31 23:00+05:30")
    assert invoiced in operator.get(PATH).text
    clock.set("2027-04-01 01:00+05:30")
    assert invoiced not in operator.get(PATH).text


def test_credit_note_has_amounts_below_zero(operator: Visitor, invoiced: str, api: SchemaApi) -> None:
    api.cancel({"reference": invoiced})
    publish(api)
    row = operator.get(PATH).text.partition("Credit note")[2]
    assert re.findall(r"\S?₹[\d.]+", row)[:2] == ["-₹12.38", "-₹260.00"]


def test_documents_of_invoices(operator: Visitor, invoiced: str) -> None:
    page = operator.get(PATH)
    pdf = operator.get(page.link(f"{invoiced} as PDF")).response
    assert (pdf.headers["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    csv = operator.get(page.link("Download as CSV")).response
    assert csv.headers["Content-Type"].startswith("text/csv")
    assert csv.text.count(invoiced) == 1


def test_invoices_of_another_operator_are_not_shown(
    operator: Visitor, other_operator: Visitor, invoiced: str
) -> None:
    assert "You issue no invoices with Busware." in other_operator.get(PATH).text
    assert other_operator.get(f"{PATH}?operator=KSRTC").status == 403
    assert other_operator.get(f"{PATH}/{invoiced}.pdf").status == 404
