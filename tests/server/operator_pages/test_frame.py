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


def test_error_leads_back_to_the_trips(operator: Visitor) -> None:
    page = operator.get("/operator/services/999999")
    assert page.status == 404
    assert operator.get(page.link("Trips of the day")).status == 200
    assert "Trips of the day" not in operator.get("/nothing").text


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
