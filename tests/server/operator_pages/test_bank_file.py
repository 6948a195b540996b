"""A bank's file on the pages for operators: planned, settled once, faults by line, only own payments."""

import pytest

from tests.conftest import Database
from tests.support.page_visitor import PHONE, Form, Page, Visitor

PATH = "/operator/payments/bank-file"
HEADER = "Date,Reference,Amount,Currency"

pytestmark = pytest.mark.settings(manual_account="KSRTC, account 12345678")


@pytest.fixture
def references(other_visitor: Visitor, database: Database) -> list[str]:
    """Two held bookings of the bus by day, for which transfers of 260.00 are expected."""
    database.query("UPDATE bus_info SET payment = 'manual' WHERE bus_id = 1")
    held = [other_visitor.hold(seat).reference for seat in (1, 2)]
    for reference in held:
        url = f"{other_visitor.url}/v1/bookings/{reference}/payments"
        other_visitor.session.post(url, json={"phone": PHONE}).raise_for_status()
    return held


def file_form(page: Page) -> Form:
    return next(form for form in page.forms if "file" in form.names() and "do" not in form.names())


def confirm_form(page: Page) -> Form:
    return next(form for form in page.forms if ("do", "apply") in form.fields)


def plan(visitor: Visitor, *lines: str) -> Page:
    text = "\n".join((HEADER, *lines))
    return visitor.send(file_form(visitor.get(PATH)), file=text)


def test_file_is_planned_and_settled_once(
    operator: Visitor, references: list[str], database: Database
) -> None:
    first, second = references
    lines = (
        f"2026-12-01,{first},260.00,INR",
        f'2026-12-01,{second.lower()},"100",inr',
        "2026-12-01,RENT,900.00,INR",
    )
    assert operator.get("/operator/payments").link("file of the bank") == PATH
    planned = plan(operator, *lines)
    for text in ("The booking is confirmed.", "the amount is to be paid back", "The line is skipped."):
        assert text in planned.text
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'booked'") == 0
    for _ in range(2):
        done = operator.send(confirm_form(planned))
        for text in ("booked now: 1", "paid back: 1", "not for your payments: 1"):
            assert text in done.text
    assert database.query("SELECT reference FROM passengers WHERE status = 'booked'") == [first]
    assert database.query("SELECT amount FROM refunds") == [100]
    again = plan(operator, *lines)
    assert "Nothing changes." in again.text
    assert not [form for form in again.forms if ("do", "apply") in form.fields]


def test_faults_are_named_with_their_lines_and_the_text_is_kept(
    operator: Visitor, references: list[str], database: Database
) -> None:
    for lines, fault in {
        ("2026-12-01,,260.00,INR",): "Line 2: reference is missing.",
        (f"2026-12-01,{references[0]},260.00,INR", "2026-13-01,X,1,INR"): "Line 3: '2026-13-01'",
        (f"2026-12-01,{references[0]},260.005,INR",): "Line 2: ",
        (): "The file has no transfer.",
    }.items():
        page = plan(operator, *lines)
        assert page.status == 400
        assert fault in page.text
        assert file_form(page).value("file").splitlines() == [HEADER, *lines]
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'booked'") == 0


def test_payments_of_another_operator_are_skipped(
    other_operator: Visitor, operator: Visitor, references: list[str]
) -> None:
    assert "The line is skipped." in plan(other_operator, f"2026-12-01,{references[0]},260.00,INR").text
