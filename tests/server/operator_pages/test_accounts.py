"""Accounts of money on the pages for operators: by day, as CSV, and only one's own."""

from tests.support.invoices import GST, publish, put_invoicing
from tests.support.operator_visitor import AddAccount, sign_in
from tests.support.page_visitor import Visitor
from tests.support.schema_api import SchemaApi

PATH = "/operator/accounts"


def test_accounts_by_day(operator: Visitor, api: SchemaApi) -> None:
    put_invoicing(api, "conductor", prefix="KA", tax=GST)
    booking = api.book(1, 2)
    api.cancel(booking, tickets=[2])
    publish(api)
    page = operator.get(PATH)
    for text in ("Tue 1 Dec 2026", "₹520.00", "Sum"):
        assert text in page.text
    csv = operator.get(page.link("Download as CSV")).response
    assert csv.headers["Content-Type"].startswith("text/csv")
    assert csv.text.splitlines()[1].startswith("KSRTC,2026-12-01,INR,520.00,")
    form = page.form(PATH)
    assert "No money was moved" in operator.send(form, **{"from": "2026-11-01", "to": "2026-11-30"}).text


def test_wrong_period_is_refused_at_its_field_and_kept(operator: Visitor) -> None:
    page = operator.send(operator.get(PATH).form(PATH), **{"from": "2026-12-31", "to": "2026-12-01"})
    assert 'aria-invalid="true"' in page.html
    assert page.form(PATH).value("from") == "2026-12-31"


def test_accounts_of_another_operator_are_not_shown(
    operator: Visitor, other_operator: Visitor, api: SchemaApi
) -> None:
    api.book(1)
    assert "₹260.00" in operator.get(PATH).text
    assert "No money was moved" in other_operator.get(PATH).text
    assert other_operator.get(f"{PATH}?operator=KSRTC").status == 403


def test_admin_names_the_operator(visitor: Visitor, add_account: AddAccount, api: SchemaApi) -> None:
    add_account("chief", None)
    api.conn.execute("UPDATE accounts SET role = 'admin' WHERE username = 'chief'")
    api.book(1)
    page = visitor.send(sign_in(visitor, "chief", PATH).form(PATH), operator="KSRTC")
    assert "₹260.00" in page.text
    assert "₹260.00" in visitor.send(page.form(PATH)).text
    assert "KSRTC,2026-12-01" in visitor.get(page.link("Download as CSV")).html
