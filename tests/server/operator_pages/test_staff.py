"""Accounts of the staff on the pages for operators: added, changed and disabled; a link sets a password."""

import re

import pytest

from tests.conftest import Database
from tests.support.operator_visitor import AddAccount, sign_in
from tests.support.page_visitor import Form, Page, Visitor

STAFF = "/operator/staff"


def record_form(page: Page) -> Form:
    return next(form for form in page.forms if "was" in form.names())


def reset_form(page: Page) -> Form:
    return next(form for form in page.forms if ("do", "reset") in form.fields)


def password_link(page: Page) -> str:
    """The path of the link that a page shows for another person; empty if it shows none."""
    found = re.search(r"http://[^/\s]+(/new-password\?reset_token=[0-9a-f]+)", page.text)
    return found[1] if found else ""


def add(visitor: Visitor, username: str, role: str, **values: str) -> Page:
    return visitor.send(record_form(visitor.get(STAFF)), username=username, role=role, **values)


@pytest.fixture
def admin(visitor: Visitor, add_account: AddAccount, database: Database) -> Visitor:
    """The browser of an admin."""
    add_account("chief", None)
    database.query("UPDATE accounts SET role = 'admin' WHERE username = 'chief'")
    sign_in(visitor, "chief")
    return visitor


def test_new_person_sets_a_password_with_the_link_and_works(
    operator: Visitor, other_visitor: Visitor
) -> None:
    page = add(operator, "Ravi", "operator")
    assert "ravi is saved." in page.text
    link = password_link(page)
    assert password_link(operator.get(STAFF)) == ""
    form = other_visitor.get(link).form("/new-password")
    page = other_visitor.send(form, password="keys of the depot")
    assert page.status == 200
    assert "Trips" in page.text
    assert "ravi" in other_visitor.get("/account").text
    assert other_visitor.send(form, password="keys of the depot").status == 401


def test_disabled_account_is_out_at_once(operator: Visitor, other_visitor: Visitor) -> None:
    link = password_link(add(operator, "ravi", "operator"))
    other_visitor.send(other_visitor.get(link).form("/new-password"), password="keys of the depot")
    form = record_form(operator.get(f"{STAFF}?edit=ravi"))
    assert form.value("active") == "on"
    page = operator.send(form, active=None)
    assert password_link(page) == ""
    assert "No" in page.text
    assert other_visitor.get("/operator").form("/sign-in")


def test_password_is_ended_and_a_link_sets_the_next_one(
    operator: Visitor, other_visitor: Visitor, database: Database
) -> None:
    first = password_link(add(operator, "ravi", "operator"))
    other_visitor.send(other_visitor.get(first).form("/new-password"), password="keys of the depot")
    second = password_link(operator.send(reset_form(operator.get(f"{STAFF}?edit=ravi"))))
    assert second not in ("", first)
    assert other_visitor.get("/operator").form("/sign-in")
    assert database.value("SELECT password_hash FROM accounts WHERE username = 'ravi'") == "none"
    assert (
        other_visitor.send(other_visitor.get(second).form("/new-password"), password="another one").status
        == 200
    )


def test_form_of_an_old_tab_keeps_what_others_changed(operator: Visitor, database: Database) -> None:
    add(operator, "ravi", "operator")
    old = record_form(operator.get(f"{STAFF}?edit=ravi"))
    operator.send(record_form(operator.get(f"{STAFF}?edit=ravi")), active=None)
    operator.send(old, role="agent")
    assert database.query("SELECT role, active FROM accounts WHERE username = 'ravi'") == [("agent", False)]


def test_faults_are_at_their_fields_and_what_was_typed_stays(
    operator: Visitor, add_account: AddAccount
) -> None:
    add_account("asha", None)
    page = add(operator, "asha", "operator")
    assert page.status == 409
    form = record_form(page)
    assert (form.value("username"), form.value("role")) == ("asha", "operator")
    assert 'name="username" type="text" value="asha" required aria-invalid="true"' in page.html
    page = add(operator, "ravi", "")
    assert page.status == 400
    assert 'name="role" aria-invalid="true"' in page.html


def test_own_account_has_no_form(operator: Visitor) -> None:
    page = operator.get(f"{STAFF}?edit=conductor")
    assert "This is your own account." in page.text
    assert not [form for form in page.forms if "was" in form.names()]
    form = record_form(operator.get(STAFF))
    assert operator.send(form, username="conductor", role="agent").status == 403


def test_accounts_of_another_operator_are_not_shown(operator: Visitor, other_operator: Visitor) -> None:
    add(operator, "ravi", "agent")
    assert "ravi" in operator.get(STAFF).text
    assert "ravi" not in other_operator.get(f"{STAFF}?edit=ravi").text
    assert other_operator.get(f"{STAFF}?operator=KSRTC").status == 403
    assert "Admin" not in operator.get(STAFF).text


def test_admin_manages_the_accounts_of_all(admin: Visitor, database: Database) -> None:
    assert "ravi is saved." in add(admin, "ravi", "operator", operator="KSRTC").text
    page = add(admin, "boss", "admin")
    assert "boss is saved." in page.text
    form = record_form(admin.get(f"{STAFF}?edit=ravi"))
    assert form.value("operator") == "KSRTC"
    admin.send(form, operator="SRS Travels")
    admin.send(record_form(admin.get(f"{STAFF}?edit=boss")), role="operator", operator="KSRTC")
    assert database.query(
        "SELECT username, role, operator FROM accounts WHERE username <> 'chief' ORDER BY 1"
    ) == [
        ("boss", "operator", "KSRTC"),
        ("ravi", "operator", "SRS Travels"),
    ]
    assert "Name the operator." in add(admin, "uma", "operator").text
    only = admin.get(f"{STAFF}?operator=KSRTC")
    assert "boss" in only.text
    assert "ravi" not in only.text


def test_guest_and_agent_do_not_see_the_staff(
    visitor: Visitor, add_account: AddAccount, database: Database
) -> None:
    assert visitor.get(STAFF).form("/sign-in")
    add_account("kumar", None)
    database.query("UPDATE accounts SET role = 'agent'")
    assert sign_in(visitor, "kumar", STAFF).status == 403
