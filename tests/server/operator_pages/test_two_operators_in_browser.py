"""Two operators at the same time in Chromium: what one changes is shown in the tab of the other one."""

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
def tab_of(
    open_page: Open, add_account: AddAccount, fleet: SchemaApi, pushing: SimpleNamespace
) -> Callable[[str, str], Page]:
    """A function that opens a page in the browser of an operator of KSRTC: asha or ravi."""
    for username in ("asha", "ravi"):
        add_account(username, "KSRTC")

    def opened(username: str, path: str) -> Page:
        page = open_page(f"/sign-in?to={path}")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("navigation", name="Operator")).to_be_visible()
        return page

    return opened


def plan(page: Page) -> None:
    """Show what the change of the page would do."""
    page.get_by_label("Reason").fill("Flood.")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.locator("#plan")).to_be_focused()


def test_cancelled_trip_is_seen_by_another_operator(
    tab_of: Callable[[str, str], Page], fleet: SchemaApi, database: Database
) -> None:
    fleet.book(1, 2, name="Meena")
    seats, day, delay = (tab_of("ravi", path) for path in (TRIP, f"/operator?date={DAY}", f"{TRIP}/delay"))
    delay.get_by_label("Minutes after the timetable").fill("30")
    plan(delay)
    cancellation = tab_of("asha", f"{TRIP}/cancellation")
    plan(cancellation)
    cancellation.get_by_role("button", name="Cancel the trip").click()
    expect(cancellation.locator(".done")).to_be_visible()
    for tab in (seats, delay):
        expect(tab.locator("header.trip-head")).to_contain_text("The trip is cancelled. Flood.")
    expect(seats.get_by_role("link", name="Meena")).to_have_count(0)
    expect(day.locator("li.cancelled")).to_contain_text("Day Bus")
    delay.get_by_role("button", name="Change the times").click()
    expect(delay.locator("#problem")).to_contain_text("The trip is cancelled. Flood.")
    expect(delay.get_by_label("Minutes after the timetable")).to_have_value("30")
    assert database.value("SELECT count(*) FROM events WHERE type = 'trip.delayed'") == 0


def test_exchanged_vehicle_is_seen_by_another_operator(
    tab_of: Callable[[str, str], Page], fleet: SchemaApi
) -> None:
    fleet.book(1, 2, name="Meena")
    seats, exchange = (tab_of("ravi", path) for path in (TRIP, f"{TRIP}/exchange"))
    plan(exchange)
    other = tab_of("asha", f"{TRIP}/exchange")
    other.get_by_label("New vehicle").select_option("KA09F2")
    plan(other)
    other.locator(".plan").get_by_role("button", name="Exchange the vehicle").click()
    expect(other.locator(".done")).to_be_visible()
    for tab in (seats, exchange):
        expect(tab.locator("header.trip-head")).to_contain_text("KA09F2")
    fleet.book(5, name="Ravi")
    exchange.locator(".plan").get_by_role("button", name="Exchange the vehicle").click()
    expect(exchange.locator("#problem")).to_contain_text("has changed since the plan was made")
    expect(exchange.locator(".plan")).to_contain_text("3 of 3 tickets have a seat")
    expect(exchange.locator("header.trip-head")).to_contain_text("KA09F2")
