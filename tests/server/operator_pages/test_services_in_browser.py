"""Services, sales and staff in Chromium: accessible, and a fare is changed by keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.server.operator_pages.test_trip_changes_in_browser import sign_in
from tests.support.schema_api import SchemaApi

pytestmark = pytest.mark.system
__all__ = ["sign_in"]  # a fixture


def test_pages_are_accessible(
    sign_in: Callable[..., Page],
    violations: Callable[[Page], list[str]],
    fleet: SchemaApi,
) -> None:
    fleet.book(1, 2)
    fleet.conn.execute("SELECT api.add_agent('kumar', '', 'KSRTC')")
    page = sign_in("/operator/services")
    found = {}
    for path in (
        "/operator/services",
        "/operator/services/1/document",
        "/operator/services/1/end",
        "/operator/promo-codes",
        "/operator/sales?from=2026-12-01&to=2026-12-31",
        "/operator/staff?edit=kumar",
        "/operator/agents",
        "/operator/agents/kumar",
        "/operator/vehicles?edit=KA09F1",
        "/operator/drivers",
        "/operator/places",
        "/operator/payments",
        "/operator/refunds",
        "/operator/invoices",
        "/operator/webhooks",
    ):
        page.goto(path)
        found[path] = violations(page)
    page.get_by_label("Name", exact=True).fill("accounting")
    page.get_by_label("URL").fill("https://receiver.example/busware")
    page.get_by_role("button", name="Save the webhook").click()
    expect(page.locator("main")).to_contain_text("whsec_")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("region", name="Deliveries")).to_contain_text("webhook.test")
    found["webhook"] = violations(page)
    page.goto("/operator/services/1")
    page.get_by_label("Name", exact=True).fill("Day Express")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.locator("#plan")).to_be_focused()
    found["plan"] = violations(page)
    page.get_by_label("Runs on").fill("sometimes")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.locator("#problem")).to_be_focused()
    found["fault"] = violations(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_fare_is_changed_by_keyboard_alone(sign_in: Callable[..., Page]) -> None:
    page = sign_in("/operator/services/1")
    page.get_by_label("Name", exact=True).focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Fare, 2":
            break
    page.keyboard.press("Control+A")
    page.keyboard.type("77.50")
    page.keyboard.press("Enter")
    expect(page.locator("#plan")).to_be_focused()
    expect(page.locator(".plan")).to_contain_text("77.50")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The service is changed.")
    expect(page.get_by_label("Fare, 2")).to_have_value("77.50")
