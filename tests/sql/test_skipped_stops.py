"""Stops that a trip skips: `skip_stop` and `serve_stop`. Stop 3 of service 1 is Mandya, 11:45 to 11:50."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.fleet import edit_service
from tests.support.race import Race
from tests.support.schema_api import ASHA, DAY, RAVI, Answer, SchemaApi

TRIP = {"bus_id": 1, "travel_date": DAY, "account": "conductor"}


@pytest.fixture(autouse=True)
def operators(database: Database) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")


def skip(api: SchemaApi, at: int | str = "Mandya", **args: Any) -> Answer:
    return api.write("skip_stop", at=at, **TRIP | args)


def counts(answer: Answer) -> tuple[int, int, int, int]:
    return answer["bookings"], answer["moved"], answer["displaced"], answer["ended"]


def stops(booking: Answer) -> tuple[int, int]:
    return booking["from_stop"], booking["to_stop"]


def segment(from_stop: int, to_stop: int, **args: Any) -> dict[str, Any]:
    return {"from_stop": from_stop, "to_stop": to_stop, **args}


def messages(api: SchemaApi) -> dict[str, str]:
    sent = api.conn.execute("SELECT reference, body FROM messages WHERE audience = 'booking'").fetchall()
    assert len(sent) == len({reference for reference, _ in sent})  # one each
    return dict(sent)


def test_skipped_stop_is_not_sold(api: SchemaApi, database: Database) -> None:
    assert skip(api, reason="A road is closed.") == {
        "bus_id": 1, "travel_date": DAY, "stop_no": 3, "place": "Mandya", "served": False,
        "bookings": 0, "moved": 0, "displaced": 0, "ended": 0,
    }  # fmt: skip
    refusal = api.book(1, **segment(1, 3))
    assert refusal["reason"] == "stop_skipped"
    assert refusal["stops"] == ["Bengaluru", "Ramanagara", "Srirangapatna", "Mysuru"]
    assert api.book(1, origin="Mandya")["reason"] == "stop_skipped"
    assert api.read("seat_map", bus_id=1, travel_date=DAY, **segment(3, 5))["reason"] == "stop_skipped"
    for places in (("Bengaluru", "Mandya"), ("Mandya", "Mysuru")):
        found = api.read("search", origin=places[0], destination=places[1], date=DAY)["trips"]
        assert [trip["bus_id"] for trip in found] == [2]
    view = "SELECT count(*) FROM vacancy WHERE bus_id = 1 AND travel_date = %s AND 3 IN (from_stop, to_stop)"
    assert database.query(view, DAY) == [0]
    assert api.book(1)["status"] == "booked"  # through it
    assert api.read("manifest", **TRIP)["skipped_stops"] == [{"stop_no": 3, "place": "Mandya"}]
    assert api.write("serve_stop", at=3, **TRIP)["served"] is True
    assert "skipped_stops" not in api.read("manifest", **TRIP)
    assert api.book(2, **segment(1, 3))["status"] == "booked"


def test_tickets_board_and_alight_at_served_stops(api: SchemaApi) -> None:
    boards, alights = api.book(1, **segment(3, 5)), api.book(2, **segment(1, 3, phone=RAVI))
    through = api.book(3)
    assert counts(skip(api, plan=True)) == (2, 2, 0, 0)
    assert stops(api.show(boards)) == (3, 5)
    assert counts(skip(api)) == (2, 2, 0, 0)
    assert stops(api.show(boards)) == (4, 5)
    assert stops(api.show(alights, phone=RAVI)) == (1, 2)
    assert stops(api.show(through)) == (1, 5)
    assert api.show(boards)["fare"] == boards["fare"]
    assert api.free(2, 4) == [1, 2, 4, 5, 6, 7, 8]
    sent = messages(api)
    assert (
        "The bus does not stop at Mandya. The journey begins at Srirangapatna, at 2026-12-05 12:25."
        in sent[boards["reference"]]
    )
    assert "The journey ends at Ramanagara, at 2026-12-05 10:50." in sent[alights["reference"]]
    assert counts(skip(api)) == (0, 0, 0, 0)
    assert len(messages(api)) == 2


def test_declining_the_changed_journey_refunds_the_whole_fare(api: SchemaApi) -> None:
    first, second = api.book(1, **segment(3, 5)), api.book(2, **segment(3, 5))
    skip(api)
    assert api.change("decline", first)["refund"] == first["fare"]
    assert api.cancel(second)["refund"] == second["fare"]


def test_booking_without_a_journey_is_displaced(api: SchemaApi) -> None:
    booking = api.book(1, 2, **segment(3, 4))
    assert counts(skip(api, at=4)) == (1, 0, 1, 0)
    assert api.show(booking)["status"] == "displaced"  # the trip of the next day is offered
    assert api.free(2, 5) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert "Accept it at the fare that is paid" in messages(api)[booking["reference"]]
    assert api.change("decline", booking)["refund"] == booking["fare"]


def test_holds_and_waitlist_entries_of_the_stop_end(api: SchemaApi) -> None:
    for seat in range(1, 8):
        api.book(seat, phone=RAVI)
    held = api.hold(8, **segment(1, 3))
    gone = api.book(count=1, waitlist=True, **segment(1, 3))
    waiting = api.book(count=1, waitlist=True, **segment(1, 2))
    assert counts(skip(api)) == (2, 0, 0, 2)
    assert api.show(held)["status"] == api.show(gone)["status"] == "cancelled"
    assert api.show(waiting)["status"] == "booked"  # promoted
    assert messages(api)[gone["reference"]].endswith("The booking has ended. Nothing was paid.")


def test_passenger_on_board_alights_before_or_keeps_the_ticket(api: SchemaApi, clock: Clock) -> None:
    far, near = api.book(1, **segment(1, 4)), api.book(2, **segment(2, 3))
    clock.set("2026-12-05 11:00+05:30")
    assert counts(skip(api, at=4)) == (1, 1, 0, 0)
    assert stops(api.show(far)) == (1, 3)
    assert counts(skip(api, at=3)) == (2, 2, 0, 0)  # neither has another stop ahead
    assert (stops(api.show(far)), stops(api.show(near))) == ((1, 3), (2, 3))
    assert api.change("alight", far, at="Mandya")["reason"] == "not_on_route"


def test_refunds_for_ending_early_stay_those_of_the_stops(api: SchemaApi) -> None:
    edit_service(api, alight_refund_percent="50")
    booking = api.book(1, **segment(1, 5))
    refunds = {
        stop["place"]: stop["refund"]
        for stop in api.read("alight_quote", reference=booking["reference"], phone=ASHA)["stops"]
    }
    skip(api, at=1)
    skip_end = skip(api, at=5)
    assert counts(skip_end) == (1, 1, 0, 0)
    left = api.read("alight_quote", reference=booking["reference"], phone=ASHA)["stops"]
    assert {stop["place"]: stop["refund"] for stop in left} == {"Mandya": refunds["Mandya"]}
    assert api.change("alight", booking, at="Mandya")["refund"] == refunds["Mandya"]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"at": "Ooty"}, "not_on_route"),
        ({"at": "Nowhere"}, "unknown_place"),
        ({"at": 1}, "departed"),
        ({"at": 3, "bus_id": 2}, "not_yours"),
        ({"at": 3, "travel_date": "2027-05-01"}, "unknown_trip"),
    ],
)
def test_impossible_skip_is_refused(api: SchemaApi, clock: Clock, args: dict[str, Any], reason: str) -> None:
    clock.set("2026-12-05 10:30+05:30")
    before = api.everything()
    assert skip(api, **args)["reason"] == reason
    assert api.everything() == before


def test_at_least_two_stops_are_served(api: SchemaApi) -> None:
    for stop in (2, 3, 4):
        assert skip(api, at=stop)["served"] is False
    refusal = skip(api, at=5)
    assert (refusal["reason"], refusal["field"]) == ("bad_request", "at")


# Races -----------------------------------------------------------------------------------------


def test_skip_and_booking_of_the_stop(race: Race) -> None:
    skip(race.first)
    late = race.start(lambda: race.second.book(1, **segment(1, 3)))
    assert race.then_commit(late)["reason"] == "stop_skipped"


def test_booking_of_the_stop_and_skip(race: Race) -> None:
    booking = race.first.book(1, **segment(1, 3))
    late = race.start(lambda: skip(race.second))
    assert counts(race.then_commit(late)) == (1, 1, 0, 0)
    assert stops(race.second.show(booking)) == (1, 2)


def test_cancellation_at_the_refund_deadline_and_delay(race: Race, clock: Clock) -> None:
    """The refund is that of the times when the trip was locked: before the delay."""
    edit_service(race.second, refund_tiers=[{"hours": 24, "percent": "90"}])
    booking = race.second.book(1)
    clock.set("2026-12-04 10:20+05:30")
    race.first.cancel(booking)
    late = race.start(lambda: race.second.write("delay_trip", minutes=30, **TRIP))
    assert race.then_commit(late)["bookings"] == 0
    assert race.second.show(booking)["refund"] == "0.00"


def test_delay_and_cancellation_at_the_refund_deadline(race: Race, clock: Clock) -> None:
    edit_service(race.second, refund_tiers=[{"hours": 24, "percent": "90"}])
    booking = race.second.book(1)
    clock.set("2026-12-04 10:20+05:30")
    race.first.write("delay_trip", minutes=30, **TRIP)
    late = race.start(lambda: race.second.cancel(booking))
    assert race.then_commit(late)["refund"] == "234.00"
