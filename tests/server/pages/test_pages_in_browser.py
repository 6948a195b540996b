"""Every page in Chromium: accessible in both themes, no wider than the window, small at the first visit."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, Response, expect

from tests.conftest import Clock, Database
from tests.support.browser import PHONE, Open
from tests.support.offers import add_later_bus, displace
from tests.support.page_visitor import Visitor

pytestmark = pytest.mark.system

JOURNEY = "origin=Bengaluru&destination=Mysuru&date=2026-12-05"
SEATS = f"/trips/1?kind=bus&{JOURNEY}"
PAGES = [
    "/",
    "/?kind=flight",
    "/?kind=show",
    "/?kind=hotel",
    f"/trips?{JOURNEY}",
    f"/trips?{JOURNEY}&type=SLEEPER",
    "/trips?origin=Bengaluru&destination=Nowhere&date=2026-12-05",
    "/trips?kind=bus",
    SEATS,
    f"{SEATS}&seat=1&seat=2",
    "/trips/2?kind=bus&origin=Bengaluru&destination=Ooty&date=2026-12-05",
    "/trips/1/passengers?seat=1&seat=2&" + JOURNEY,
    "/trips/99?kind=bus&origin=Bengaluru&destination=Ooty&date=2026-12-05",
    "/nothing/here",
    "/bookings",
    "/bookings/find",
    "/bookings/ABCDEFG",
    "/sign-in",
    "/register",
    "/forgotten",
    "/forgotten?sent=yes",
    "/new-password",
]
CHANGES = ["seat", "exchange", "alight", "transfer", "contact", "cancel", "messages"]
TERMS = "exchange?bus_id=1&travel_date=2026-12-06"  # of an exchange
FIRST_VISIT_BYTES = 100_000
Check = Callable[[Page], list[str]]


@pytest.fixture
def page(open_page: Open) -> Page:
    """An empty page."""
    return open_page("about:blank")


def wrong_pages(
    page: Page, visitor: Visitor, violations: Check, paths: Iterable[str]
) -> dict[str, list[str]]:
    """What is wrong on the pages of the visitor, by the path."""
    page.context.add_cookies(
        [{"name": one.name, "value": one.value or "", "url": visitor.url} for one in visitor.session.cookies]
    )
    found = {}
    for path in paths:
        page.goto(path)
        if wrong := violations(page):
            found[path] = wrong
    return found


def test_pages_without_a_booking_are_accessible(page: Page, visitor: Visitor, violations: Check) -> None:
    assert wrong_pages(page, visitor, violations, PAGES) == {}


@pytest.mark.settings(manual_upi="busware@bank", manual_account="Busware, IN00 1234")
def test_pages_of_bookings_are_accessible(
    page: Page, visitor: Visitor, violations: Check, clock: Clock, database: Database
) -> None:
    expired = visitor.hold(1).reference
    clock.advance(minutes=11)
    released = visitor.send(visitor.hold(1).form("/release")).reference
    booked = visitor.book(1, 2, email="asha@example.org", **{"name-0": "Asha Rao"}).reference
    add_later_bus(database)
    displaced = visitor.book(3).reference
    displace(database, displaced)
    held = visitor.hold(3, 4).reference
    visitor.book(5, 6, 7, 8)
    full = visitor.choose()
    waiting = visitor.send(full.form("/passengers"), phone="98450 12345").reference
    database.query("SELECT api.notice('Platform 4', NULL, NULL, 1, '2026-12-05', gen_random_uuid())")
    visitor.send(visitor.get(f"/bookings/{booked}/messages").form("/messages"), text="Thanks. When?")
    database.query("UPDATE bus_info SET payment = 'manual' WHERE bus_id = 2")
    unpaid = visitor.send(visitor.choose(1, trip="Night Sleeper").form("/passengers"), phone="98450 12345")
    paths = [
        *(f"/bookings/{one}" for one in (expired, released, booked, displaced, held, waiting)),
        *(f"/bookings/{booked}/{change}" for change in (*CHANGES, TERMS)),
        f"/bookings/{displaced}/offer",
        f"/bookings/{waiting}/cancel",
        f"/bookings/{unpaid.reference}",
        f"/trips?{JOURNEY}",
        f"{SEATS}&seats=2",
        full.path,
        "/bookings",
    ]
    assert wrong_pages(page, visitor, violations, paths) == {}
    page.goto(f"/bookings/{unpaid.reference}")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("Busware, IN00 1234")).to_be_visible()
    assert violations(page) == []


def test_pages_of_an_account_are_accessible(page: Page, visitor: Visitor, violations: Check) -> None:
    visitor.send(visitor.get("/register").form("/register"), username="asha", password="correct horse")
    visitor.book(3)
    paths = ["/bookings", "/account", "/account?done=email", "/"]
    assert wrong_pages(page, visitor, violations, paths) == {}


def test_refused_forms_are_accessible(page: Page, violations: Check) -> None:
    page.goto(f"/trips/1/passengers?seat=1&seat=2&{JOURNEY}")
    page.get_by_label("Phone number").fill("12")
    page.get_by_role("button", name="Hold ").click()
    expect(page.locator("#problem")).to_be_visible()
    assert violations(page) == []
    page.goto("/sign-in")
    page.get_by_label("Username").fill("asha")
    page.get_by_label("Password").fill("wrong horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#problem")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("language", ["hi", "kn"])
def test_pages_in_other_languages_fit_a_phone(open_page: Open, language: str) -> None:
    page = open_page("about:blank", viewport=PHONE, locale=f"{language}-IN")
    for path in PAGES:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path


@pytest.mark.parametrize("kind", ["bus", "flight", "show", "hotel"])
def test_search_form_is_one_row_without_overlap(open_page: Open, kind: str) -> None:
    page = open_page(f"/?kind={kind}", viewport={"width": 1280, "height": 800})
    boxes = [one.bounding_box() for one in page.locator(".search .field, .search button").all()]
    edges = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
    assert len(edges) == len(boxes)
    assert all(end <= start for (_, end), (start, _) in pairwise(edges)), edges


def test_first_visit_to_a_seat_map_is_small(open_page: Open) -> None:
    page = open_page("about:blank")
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response) if "/v1/" not in response.url else None)
    page.goto(SEATS, wait_until="load")
    sizes = {response.url: response.request.sizes() for response in responses}
    assert {url.rpartition("/")[2].partition("?")[0] for url in sizes} >= {"1", "site.css", "seat_map.js"}
    total = sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes.values())
    assert total <= FIRST_VISIT_BYTES, sizes


def test_theme_follows_the_browser(open_page: Open) -> None:
    backgrounds = [
        open_page("/", color_scheme=theme).evaluate("getComputedStyle(document.body).backgroundColor")
        for theme in ("light", "dark")
    ]
    assert backgrounds[0] != backgrounds[1]
