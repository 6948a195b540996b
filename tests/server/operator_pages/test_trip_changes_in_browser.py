"""The changes of a trip in Chromium: by keyboard alone, accessible."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Database
from tests.support.browser import Open
from tests.support.operator_visitor import PASSWORD, AddAccount
from tests.support.schema_api import DAY, SchemaApi

pytestmark = pytest.mark.system

TRIP = f"/operator/trips/1/{DAY}"


@pytest.fixture
def sign_in(open_page: Open, add_account: AddAccount, fleet: SchemaApi) -> Callable[..., Page]:
    """A function that opens a page for operators as one of KSRTC. options: of `open_page`."""
    add_account("conductor", "KSRTC")

    def opened(path: str, **options: object) -> Page:
        page = open_page(f"/sign-in?to={path}", **options)
        page.get_by_label("Username").fill("conductor")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("navigation", name="Operator")).to_be_visible()
        return page

    return opened


def test_changes_are_accessible(
    sign_in: Callable[..., Page], violations: Callable[[Page], list[str]], fleet: SchemaApi
) -> None:
    fleet.book(1, 2, 5, name="Asha")
    fleet.write("block_seats", account="ksrtc", bus_id=1, travel_date=DAY, seats=[8], reason="Broken.")
    page = sign_in(f"{TRIP}/notice")
    found = {}
    for change in ("notice", "blocks", "assignment"):
        page.goto(f"{TRIP}/{change}")
        found[change] = violations(page)
    for change in ("delay", "stops", "exchange", "cancellation"):
        page.goto(f"{TRIP}/{change}")
        if change == "delay":
            page.get_by_label("Minutes after the timetable").fill("30")
        if change == "stops":
            page.get_by_label("Stop", exact=True).select_option("Mandya")
        page.get_by_label("Reason").fill("Flood.")
        page.get_by_role("button", name="Show what would happen").click()
        expect(page.locator("#plan")).to_be_focused()
        found[change] = violations(page)
    assert {change: wrong for change, wrong in found.items() if wrong} == {}


def test_delay_by_keyboard_alone(sign_in: Callable[..., Page]) -> None:
    page = sign_in(TRIP)

    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
            )
            if focused == name:
                return
        raise AssertionError(f"{name} cannot be reached")

    tab_to("Delay")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delay")).to_be_visible()
    tab_to("Minutes after the timetable")
    page.keyboard.type("25")
    page.keyboard.press("Enter")
    expect(page.locator("#plan")).to_be_focused()
    tab_to("Change the times")
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("The times of the trip are changed")
    expect(page.locator("header.trip-head")).to_contain_text("10:25")


def test_old_tab_shows_what_another_operator_changed_and_does_nothing_wrong(
    sign_in: Callable[..., Page], fleet: SchemaApi, database: Database, pushing: SimpleNamespace
) -> None:
    fleet.book(1, 2, name="Asha")
    tabs = [sign_in(f"{TRIP}/{change}") for change in ("exchange", "cancellation")]
    for tab in tabs:
        tab.get_by_label("Reason").fill("Flood.")
        tab.get_by_role("button", name="Show what would happen").click()
        expect(tab.locator("#plan")).to_be_focused()
    other = sign_in(f"{TRIP}/exchange")
    other.get_by_role("button", name="Show what would happen").click()
    other.locator(".plan").get_by_role("button", name="Exchange the vehicle").click()
    expect(other.locator(".done")).to_be_visible()
    for tab in tabs:
        expect(tab.locator("header.trip-head")).to_contain_text("KA09F1")
    tabs[1].get_by_role("button", name="Cancel the trip").click()
    expect(tabs[1].locator(".done")).to_be_visible()
    exchange = tabs[0]
    expect(exchange.locator("header.trip-head")).to_contain_text("The trip is cancelled. Flood.")
    exchange.locator(".plan").get_by_role("button", name="Exchange the vehicle").click()
    expect(exchange.locator("#problem")).to_contain_text("does not run on Sat 5 Dec 2026. Flood.")
    assert database.query("SELECT state, reason FROM trips WHERE travel_date = %s AND bus_id = 1", DAY) == [
        ("cancelled", "Flood.")
    ]
    assert database.value("SELECT count(*) FROM messages") <= 2
