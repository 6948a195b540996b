"""The day of a trip: check-in, no-shows, and tickets that are transferred to another name."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, Answer, SchemaApi

TRIP = {"bus_id": 1, "travel_date": DAY}
DEPARTED = "2026-12-05 10:05+05:30"  # from Bengaluru


@pytest.fixture(autouse=True)
def conductor(database: Database, clock: Clock) -> str:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    clock.set("2026-12-05 09:45+05:30")
    return "conductor"


def check_in(api: SchemaApi, booking: Answer, **args: Any) -> Answer:
    return api.write("check_in", reference=booking["reference"], account="conductor", **args)


def no_shows(api: SchemaApi, at: str | int = 1, **args: Any) -> Answer:
    return api.write("no_shows", account="conductor", at=at, **TRIP, **args)


def sells(answer: Answer) -> dict[int, bool]:
    return {ticket["seat_no"]: ticket["sells"] for ticket in answer["tickets"]}


# Check-in --------------------------------------------------------------------------------------


def test_check_in_keeps_the_first_time(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1, 2)
    (first, other) = check_in(api, booking, tickets=[1], at="Bengaluru", **TRIP)["tickets"]
    assert (first["checked_in_at"], "checked_in_at" in other) == ("2026-12-05T09:45:00+05:30", False)
    clock.advance(minutes=5)
    again = check_in(api, booking)["tickets"]
    assert [ticket["checked_in_at"][11:16] for ticket in again] == ["09:45", "09:50"]
    boards = api.read("manifest", account="conductor", **TRIP)["stops"][0]["boards"]
    assert [rider["checked_in_at"][11:16] for rider in boards] == ["09:45", "09:50"]
    assert "checked_in_at" in api.show(booking)["tickets"][0]


@pytest.mark.parametrize(
    "wrong", [{"bus_id": 2}, {"travel_date": "2026-12-06"}, {"at": "Mandya"}, {"at": 2}, {"at": "Nowhere"}]
)
def test_check_in_at_the_wrong_trip_or_stop_is_refused(api: SchemaApi, wrong: dict[str, Any]) -> None:
    booking = api.book(1)
    refusal = check_in(api, booking, **{**TRIP, **wrong})
    assert (refusal["reason"], refusal["message"]) == (
        "wrong_trip",
        f"Booking {booking['reference']} is for bus 1 of 2026-12-05, from Bengaluru at 2026-12-05 10:00.",
    )


def test_check_in_without_a_trip_is_for_the_trips_of_today(api: SchemaApi, clock: Clock) -> None:
    today, later = api.book(1), api.book(1, travel_date="2026-12-06")
    night = api.book(1, bus_id=2, origin="Mysuru", destination="Ooty")  # boards on the 6th at 01:00
    clock.set("2026-12-05 20:00+05:30")
    assert "tickets" in check_in(api, today)
    assert check_in(api, later)["reason"] == "wrong_trip"
    assert check_in(api, later, bus_id=1)["reason"] == "wrong_trip"
    assert api.write("check_in", reference=night["reference"], account="conductor")["reason"] == "not_yours"


def test_check_in_of_what_is_not_booked_is_refused(api: SchemaApi, database: Database) -> None:
    held, cancelled = api.hold(1), api.book(2, 3)
    api.cancel(cancelled, 2)
    assert check_in(api, held)["reason"] == "not_held"
    assert check_in(api, cancelled, tickets=[2])["reason"] == "already_cancelled"
    assert check_in(api, cancelled, tickets=[3])["reason"] == "unknown_booking"
    assert check_in(api, {"reference": "DTXXXXX"})["reason"] in ("unknown_booking", "not_yours")
    assert [t["status"] for t in check_in(api, cancelled)["tickets"]] == ["booked", "cancelled"]
    database.query("SELECT api.cancel_trip(1, %s, 'Flood.')", DAY)
    refusal = check_in(api, cancelled)
    assert (refusal["reason"], refusal["message"].endswith("is cancelled. Flood.")) == (
        "trip_cancelled",
        True,
    )


# No-shows --------------------------------------------------------------------------------------


def test_no_shows_are_those_who_board_there_and_are_not_checked_in(api: SchemaApi, clock: Clock) -> None:
    present, missing, later = api.book(1), api.book(2), api.book(3, from_stop=2, to_stop=5)
    check_in(api, present)
    refusal = no_shows(api)
    assert (refusal["reason"], refusal["message"]) == ("not_departed", "The bus has not left that stop yet.")
    clock.set(DEPARTED)
    marked = no_shows(api, "Bengaluru")
    assert sells(marked) == {2: False}
    assert no_shows(api) == marked
    assert "no_show_at" in api.show(missing)["tickets"][0]
    assert "no_show_at" not in api.show(later)["tickets"][0]
    assert 2 not in api.free(2, 5)
    assert no_shows(api, "Mysuru")["reason"] == "not_on_route"  # no passenger boards there


def test_seat_of_a_no_show_sells_again_from_the_next_stop(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    api.book(2)
    for seat in (1, 3, 4, 5, 6, 7, 8):
        api.book(seat, phone=RAVI, from_stop=2, to_stop=5)
    waiting = api.book(count=1, from_stop=2, to_stop=5, waitlist=True, phone=RAVI)
    clock.set(DEPARTED)
    assert sells(no_shows(api)) == {2: False}
    assert sells(no_shows(api, release=True)) == {2: True}
    assert api.show(waiting, phone=RAVI)["tickets"][0]["seat_no"] == 2  # promoted
    stops = api.read("manifest", account="conductor", **TRIP)["stops"]
    assert [(stop["place"], len(stop["boards"]), len(stop["alights"])) for stop in stops] == [
        ("Bengaluru", 1, 0), ("Ramanagara", 8, 0), ("Mysuru", 0, 8)
    ]  # fmt: skip
    assert database.query("SELECT sum(amount) FROM payments WHERE kind = 'refund'") == [None]


@pytest.mark.parametrize(("of_service", "released"), [(False, False), (True, True)])
def test_service_says_whether_seats_of_no_shows_sell(
    api: SchemaApi, database: Database, clock: Clock, of_service: bool, released: bool
) -> None:
    database.query("UPDATE bus_info SET no_show_sells = %s WHERE bus_id = 1", of_service)
    api.book(2)
    clock.set(DEPARTED)
    assert sells(no_shows(api)) == {2: released}
    assert (2 in api.free(2, 5)) is released


def test_seat_of_a_no_show_comes_free_where_nobody_boards(api: SchemaApi, clock: Clock) -> None:
    api.book(2)
    clock.set(DEPARTED)
    no_shows(api, release=True)
    stops = api.read("manifest", account="conductor", **TRIP)["stops"]
    assert [(stop["place"], stop["alights"], stop["comes_free"]) for stop in stops] == [
        ("Bengaluru", [], []),
        ("Ramanagara", [], [2]),
    ]


def test_no_show_that_comes_late_gets_the_seat_back(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(2)
    clock.set(DEPARTED)
    no_shows(api, release=True)
    assert api.show(booking)["to_stop"] == 2
    late = check_in(api, booking, **TRIP)
    assert (late["to_stop"], "no_show_at" in late["tickets"][0]) == (5, False)
    assert 2 not in api.free(2, 5)
    assert sells(no_shows(api)) == {}


def test_no_show_whose_seat_was_sold_again_is_refused_with_the_free_seats(
    api: SchemaApi, clock: Clock
) -> None:
    booking = api.book(2)
    clock.set(DEPARTED)
    no_shows(api, release=True)
    api.book(2, from_stop=2, to_stop=4, phone=RAVI)
    before = api.everything()
    refusal = check_in(api, booking, **TRIP)
    assert (refusal["reason"], refusal["seats"]) == ("seat_taken", [2])
    assert refusal["message"] == (
        "Seat 2 was sold again from Ramanagara. Free seats from there: 1, 3, 4, 5, 6, 7, 8."
    )
    assert api.everything() == before


def test_no_shows_of_another_operator_are_refused(api: SchemaApi) -> None:
    other = api.write("no_shows", account="conductor", bus_id=2, travel_date=DAY, at=1)
    assert other["reason"] == "not_yours"
    assert api.write("no_shows", bus_id=1, travel_date=DAY, at=1)["reason"] == "not_yours"


# Transfer --------------------------------------------------------------------------------------


def test_ticket_is_transferred_to_another_name(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1, 2, passengers=[{"name": "Asha"}])
    moved = api.change("transfer", booking, ticket_no=1, name="Uma")
    assert [ticket["name"] for ticket in moved["tickets"]] == ["Uma", None]
    api.change("transfer", booking, ticket_no=1, name="Uma")  # the same name: no transfer
    api.change("transfer", booking, ticket_no=2, name="Ravi")  # the first name of the ticket: no transfer
    boards = api.read("manifest", account="conductor", **TRIP)["stops"][0]["boards"]
    assert boards[0]["earlier_names"] == [{"name": "Asha", "until": "2026-12-05T09:45:00+05:30"}]
    assert "earlier_names" not in boards[1]
    clock.set(DEPARTED)
    assert api.change("transfer", booking, ticket_no=1, name="Mina")["reason"] == "departed"


def test_transfers_are_limited(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, passengers=[{"name": "Asha"}])
    for name in ("Uma", "Ravi", "Mina"):
        assert api.change("transfer", booking, ticket_no=1, name=name)["tickets"][0]["name"] == name
    refusal = api.change("transfer", booking, ticket_no=1, name="Asha")
    assert (refusal["reason"], refusal["limit"]) == ("too_many_transfers", 3)
    assert refusal["message"] == "Ticket 1 was transferred 3 times already."
    database.query("UPDATE bus_info SET max_transfers = 0")
    assert api.change("transfer", booking, ticket_no=1, name="Asha")["limit"] == 0


def test_ticket_that_is_checked_in_or_cancelled_is_not_transferred(api: SchemaApi) -> None:
    booking = api.book(1, 2, passengers=[{"name": "Asha"}])
    api.cancel(booking, 2)
    check_in(api, booking)
    assert api.change("transfer", booking, ticket_no=1, name="Uma")["reason"] == "checked_in"
    assert api.change("transfer", booking, ticket_no=2, name="Uma")["reason"] == "already_cancelled"
    assert api.change("transfer", booking, ticket_no=1, name="Uma", phone=RAVI)["reason"] == "unknown_booking"


def test_no_show_cannot_alight_for_a_refund(api: SchemaApi, database: Database, clock: Clock) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50 WHERE bus_id = 1")
    booking = api.book(1, 2)
    check_in(api, booking, tickets=[2])
    clock.set(DEPARTED)
    no_shows(api, release=False)
    refusal = api.write("alight", reference=booking["reference"], phone=ASHA, at="Mandya", tickets=[1])
    assert (refusal["reason"], refusal["message"]) == (
        "not_held",
        f"Ticket 1 of booking {booking['reference']} did not board, "
        "so nothing is refunded for the rest of the journey.",
    )
    assert api.read("alight_quote", reference=booking["reference"], phone=ASHA, tickets=[1]) == refusal
    answer = api.write("alight", reference=booking["reference"], phone=ASHA, at="Mandya", tickets=[2])
    assert [ticket["refund"] != "0.00" for ticket in answer["tickets"]] == [False, True]


def test_ticket_that_is_checked_in_is_cancelled_only_after_undo(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1, 2)
    check_in(api, booking, tickets=[2])
    before = api.everything()
    refusal = api.cancel(booking)
    assert (refusal["reason"], refusal["message"]) == (
        "checked_in",
        f"Ticket 2 of booking {booking['reference']} is checked in. "
        "Only an operator can undo that; then cancel.",
    )
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA) == refusal
    assert api.everything() == before
    assert api.cancel(booking, 1)["refund"] == "130.00"
    assert "checked_in_at" not in check_in(api, booking, tickets=[2], undo=True)["tickets"][1]
    assert api.cancel(booking, 2)["refund"] == "260.00"


def test_undo_of_a_check_in_does_not_change_a_no_show(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1, 2)
    check_in(api, booking, tickets=[1])
    clock.set(DEPARTED)
    no_shows(api, release=True)
    (first, second) = check_in(api, booking, undo=True)["tickets"]
    assert ("checked_in_at" in first, "no_show_at" in second) == (False, True)
    assert sells(no_shows(api, release=True)) == {1: True, 2: True}


@pytest.mark.parametrize(
    ("passenger", "given", "reason"),
    [
        ({"name": "Asha", "gender": "female"}, {}, "reserved_seat"),
        ({"name": "Asha", "gender": "female"}, {"gender": "male"}, "reserved_seat"),
        ({"name": "Asha", "gender": "female"}, {"gender": "female"}, None),
        ({"gender": "female"}, {}, None),  # the first name: the same passenger
        (
            {"name": "Asha", "gender": "female", "concession": "child"},
            {"gender": "female"},
            "unknown_concession",
        ),
        (
            {"name": "Asha", "gender": "female", "concession": "child"},
            {"gender": "female", "concession": "Child"},
            None,
        ),
        (
            {"name": "Asha", "gender": "female"},
            {"gender": "female", "concession": "child"},
            "unknown_concession",
        ),
    ],
)
def test_new_passenger_may_have_the_seat_and_the_fare(
    api: SchemaApi, database: Database, passenger: dict[str, str], given: dict[str, str], reason: str | None
) -> None:
    database.query(
        'UPDATE bus_info SET women_seats = \'{1}\', concessions = \'[{"name": "child", "percent": 50}]\' '
        "WHERE bus_id = 1"
    )
    booking = api.book(1, passengers=[passenger])
    before = api.everything()
    answer = api.change("transfer", booking, ticket_no=1, name="Uma", **given)
    if reason is None:
        assert (answer["tickets"][0]["name"], answer["tickets"][0]["gender"]) == ("Uma", "female")
    else:
        assert (answer["reason"], api.everything()) == (reason, before)


def test_gender_of_the_earlier_passenger_is_not_kept(api: SchemaApi) -> None:
    booking = api.book(1, passengers=[{"name": "Asha", "gender": "female"}])
    moved = api.change("transfer", booking, ticket_no=1, name="Ravi")
    assert "gender" not in moved["tickets"][0]
