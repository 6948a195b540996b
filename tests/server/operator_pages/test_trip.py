"""The page of a trip for operators: its load by leg, its seat occupancy chart, its event stream."""

import json
import re
from contextlib import closing
from types import SimpleNamespace

import msgspec
import pytest

from busware.server.languages import language
from busware.server.pages.operator import occupancy
from busware.server.protocol import TripOccupancy
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS
from tests.support.page_visitor import Visitor
from tests.support.schema_api import DAY, Answer, SchemaApi

TRIP = f"/operator/trips/1/{DAY}"
OF_TRIP = {"account": "conductor", "bus_id": 1, "travel_date": DAY}


def convert(trip: Answer) -> TripOccupancy:
    """The reply as its struct."""
    return msgspec.convert(trip, TripOccupancy, strict=False)


def rows(html: str) -> dict[str, str]:
    """The rows of the chart by their seats, as text without spaces at the ends."""
    chart = html.partition('id="chart"')[2]
    found = re.findall(r'<tr>\s*<th scope="row">(\d+)</th>(.*?)</tr>', chart, re.DOTALL)
    return {seat: " ".join(re.sub(r"<[^>]+>", " ", cells).split()) for seat, cells in found}


def test_load_by_leg(operator: Visitor, api: SchemaApi) -> None:
    api.book(1, 2, destination="Mandya")
    api.hold(3, origin="Srirangapatna")
    text = operator.get(TRIP).text
    assert "2 booked, 1 held, 0 on the waitlist" in text
    assert "10:00 Bengaluru – Ramanagara 2 0 6 0 10:55" in text
    assert "12:25 Srirangapatna – Mysuru 0 1 7 0" in text


def test_chart_shows_who_has_each_seat_and_in_which_state(operator: Visitor, api: SchemaApi) -> None:
    asha = api.book(1, destination="Mandya", passengers=[{"name": "Asha Rao"}])
    api.book(1, origin="Mandya", passengers=[{"name": "Ravi"}])
    api.hold(2, passengers=[{"name": "Leela"}])
    api.write("check_in", reference=asha["reference"], **OF_TRIP)
    api.write("block_seats", seats=[3], from_stop=2, to_stop=4, reason="Broken belt.", **OF_TRIP)
    found = rows(operator.get(TRIP).html)
    assert found["1"] == "✓ Asha Rao , Checked in Ravi"
    assert found["2"] == "… Leela , Held"
    assert found["3"] == "Free Blocked Broken belt. Free"
    assert found["4"] == "Free Free Free Free"


@pytest.mark.parametrize("seats", [{}, {1: (1, 3)}, {1: (2, 5), 2: (1, 2)}])
def test_runs_cover_each_leg_once(
    operator: Visitor, api: SchemaApi, seats: dict[int, tuple[int, int]]
) -> None:
    for seat, (start, end) in seats.items():
        stops = ["Bengaluru", "Ramanagara", "Mandya", "Srirangapatna", "Mysuru"]
        api.book(seat, origin=stops[start - 1], destination=stops[end - 1])
    trip = api.read("occupancy", **OF_TRIP)
    (deck,) = occupancy.decks(convert(trip), language("en"))
    assert [sum(run.legs for run in row.runs) for row in deck.rows] == [4] * 8
    taken = {row.seat_no: run.legs for row in deck.rows for run in row.runs if run.ticket}
    assert taken == {seat: end - start for seat, (start, end) in seats.items()}


def test_tickets_of_a_booking_have_one_colour(operator: Visitor, api: SchemaApi) -> None:
    api.book(1, 2)
    api.book(3)
    (deck,) = occupancy.decks(convert(api.read("occupancy", **OF_TRIP)), language("en"))
    colours = [run.colour for row in deck.rows for run in row.runs if run.ticket]
    assert colours[0] == colours[1] != colours[2]


def test_decks_have_titles(other_operator: Visitor) -> None:
    text = other_operator.get(f"/operator/trips/2/{DAY}").text
    assert "Lower deck" in text
    assert "Upper deck" in text


def test_delay_and_cancellation_are_shown(operator: Visitor, api: SchemaApi) -> None:
    api.write("delay_trip", minutes=30, **OF_TRIP)
    assert "10:30 instead of 10:00" in operator.get(TRIP).text
    api.write("cancel_trip", reason="Landslide.", **OF_TRIP)
    assert "The trip is cancelled. Landslide." in operator.get(TRIP).text


def test_unknown_trip(operator: Visitor) -> None:
    for path in ("1/2027-06-01", "99/2026-12-05", "x/2026-12-05", "1/yesterday"):
        assert operator.get(f"/operator/trips/{path}").status in (400, 404), path


def test_event_stream_sends_the_trip_after_a_change(
    operator: Visitor, other_visitor: Visitor, pushing: SimpleNamespace
) -> None:
    stream = operator.session.get(
        f"{operator.url}{TRIP}/events", headers={"Accept": "text/event-stream"}, stream=True,
        timeout=WAIT_SECONDS,
    )  # fmt: skip
    with closing(stream):
        events = (line[6:] for line in stream.iter_lines() if line.startswith(b"data: "))
        assert json.loads(next(events))["held"] == 0
        other_visitor.hold(1)
        assert json.loads(next(events))["held"] == 1


def test_event_stream_is_for_the_operator_of_the_trip(
    visitor: Visitor, other_operator: Visitor, database: Database
) -> None:
    for who, status in ((visitor, 401), (other_operator, 403)):
        assert who.session.get(f"{who.url}{TRIP}/events").status_code == status
