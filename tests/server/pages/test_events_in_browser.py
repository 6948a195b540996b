"""Pages that follow a booking in Chromium: what its events change, and what they must not change."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, Route, expect

from tests.conftest import Clock, Database
from tests.support.browser import Open
from tests.support.page_visitor import Visitor

pytestmark = [pytest.mark.system, pytest.mark.settings(reread_seconds=3600)]


# Follows a booking. window.changed: the promise of its next change.
FOLLOW = """events => new Promise((ready) => {
  window.changed = new Promise((resolve) => {
    let first = null;
    new EventSource(events).addEventListener("booking", ({ data }) => {
      ready();
      if (first !== null && data !== first) {
        resolve();
      }
      first = data;
    });
  });
})"""


def open_with_cookies(open_page: Open, visitor: Visitor, path: str) -> Page:
    """A page of a visitor's booking that has received its first event."""
    page = open_page("about:blank")
    page.context.add_cookies(
        [{"name": one.name, "value": one.value or "", "url": visitor.url} for one in visitor.session.cookies]
    )
    with page.expect_response(lambda response: response.url.endswith("/events")):
        page.goto(path)
    return page


def test_new_message_appears_while_an_answer_is_typed(
    pushing: SimpleNamespace, open_page: Open, visitor: Visitor, database: Database
) -> None:
    reference = visitor.book(3).reference
    page = open_with_cookies(open_page, visitor, f"/bookings/{reference}/messages")
    page.get_by_label("Your message to the operator").fill("When?")
    database.query("SELECT api.notice('Platform 4', NULL, NULL, 1, '2026-12-05', gen_random_uuid())")
    expect(page.get_by_text("Platform 4")).to_be_visible()
    expect(page.get_by_label("Your message to the operator")).to_have_value("When?")


@pytest.mark.settings(manual_account="Busware, IN00 1234")
def test_event_of_a_sent_form_does_not_lead_away_from_its_page(
    pushing: SimpleNamespace, open_page: Open, visitor: Visitor, database: Database, clock: Clock
) -> None:
    clock.set(datetime.now(UTC))  # else the browser counts that the hold has ended
    database.query("UPDATE bus_info SET payment = 'manual' WHERE bus_id = 1")
    reference = visitor.hold(3).reference
    page = open_with_cookies(open_page, visitor, f"/bookings/{reference}")
    other = page.context.new_page()
    other.goto("/bookings")
    other.evaluate(FOLLOW, f"/bookings/{reference}/events")

    def answer_after_the_event(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        other.evaluate("window.changed")
        route.fulfill(response=answer)

    page.route("**/pay", answer_after_the_event, times=1)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("Busware, IN00 1234")).to_be_visible()
    expect(page).to_have_url(f"{visitor.url}/bookings/{reference}/pay")
