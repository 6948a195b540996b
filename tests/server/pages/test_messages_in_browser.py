"""The messages about a booking in Chromium: a new one appears while an answer is typed."""

from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from tests.conftest import Database
from tests.support.browser import Open
from tests.support.page_visitor import Visitor

pytestmark = [pytest.mark.system, pytest.mark.settings(reread_seconds=3600)]


def test_new_message_appears_while_an_answer_is_typed(
    pushing: SimpleNamespace, open_page: Open, visitor: Visitor, database: Database
) -> None:
    reference = visitor.book(3).reference
    page = open_page("about:blank")
    page.context.add_cookies(
        [{"name": one.name, "value": one.value or "", "url": visitor.url} for one in visitor.session.cookies]
    )
    with page.expect_response(lambda response: response.url.endswith("/events")):
        page.goto(f"/bookings/{reference}/messages")
    page.get_by_label("Your message to the operator").fill("When?")
    database.query("SELECT api.notice('Platform 4', NULL, NULL, 1, '2026-12-05', gen_random_uuid())")
    expect(page.get_by_text("Platform 4")).to_be_visible()
    expect(page.get_by_label("Your message to the operator")).to_have_value("When?")
