"""Every page in Chromium: accessible in both themes, no wider than the window, small at the first visit."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response

from tests.support.browser import DESK, PHONE, Open

pytestmark = pytest.mark.system

JOURNEY = "origin=Bengaluru&destination=Mysuru&date=2026-12-02"
SEATS = f"/trips/1?kind=bus&{JOURNEY}"
PAGES = [
    "/",
    "/?kind=flight",
    "/?kind=show",
    "/?kind=hotel",
    f"/trips?{JOURNEY}",
    f"/trips?{JOURNEY}&type=SLEEPER",
    "/trips?origin=Bengaluru&destination=Nowhere&date=2026-12-02",
    SEATS,
    f"{SEATS}&seat=1&seat=2",
    "/trips/2?kind=bus&origin=Bengaluru&destination=Ooty&date=2026-12-02",
    "/trips/99?kind=bus&origin=Bengaluru&destination=Ooty&date=2026-12-02",
    "/nothing/here",
]
FIRST_VISIT_BYTES = 100_000


@pytest.mark.parametrize(("theme", "viewport"), [("light", PHONE), ("dark", DESK)], ids=["phone", "desk"])
def test_pages_are_accessible(
    open_page: Open, violations: Callable[[Page], list[str]], theme: str, viewport: dict[str, int]
) -> None:
    page = open_page("about:blank", color_scheme=theme, viewport=viewport)
    found = {}
    for path in PAGES:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        too_wide = [f"{width} pixels wide"] * (width > viewport["width"])
        if wrong := violations(page) + too_wide:
            found[path] = wrong
    assert found == {}


@pytest.mark.parametrize("language", ["hi", "kn"])
def test_pages_in_other_languages_fit_a_phone(open_page: Open, language: str) -> None:
    page = open_page("about:blank", viewport=PHONE, locale=f"{language}-IN")
    for path in PAGES:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path


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
