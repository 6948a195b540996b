"""Services on the pages for operators: in a form and as a document; planned, then changed; and refused."""

import re

from tests.conftest import Database
from tests.support.page_visitor import Form, Page, Visitor
from tests.support.schema_api import SchemaApi

ONE = "/operator/services/1"


def form_of(page: Page, action: str = ONE) -> Form:
    """The form of the service, and not that of a plan."""
    return next(
        form for form in page.forms if form.action == action and ("do", "edit-now") not in form.fields
        and not form.value_or("do", "").startswith("succeed")
    )  # fmt: skip


def apply(visitor: Visitor, planned: Page) -> Page:
    """Send the form that makes the planned change."""
    return visitor.send(next(form for form in planned.forms if form.value_or("do", "").endswith("-now")))


def field(database: Database, name: str) -> str:
    return str(database.value(f"SELECT api.service(1) ->> '{name}'"))


def test_list_has_the_own_services(operator: Visitor, other_operator: Visitor) -> None:
    assert operator.get("/operator/services").link("Day Bus") == ONE
    page = other_operator.get("/operator/services")
    assert "Day Bus" not in page.text
    assert other_operator.get(ONE).status == 403


def test_form_is_planned_and_then_applied(operator: Visitor, database: Database) -> None:
    form = form_of(operator.get(ONE))
    planned = operator.send(
        form,
        name="Day <b>Express</b>",
        women_seats="1, 2",
        refund_tiers="48h: 90, 24h: 50",
        days_off="2026-12-08",
    )
    assert planned.status == 200
    for text in (
        "Name Day Bus Day <b>Express</b>",
        "Seats for women [] [1, 2]",
        "1 trip is no longer on sale.",
    ):
        assert text in planned.text
    assert field(database, "name") == "Day Bus"
    done = apply(operator, planned)
    assert "The service is changed." in done.text
    assert "<b>Express" not in done.html
    assert field(database, "name") == "Day <b>Express</b>"
    kept = form_of(done)
    assert kept.value("refund_tiers") == "48h: 90, 24h: 50"
    assert (kept.value("women_seats"), kept.value("days_off")) == ("1, 2", "2026-12-08")


def test_nothing_changes_without_a_change(operator: Visitor) -> None:
    page = operator.send(form_of(operator.get(ONE)))
    assert "Nothing changes." in page.text


def test_fares_of_the_stops_are_changed(operator: Visitor, database: Database) -> None:
    form = form_of(operator.get(ONE))
    fares = [value for name, value in form.fields if name == "stop-fare"]
    fares[1] = "95.50"
    planned = operator.send(form, **{"stop-fare": fares})
    assert "95.50" in planned.text
    apply(operator, planned)
    assert database.value("SELECT api.service(1) #>> '{stops,1,fare}'") == "95.50"


def test_faults_are_named_with_their_fields(operator: Visitor, database: Database) -> None:
    form = form_of(operator.get(ONE))
    page = operator.send(form, runs_on="sometimes", women_seats="99")
    assert page.status == 400
    assert page.links["Runs on"] == "#runs_on"
    assert form_of(page).value("runs_on") == "sometimes"
    assert operator.send(form, max_seats="many").status == 400
    assert operator.send(form, refund_tiers="soon").status == 400
    assert field(database, "runs_on") == "daily"


def test_edit_of_an_old_tab_keeps_what_others_changed(operator: Visitor, database: Database) -> None:
    form = form_of(operator.get(ONE))
    database.query("""SELECT api.put_service(NULL, '{"bus_id": 1, "max_seats": 3}')""")
    apply(operator, operator.send(form, name="Day Express"))
    assert (field(database, "name"), field(database, "max_seats")) == ("Day Express", "3")


def test_old_plan_is_shown_again(operator: Visitor, database: Database) -> None:
    planned = operator.send(form_of(operator.get(ONE)), name="Day Express")
    database.query("""SELECT api.put_service(NULL, '{"bus_id": 1, "name": "Morning Bus"}')""")
    page = apply(operator, planned)
    assert "The service has changed since you looked." in page.text
    assert "Name Morning Bus Day Express" in page.text
    assert "The service is changed." in apply(operator, page).text


def test_document_is_changed(operator: Visitor, database: Database) -> None:
    form = form_of(operator.get(f"{ONE}/document"), f"{ONE}/document")
    text = form.value("document")
    planned = operator.send(form, document=re.sub(r"name: .*", "name: 22:30", text, count=1))
    assert "name Day Bus 22:30" in planned.text
    assert "The service is changed." in apply(operator, planned).text
    assert field(database, "name") == "22:30"


def test_faults_of_a_document_have_lines(operator: Visitor) -> None:
    form = form_of(operator.get(f"{ONE}/document"), f"{ONE}/document")
    for text, line in {
        "name: A\nruns_on: sometimes": "Line 2",
        "name: A\nmax_seats: many": "Line 2",
        "name: A\n\nnaem: B": "naem",
        "name: [": "Line 2",
        "- a": "Line 1",
        "name: A\nname: B": "Line 2",
        "stops: &a []": "Line 1",
        "stops: |\n  Bengaluru | - | 06:00 | 0 | 0\n  Mysuru | 05:00 | - | 145 | 90": "Line 3",
    }.items():
        page = operator.send(form, document=text)
        assert page.status == 400, text
        assert line in page.text, text
        assert form_of(page, f"{ONE}/document").value("document") == text


def test_change_that_moves_tickets_shows_the_way_out(
    operator: Visitor, api: SchemaApi, database: Database
) -> None:
    api.book(8)
    form = form_of(operator.get(f"{ONE}/document"), f"{ONE}/document")
    page = operator.send(form, document="layout: |\n  ss.ss\n")
    assert page.status == 409
    successor = next(form for form in page.forms if form.value_or("do", "") == "succeed")
    planned = operator.send(successor)
    assert "Service 1 ends" in planned.text
    done = apply(operator, planned)
    assert "The service continues under this number." in done.text
    assert database.value("SELECT count(*) FROM bus_info WHERE name = 'Day Bus'") == 2


def test_service_is_added_once(operator: Visitor, database: Database) -> None:
    path = "/operator/services/new"
    planned = operator.send(form_of(operator.get(path), path))
    assert "trips go on sale." in planned.text
    count = "SELECT count(*) FROM bus_info WHERE name = 'Morning Express'"
    assert database.value(count) == 0
    for _ in range(2):
        assert "The service is added." in apply(operator, planned).text
    assert database.value(count) == 1


def test_service_ends_and_goes_on(operator: Visitor, api: SchemaApi, database: Database) -> None:
    path = f"{ONE}/end"
    planned = operator.send(form_of(operator.get(path), path), last_date="2026-12-10")
    assert "trips are no longer on sale." in planned.text
    apply(operator, planned)
    assert field(database, "last_date") == "2026-12-10"
    apply(operator, operator.send(form_of(operator.get(path), path), last_date=""))
    assert database.value("SELECT api.service(1) -> 'last_date'") is None
    api.book(1)
    refused = operator.send(form_of(operator.get(path), path), last_date="2026-12-03")
    assert refused.status == 409
    assert form_of(refused, path).value("last_date") == "2026-12-03"


def test_promo_code_is_created_and_replaced(operator: Visitor, database: Database) -> None:
    path = "/operator/promo-codes"
    page = operator.send(
        operator.get(path).form(path), code="dasara", percent="10", services="1", max_uses="5"
    )
    assert "The promo code is valid now." in page.text
    edited = operator.get(page.link("DASARA").partition("#")[0]).form(path)
    assert (edited.value("percent"), edited.value("services"), edited.value("max_uses")) == ("10", "1", "5")
    operator.send(edited, percent="20")
    assert database.query("SELECT percent::text FROM promo_codes") == ["20.00"]
    wrong = operator.send(edited, percent="a lot", services="1, x")
    assert wrong.status == 400
    assert wrong.form(path).value("percent") == "a lot"
