"""The seat map in Chromium: choosing with the mouse and with keys, and what other travellers do meanwhile."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from busware.server.http import HttpServer
from busware.server.pages.pages import Pages
from tests.conftest import Database
from tests.support.browser import DESK, PHONE, Open
from tests.support.http_client import HttpClient

pytestmark = pytest.mark.system

# Service 1 has the seats 1 2 _ 3 4 in its first row, and 5 6 _ 7 8 in its second.
SEARCH = "kind=bus&origin=Bengaluru&destination=Mysuru&date=2026-12-02"
TRIP = f"/trips/1?{SEARCH}&seats=2"
JOURNEY = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}
OTHER_PHONE = "9880099000"
TARGET_PIXELS = 44


def seat(page: Page, number: int) -> Locator:
    return page.locator(f'.seat-map input[value="{number}"]')


def chosen(page: Page) -> str:
    """What the page says about the chosen seats."""
    return " ".join((page.locator("[data-chosen]").text_content() or "").split())


@pytest.fixture
def take(http: HttpClient) -> Callable[..., Any]:
    """A function with which another traveller books seats."""

    def book(*seats: int) -> dict[str, Any]:
        booked = http.call("POST", "/v1/bookings", json={**JOURNEY, "seats": seats, "phone": OTHER_PHONE})
        assert booked.status_code == 201, booked.text
        return dict(booked.json())

    return book


@pytest.fixture
def followed(pushing: SimpleNamespace, open_page: Open) -> Iterator[Page]:
    """The seat map on a server that sends changes, once the page has received the first event."""
    page = open_page("about:blank")
    with page.expect_response(lambda response: "/v1/trips/1/" in response.url):
        page.goto(TRIP)
    yield page


def test_seat_map_in_the_accessibility_tree(open_page: Open, take: Callable[..., Any]) -> None:
    take(2)
    page = open_page(TRIP)
    expect(page.locator(".seat-map")).to_match_aria_snapshot(
        """
        - group "Choose seats 7 of 8 free":
          - list "Marks":
            - listitem: Free
            - listitem: Chosen
            - listitem: Held by another traveller
            - listitem: Taken
            - listitem:
              - strong: ₹260
              - text: per seat
          - img "Driver"
          - checkbox "Seat 1, window, ₹260, free"
          - checkbox "Seat 2, aisle, ₹260, taken" [disabled]
          - checkbox "Seat 3, aisle, ₹260, free"
          - checkbox "Seat 4, window, ₹260, free"
          - checkbox "Seat 5, window, ₹260, free"
          - checkbox "Seat 6, aisle, ₹260, free"
          - checkbox "Seat 7, aisle, ₹260, free"
          - checkbox "Seat 8, window, ₹260, free"
        """
    )


def test_decks_in_the_accessibility_tree(open_page: Open) -> None:
    page = open_page("/trips/2?kind=bus&origin=Bengaluru&destination=Ooty&date=2026-12-02&seats=1")
    expect(page.locator(".decks")).to_match_aria_snapshot(
        """
        - group "Lower deck":
          - img "Driver"
          - checkbox "Berth 1, window, ₹900.50, free"
          - checkbox "Berth 2, window, ₹900.50, free"
        - group "Upper deck":
          - checkbox "Berth 3, window, ₹900.50, free"
          - checkbox "Berth 4, window, ₹900.50, free"
        """
    )


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_seats_are_large_enough_for_a_finger(open_page: Open, viewport: dict[str, int]) -> None:
    page = open_page(TRIP, viewport=viewport)
    boxes = [box for box in (one.bounding_box() for one in page.locator(".seat input").all()) if box]
    assert len(boxes) == 8
    assert min(min(box["width"], box["height"]) for box in boxes) >= TARGET_PIXELS
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_click_chooses_a_seat_and_shows_the_total(open_page: Open, take: Callable[..., Any]) -> None:
    take(4)
    page = open_page(TRIP)
    assert chosen(page) == "Nothing is chosen yet."
    seat(page, 7).click()
    seat(page, 8).click()
    assert chosen(page) == "Chosen: 7, 8 ₹520"
    seat(page, 7).click()
    assert chosen(page) == "Chosen: 8 ₹260"
    expect(seat(page, 4)).to_be_disabled()


def test_arrow_keys_move_and_space_chooses(open_page: Open, take: Callable[..., Any]) -> None:
    take(6)
    page = open_page(TRIP)
    seat(page, 1).focus()
    moves = ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]
    visited = []
    for key in moves:
        page.keyboard.press(key)
        visited.append(page.evaluate("document.activeElement.value"))
    assert visited == ["2", "3", "7", "5", "1"]  # 6 is taken, so the key moves over it
    page.keyboard.press("ArrowUp")
    expect(seat(page, 1)).to_be_focused()
    page.keyboard.press("Space")
    assert chosen(page) == "Chosen: 1 ₹260"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") != "seat"  # the map is one stop of the Tab key


def test_more_seats_than_a_booking_may_have_are_not_chosen(open_page: Open, database: Database) -> None:
    database.query("UPDATE bus_info SET max_seats = 2 WHERE bus_id = 1")
    page = open_page(TRIP)
    for number in (1, 2, 3):
        seat(page, number).click()
    assert chosen(page) == "Chosen: 1, 2 ₹520"
    expect(seat(page, 3)).not_to_be_checked()
    expect(page.get_by_text("One booking has at most 2 seats.").first).to_be_visible()


def test_seat_that_others_take_turns_grey(followed: Page, http: HttpClient, take: Callable[..., Any]) -> None:
    taken = take(4)
    expect(seat(followed, 4)).to_be_disabled()
    expect(seat(followed, 4)).to_have_accessible_name("Seat 4, window, ₹260, taken")
    expect(followed.locator("[data-news]")).to_have_text("Now taken: Seat 4.")
    expect(followed.get_by_text("7 of 8 free")).to_be_visible()
    path = f"/v1/bookings/{taken['reference']}/cancel"
    assert http.call("POST", path, json={"phone": OTHER_PHONE}).ok
    expect(seat(followed, 4)).to_be_enabled()
    expect(seat(followed, 4)).to_have_accessible_name("Seat 4, window, ₹260, free")
    expect(followed.locator("[data-news]")).to_have_text("Free again: Seat 4.")


def test_chosen_seat_that_others_take_is_lost_and_said_so(followed: Page, take: Callable[..., Any]) -> None:
    seat(followed, 7).click()
    seat(followed, 8).click()
    take(7)
    expect(seat(followed, 7)).not_to_be_checked()
    notice = followed.locator("[data-notice]")
    expect(notice).to_be_visible()
    expect(notice).to_have_text("Another traveller has just taken Seat 7. Choose another seat.")
    assert chosen(followed) == "Chosen: 8 ₹260"


def test_focus_moves_to_the_nearest_seat_if_its_seat_is_taken(
    followed: Page, take: Callable[..., Any]
) -> None:
    seat(followed, 7).focus()
    take(7)
    expect(seat(followed, 8)).to_be_focused()


def test_lost_connection_is_shown_and_recovers(
    followed: Page, http: HttpClient, pushing: SimpleNamespace, take: Callable[..., Any]
) -> None:
    notice = followed.locator("[data-notice]")
    take(1)
    expect(seat(followed, 1)).to_be_disabled()
    http.server.drain()
    expect(notice).to_contain_text("The connection is lost")
    settings = replace(pushing.settings, http_port=http.server.port)
    again = HttpServer(settings, pushing.operations, listener=pushing.listener, make_pages=Pages)
    again.start()
    try:
        expect(notice).to_have_text("The connection is back. The seats are up to date.")
        take(2)
        expect(seat(followed, 2)).to_be_disabled()
    finally:
        again.drain()


def test_seat_that_was_taken_before_the_page_was_opened_has_an_offer(
    open_page: Open, take: Callable[..., Any]
) -> None:
    take(7)
    page = open_page(f"{TRIP}&seat=7&seat=6")
    expect(page.get_by_role("alert")).to_contain_text("Seat 7 is no longer free")
    expect(seat(page, 6)).to_be_checked()
    page.get_by_role("link", name="Take 8 instead").click()
    expect(seat(page, 8)).to_be_checked()
    assert chosen(page) == "Chosen: 6, 8 ₹520"


def test_seats_of_a_page_without_javascript_are_a_form(open_page: Open) -> None:
    page = open_page(TRIP, java_script_enabled=False)
    seat(page, 5).check()
    seat(page, 6).check()
    page.get_by_role("button", name="Continue").click()
    assert "seat=5&seat=6" in page.url
