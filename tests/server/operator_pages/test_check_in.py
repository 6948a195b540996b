"""Check-in by reference on the pages for operators: who is shown, what stays chosen, what is refused."""

import pytest

from tests.conftest import Clock, Database
from tests.support.page_visitor import Form, Page, Visitor
from tests.support.schema_api import DAY, OTHER_DAY, Answer, SchemaApi

PATH = "/operator/check-in"
TRIP_URL = f"{PATH}?bus_id=1&travel_date={DAY}"


@pytest.fixture
def booking(api: SchemaApi, clock: Clock) -> Answer:
    """A booking of Asha and Ravi from Ramanagara to Mandya, shortly before the departure."""
    booking = api.book(
        1, 2, origin="Ramanagara", destination="Mandya", passengers=[{"name": "Asha Rao"}, {"name": "Ravi"}]
    )
    clock.set("2026-12-05 09:50+05:30")
    return booking


def typed_form(page: Page) -> Form:
    """The form with the field for the reference."""
    return next(form for form in page.forms if "reference" in form.names())


def send(operator: Visitor, reference: str, at: str = "", of_trip: str = TRIP_URL) -> Page:
    """Type a reference."""
    return operator.send(typed_form(operator.get(of_trip)), reference=reference, at=at)


def checked_in(database: Database) -> int:
    """The number of passengers who are checked in."""
    return int(database.value("SELECT count(*) FROM passengers WHERE checked_in_at IS NOT NULL"))


def test_trip_is_chosen_first(operator: Visitor) -> None:
    page = operator.get(f"{PATH}?date={DAY}")
    assert operator.get(page.link("Day Bus")).path == TRIP_URL


def test_cancelled_trip_is_marked_in_the_choice(operator: Visitor, api: SchemaApi) -> None:
    assert "Cancelled" not in operator.get(f"{PATH}?date={DAY}").text
    api.write("cancel_trip", bus_id=1, travel_date=DAY, reason="Flood.", account="conductor")
    page = operator.get(f"{PATH}?date={DAY}")
    assert "Cancelled" in page.text
    assert '<s class="soft">10:00</s>' in page.html


def test_delay_and_skipped_stop_are_marked_in_the_choice(operator: Visitor, api: SchemaApi) -> None:
    trip = {"bus_id": 1, "travel_date": DAY, "account": "conductor"}
    api.write("delay_trip", minutes=30, **trip)
    api.write("skip_stop", at=3, reason="Flood.", **trip)
    text = operator.get(f"{PATH}?date={DAY}").text
    assert "instead of 10:00" in text
    assert "Mandya is skipped" in text


@pytest.mark.parametrize("typed", ["{}", "BUSWARE:{}"])
def test_reference_or_code(operator: Visitor, booking: Answer, database: Database, typed: str) -> None:
    page = send(operator, typed.format(booking["reference"].lower()))
    assert "Checked in Seat 1 Asha Rao Seat 2 Ravi Ramanagara – Mandya" in page.text
    assert "Checked in: 2 of 2" in page.text
    assert checked_in(database) == 2


def test_second_check_in_says_when_the_first_one_was(
    operator: Visitor, booking: Answer, clock: Clock
) -> None:
    send(operator, booking["reference"])
    clock.advance(minutes=5)
    assert "Checked in before, at 09:50" in send(operator, booking["reference"]).text


def test_undo(operator: Visitor, booking: Answer, database: Database) -> None:
    page = send(operator, booking["reference"])
    undo = next(form for form in page.forms if form.action == PATH and "reference" not in form.names())
    undone = operator.send(undo, undo=booking["reference"])
    assert "Not checked in Seat 1 Asha Rao" in undone.text
    assert checked_in(database) == 0


def test_trip_and_stop_stay_chosen(operator: Visitor, booking: Answer) -> None:
    page = send(operator, booking["reference"], at="2")
    assert typed_form(page).value("at") == "2"
    assert typed_form(page).value("reference") == ""
    assert page.link("no-shows") == f"/operator/trips/1/{DAY}/manifest?at=2#no-shows"


def test_wrong_reference_stays_in_the_form(operator: Visitor, api: SchemaApi, booking: Answer) -> None:
    api.book(3)
    other = api.book(1, travel_date=OTHER_DAY)
    for reference, at, reason in (
        ("DTXXXXX", "", "You have no booking with this reference."),
        (booking["reference"], "1", "is for bus 1 of Sat 5 Dec 2026, from Ramanagara"),
        (other["reference"], "", "is for bus 1 of Sun 6 Dec 2026"),
    ):
        page = send(operator, reference, at)
        assert page.status in (404, 409)
        assert reason in page.text
        assert typed_form(page).value("reference") == reference


def test_only_the_operator_checks_in(
    operator: Visitor, other_operator: Visitor, booking: Answer, database: Database
) -> None:
    form = operator.get(TRIP_URL).form(PATH)
    token = other_operator.get(f"{PATH}?bus_id=2&travel_date={DAY}").form(PATH).value("token")
    page = other_operator.send(form, reference=booking["reference"], token=token)
    assert page.status == 403
    assert "Asha" not in page.text
    assert checked_in(database) == 0


def test_camera_is_allowed_on_this_page_only(operator: Visitor) -> None:
    for path, policy in ((TRIP_URL, "camera=(self)"), (PATH, "camera=()"), ("/operator", "camera=()")):
        assert policy in operator.get(path).response.headers["Permissions-Policy"], path


def test_names_are_texts(operator: Visitor, other_visitor: Visitor, clock: Clock) -> None:
    reference = other_visitor.book(1, **{"name-0": "<b>\u202eevil</b>"}).reference
    clock.set("2026-12-05 09:50+05:30")
    page = send(operator, reference)
    assert "<bdi>&lt;b&gt;evil&lt;/b&gt;</bdi>" in page.html


@pytest.mark.parametrize(
    ("code", "text"), [("hi", "आपकी इस संदर्भ संख्या वाली"), ("kn", "ಈ ಉಲ್ಲೇಖ ಸಂಖ್ಯೆಯ ಯಾವುದೇ ಬುಕಿಂಗ್")]
)
def test_wrong_reference_in_another_language(operator: Visitor, code: str, text: str) -> None:
    operator.session.headers["Accept-Language"] = code
    assert text in send(operator, "DTXXXXX").text


@pytest.mark.parametrize("value", ["9" * 3000, "٣", "9999-12-31", '\0"><svg onload=x>', "\r\nX: y"])
def test_odd_value_is_no_internal_error(operator: Visitor, value: str) -> None:
    token = operator.get(TRIP_URL).form(PATH).value("token")
    chosen = {"bus_id": "1", "travel_date": DAY}
    manifest = f"/operator/trips/1/{DAY}/manifest"
    for path, name in (
        (PATH, "bus_id"), (PATH, "travel_date"), (PATH, "at"),
        (PATH, "reference"), (PATH, "undo"), (PATH, "done"),
        ("/operator", "date"), ("/operator", "after"),
        (f"{manifest}/check-in", "ticket"), (f"{manifest}/check-in", "undo"), (f"{manifest}/no-shows", "at"),
        (manifest, "no_shows"), (manifest, "done"), (manifest, "at"),
    ):  # fmt: skip
        fields = (chosen if path == PATH else {}) | {name: value}
        for answer in (
            operator.session.get(operator.url + path, params=fields, allow_redirects=False),
            operator.session.post(operator.url + path, fields | {"token": token}, allow_redirects=False),
        ):
            assert answer.status_code < 500, (path, name, answer.status_code)
            assert "<svg onload" not in answer.text
