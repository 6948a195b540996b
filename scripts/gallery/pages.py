"""Takes pictures of the web pages, as PNG: of a booking on a phone, and of an operator's chart on a desk."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from scripts.gallery.server import ACCOUNT, BUS, PASSWORD, PICTURES, RunningServer

_PHONE = {"width": 360, "height": 740}  # pixels of the page
_DESK = {"width": 1280, "height": 820}
_SCALE = 1.5  # pixels of the picture for each of them


def take(server: RunningServer) -> Iterator[Path]:
    """Take all pictures of the pages; yields their files."""
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("chromium is not installed: apt install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program) as browser:
        page = browser.new_page(
            viewport=_PHONE, device_scale_factor=_SCALE, locale="en-IN", base_url=server.url
        )
        for name in _visit(page, server):
            picture = PICTURES / f"page-{name}.png"
            page.screenshot(path=picture)
            yield picture
        page.set_viewport_size(_DESK)
        _open_chart(page, server)
        picture = PICTURES / "page-chart.png"
        page.screenshot(path=picture)
        yield picture


def _open_chart(page: Page, server: RunningServer) -> None:
    """Sign in as the operator, and scroll to the seat occupancy chart of BUS."""
    page.goto(f"/sign-in?to=/operator/trips/{BUS}/{server.tomorrow}")
    page.get_by_label("Username").fill(ACCOUNT)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Seat occupancy chart").evaluate("heading => heading.scrollIntoView()")


def _visit(page: Page, server: RunningServer) -> Iterator[str]:
    """Book two seats; yields the name of a picture whenever the page is ready for it."""
    journey = {"origin": "Bengaluru", "destination": "Coimbatore", "date": server.tomorrow, "seats": 2}
    page.goto(f"/trips?{urlencode(journey)}")
    yield "trips"
    page.locator(f'.trips a[href^="/trips/{BUS}?"]').click()
    for seat in (11, 12):
        page.locator(f'.seat-map input[value="{seat}"]').check()
    page.locator(".deck").first.scroll_into_view_if_needed()
    yield "seats"
    page.get_by_role("button", name="Continue").click()
    for field, name in enumerate(("Asha Rao", "Ravi Rao")):
        page.get_by_label("Name").nth(field).fill(name)
    page.get_by_label("Phone number").fill("98450 12345")
    page.get_by_role("button", name="Hold ").click()
    page.get_by_role("button", name="Book for").wait_for()
    yield "hold"
    page.get_by_role("button", name="Book for").click()
    page.get_by_role("link", name="Ticket as PDF").wait_for()
    yield "ticket"
