"""The manifest on the pages for operators: passengers by stop, check-in and undo, no-shows, files."""

import pytest

from tests.conftest import Clock, Database
from tests.support.operator_visitor import sign_in
from tests.support.page_visitor import Page, Visitor
from tests.support.schema_api import DAY, Answer, SchemaApi

MANIFEST = f"/operator/trips/1/{DAY}/manifest"
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "عليا رحمن", "a' onfocus='x"]


@pytest.fixture
def booking(api: SchemaApi) -> Answer:
    """A booking of Asha and Ravi to Mandya."""
    return api.book(1, 2, destination="Mandya", passengers=[{"name": "Asha Rao"}, {"name": "Ravi"}])


def checked_in(database: Database) -> int:
    """The number of passengers who are checked in."""
    return int(database.value("SELECT count(*) FROM passengers WHERE checked_in_at IS NOT NULL"))


def confirm(visitor: Visitor, planned: Page) -> Page:
    """Send the form that marks the no-shows who are shown."""
    return visitor.send(next(form for form in planned.forms if ("do", "apply") in form.fields))


def press(visitor: Visitor, page: Page, **button: str) -> Page:
    """Press a button of the form for check-in."""
    return visitor.send(page.form("/check-in"), **button)


def test_passengers_by_stop(operator: Visitor, booking: Answer) -> None:
    text = operator.get(MANIFEST).text
    assert "10:00 Bengaluru Boarding: 2, checked in: 0" in text
    assert f"Asha Rao to Mandya · {booking['reference']}/1 · +919845012345" in text
    assert "11:50 Mandya Alighting: 2 Seat 1 Asha Rao Seat 2 Ravi Free from here: 1, 2" in text


def test_passenger_leads_to_the_booking(
    operator: Visitor, other_operator: Visitor, booking: Answer, api: SchemaApi
) -> None:
    path = operator.get(MANIFEST).link(booking["reference"])
    page = operator.get(path)
    assert "Booked · Sat 5 Dec 2026, 10:00 · Day Bus" in page.text
    assert "Phone number: +919845012345" in page.text
    assert page.link("Passengers") == f"{MANIFEST}#p-{booking['reference']}-1"
    assert other_operator.get(path).status == 404
    api.cancel(booking)
    cancelled = operator.get(path).text
    assert "Cancelled" in cancelled
    assert "Asha Rao" in cancelled


def test_check_in_and_undo(operator: Visitor, booking: Answer, database: Database, clock: Clock) -> None:
    clock.set("2026-12-05 09:50+05:30")
    ticket = f"{booking['reference']}/2"
    page = press(operator, operator.get(MANIFEST), ticket=ticket)
    assert page.path == f"{MANIFEST}?done={booking['reference']}%2F2"
    assert "Ravi , Seat 2: Checked in 09:50" in page.text
    assert "Boarding: 2, checked in: 1" in page.text
    assert checked_in(database) == 1
    assert "Ravi , Seat 2: not checked in" in press(operator, page, undo=ticket).text
    assert checked_in(database) == 0


def test_double_click_checks_in_once(operator: Visitor, booking: Answer, database: Database) -> None:
    page = operator.get(MANIFEST)
    for _ in range(2):
        assert press(operator, page, ticket=f"{booking['reference']}/1").status == 200
    assert checked_in(database) == 1


def test_refused_check_in_says_why(operator: Visitor, api: SchemaApi, booking: Answer) -> None:
    page = operator.get(MANIFEST)
    api.cancel(booking)
    answer = press(operator, page, ticket=f"{booking['reference']}/1")
    assert answer.status == 409
    assert "cancelled" in answer.text
    for odd in ("", "/", "DT/x", f"{booking['reference']}/{'9' * 30}", "\0"):
        assert press(operator, page, ticket=odd).status in (400, 404), odd


def test_booking_of_another_operator_is_not_checked_in(
    operator: Visitor, other_operator: Visitor, booking: Answer, database: Database
) -> None:
    page = other_operator.get(f"/operator/trips/2/{DAY}/manifest")
    assert press(other_operator, page, ticket=f"{booking['reference']}/1").status in (403, 404, 409)
    for path in (MANIFEST, f"{MANIFEST}.csv", f"{MANIFEST}.pdf"):
        answer = other_operator.get(path)
        assert answer.status == 403
        assert "Asha" not in answer.text
    assert checked_in(database) == 0


def test_no_shows_after_the_departure(
    operator: Visitor, booking: Answer, database: Database, clock: Clock
) -> None:
    early = operator.get(MANIFEST)
    assert not any(form.action.endswith("/no-shows") for form in early.forms)
    assert "After the trip has left a stop, you can mark here who did not come." in early.text
    clock.set("2026-12-05 10:10+05:30")
    form = operator.get(MANIFEST).form("/no-shows")
    planned = operator.send(form, release="on")
    assert "10:00 Bengaluru: 2 passengers become no-shows." in planned.text
    assert "Seat 1 Asha Rao Seat 2 Ravi" in planned.text.partition("What would happen")[2]
    assert database.value("SELECT count(*) FROM passengers WHERE no_show_at IS NOT NULL") == 0
    page = confirm(operator, planned)
    assert "No-shows at this stop: 2" in page.text
    assert "✕ No-show" in page.text
    assert database.value("SELECT count(*) FROM passengers WHERE no_show_segment IS NOT NULL") == 2
    late = press(operator, page, ticket=f"{booking['reference']}/1")
    assert "Checked in 10:10" in late.text


def test_no_shows_before_a_later_departure_are_refused(
    operator: Visitor, booking: Answer, database: Database, clock: Clock
) -> None:
    clock.set("2026-12-05 10:10+05:30")
    planned = operator.send(operator.get(MANIFEST).form("/no-shows"), release="on")
    database.query("UPDATE trips SET delays = array_fill(interval '1 hour', ARRAY[5]) WHERE bus_id = 1")
    page = confirm(operator, planned)
    assert page.status == 409
    assert "has not left that stop yet" in page.text


def test_passenger_who_came_since_the_plan_is_no_no_show(
    operator: Visitor, booking: Answer, database: Database, clock: Clock
) -> None:
    clock.set("2026-12-05 10:10+05:30")
    manifest = operator.get(MANIFEST)
    planned = operator.send(manifest.form("/no-shows"))
    press(operator, manifest, ticket=f"{booking['reference']}/1")
    page = confirm(operator, planned)
    assert "Bookings have changed since you looked." in page.text
    assert "1 passenger becomes a no-show." in page.text
    assert database.value("SELECT count(*) FROM passengers WHERE no_show_at IS NOT NULL") == 0
    assert "No-shows at this stop: 1" in confirm(operator, page).text


def test_files(operator: Visitor, booking: Answer) -> None:
    page = operator.get(MANIFEST)
    pdf = operator.get(page.link("PDF")).response
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["Content-Disposition"] == f'attachment; filename="manifest-1-{DAY}.pdf"'
    csv = operator.get(page.link("CSV")).response
    assert "Asha Rao" in csv.content.decode("utf-8-sig")


def test_names_are_texts(operator: Visitor, api: SchemaApi) -> None:
    api.book(1, 2, 3, 4, passengers=[{"name": name} for name in HOSTILE])
    for path in (MANIFEST, f"/operator/trips/1/{DAY}"):
        page = operator.get(path)
        assert "<script>alert" not in page.html
        assert "<img" not in page.html
        assert "a' onfocus" not in page.html
        assert "<bdi>عليا رحمن</bdi>" in page.html
        assert "<script>alert(1)</script>" in page.text


@pytest.mark.parametrize("token", ["", "0" * 48, None])
def test_form_with_a_wrong_token_does_nothing(
    operator: Visitor, booking: Answer, database: Database, token: str | None
) -> None:
    form = operator.get(MANIFEST).form("/check-in")
    page = operator.send(form, ticket=f"{booking['reference']}/1", token=token)
    assert page.status == 409
    assert "open for too long" in page.text
    assert checked_in(database) == 0


def test_form_of_another_site_does_nothing(operator: Visitor, booking: Answer, database: Database) -> None:
    form = operator.get(MANIFEST).form("/check-in")
    answer = operator.session.post(
        operator.url + form.action,
        dict(form.fields) | {"ticket": f"{booking['reference']}/1"},
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert checked_in(database) == 0


@pytest.mark.settings(token_recheck_seconds=0.001)
def test_session_that_has_ended_keeps_the_form(
    operator: Visitor, booking: Answer, database: Database, clock: Clock
) -> None:
    clock.set("2026-12-05 10:10+05:30")
    form = operator.get(MANIFEST).form("/no-shows")
    database.query("DELETE FROM tokens")
    page = operator.send(form, release="on")
    assert page.status == 409
    assert "Your session has ended." in page.text
    assert database.value("SELECT count(*) FROM passengers WHERE no_show_at IS NOT NULL") == 0
    sign_in(operator, "conductor")
    kept = page.form("/no-shows")
    assert kept.value("release") == "on"
    assert "No-shows at this stop: 2" in confirm(operator, operator.send(kept)).text
