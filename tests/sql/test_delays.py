"""Delays of a trip: `delay_trip`, and what follows the expected times.

Service 1 leaves Bengaluru at 10:00 on DAY, Ramanagara at 10:55 and Mandya at 11:50. It reaches Mysuru at
12:45.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import Clock, Database
from tests.support.fleet import assign, edit_service
from tests.support.schema_api import ASHA, DAY, RAVI, TRIP, Answer, SchemaApi, audit

TRIP_OF_OPERATOR = {"bus_id": 1, "travel_date": DAY, "account": "conductor"}
TIERS = [{"hours": 24, "percent": "90"}, {"hours": 2, "percent": "50"}]


@pytest.fixture(autouse=True)
def operators(database: Database) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    database.query("SELECT api.add_operator('other', 'hash', 'SRS Travels')")


def delay(api: SchemaApi, minutes: int, **args: Any) -> Answer:
    return api.write("delay_trip", minutes=minutes, **TRIP_OF_OPERATOR | args)


def at(time: str, day: str = DAY) -> str:
    return f"{day}T{time}:00+05:30"


def times(answer: Answer) -> tuple[str, str]:
    return answer["departs_at"], answer["arrives_at"]


def scheduled(answer: Answer) -> tuple[str | None, str | None]:
    return answer.get("scheduled_departs_at"), answer.get("scheduled_arrives_at")


def messages(api: SchemaApi) -> list[tuple[str, str]]:
    """Reference and text of each message, in order. Without the journey with which the text begins."""
    sent = api.conn.execute(
        "SELECT reference, body FROM messages WHERE audience = 'booking' ORDER BY message_id"
    )
    return [(reference, body.partition(": ")[2]) for reference, body in sent]


# The expected times ----------------------------------------------------------------------------


def test_every_reply_has_the_expected_and_the_scheduled_times(api: SchemaApi) -> None:
    booking = api.book(1, from_stop=2, to_stop=5)
    assert scheduled(booking) == (None, None)
    answer = delay(api, 30, reason="Rain.")
    assert answer == {
        "bus_id": 1, "travel_date": DAY, "stop_no": 1, "place": "Bengaluru", "minutes": 30,
        "expected_at": at("10:30"), "scheduled_at": at("10:00"), "bookings": 1, "tickets": 1, "offers": 0,
        "next_trips": [],
    }  # fmt: skip
    (found,) = api.read("search", origin="Ramanagara", destination="Mysuru", date=DAY)["trips"]
    manifest = api.read("manifest", **TRIP_OF_OPERATOR)
    (boards, alights) = manifest["stops"]
    for shown in (found, api.show(booking)):
        assert times(shown) == (at("11:25"), at("13:15"))
        assert scheduled(shown) == (at("10:55"), at("12:45"))
        assert shown["boarding_date"] == DAY
    for trip in (manifest, api.read("trips", date=DAY, account="conductor")["trips"][0]):
        assert (times(trip), scheduled(trip)) == ((at("10:30"), at("13:15")), (at("10:00"), at("12:45")))
    assert (times(boards), scheduled(boards)) == ((at("11:25"), at("11:20")), (at("10:55"), at("10:50")))
    assert (alights["departs_at"], alights["arrives_at"]) == (None, at("13:15"))
    leg = api.read("load", **TRIP_OF_OPERATOR)["legs"][2]
    assert (times(leg), scheduled(leg)) == ((at("12:20"), at("12:50")), (at("11:50"), at("12:20")))
    view = "SELECT departs::text, arrives::text FROM bookings WHERE reference = %s"
    assert api.conn.execute(view, (booking["reference"],)).fetchall() == [
        (f"{DAY} 11:25:00", f"{DAY} 13:15:00")
    ]


def test_delay_is_from_a_stop_on_and_a_later_one_replaces_it(api: SchemaApi) -> None:
    booking = api.book(1)
    delay(api, 40)
    answer = delay(api, 10, at="Mandya", plan=True)
    assert (answer["stop_no"], answer["expected_at"], answer["bookings"]) == (3, at("12:00"), 1)
    assert times(api.show(booking)) == (at("10:40"), at("13:25"))  # it was a plan
    assert delay(api, 10, at=3) == answer
    assert times(api.show(booking)) == (at("10:40"), at("12:55"))
    delay(api, 0)
    assert times(api.show(booking)) == (at("10:00"), at("12:45"))
    assert scheduled(api.show(booking)) == (None, None)


def test_dates_stay_those_of_the_timetable(api: SchemaApi, clock: Clock) -> None:
    """Service 2 leaves Mandya at 23:45; with the delay it is after midnight."""
    booking = api.book(1, bus_id=2, origin="Mandya", destination="Ooty")
    api.write("delay_trip", bus_id=2, travel_date=DAY, account="other", minutes=45)
    for shown in (
        api.show(booking),
        *api.read("search", origin="Mandya", destination="Ooty", date=DAY)["trips"],
    ):
        assert (shown["boarding_date"], shown["departs_at"]) == (DAY, at("00:30", "2026-12-06"))
    assert len(api.read("search", origin="Mandya", destination="Ooty", date="2026-12-06")["trips"]) == 1
    references = api.read("find", phone=ASHA, date=DAY, place="Mandya")["references"]
    assert references == [booking["reference"]]
    assert "2026-12-06 00:30; the timetable says 2026-12-05 23:45." in messages(api)[0][1]
    clock.set("2026-12-05 23:50+05:30")
    assert api.write("check_in", reference=booking["reference"], account="other")["status"] == "booked"


# Sales, holds and the waitlist -----------------------------------------------------------------


def test_stop_is_on_sale_until_the_expected_departure(api: SchemaApi, clock: Clock) -> None:
    delay(api, 30)
    clock.set("2026-12-05 10:20+05:30")
    late = api.book(1)
    assert late["status"] == "booked"
    assert api.change("change_seat", late, ticket_no=1, seat_no=2)["status"] == "booked"
    assert api.read("search", **{k: TRIP[k] for k in ("origin", "destination")}, date=DAY)["trips"] != []
    clock.set("2026-12-05 10:31+05:30")
    refusal = api.book(1)
    assert (refusal["reason"], "it departs at 10:30" in refusal["message"]) == ("departed", True)
    assert api.cancel(late)["reason"] == "departed"


def test_waitlist_entry_waits_as_long_as_the_sale(api: SchemaApi, database: Database, clock: Clock) -> None:
    for seat in range(1, 9):
        api.book(seat, phone=RAVI)
    waiting = api.book(count=1, waitlist=True)
    delay(api, 60)
    clock.set("2026-12-05 10:40+05:30")
    database.query("SELECT api.settle(1, %s)", DAY)
    assert api.show(waiting)["status"] == "pending"
    database.query("SELECT api.call('delay_trip', jsonb_build_object('bus_id', 1, 'travel_date', %s::text, "
                   "'account', 'conductor', 'minutes', 45))", DAY)  # fmt: skip
    clock.set("2026-12-05 10:46+05:30")
    database.query("SELECT api.settle(1, %s)", DAY)
    assert api.show(waiting)["status"] == "expired"


def test_hold_ends_with_an_earlier_sale_and_not_later_than_before(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    delay(api, 30)
    clock.set("2026-12-05 09:55+05:30")
    held = api.hold(1, seconds=1800)
    assert held["expires_at"] == at("10:25")
    delay(api, 20)
    assert api.show(held)["expires_at"] == at("10:20")
    delay(api, 60)
    assert api.show(held)["expires_at"] == at("10:20")


def test_holds_and_waitlist_entries_expire_if_the_sale_ends_at_once(api: SchemaApi, clock: Clock) -> None:
    edit_service(api, sells_until="30 minutes")
    delay(api, 60)
    held = api.hold(1)
    clock.set("2026-12-05 09:59+05:30")
    assert api.hold(2)["status"] == "held"
    delay(api, 5)
    assert api.show(held)["status"] == "expired"


# Refunds ---------------------------------------------------------------------------------------


def test_refund_tiers_follow_the_expected_departure(api: SchemaApi, clock: Clock) -> None:
    edit_service(api, refund_tiers=TIERS)
    booking, second = api.book(1), api.book(2)
    clock.set("2026-12-04 10:20+05:30")
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA)["refund"] == "130.00"
    delay(api, 30)
    quote = api.read("cancel_quote", reference=booking["reference"], phone=ASHA)
    assert (quote["refund"], quote["valid_until"]) == ("234.00", at("10:30", "2026-12-04"))
    assert api.cancel(booking)["refund"] == "234.00"
    delay(api, 0)
    assert api.cancel(second)["refund"] == "130.00"
    delay(api, 90)  # the audit accepts the refunds of tickets that were cancelled before


def test_short_segments_are_sold_from_the_expected_departure_on(api: SchemaApi, clock: Clock) -> None:
    edit_service(api, shortest_segment_km="100", short_segments_open="1 hour")
    clock.set("2026-12-05 09:30+05:30")
    assert api.book(1, from_stop=1, to_stop=2)["status"] == "booked"
    delay(api, 60)
    assert api.book(2, from_stop=1, to_stop=2)["reason"] == "too_short"


# The day of the trip ---------------------------------------------------------------------------


def test_check_in_and_no_shows_follow_the_expected_departure(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1)
    delay(api, 30)
    clock.set("2026-12-05 10:15+05:30")
    no_shows = {"at": 1, **TRIP_OF_OPERATOR}
    assert api.write("no_shows", **no_shows)["reason"] == "not_departed"
    assert api.write("check_in", reference=booking["reference"], account="conductor")["status"] == "booked"
    clock.set("2026-12-05 10:31+05:30")
    assert api.write("no_shows", **no_shows)["tickets"] == []


def test_alighting_follows_the_expected_times(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1)
    delay(api, 30)
    clock.set("2026-12-05 12:10+05:30")
    stops = api.read("alight_quote", reference=booking["reference"], phone=ASHA)["stops"]
    assert [(stop["place"], stop["arrives_at"]) for stop in stops] == [
        ("Mandya", at("12:15")), ("Srirangapatna", at("12:50"))
    ]  # fmt: skip
    assert api.change("alight", booking, at="Mandya")["arrives_at"] == at("12:15")


def test_trip_can_be_cancelled_until_its_expected_end(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1)
    delay(api, 30)
    clock.set("2026-12-05 13:00+05:30")
    assert api.write("cancel_trip", reason="Fire.", **TRIP_OF_OPERATOR)["tickets"] == 1
    assert api.show(booking)["refund"] == "260.00"


def test_long_delay_allows_a_refund_of_the_whole_fare(api: SchemaApi, clock: Clock) -> None:
    edit_service(api, whole_refund_delay="2 hours", refund_tiers=TIERS)
    booking = api.book(1)
    later, on_board = api.book(3, from_stop=3, to_stop=5), api.book(4)
    clock.set("2026-12-05 09:30+05:30")
    held = api.hold(2)
    assert delay(api, 119)["offers"] == 0
    answer = delay(api, 120)
    assert (answer["bookings"], answer["offers"]) == (4, 3)
    text = dict(messages(api))[booking["reference"]]  # the last one
    assert text.startswith("The bus is expected to leave Bengaluru at 12:00; the timetable says 10:00.")
    assert f"{booking['fare']} is refunded" in text
    clock.set("2026-12-05 11:30+05:30")
    assert api.change("decline", booking)["refund"] == booking["fare"]
    assert api.cancel(later)["refund"] == later["fare"]
    clock.set("2026-12-05 12:01+05:30")
    assert api.change("decline", on_board)["reason"] == "departed"
    assert delay(api, 130)["offers"] == 0  # they are under way
    assert api.show(held)["status"] == "expired"


# Who is informed -------------------------------------------------------------------------------


def test_each_booking_is_informed_once_of_its_own_times(api: SchemaApi, clock: Clock) -> None:
    first, held = api.book(1, 2, from_stop=1, to_stop=2), api.hold(3)
    later = api.book(1, from_stop=4, to_stop=5, phone=RAVI)
    gone = api.book(4)
    api.cancel(gone)
    answer = delay(api, 20, at=3, reason="Rain.")
    assert (answer["bookings"], answer["tickets"]) == (2, 2)  # the first journey ends before that stop
    intro = "The bus is expected"
    assert sorted(messages(api), key=lambda message: message[0] == later["reference"]) == [
        (held["reference"], f"{intro} at Mysuru at 13:05; the timetable says 12:45. Rain."),
        (later["reference"], f"{intro} to leave Srirangapatna at 12:45; the timetable says 12:25. Rain."),
    ]
    assert delay(api, 20, at=3, reason="Rain.")["bookings"] == 0
    assert len(messages(api)) == 2
    delay(api, 20, at=1)
    assert {reference for reference, _ in messages(api)[2:]} == {first["reference"], held["reference"]}


def test_passengers_under_way_read_when_they_arrive(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1)
    arrived = api.book(2, from_stop=1, to_stop=2)
    clock.set("2026-12-05 11:00+05:30")
    answer = delay(api, 25)
    assert (answer["place"], answer["bookings"]) == ("Mandya", 1)
    text = "The bus is expected at Mysuru at 13:10; the timetable says 12:45."
    assert messages(api) == [(booking["reference"], text)]
    assert api.show(arrived)["arrives_at"] == at("10:50")


def test_message_reaches_the_booking_when_its_client_connects_again(api: SchemaApi) -> None:
    booking = api.book(1)
    delay(api, 25)
    ((missed,),) = api.conn.execute("SELECT api.missed_messages(%s)", ([booking["reference"]],)).fetchall()
    assert [m["message"]["sender"] for m in missed] == ["operator"]


def test_next_trips_of_the_vehicle_and_the_drivers_are_listed(api: SchemaApi, fleet: None) -> None:
    edit = "SELECT api.add_service(4, 'Bus 4', 'KSRTC', '...D\nss.ss\nss.ss', sales_days => 14, stops => %s)"
    api.conn.execute(edit, ("Mysuru | - | 13:00 | 0 | 0 \n Mandya | 14:00 | - | 45 | 90",))
    assign(api, {"bus_id": 1, "travel_date": DAY}, vehicle="KA09F1", drivers=["D1"])
    assign(api, {"bus_id": 4, "travel_date": DAY}, vehicle="KA09F1", drivers=["D2"])
    assert delay(api, 10)["next_trips"] == []
    assert delay(api, 30)["next_trips"] == [
        {"bus_id": 4, "travel_date": DAY, "name": "Bus 4", "departs_at": at("13:00"), "vehicle": "KA09F1"}
    ]
    api.write("delay_trip", bus_id=4, travel_date=DAY, account="conductor", minutes=30)
    assert delay(api, 31)["next_trips"] == []


# What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "reason", "message"),
    [
        ({"minutes": 1441}, "bad_request", "A delay is at most 1440 minutes. Cancel the trip instead."),
        (
            {"minutes": -46, "at": "Mandya"}, "bad_request",
            "Day Bus is scheduled at Mandya at 2026-12-05 11:50, and cannot be there before 2026-12-05 "
            "11:05. Give -45 minutes or more.",
        ),
        (
            {"at": "Bengaluru"}, "departed",
            "The bus has left Bengaluru. The next stop that it leaves: Ramanagara.",
        ),
        ({"at": "Ooty"}, "not_on_route", None),
        ({"at": "Nowhere"}, "unknown_place", None),
        ({"travel_date": "2027-05-01"}, "unknown_trip", None),
        ({"account": "other"}, "not_yours", None),
        ({"bus_id": 99}, "unknown_trip", None),
    ],
)  # fmt: skip
def test_impossible_delay_is_refused_with_what_is_possible(
    api: SchemaApi, clock: Clock, args: dict[str, Any], reason: str, message: str | None
) -> None:
    api.book(1)
    delay(api, 5, at=2)
    clock.set("2026-12-05 10:30+05:30")
    before = api.everything()
    refusal = delay(api, **{"minutes": 20} | args)
    assert refusal["reason"] == reason
    assert message is None or refusal["message"] == message
    assert api.everything() == before


def test_trip_may_be_early_up_to_the_time_of_the_stop_before(api: SchemaApi) -> None:
    assert delay(api, -55, at="Mandya")["reason"] == "bad_request"
    answer = delay(api, -50, at="Mandya")
    assert answer["expected_at"] == at("11:00")
    assert delay(api, 60, at=2)["minutes"] == 60
    assert delay(api, 9, at=3)["takes"] == "a whole number from 10 to 1440"


def test_delay_into_the_past_is_refused(api: SchemaApi, clock: Clock) -> None:
    delay(api, 60)
    clock.set("2026-12-05 10:30+05:30")
    refusal = delay(api, 20)
    assert (refusal["reason"], refusal["takes"]) == ("bad_request", "a whole number from 31 to 1440")
    assert delay(api, 31)["expected_at"] == at("10:31")


def test_trip_that_has_ended_or_is_cancelled_or_has_no_end_has_no_delay(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    database.query("SELECT api.cancel_trip(1, '2026-12-06')")
    assert delay(api, 20, travel_date="2026-12-06")["reason"] == "trip_cancelled"
    clock.set("2026-12-05 12:46+05:30")
    assert delay(api, 20)["message"] == "The trip has ended."


def test_repeating_route_has_no_delay_and_skips_no_stop(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET repeat_legs = 1, runs_on = '{}' WHERE bus_id = 1")
    message = "The trip of Day Bus (bus 1) has no end."
    assert delay(api, 20)["message"] == message
    assert api.write("skip_stop", at=2, **TRIP_OF_OPERATOR)["message"] == message


def test_new_stops_of_a_service_end_its_delays(api: SchemaApi, database: Database) -> None:
    delay(api, 20)
    answer = edit_service(
        api, stops=[{"place": "Mandya", "departs": "09:00", "km": "0", "fare": "0"},
                    {"place": "Mysuru", "arrives": "10:00", "km": "45", "fare": "90"}])  # fmt: skip
    assert "reason" not in answer
    assert database.query("SELECT count(*) FROM trips WHERE delays IS NOT NULL") == [0]


# Any delays ------------------------------------------------------------------------------------

Delays = st.lists(st.tuples(st.integers(1, 5), st.integers(-120, 400)), max_size=6)


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delays=Delays)
def test_times_are_in_order_and_the_same_everywhere(
    database: Database, delays: list[tuple[int, int]]
) -> None:
    with (
        database.connect() as conn,
        conn.transaction(force_rollback=True),  # the next example begins on time
    ):
        api = SchemaApi(conn)
        booking = api.book(1, from_stop=2, to_stop=4)
        for stop, minutes in delays:
            answer = delay(api, minutes, at=stop)
            assert answer.get("reason", "bad_request") == "bad_request"
            if "reason" not in answer:
                assert datetime.fromisoformat(answer["expected_at"]) - datetime.fromisoformat(
                    answer["scheduled_at"]
                ) == timedelta(minutes=minutes)
        legs = api.read("load", **TRIP_OF_OPERATOR)["legs"]
        order = [datetime.fromisoformat(time) for leg in legs for time in times(leg)]
        assert order == sorted(order)
        places = {"origin": "Ramanagara", "destination": "Srirangapatna"}
        (found,) = api.read("search", **places, date=DAY)["trips"]
        shown = api.show(booking)
        stops = {s["stop_no"]: s for s in api.read("manifest", **TRIP_OF_OPERATOR)["stops"]}
        assert times(found) == times(shown) == (stops[2]["departs_at"], stops[4]["arrives_at"])
        assert times(shown) == (legs[1]["departs_at"], legs[2]["arrives_at"])
        view = """SELECT api.rfc3339(departs AT TIME ZONE 'Asia/Kolkata', 'Asia/Kolkata'),
                         api.rfc3339(arrives AT TIME ZONE 'Asia/Kolkata', 'Asia/Kolkata')
                  FROM bookings WHERE reference = %s"""
        assert api.conn.execute(view, (booking["reference"],)).fetchall() == [times(shown)]
        assert audit(conn) == []
