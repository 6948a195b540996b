"""A whole journey in Chromium: from the search to the ticket, by mouse, by keys, and without JavaScript."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import Clock, Database
from tests.support.browser import DESK, PHONE, Open

pytestmark = pytest.mark.system

DATE = "2026-12-02"
SEATS = f"/trips/1?kind=bus&origin=Bengaluru&destination=Mysuru&date={DATE}&seats=2"
NUMBER = "98450 12345"
MAX_TABS = 80  # to the next field


def seat(page: Page, number: int) -> Locator:
    return page.locator(f'.seat-map input[value="{number}"]')


def heading(page: Page, text: str) -> None:
    """Wait for the heading of a booking."""
    expect(page.locator(".status")).to_contain_text(text)


def press_until_focused(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    expect(target).to_be_visible()
    for _ in range(MAX_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached with Tab")


def type_into(page: Page, label: str, text: str) -> None:
    press_until_focused(page, page.get_by_label(label, exact=True).first)
    page.keyboard.type(text)


def press(page: Page, name: str) -> None:
    """Press a button or follow a link by keys."""
    press_until_focused(
        page, page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first
    )
    page.keyboard.press("Enter")


def statuses(database: Database) -> list[tuple[int, str]]:
    return database.query("SELECT seat_no, status FROM passengers ORDER BY seat_no")


@pytest.mark.parametrize("javascript", [True, False], ids=["with_javascript", "without_javascript"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_traveller_books_and_cancels_with_the_mouse(
    open_page: Open, database: Database, viewport: dict[str, int], javascript: bool
) -> None:
    page = open_page("/", viewport=viewport, java_script_enabled=javascript)
    page.get_by_label("From").fill("Bengaluru")
    page.get_by_label("To", exact=True).fill("Mysuru")
    page.get_by_label("Date").fill(DATE)
    page.get_by_label("Seats").select_option("2")
    page.get_by_role("button", name="Find buses").click()
    page.get_by_role("link", name=re.compile("Day Bus")).click()
    seat(page, 3).check()
    seat(page, 4).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").nth(0).fill("Asha Rao")
    page.get_by_label("Name").nth(1).fill("Ravi Rao")
    page.get_by_label("Phone number").fill(NUMBER)
    page.get_by_role("button", name="Hold ").click()
    heading(page, "Held for you")
    assert statuses(database) == [(3, "held"), (4, "held")]
    page.get_by_role("button", name="Book for ₹520.00").click()
    heading(page, "Your ticket")
    expect(page.get_by_role("img", name=re.compile("QR code of the ticket"))).to_be_visible()
    assert statuses(database) == [(3, "booked"), (4, "booked")]
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel now").click()
    heading(page, "This booking is cancelled")
    assert statuses(database) == [(3, "cancelled"), (4, "cancelled")]


def test_traveller_books_by_keys_alone(open_page: Open, database: Database) -> None:
    page = open_page("/")
    type_into(page, "From", "Bengaluru")
    type_into(page, "To", "Mysuru")
    press_until_focused(page, page.get_by_label("Date"))
    page.keyboard.type("12022026")  # month, day, year: the order of this browser's language
    press(page, "Find buses")
    press_until_focused(page, page.get_by_role("link", name=re.compile("Day Bus")))
    page.keyboard.press("Enter")
    press_until_focused(page, seat(page, 1))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    press(page, "Continue")
    type_into(page, "Name (optional)", "Asha Rao")
    type_into(page, "Phone number", NUMBER)
    press(page, "Hold ")
    heading(page, "Held for you")
    press(page, "Book for ₹260.00")
    heading(page, "Your ticket")
    assert statuses(database) == [(6, "booked")]


def test_best_seats_are_chosen_by_the_server(open_page: Open, database: Database) -> None:
    page = open_page(SEATS)
    page.get_by_role("button", name="Choose for me: 2 seats").click()
    page.get_by_label("Phone number").fill(NUMBER)
    page.get_by_role("button", name="Hold ").click()
    heading(page, "Held for you")
    held = [number for number, _ in statuses(database)]
    assert len(held) == 2
    for number in held:
        expect(page.get_by_text(f"Seat {number}")).to_be_visible()


def test_continue_without_a_chosen_seat_takes_the_number_of_the_search(open_page: Open) -> None:
    page = open_page(SEATS)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Name")).to_have_count(2)
    page.goto(f"{SEATS}&seat=1")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Name")).to_have_count(1)


def test_two_browsers_race_for_a_seat(open_page: Open, database: Database) -> None:
    pages = [open_page(f"{SEATS}&seat=7&seat=8") for _ in range(2)]
    for page, name in zip(pages, ("Asha", "Ravi"), strict=True):
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Name").nth(0).fill(name)
        page.get_by_label("Phone number").fill(NUMBER)
    first, second = pages
    first.get_by_role("button", name="Hold ").click()
    heading(first, "Held for you")
    second.get_by_role("button", name="Hold ").click()
    problem = second.locator("#problem")
    expect(problem).to_be_visible()
    expect(problem).to_contain_text("Chosen instead, as near as possible: Seats 3, 4")
    expect(second.get_by_label("Name").nth(0)).to_have_value("Ravi")
    second.get_by_role("button", name="Hold ").click()
    heading(second, "Held for you")
    assert statuses(database) == [(3, "held"), (4, "held"), (7, "held"), (8, "held")]


def test_page_of_a_hold_stays_if_the_clock_of_the_database_is_late(
    open_page: Open, database: Database, clock: Clock
) -> None:
    now = clock.set(datetime.now(UTC) - timedelta(days=1))
    database.query("SELECT api.open_sales(bus_id) FROM bus_info")
    page = open_page("about:blank")
    page.clock.install()
    page.goto(SEATS.replace(DATE, str((now + timedelta(days=2)).date())))
    page.get_by_role("button", name="Choose for me").click()
    page.get_by_label("Phone number").fill(NUMBER)
    page.get_by_role("button", name="Hold ").click()
    heading(page, "Held for you")
    page.evaluate("document.body.dataset.first = true")
    page.clock.fast_forward("01:00")
    expect(page.locator("body[data-first]")).to_contain_text("Held until")


def test_hold_runs_out(open_page: Open, database: Database, clock: Clock) -> None:
    now = clock.set(datetime.now(UTC))
    database.query("SELECT api.open_sales(bus_id) FROM bus_info")
    page = open_page("about:blank")
    page.clock.install()
    page.goto(SEATS.replace(DATE, str((now + timedelta(days=2)).date())))
    page.get_by_role("button", name="Choose for me").click()
    page.get_by_label("Phone number").fill(NUMBER)
    page.get_by_role("button", name="Hold ").click()
    heading(page, "Held for you")
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"(9:\d\d|10:00)"))
    announcements = page.locator("#announcements")
    for pause, text in (
        ("08:10", "two more minutes"),
        ("00:55", "one more minute"),
        ("00:30", "30 more seconds"),
    ):
        page.clock.fast_forward(pause)
        expect(announcements).to_contain_text(text)
    clock.advance(minutes=11)
    page.clock.fast_forward("01:00")
    heading(page, "The time for this hold is over")


def test_another_seat_is_chosen_on_the_map(open_page: Open, database: Database) -> None:
    page = open_page(f"{SEATS}&seat=1")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Phone number").fill(NUMBER)
    page.get_by_role("button", name="Hold ").click()
    page.get_by_role("button", name="Book for").click()
    page.get_by_role("link", name="Another seat").click()
    expect(seat(page, 1)).to_be_disabled()
    expect(seat(page, 1)).to_have_accessible_name("Seat 1, window, ₹260, yours")
    seat(page, 2).check()
    seat(page, 6).check()
    expect(seat(page, 2)).not_to_be_checked()
    page.get_by_role("button", name="Take this seat").click()
    expect(page.get_by_text("The ticket has another seat now.")).to_be_visible()
    assert statuses(database) == [(6, "booked")]


def test_quote_of_a_cancellation_is_hidden_when_other_tickets_are_chosen(open_page: Open) -> None:
    page = open_page(f"{SEATS}&seat=1&seat=2")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").nth(0).fill("Asha Rao")
    page.get_by_label("Phone number").fill(NUMBER)
    page.get_by_role("button", name="Hold ").click()
    page.get_by_role("button", name="Book for").click()
    page.get_by_role("link", name="Cancel").click()
    button = page.get_by_role("button", name="Cancel now")
    expect(button).to_be_visible()
    page.get_by_label("Asha Rao").uncheck()
    expect(button).to_be_hidden()
    page.get_by_role("button", name="Show the refund").click()
    expect(button).to_be_visible()
    page.get_by_label("Asha Rao").check()
    expect(button).to_be_hidden()


def test_results_suggest_places_once_a_field_is_used(open_page: Open) -> None:
    page = open_page(SEATS.replace("/trips/1", "/trips"))
    page.get_by_text("Change", exact=True).click()
    options = page.locator("#places option")
    expect(options).to_have_count(0)
    page.get_by_label("From").focus()
    expect(page.locator('#places option[value="Mandya"]')).to_have_count(1)
