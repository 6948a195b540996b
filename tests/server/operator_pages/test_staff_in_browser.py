"""Accounts of the staff in Chromium, accessible: one is added, sets a password by a link, and is disabled."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.server.operator_pages.test_trip_changes_in_browser import sign_in
from tests.support.schema_api import SchemaApi

pytestmark = pytest.mark.system
__all__ = ["sign_in"]  # a fixture


def test_account_is_added_used_and_disabled(
    sign_in: Callable[..., Page],
    violations: Callable[[Page], list[str]],
    fleet: SchemaApi,
) -> None:
    page = sign_in("/operator/staff")
    found = {"empty": violations(page)}
    page.get_by_label("Username").fill("Ravi")
    page.get_by_label("Role").select_option(label="Operator: runs the services")
    page.get_by_role("button", name="Add the account").click()
    expect(page.get_by_role("heading", name="Password of ravi")).to_be_visible()
    found["link"] = violations(page)
    browser = page.context.browser
    assert browser is not None
    with browser.new_context() as elsewhere:
        other = elsewhere.new_page()
        other.goto(page.get_by_text("/new-password?reset_token=").inner_text())
        found["password"] = violations(other)
        other.get_by_label("New password").fill("keys of the depot")
        other.get_by_role("button", name="Set the password").click()
        expect(other.get_by_role("navigation", name="Operator")).to_be_visible()
        page.get_by_role("link", name="ravi").click()
        page.get_by_label("May sign in").uncheck()
        found["form"] = violations(page)
        page.get_by_role("button", name="Save the account").click()
        expect(page.get_by_role("status")).to_contain_text("ravi is saved.")
        other.reload()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    assert {part: wrong for part, wrong in found.items() if wrong} == {}
