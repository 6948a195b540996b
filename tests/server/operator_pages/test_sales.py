"""Sales on the pages for operators: a table with bars, its CSV, its periods, and only one's own."""

import pytest

from busware.server.pages.operator.sales import lines
from busware.server.protocol import SalesRow
from tests.support.page_visitor import Visitor
from tests.support.schema_api import SchemaApi

SALES = "/operator/sales?from=2026-12-01&to=2026-12-31"


def row(income: str, currency: str = "INR", occupancy: str | None = None) -> SalesRow:
    return SalesRow(
        currency=currency, tickets=1, charges=income, refunds="0.00", income=income, occupancy=occupancy
    )


def test_bars_are_parts_of_the_largest_income_of_their_currency() -> None:
    rows = [
        row("100.00"),
        row("50.00", occupancy="25.0"),
        row("-5.00"),
        row("7.000", "KWD"),
        row("0.00", "USD"),
    ]
    assert [(line.income, line.occupancy) for line in lines(rows)] == [
        (120.0, None), (60.0, 30.0), (0.0, None), (120.0, None), (0.0, None)
    ]  # fmt: skip
    assert list(lines([])) == []


def test_sales_by_service_with_their_sums(operator: Visitor, api: SchemaApi) -> None:
    cancelled = api.book(1, 2)
    api.book(3)
    api.cancel(cancelled)
    page = operator.get(SALES)
    assert "Sales from Tue 1 Dec 2026 to Thu 31 Dec 2026" in page.text
    assert "Tickets 3 Charged ₹780.00 Refunded ₹260.00 Income ₹520.00" in page.text
    assert page.link("Day Bus") == "/operator/services/1"
    assert '<rect class="income" width="120.0" height="10"/>' in page.html


@pytest.mark.parametrize(
    ("group", "text"),
    [("date", "Sat 5 Dec 2026"), ("segment", "Bengaluru – Mysuru"), ("agent", "Without an agent")],
)
def test_other_rows(operator: Visitor, api: SchemaApi, group: str, text: str) -> None:
    api.book(1)
    form = operator.get(SALES).form("/operator/sales")
    page = operator.send(form, group=group, by="payment" if group == "agent" else "travel")
    assert text in page.text
    assert "Tickets 1 Charged ₹260.00" in page.text


def test_sales_as_csv(operator: Visitor, api: SchemaApi) -> None:
    api.book(1)
    sent = operator.get(operator.get(SALES).link("Download as CSV")).response
    assert "sales-2026-12-01-2026-12-31-service.csv" in sent.headers["Content-Disposition"]
    assert "Day Bus" in sent.text
    assert "260.00" in sent.text


def test_other_operators_sales_are_not_shown(other_operator: Visitor, api: SchemaApi) -> None:
    api.book(1)
    page = other_operator.get(SALES)
    assert "Income ₹0.00" in page.text
    assert "Day Bus" not in page.text


def test_wrong_period_is_said_at_the_form(operator: Visitor) -> None:
    page = operator.get("/operator/sales?from=2026-12-31&to=2026-12-01")
    assert page.status == 200
    assert 'role="alert"' in page.html
    assert page.form("/operator/sales").value("from") == "2026-12-31"


def test_values_that_are_not_choices_are_ignored(operator: Visitor) -> None:
    page = operator.get("/operator/sales?group=<script>&by=x&from=x&to=x")
    assert page.status == 200
    assert "<script>" not in page.html
