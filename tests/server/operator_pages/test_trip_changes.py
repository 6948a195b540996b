"""Changes of a trip on the pages for operators: planned, confirmed, done once; and only one's own trips."""

import re

import pytest

from tests.conftest import Clock, Database
from tests.support.operator_visitor import sign_in
from tests.support.page_visitor import Page, Visitor
from tests.support.schema_api import DAY, SchemaApi

TRIP = f"/operator/trips/1/{DAY}"
CHANGES = ["notice", "delay", "stops", "blocks", "assignment", "exchange", "cancellation"]


def plan(visitor: Visitor, change: str, **values: str) -> Page:
    """Send the form of a change; returns the page with its plan."""
    return visitor.send(visitor.get(f"{TRIP}/{change}").form(f"/{change}"), **values)


def confirm(visitor: Visitor, planned: Page, change: str) -> Page:
    """Send the form that does what was planned."""
    return visitor.send(next(form for form in planned.forms if ("do", "apply") in form.fields))


def test_trip_leads_to_its_changes(operator: Visitor) -> None:
    trip = operator.get(TRIP)
    for change in CHANGES:
        page = operator.get(f"{TRIP}/{change}")
        assert page.status == 200
        assert f"{TRIP}/{change}" in trip.links.values()


def test_trip_of_another_operator_cannot_be_changed(
    operator: Visitor, other_operator: Visitor, database: Database, api: SchemaApi
) -> None:
    before = api.everything()
    token = other_operator.get("/sign-in").form("/sign-in").value("token")
    values = {"token": token, "reason": "X", "text": "X", "minutes": 5, "at": 2, "seat": 1, "vehicle": "X"}
    for change in CHANGES:
        page = other_operator.get(f"{TRIP}/{change}")
        assert page.status == 403
        assert "Bengaluru" not in page.text
        form = operator.get(f"{TRIP}/{change}").form(f"/{change}")
        assert other_operator.send(form._replace(method="post"), **values, do="apply").status == 403
    assert api.everything() == before


def test_notice_reaches_the_passengers(operator: Visitor, api: SchemaApi, database: Database) -> None:
    api.book(1, 2)
    assert "1 booking gets the notice." in operator.get(f"{TRIP}/notice").text
    page = plan(operator, "notice", text="Platform <b>3</b>.\nCome early.")
    assert "The notice was sent. 1 booking, 2 tickets." in page.text
    assert database.query("SELECT body FROM messages") == ["Platform <b>3</b>. Come early."]


def test_form_of_a_notice_that_is_sent_twice_sends_it_once(operator: Visitor, database: Database) -> None:
    form = operator.get(f"{TRIP}/notice").form("/notice")
    for _ in range(2):
        assert "The notice was sent." in operator.send(form, text="Platform 3.").text
    assert database.value("SELECT count(*) FROM messages") == 1


def test_empty_notice_is_refused_and_keeps_its_form(operator: Visitor) -> None:
    page = plan(operator, "notice", text="   ")
    assert page.status == 400
    assert page.form("/notice").value("text") == ""
    long = "x" * 2001
    assert plan(operator, "notice", text=long).form("/notice").value("text").strip() == long


def test_delay_is_planned_and_then_applied(operator: Visitor, api: SchemaApi, database: Database) -> None:
    api.book(1, 2)
    planned = plan(operator, "delay", minutes="30", reason="A road is closed.")
    assert planned.status == 200
    assert "10:30 Bengaluru instead of 10:00" in planned.text
    assert "11:25 Ramanagara instead of 10:55" in planned.text
    assert "Reason: A road is closed." in planned.text
    assert "The passengers of 1 booking are informed." in planned.text
    assert database.query("SELECT count(*) FROM messages") == [0]
    done = confirm(operator, planned, "delay")
    assert "The times of the trip are changed" in done.text
    assert "10:30" in done.text
    assert database.query("SELECT count(*) FROM messages") == [1]


def test_wrong_delay_says_what_is_possible_at_the_field(operator: Visitor) -> None:
    page = plan(operator, "delay", minutes="5000", reason="Fog")
    assert page.status == 400
    form = page.form("/delay")
    assert (form.value("minutes"), form.value("reason")) == ("5000", "Fog")
    assert 'id="minutes" name="minutes" type="number" value="5000" required aria-invalid="true"' in page.html


def test_stop_is_skipped_and_served_again(operator: Visitor, api: SchemaApi) -> None:
    booking = api.book(1, from_stop=3, to_stop=5)
    planned = plan(operator, "stops", at="3", reason="Flood.")
    assert "1 ticket moves to another stop." in planned.text
    assert " 0 " not in planned.text.partition("What would happen")[2]
    assert api.show(booking)["from_stop"] == 3
    done = confirm(operator, planned, "stops")
    assert "The trip does not stop there any more" in done.text
    assert api.show(booking)["from_stop"] == 4
    again = next(form for form in done.forms if ("do", "serve") in form.fields)
    assert "The trip stops there again." in operator.send(again).text


def test_stop_that_is_skipped_is_chosen_first(operator: Visitor) -> None:
    page = plan(operator, "stops", reason="Flood.")
    assert page.status == 400
    assert '<select id="at" name="at" required aria-invalid="true"' in page.html
    assert page.form("/stops").value("reason") == "Flood."


def test_cancellation_says_what_is_refunded_and_asks(operator: Visitor, api: SchemaApi) -> None:
    booking = api.book(1, 2)
    planned = plan(operator, "cancellation", reason="Landslide.")
    assert "2 tickets are cancelled." in planned.text
    assert "₹520.00" in planned.text
    assert "This cannot be undone" in planned.text
    assert "The passengers of 1 booking are informed." in planned.text
    assert api.show(booking)["status"] == "booked"
    done = confirm(operator, planned, "cancellation")
    assert "The trip is cancelled" in done.text
    assert "Landslide." in done.text
    assert "2 tickets were cancelled." in done.text
    assert done.link("Refunds") == "/operator/refunds"
    assert {"Passengers", "Cancellation"} <= done.links.keys()
    assert not {"Delay", "Skip a stop", "Blocked seats", "Exchange the vehicle"} & done.links.keys()
    assert api.show(booking)["status"] == "cancelled"
    again = confirm(operator, planned, "cancellation")
    assert (again.status, "The trip is cancelled, and its" in again.text) == (200, True)
    opened = operator.send(next(form for form in done.forms if ("do", "open") in form.fields))
    assert "The trip is on sale again." in opened.text


def test_plan_of_a_cancellation_counts_the_holds(operator: Visitor, api: SchemaApi) -> None:
    api.book(1)
    api.hold(2, 3)
    planned = plan(operator, "cancellation", reason="Landslide.")
    assert "3 tickets are cancelled. 2 of them are holds that are not paid." in planned.text


def test_old_plan_of_a_cancellation_shows_what_changed(operator: Visitor, api: SchemaApi) -> None:
    planned = plan(operator, "cancellation", reason="Landslide.")
    assert "0 tickets are cancelled." in planned.text
    assert "No passenger is informed." in planned.text
    booking = api.book(1)
    page = confirm(operator, planned, "cancellation")
    assert "Bookings have changed since you looked." in page.text
    assert "1 ticket is cancelled." in page.text
    assert api.show(booking)["status"] == "booked"
    assert "The trip is cancelled" in confirm(operator, page, "cancellation").text


def test_seats_of_a_segment_are_blocked_and_sold_again(operator: Visitor, api: SchemaApi) -> None:
    segment = next(form for form in operator.get(f"{TRIP}/blocks").forms if form.method == "get")
    chosen = operator.send(segment, from_stop=1, to_stop=3)
    form = next(form for form in chosen.forms if form.method == "post" and "reason" in form.names())
    page = operator.send(form, reason="Broken.", seat=["7", "8"])
    assert "The seats are not for sale any more." in page.text
    assert "Seat 7 Bengaluru – Mandya: Broken." in page.text
    assert (api.free(1, 3), api.free(3, 5)) == ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7, 8])
    freed = operator.send(next(form for form in page.forms if ("do", "unblock") in form.fields))
    assert "The seats are for sale again." in freed.text
    assert api.free(1, 3) == [1, 2, 3, 4, 5, 6, 7]


def test_map_of_blocks_shows_numbers_and_blocked_seats_and_no_fares(
    operator: Visitor, api: SchemaApi, database: Database
) -> None:
    database.query("UPDATE bus_info SET max_seats = 2 WHERE bus_id = 1")
    api.hold(2)
    form = next(form for form in operator.get(f"{TRIP}/blocks").forms if form.method == "post")
    page = operator.send(form, reason="Broken.", seat=["5", "6", "7"])
    assert re.search(r'aria-label="Seat 7, \w+, blocked" disabled', page.html)
    assert re.search(r'aria-label="Seat 2, \w+, held" disabled', page.html)
    assert 'data-limit="8"' in page.html
    assert "₹" not in page.text
    assert "Held by another traveller" not in page.text


def test_sold_seat_is_not_blocked(operator: Visitor, api: SchemaApi) -> None:
    form = next(form for form in operator.get(f"{TRIP}/blocks").forms if form.method == "post")
    api.book(3)
    page = operator.send(form, seat="3", reason="Broken.")
    assert page.status == 409
    assert "The seat is sold: seat 3 to booking" in page.text
    assert next(form for form in page.forms if "reason" in form.names()).value("reason") == "Broken."


def test_vehicle_and_drivers_are_assigned_and_removed(operator: Visitor, fleet: SchemaApi) -> None:
    planned = plan(operator, "assignment", vehicle="KA09F1", driver=["D1", "D2"], until="2026-12-06")
    assert "2 trips get this vehicle and these drivers. Sat 5 Dec 2026 – Sun 6 Dec 2026" in planned.text
    assert "Vehicle KA09F1" not in operator.get(TRIP).text
    page = confirm(operator, planned, "assignment")
    assert "The vehicle and the drivers are assigned. 2 trips." in page.text
    assert "Vehicle KA09F1 · Kumar · Ravi" in page.text
    form = page.form("/assignment")
    assert [value for name, value in form.fields if name == "driver"] == ["D1", "D2"]
    removed = operator.send(form, vehicle="", driver=None)
    assert "Vehicle KA09F1" not in removed.text
    taken = operator.send(
        operator.get("/operator/trips/3/2026-12-06/assignment").form("/assignment"), vehicle="KA09F1"
    )
    assert taken.status == 409
    assert 'value="KA09F1" selected' in taken.html


def test_vehicle_is_exchanged_by_its_plan(operator: Visitor, fleet: SchemaApi) -> None:
    fleet.change_fleet("put_vehicle", account="ksrtc", registration="KA09S1", layout="ss")
    fleet.book(7, 8, name="<i>Uma</i>")
    stays = fleet.book(5, 6, 3)
    planned = plan(operator, "exchange", vehicle="KA09S1", reason="Broken.")
    assert "2 of 5 tickets have a seat: 0 with the same number, 2 with another one." in planned.text
    assert f"No seats for {stays['reference']}, 3 tickets" in planned.text
    assert "The passengers of 2 bookings are informed." in planned.text
    fleet.cancel(stays)
    changed = confirm(operator, planned, "exchange")
    assert "2 of 2 tickets have a seat" in changed.text
    done = confirm(operator, changed, "exchange")
    assert "The vehicle is exchanged" in done.text
    assert "Vehicle KA09S1" in done.text
    assert "<i>Uma" not in changed.html


def test_trip_that_has_left_is_not_delayed(operator: Visitor, clock: Clock) -> None:
    form = operator.get(f"{TRIP}/delay").form("/delay")
    clock.set("2026-12-05 13:00+05:30")
    page = operator.send(form, minutes="10")
    assert page.status == 409
    assert "The trip has ended." in page.text


@pytest.mark.settings(token_recheck_seconds=0.001)
def test_session_that_has_ended_keeps_the_form(operator: Visitor, database: Database) -> None:
    form = operator.get(f"{TRIP}/notice").form("/notice")
    database.query("DELETE FROM tokens")
    page = operator.send(form, text="Platform 3.")
    assert "Nothing was done." in page.text
    sign_in(operator, "conductor")
    again = page.form("/notice")
    assert "The notice was sent." in operator.send(again).text
    assert database.value("SELECT body FROM messages") == "Platform 3."


def test_form_of_another_site_is_refused(operator: Visitor, database: Database) -> None:
    form = operator.get(f"{TRIP}/notice").form("/notice")
    assert operator.send(form, token="0" * 48, text="X").status == 409
    assert database.value("SELECT count(*) FROM messages") == 0
