"""Payments on the pages for operators: listed by state, settled once, paid back, and only one's own."""

from decimal import Decimal

import pytest

from tests.conftest import Database
from tests.support.page_visitor import PHONE, Form, Page, Visitor
from tests.support.schema_api import DAY

PATH, REFUNDS = "/operator/payments", "/operator/refunds"

pytestmark = pytest.mark.settings(manual_account="KSRTC, account 12345678")


@pytest.fixture
def reference(other_visitor: Visitor, database: Database) -> str:
    """A held booking of the bus by day, for which a transfer of 260.00 is expected."""
    database.query("UPDATE bus_info SET payment = 'manual' WHERE bus_id = 1")
    held = other_visitor.hold(1)
    fields = {"reference": held.reference, "phone": PHONE}
    url = f"{other_visitor.url}/v1/bookings/{held.reference}/payments"
    other_visitor.session.post(url, json={"phone": fields["phone"]}).raise_for_status()
    return held.reference


def settle_form(page: Page) -> Form:
    return next(form for form in page.forms if "receipt" in form.names() and "do" not in form.names())


def confirm_form(page: Page) -> Form:
    return next(form for form in page.forms if ("do", "apply") in form.fields)


def test_manual_payment_is_settled_once(operator: Visitor, reference: str, database: Database) -> None:
    page = operator.get(f"{PATH}?state=pending")
    assert reference in page.text
    assert "By transfer" in page.text
    planned = operator.send(settle_form(operator.get(page.link("It has arrived"))), fee="2.50")
    assert f"{reference}: The booking is confirmed." in planned.text
    assert database.value("SELECT status FROM passengers") == "held"
    confirm = confirm_form(planned)
    for _ in range(2):
        assert "The booking is confirmed now." in operator.send(confirm).text
    assert database.query("SELECT state, booked_at IS NOT NULL FROM payment_intents") == [("succeeded", True)]
    assert database.value("SELECT amount FROM provider_fees") == Decimal("2.50")
    assert "There is no such payment." in operator.get(f"{PATH}?state=pending").text
    assert reference in operator.get(f"{PATH}?state=succeeded").text


def test_wrong_payment_is_refused_and_kept(operator: Visitor, reference: str) -> None:
    form = settle_form(operator.get(PATH))
    unknown = operator.send(form, payment="DTXXXXX", amount="5.00", currency="INR")
    assert unknown.status == 404
    wrong = operator.send(form, payment=reference, amount="much", currency="INR")
    assert wrong.status == 400
    assert 'name="amount" type="text" value="much" required aria-invalid="true"' in wrong.html


def test_wrong_amount_is_paid_back(operator: Visitor, reference: str, database: Database) -> None:
    form = settle_form(operator.get(PATH))
    planned = operator.send(form, payment=reference, amount="100.00", currency="INR")
    assert "the amount is to be paid back" in planned.text
    assert "₹100.00 arrived, and ₹260.00 was asked for." in planned.text
    operator.send(confirm_form(planned))
    listed = operator.get(PATH)
    assert "₹100.00 arrived, and ₹260.00 was asked for." in listed.text
    assert 'data-label="Amount">₹100.00</td>' in listed.html
    page = operator.get(REFUNDS)
    assert "₹100.00" in page.text
    assert "The payment booked nothing." in page.text
    assert "+91" in page.text
    assert operator.get(page.link(reference)).path == f"/operator/bookings/{reference}"
    asked = operator.send(next(form for form in page.forms if "refund_id" in form.names()))
    assert f"₹100.00 of booking {reference} leaves the list. This cannot be undone." in asked.text
    assert database.value("SELECT state FROM refunds") == "waiting"
    paid_back = confirm_form(asked)
    for _ in range(2):
        assert f"The refund of {reference} is paid back." in operator.send(paid_back).text
    assert database.query("SELECT state, account FROM refunds") == [("succeeded", "conductor")]


def test_refund_says_who_gets_it_and_why(operator: Visitor, reference: str, database: Database) -> None:
    form = settle_form(operator.get(PATH))
    operator.send(confirm_form(operator.send(form, payment=reference, amount="260.00", currency="INR")))
    database.query("UPDATE passengers SET name = '<b>Asha'")
    trip = operator.get(f"/operator/trips/1/{DAY}/cancellation").form("/cancellation")
    operator.send(confirm_form(operator.send(trip, reason="Landslide.")))
    page = operator.get(REFUNDS)
    assert "<b>Asha · +91" in page.text
    assert "Refund of ticket 1 Landslide." in page.text
    asked = operator.send(next(form for form in page.forms if "refund_id" in form.names()))
    assert "<b>Asha · +91" in asked.text.partition("Is it paid back?")[2].partition("You pay back")[0]


def test_payments_of_another_operator_are_not_shown(
    operator: Visitor, reference: str, visitor: Visitor, database: Database
) -> None:
    form = settle_form(operator.get(PATH))
    database.query("UPDATE accounts SET operator = 'SRS Travels'")
    assert reference not in operator.get(PATH).text
    assert operator.send(form, payment=reference, amount="260.00", currency="INR").status == 403
