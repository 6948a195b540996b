"""Agents on the pages for operators: their terms, and the settlements of their cash."""

from tests.conftest import Database
from tests.support.counter import sell
from tests.support.operator_visitor import AddAccount, sign_in
from tests.support.page_visitor import Form, Page, Visitor
from tests.support.schema_api import SchemaApi

KUMAR = "/operator/agents/kumar"


def settle_form(page: Page) -> Form:
    return next(form for form in page.forms if ("do", "settle") in form.fields)


def terms_form(page: Page) -> Form:
    return next(form for form in page.forms if "commission_percent" in form.names())


def test_agents_are_listed(operator: Visitor, counter: SchemaApi) -> None:
    page = operator.get("/operator/agents")
    assert page.link("kumar") == KUMAR


def test_agents_of_another_operator_are_not_shown(other_operator: Visitor, counter: SchemaApi) -> None:
    assert "kumar" not in other_operator.get("/operator/agents").text
    assert other_operator.get(KUMAR).status == 404


def test_terms_are_changed(operator: Visitor, counter: SchemaApi) -> None:
    form = terms_form(operator.get(KUMAR))
    page = operator.send(form, commission_percent="5", credit_limit="2000", quotas="1: 4", active=None)
    assert "The terms are changed." in page.text
    terms = terms_form(page)
    assert (terms.value("commission_percent"), terms.value("quotas")) == ("5", "1: 4")
    assert (terms.value("credit_limit"), "active" in terms.names()) == ("2000.00", False)
    cleared = terms_form(operator.send(terms, credit_limit="", quotas="", active="on"))
    assert (cleared.value("credit_limit"), cleared.value("quotas"), cleared.value("active")) == ("", "", "on")


def test_wrong_quota_is_named_and_kept(operator: Visitor, counter: SchemaApi) -> None:
    page = operator.send(terms_form(operator.get(KUMAR)), quotas="1: 4, many")
    assert page.status == 400
    assert "many" in page.text
    assert terms_form(page).value("quotas") == "1: 4, many"


def test_cash_is_settled_once(operator: Visitor, counter: SchemaApi, database: Database) -> None:
    sell(counter, 1, 2)
    form = settle_form(operator.get(KUMAR))
    assert form.value("handed_over") == "520.00"
    for _ in range(2):
        page = operator.send(form, handed_over="500")
        assert "The cash is settled." in page.text
    assert database.value("SELECT count(*) FROM settlements") == 1
    assert settle_form(page).value("handed_over") == "20.00"
    before = operator.get(page.link("Previous settlement"))
    assert "₹500.00" in before.text
    assert not [form for form in before.forms if ("do", "settle") in form.fields]
    csv = operator.get(before.link("2 payments as CSV")).response
    assert csv.headers["Content-Type"].startswith("text/csv")
    assert csv.text.count("charge") == 2


def test_wrong_amount_is_refused_at_its_field(operator: Visitor, counter: SchemaApi) -> None:
    page = operator.send(settle_form(operator.get(KUMAR)), handed_over="all")
    assert page.status == 400
    assert settle_form(page).value("handed_over") == "all"


def test_admin_names_the_operator_of_the_agents(
    visitor: Visitor, add_account: AddAccount, counter: SchemaApi, database: Database
) -> None:
    add_account("chief", None)
    database.query("UPDATE accounts SET role = 'admin' WHERE username = 'chief'")
    asked = sign_in(visitor, "chief", "/operator/agents")
    agent = visitor.get(visitor.send(asked.form("/operator/agents"), operator="KSRTC").link("kumar"))
    assert "The terms are changed." in visitor.send(terms_form(agent), commission_percent="5").text
    assert "The cash is settled." in visitor.send(settle_form(agent), handed_over="0").text
