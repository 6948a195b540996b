"""Who may open the pages for operators; sessions that end; forms of other sites."""

import pytest

from busware.server.languages import language
from busware.server.pages import refusals
from busware.server.protocol import REASONS, Refusal
from tests.conftest import Database
from tests.support.operator_visitor import AddAccount, sign_in
from tests.support.page_visitor import Visitor


def test_guest_signs_in_and_comes_back(visitor: Visitor, add_account: AddAccount) -> None:
    add_account("conductor", "KSRTC")
    page = visitor.get("/operator?date=2026-12-05")
    assert page.path.startswith("/sign-in?")
    signed_in = visitor.send(page.form("/sign-in"), username="conductor", password="correct horse battery")
    assert signed_in.path == "/operator?date=2026-12-05"
    assert "Day Bus" in signed_in.text


def test_account_that_runs_no_services_is_refused(visitor: Visitor, add_account: AddAccount) -> None:
    add_account("asha", None)
    page = sign_in(visitor, "asha")
    assert page.status == 403
    assert "The account asha does not run any services." in page.text
    assert "Day Bus" not in page.text


def test_only_operators_see_the_link(
    operator: Visitor, other_visitor: Visitor, add_account: AddAccount
) -> None:
    assert operator.get("/").link("Operator") == "/operator"
    assert "Operator" not in other_visitor.get("/").links
    add_account("asha", None)
    sign_in(other_visitor, "asha")
    assert "Operator" not in other_visitor.get("/").links


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/operator/trips/999999/2026-12-05", 404),
        ("/operator/nothing", 404),
        ("/operator/invoices/DTXXXXX.pdf", 404),
        ("/operator/staff?operator=SRS+Travels", 403),
    ],
)
def test_error_keeps_the_frame(operator: Visitor, path: str, status: int) -> None:
    page = operator.get(path)
    assert page.status == status
    assert page.link("Operator") == page.link("Trips of the day") == "/operator"
    assert page.link("Fleet") == "/operator/vehicles"
    assert "To the search" not in page.text
    assert "Trips of the day" not in operator.get("/nothing").text


def test_header_names_the_operator(operator: Visitor, visitor: Visitor, database: Database) -> None:
    assert "Operator: KSRTC" in operator.get("/operator").text
    database.query("UPDATE accounts SET role = 'admin', operator = NULL WHERE username = 'conductor'")
    sign_in(visitor, "conductor")
    assert "Operator:" not in visitor.get("/operator").text
    assert "Operator: SRS Travels" in visitor.get("/operator/vehicles?operator=SRS+Travels").text


def test_admin_chooses_one_of_the_operators(operator: Visitor, database: Database) -> None:
    database.query("UPDATE accounts SET role = 'admin', operator = NULL WHERE username = 'conductor'")
    sign_in(operator, "conductor")
    page = operator.get("/operator/invoices/settings")
    assert page.form("/settings").value("operator") == "KSRTC"
    assert "SRS Travels" in page.text
    wrong = operator.get("/operator/invoices/settings?operator=Nobody")
    assert wrong.status == 400
    assert "No service is operated by" in wrong.text
    assert "KSRTC" in operator.send(wrong.form("/settings"), operator="KSRTC").text


def test_pages_are_not_stored(operator: Visitor) -> None:
    assert operator.get("/operator").response.headers["Cache-Control"] == "no-store"


@pytest.mark.settings(token_recheck_seconds=0.001)
def test_session_that_has_ended_leads_to_the_sign_in(operator: Visitor, database: Database) -> None:
    database.query("DELETE FROM tokens")
    assert operator.get("/operator?date=2026-12-05").path.startswith("/sign-in?")


@pytest.mark.parametrize("code", ["hi", "kn"])
def test_every_refusal_has_a_text_in_each_language(code: str) -> None:
    english = "In English."
    untranslated = [
        reason for reason in REASONS if refusals.text(Refusal(reason, english), language(code)) == english
    ]
    assert untranslated == []
