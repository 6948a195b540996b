"""The trips of a day on the pages for operators: their numbers, their dates, and only one's own."""

import json
from contextlib import closing
from types import SimpleNamespace

from tests.conftest import Clock, Database
from tests.support.line_client import WAIT_SECONDS
from tests.support.page_visitor import Visitor
from tests.support.schema_api import SchemaApi

DAY = "/operator?date=2026-12-05"


def test_trips_of_a_day_with_their_load_by_leg(operator: Visitor, api: SchemaApi) -> None:
    api.book(1, 2, destination="Mandya")
    page = operator.get(DAY)
    assert "Trips of Sat 5 Dec 2026" in page.text
    assert "10:00" in page.text
    assert "Booked 2 Held 0 Waitlist 0 Free 6 / 8" in page.text
    assert "Bengaluru to Ramanagara: 2 of 8, Ramanagara to Mandya: 2 of 8, Mandya to Sri" in page.html
    assert page.link("Day Bus") == "/operator/trips/1/2026-12-05"


def test_blocked_seats_are_not_free(operator: Visitor, api: SchemaApi) -> None:
    api.book(1, 2, destination="Mandya")
    trip = {"account": "conductor", "bus_id": 1, "travel_date": "2026-12-05"}
    api.write("block_seats", **trip, seats=[8], reason="Broken.")
    assert "Booked 2 Held 0 Waitlist 0 Free 5 / 8" in operator.get(DAY).text


def test_days_around(operator: Visitor) -> None:
    page = operator.get(DAY)
    assert "Trips of Fri 4 Dec 2026" in operator.get(page.link("Fri 4 Dec")).text
    assert "Trips of Sun 6 Dec 2026" in operator.get(page.link("Sun 6 Dec")).text
    assert page.link("Today") == "/operator"
    form = page.form("/operator")
    assert "You have no trips on this day." in operator.send(form, date="2027-06-01").text


def test_operator_sees_only_own_trips(operator: Visitor, other_operator: Visitor) -> None:
    assert "Night Sleeper" not in operator.get(DAY).text
    assert "Day Bus" not in other_operator.get(DAY).text
    assert "Night Sleeper" in other_operator.get(DAY).text
    page = other_operator.get("/operator/trips/1/2026-12-05")
    assert page.status == 403
    assert "Bengaluru" not in page.text


def test_cancelled_trip_is_marked(operator: Visitor, api: SchemaApi) -> None:
    assert "Cancelled" not in operator.get(DAY).text
    api.write("cancel_trip", account="conductor", bus_id=1, travel_date="2026-12-05", reason="Landslide.")
    assert "Cancelled" in operator.get(DAY).text


def test_list_has_the_legs_that_the_load_of_each_trip_has(operator: Visitor, api: SchemaApi) -> None:
    api.book(1, 2, destination="Mandya")
    day = {"account": "conductor", "date": "2026-12-05"}
    load = api.read("load", account="conductor", bus_id=1, travel_date="2026-12-05")
    assert api.read("trips", **day, legs=True)["trips"] == [load]
    assert "legs" not in api.read("trips", **day)["trips"][0]


def test_today_is_the_date_in_the_time_zone_of_the_services(
    operator: Visitor, database: Database, clock: Clock
) -> None:
    clock.set("2026-12-04 22:00+05:30")
    assert "Trips of Fri 4 Dec 2026" in operator.get("/operator").text
    database.query("UPDATE bus_info SET time_zone = 'Asia/Tokyo' WHERE bus_id = 1")
    assert "Trips of Sat 5 Dec 2026" in operator.get("/operator").text


def test_event_stream_sends_the_trips_after_a_change_of_one(
    operator: Visitor, other_visitor: Visitor, pushing: SimpleNamespace
) -> None:
    stream = operator.session.get(
        f"{operator.url}/operator/events?date=2026-12-05", stream=True, timeout=WAIT_SECONDS
    )
    with closing(stream):
        events = (line[6:] for line in stream.iter_lines() if line.startswith(b"data: "))
        assert [trip["held"] for trip in json.loads(next(events))["trips"]] == [0]
        other_visitor.hold(1)
        assert [trip["held"] for trip in json.loads(next(events))["trips"]] == [1]
    assert other_visitor.session.get(f"{operator.url}/operator/events").status_code == 401
