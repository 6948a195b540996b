"""Forms for operators that are sent twice: the second answer is that of the first one."""

import pytest

from tests.conftest import Database
from tests.support.invoices import publish
from tests.support.page_visitor import Form, Page, Visitor
from tests.support.schema_api import DAY, SchemaApi

TRIP = f"/operator/trips/1/{DAY}"
WEBHOOKS = "/operator/webhooks"
DELIVERED = "UPDATE outbox SET state = 'done', done_at = api.now(), attempts = 1 WHERE kind = 'webhook'"


def form_of(page: Page, do: str) -> Form:
    """The form that does this."""
    return next(form for form in page.forms if ("do", do) in form.fields)


def send_twice(visitor: Visitor, form: Form, **values: object) -> Page:
    """Send a form twice. Returns the first answer, which the second one repeats."""
    first, second = visitor.send(form, **values), visitor.send(form, **values)
    assert first.status == second.status == 200
    assert first.path == second.path
    return second


def new_webhook(visitor: Visitor) -> Form:
    return next(form for form in visitor.get(WEBHOOKS).forms if "was" in form.names())


@pytest.fixture
def webhook(operator: Visitor) -> Page:
    """The page of a webhook."""
    url = "https://receiver.example/busware"
    return operator.send(new_webhook(operator), webhook="accounting", url=url, types="*")


def test_secret_of_a_new_webhook_is_shown(operator: Visitor, database: Database) -> None:
    url = "https://receiver.example/busware"
    page = send_twice(operator, new_webhook(operator), webhook="accounting", url=url, types="*")
    assert "The webhook is created." in page.text
    assert database.value("SELECT secret FROM webhook_secrets") in page.text


def test_webhook_gets_one_new_secret(operator: Visitor, webhook: Page, database: Database) -> None:
    page = send_twice(operator, form_of(webhook, "rotate"))
    assert database.value("SELECT count(*) FROM webhook_secrets") == 2
    assert database.value("SELECT secret FROM webhook_secrets WHERE valid_until IS NULL") in page.text


def test_webhook_gets_one_test(operator: Visitor, webhook: Page, database: Database) -> None:
    form = form_of(webhook, "test")
    operator.send(form)
    database.query(DELIVERED)
    assert "A test is being sent." in operator.send(form).text
    assert database.value("SELECT count(*) FROM outbox WHERE kind = 'webhook'") == 1


def test_events_are_replayed_once(
    operator: Visitor, webhook: Page, api: SchemaApi, database: Database
) -> None:
    api.book(3)
    publish(api)
    database.query(DELIVERED)
    form = next(form for form in webhook.forms if "since" in form.names())
    assert "1 event is sent again." in operator.send(form, since="2026-12-01").text
    database.query(DELIVERED)
    assert "1 event is sent again." in operator.send(form, since="2026-12-01").text
    assert database.value("SELECT count(*) FROM outbox WHERE kind = 'webhook' AND state = 'waiting'") == 0


def test_forms_of_a_webhook_have_keys_of_their_own(operator: Visitor, webhook: Page) -> None:
    assert operator.send(form_of(webhook, "test")).status == 200
    assert operator.send(form_of(webhook, "rotate")).status == 200


def test_webhook_is_deleted(operator: Visitor, webhook: Page) -> None:
    assert "You have no webhooks yet." in send_twice(operator, form_of(webhook, "delete")).text


def test_vehicle_is_exchanged(operator: Visitor, fleet: SchemaApi, database: Database) -> None:
    fleet.book(1, 2, name="Asha")
    plan = operator.send(operator.get(f"{TRIP}/exchange").form("/exchange"), reason="Flood.")
    page = send_twice(operator, form_of(plan, "apply"))
    assert "The vehicle is exchanged" in page.text
    assert database.value("SELECT count(*) FROM events WHERE type = 'trip.vehicle_exchanged'") == 1


@pytest.mark.parametrize("page", ["", "/document", "/end"])
def test_service_is_changed(operator: Visitor, page: str, database: Database) -> None:
    path = f"/operator/services/1{page}"
    form = operator.get(path).form(path)
    edit = {"": {"name": "Day Express"}, "/end": {"last_date": "2026-12-31"}}.get(page) or {
        "document": form.value("document").replace("Day Bus", "Day Express")
    }
    plan = operator.send(form, **edit)
    assert "The service is changed." in send_twice(operator, form_of(plan, "edit-now")).text


def test_service_is_continued_once(operator: Visitor, api: SchemaApi, database: Database) -> None:
    api.book(3)
    path = "/operator/services/1"
    form = operator.get(path).form(path)
    departs = [value for name, value in form.fields if name == "stop-departs"]
    refused = operator.send(form, **{"stop-departs": ["07:11", *departs[1:]]})
    plan = operator.send(form_of(refused, "succeed"))
    services = database.value("SELECT count(*) FROM bus_info")
    send_twice(operator, form_of(plan, "succeed-now"))
    assert database.value("SELECT count(*) FROM bus_info") == services + 1


def test_stop_is_skipped_and_served_again(operator: Visitor, database: Database) -> None:
    plan = operator.send(operator.get(f"{TRIP}/stops").form("/stops"), at="2", reason="Flood.")
    page = send_twice(operator, form_of(plan, "apply"))
    send_twice(operator, form_of(page, "serve"))


def test_two_seats_are_put_on_sale_from_one_page(operator: Visitor, fleet: SchemaApi) -> None:
    fleet.write("block_seats", account="ksrtc", bus_id=1, travel_date=DAY, seats=[7, 8], reason="Broken.")
    page = operator.get(f"{TRIP}/blocks")
    for form in [form for form in page.forms if ("do", "unblock") in form.fields]:
        assert operator.send(form).status == 200
    assert "No seat is blocked." in operator.get(f"{TRIP}/blocks").text


def test_trip_is_cancelled_and_opened_again(operator: Visitor, database: Database) -> None:
    plan = operator.send(operator.get(f"{TRIP}/cancellation").form("/cancellation"), reason="Flood.")
    page = send_twice(operator, form_of(plan, "apply"))
    assert "The trip is on sale again." in send_twice(operator, form_of(page, "open")).text
