"""Passengers who have arrived or did not board need no seat when their trip or booking changes."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.exchange import exchange
from tests.support.fleet import edit_service, put_vehicle
from tests.support.offers import add_service, displace
from tests.support.schema_api import DAY, RAVI, TRIP, Answer, SchemaApi, audit

DEPARTED = "2026-12-05T10:05:00+05:30"
AT_STOP_2 = "2026-12-05T11:15:00+05:30"  # it has left Ramanagara
LATER = 9  # a service with the route of service 1, two hours later
TRIP_OF_DAY = {"bus_id": TRIP["bus_id"], "travel_date": DAY}


@pytest.fixture
def small(fleet: SchemaApi) -> SchemaApi:
    """The fleet with a vehicle of four seats."""
    put_vehicle(fleet, "KA09S4", layout="...D\nss.ss")
    return fleet


def check_in(api: SchemaApi, booking: Answer, **args: Any) -> Answer:
    return api.write("check_in", account="ksrtc", reference=booking["reference"], **args)


def no_shows(api: SchemaApi, at: int = 1, **args: Any) -> Answer:
    return api.write("no_shows", account="ksrtc", at=at, **TRIP_OF_DAY, **args)


def statuses(api: SchemaApi, booking: Answer) -> list[str]:
    return [ticket["status"] for ticket in api.show(booking)["tickets"]]


@pytest.mark.parametrize("release", [True, False])
def test_no_show_gets_no_seat_of_an_exchanged_vehicle(small: SchemaApi, clock: Clock, release: bool) -> None:
    missing = small.book(1, 2)
    others = [small.book(seat, phone=RAVI) for seat in (3, 4, 5, 6)]
    clock.set("2026-12-05T09:50:00+05:30")
    for other in others:
        check_in(small, other)
    clock.set(DEPARTED)
    no_shows(small, release=release)
    done = exchange(small, "KA09S4")
    assert (done["tickets"], done["seated"], done["left_over"]) == (4, 4, [])
    shown = small.show(missing)
    assert (shown["status"], shown["refund"], shown.get("offers")) == ("booked", "0.00", None)
    assert [ticket["seat_no"] for ticket in no_shows(small)["tickets"]] == [1, 2]
    before = small.everything()
    refused = check_in(small, missing)
    assert (refused["reason"], refused["seats"]) == ("seat_taken", [1, 2])
    assert small.everything() == before
    assert exchange(small, "KA09F1")["left_over"] == []
    assert audit(small.conn) == []


def test_passenger_who_has_arrived_is_not_displaced_with_the_party(small: SchemaApi, clock: Clock) -> None:
    party = small.book(1, 2, 7)
    small.change("alight", party, tickets=[1], at="Ramanagara")
    on_board = small.book(3, 4, 5, phone=RAVI)
    clock.set("2026-12-05T09:50:00+05:30")
    check_in(small, on_board)
    clock.set(AT_STOP_2)
    assert exchange(small, "KA09S4")["left_over"] == [{"reference": party["reference"], "tickets": 2}]
    refund = small.show(party)["tickets"][0]["refund"]
    small.change("decline", party)
    tickets = small.show(party)["tickets"]
    assert [(t["status"], t["refund"]) for t in tickets] == [
        ("cancelled", refund), ("cancelled", "260.00"), ("cancelled", "260.00"),
    ]  # fmt: skip
    assert float(refund) < 130
    assert audit(small.conn) == []


def test_no_show_of_a_displaced_party_gets_nothing_back(
    small: SchemaApi, clock: Clock, database: Database
) -> None:
    add_service(database, LATER, "12:00", "14:45")
    booking = small.book(1, 2)
    clock.set("2026-12-05T09:50:00+05:30")
    check_in(small, booking, tickets=[1])
    clock.set(DEPARTED)
    no_shows(small, release=True)
    displace(database, booking["reference"])
    assert statuses(small, booking) == ["displaced", "cancelled"]
    (offer,) = small.show(booking)["offers"]
    trip = offer["trip"]
    assert (offer["refund"], trip["destination"], len(trip["seats"])) == ("260.00", "Mysuru", 1)
    accepted = small.change("accept", booking)
    assert (accepted["bus_id"], accepted["status"], accepted["refund"]) == (LATER, "booked", "0.00")
    assert [t.keys() & {"checked_in_at", "no_show_at"} for t in accepted["tickets"]] == [set(), set()]
    assert audit(small.conn) == []


def test_booking_of_no_shows_is_not_displaced(small: SchemaApi, clock: Clock, database: Database) -> None:
    booking = small.book(1, 2)
    clock.set(DEPARTED)
    no_shows(small)
    displace(database, booking["reference"])
    shown = small.show(booking)
    assert (statuses(small, booking), shown["refund"], shown.get("offers")) == (["booked"] * 2, "0.00", None)


def test_check_in_does_not_follow_a_booking_to_another_trip(
    small: SchemaApi, clock: Clock, database: Database
) -> None:
    add_service(database, LATER, "12:00", "14:45")
    booking = small.book(1, 2)
    clock.set("2026-12-05T09:50:00+05:30")
    check_in(small, booking)
    displace(database, booking["reference"])
    accepted = small.change("accept", booking)
    assert ["checked_in_at" in ticket for ticket in accepted["tickets"]] == [False, False]
    assert small.cancel(booking)["status"] == "cancelled"
    assert audit(small.conn) == []


def test_offer_is_for_the_longest_journey_of_the_party(small: SchemaApi, database: Database) -> None:
    add_service(database, LATER, "12:00", "14:45")
    party = small.book(1, 2, 3)
    small.change("alight", party, tickets=[1], at="Ramanagara")
    displace(database, party["reference"])
    (offer,) = small.show(party)["offers"]
    assert (offer["trip"]["destination"], len(offer["trip"]["seats"])) == ("Mysuru", 3)


def test_delay_after_an_exchange_gives_nobody_a_seat_again(small: SchemaApi, clock: Clock) -> None:
    over = [small.book(seat, from_stop=1, to_stop=3) for seat in (1, 2)]
    later = [small.book(seat) for seat in (5, 6)]
    clock.set("2026-12-05T11:46:00+05:30")  # at Mandya
    assert exchange(small, "KA09S4")["tickets"] == len(later)
    small.write("delay_trip", account="ksrtc", at=3, minutes=30, **TRIP_OF_DAY)
    assert exchange(small, "KA09F1")["tickets"] == len(later)
    assert [statuses(small, b) for b in over] == [["booked"], ["booked"]]
    assert audit(small.conn) == []


def test_no_shows_whose_journeys_are_over_have_their_former_seats(small: SchemaApi, clock: Clock) -> None:
    edit_service(small, no_show_sells=True)
    small.book(7, from_stop=1, to_stop=2)
    clock.set(AT_STOP_2)
    exchange(small, "KA09S4")
    assert [ticket["seat_no"] for ticket in no_shows(small)["tickets"]] == [7]
    assert audit(small.conn) == []
