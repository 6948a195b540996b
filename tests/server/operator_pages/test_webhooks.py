"""Webhooks on the pages for operators: created, tested, replayed, deleted; others' are not shown."""

import re

from tests.conftest import Database
from tests.support.page_visitor import Form, Page, Visitor

PATH = "/operator/webhooks"
URL = "https://receiver.example/busware"


def create(visitor: Visitor, **values: object) -> Page:
    form = next(form for form in visitor.get(PATH).forms if "was" in form.names())
    return visitor.send(form, **{"webhook": "accounting", "url": URL, "types": "booking.*", **values})


def form_of(page: Page, do: str) -> Form:
    return next(form for form in page.forms if ("do", do) in form.fields)


def secret_of(page: Page) -> str | None:
    found = re.search(r"whsec_[\w+/=-]+", page.text)
    return found and found[0]


def test_secret_of_a_new_webhook_is_shown_once(operator: Visitor, database: Database) -> None:
    page = create(operator)
    assert page.path == f"{PATH}/accounting?done=created"
    assert secret_of(page)
    assert not secret_of(operator.get(page.path))
    assert database.query("SELECT url, types FROM webhooks") == [(URL, ["booking.*"])]
    rotated = operator.send(form_of(page, "rotate"))
    assert secret_of(rotated) not in (None, secret_of(page))
    assert not secret_of(operator.get(rotated.path))


def test_wrong_url_is_refused_at_its_field_and_kept(operator: Visitor) -> None:
    page = create(operator, url="http://10.0.0.7/")
    assert page.status == 400
    assert 'value="http://10.0.0.7/" aria-invalid="true"' in page.html


def test_deliveries_are_listed_and_sent_again(operator: Visitor, database: Database) -> None:
    page = operator.send(form_of(create(operator), "test"))
    assert "A test is being sent." in page.text
    assert "webhook.test" in page.text
    assert "Nothing was sent." in operator.get(f"{PATH}/accounting?state=failed").text
    assert "0 events are sent again." in operator.send(form_of(page, "replay"), since="2026-12-01").text


def test_webhook_is_paused_and_deleted(operator: Visitor, database: Database) -> None:
    page = create(operator)
    edit = next(form for form in operator.get(f"{PATH}?edit=accounting").forms if "was" in form.names())
    assert "The webhook is changed." in operator.send(edit, active=None).text
    assert database.query("SELECT active, url FROM webhooks") == [(False, URL)]
    assert operator.send(form_of(page, "test")).status == 409
    assert "You have no webhooks yet." in operator.send(form_of(page, "delete")).text


def test_webhook_of_another_operator_is_not_shown(operator: Visitor, other_operator: Visitor) -> None:
    page = create(operator)
    assert "receiver.example" not in other_operator.get(PATH).text
    assert other_operator.get(f"{PATH}/accounting").status == 404
    own = next(form for form in other_operator.get(PATH).forms if "was" in form.names())
    assert other_operator.send(form_of(page, "delete"), token=own.value("token")).status == 404
    assert "receiver.example" in operator.get(PATH).text
