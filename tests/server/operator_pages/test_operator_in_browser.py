"""The pages for operators in Chromium: check-in by mouse, keyboard and camera, live changes, axe."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Clock
from tests.support.browser import PHONE, Open
from tests.support.operator_visitor import PASSWORD, AddAccount
from tests.support.page_visitor import Visitor
from tests.support.schema_api import DAY, SchemaApi

pytestmark = pytest.mark.system

TRIP = f"/operator/trips/1/{DAY}"
CHECK_IN = f"/operator/check-in?bus_id=1&travel_date={DAY}"
PAGES = [f"/operator?date={DAY}", TRIP, f"{TRIP}/manifest", CHECK_IN, f"/operator/check-in?date={DAY}"]
DETECTOR = """
    navigator.mediaDevices.getUserMedia = async () => document.createElement("canvas").captureStream();
    HTMLMediaElement.prototype.play = async () => {};
    window.BarcodeDetector = class {
      static getSupportedFormats = async () => ["qr_code"];
      detect = async () => (window.shown ? [{ rawValue: window.shown }] : []);
    };
"""  # Chromium on Linux reads no codes


@pytest.fixture
def sign_in(open_page: Open, add_account: AddAccount) -> Callable[..., Page]:
    """A function that opens a page in a browser in which an operator signs in."""
    add_account("conductor", "KSRTC")

    def open_signed_in(path: str, **options: object) -> Page:
        page = open_page("/sign-in?to=/operator", **options)
        page.get_by_label("Username").fill("conductor")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("navigation", name="Operator")).to_be_visible()
        page.goto(path)
        return page

    return open_signed_in


@pytest.mark.parametrize("java_script", [True, False], ids=["script", "plain"])
def test_conductor_checks_in_by_mouse(
    sign_in: Callable[..., Page], api: SchemaApi, clock: Clock, java_script: bool
) -> None:
    api.book(5, passengers=[{"name": "Asha Rao"}])
    clock.set("2026-12-05 09:50+05:30")
    page = sign_in(PAGES[0], viewport=PHONE, java_script_enabled=java_script)
    page.get_by_role("link", name="Day Bus").click()
    page.get_by_role("link", name="Passengers").click()
    page.get_by_role("button", name="Check in: Asha Rao").click()
    expect(page.get_by_role("status").filter(has_text="Asha Rao")).to_contain_text("Checked in 09:50")
    page.get_by_role("button", name="Undo: Asha Rao").click()
    expect(page.get_by_role("status").filter(has_text="Asha Rao")).to_contain_text("not checked in")


def test_double_click_does_not_undo_the_check_in(
    sign_in: Callable[..., Page], api: SchemaApi, clock: Clock
) -> None:
    names = ("Asha Rao", "Meena Iyer", "Ravi Kumar")
    for seat, name in enumerate(names, 5):
        api.book(seat, passengers=[{"name": name}])
    clock.set("2026-12-05 09:50+05:30")
    page = sign_in(f"{TRIP}/manifest")

    def press(name: str, *counts: int) -> None:
        page.get_by_role("button", name=f"Check in: {name}").hover()
        for count in counts:
            page.mouse.down(click_count=count)
            page.mouse.up(click_count=count)
            expect(page.get_by_role("button", name=f"Undo: {name}")).to_be_visible()

    press(names[0], 1)  # from now on, the page has the line that says what was done
    press(names[1], 1, 2)
    press(names[2], 1)
    expect(page.get_by_role("button", name="Undo")).to_have_count(3)


def test_conductor_checks_in_by_keyboard(sign_in: Callable[..., Page], api: SchemaApi, clock: Clock) -> None:
    reference = api.book(5, passengers=[{"name": "Asha Rao"}])["reference"]
    clock.set("2026-12-05 09:50+05:30")
    page = sign_in(CHECK_IN)
    field = page.get_by_label("Reference")
    expect(field).to_be_focused()
    for typed, shown in (
        ("DTXXXXX", "You have no booking"),
        (reference, "✓ Checked in"),
        (reference, "Checked in before"),
    ):
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_contain_text(shown)
        expect(field).to_be_focused()


def test_conductor_checks_in_by_camera(sign_in: Callable[..., Page], api: SchemaApi, clock: Clock) -> None:
    reference = api.book(5, passengers=[{"name": "Asha Rao"}])["reference"]
    clock.set("2026-12-05 09:50+05:30")
    page = sign_in("/operator")
    page.add_init_script(DETECTOR)
    page.goto(CHECK_IN)
    page.get_by_role("button", name="Use the camera").click()
    page.evaluate("code => { window.shown = code; }", f"BUSWARE:{reference}")
    expect(page.get_by_role("status").filter(has_text="Asha Rao")).to_contain_text("✓ Checked in")


def test_chart_changes_when_a_traveller_books(
    sign_in: Callable[..., Page], pushing: SimpleNamespace, other_visitor: Visitor, api: SchemaApi
) -> None:
    reference = api.book(5, passengers=[{"name": "Asha Rao"}])["reference"]
    page = sign_in(TRIP, viewport=PHONE)
    chart = page.get_by_role("region", name="Seat occupancy chart")
    page.get_by_role("link", name="Asha Rao").focus()
    chart.evaluate("chart => chart.scrollTo(60, 0)")
    other_visitor.hold(3)
    expect(chart.get_by_text(", Held")).to_be_attached()
    expect(page.locator("#counts")).to_contain_text("1 booked, 1 held")
    assert page.evaluate("document.activeElement.id").startswith(f"t-{reference}-1")
    assert chart.evaluate("chart => chart.scrollLeft") == 60


def test_list_of_the_day_changes_when_a_traveller_books(
    sign_in: Callable[..., Page], pushing: SimpleNamespace, other_visitor: Visitor
) -> None:
    page = sign_in(PAGES[0])
    page.get_by_role("link", name="Day Bus").focus()
    other_visitor.hold(3)
    expect(page.get_by_role("img", name="Bengaluru to Ramanagara: 1 of 8")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "trip-1"


def test_pages_are_accessible(
    sign_in: Callable[..., Page], violations: Callable[[Page], list[str]], api: SchemaApi, clock: Clock
) -> None:
    of_trip = {"account": "conductor", "bus_id": 1, "travel_date": DAY}
    for seat, name in ((1, "Asha Rao"), (2, "عليا رحمن"), (3, "V" * 40)):
        api.book(seat, passengers=[{"name": name}])
    clock.set("2026-12-05 09:50+05:30")
    api.hold(4)
    api.write("block_seats", seats=[8], reason="Broken.", **of_trip)
    page = sign_in("/operator")
    found = {}
    for path in PAGES:
        page.goto(path)
        if wrong := violations(page):
            found[path] = wrong
    assert found == {}
