"""Changes of a booking: cancel tickets, change a seat, alight early; cancellations of trips."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, Answer, SchemaApi


def statuses(booking: dict[str, Any]) -> list[str]:
    return [ticket["status"] for ticket in booking["tickets"]]


def payments(database: Database) -> list[str]:
    return database.query("SELECT kind || ' ' || amount FROM payments ORDER BY ticket_no, payment_no")


# Cancel ----------------------------------------------------------------------------------------


def test_cancellation_refunds_half_the_fare_and_frees_the_seats(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    cancelled = api.cancel(booking)
    assert (cancelled["status"], cancelled["fare"], cancelled["refund"]) == ("cancelled", "520.00", "260.00")
    assert [ticket["refund"] for ticket in cancelled["tickets"]] == ["130.00", "130.00"]
    assert payments(database) == ["charge 260.00", "refund 130.00"] * 2
    assert api.free() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert api.book(1, phone=RAVI)["status"] == "booked"


def test_some_tickets_are_cancelled(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2, 3)
    part = api.cancel(booking, 2)
    assert (part["status"], part["refund"], statuses(part)) == (
        "booked",
        "130.00",
        ["booked", "cancelled", "booked"],
    )
    assert (api.seats("taken"), payments(database)[1:3]) == ([1, 3], ["charge 260.00", "refund 130.00"])
    rest = api.cancel(booking)
    assert (rest["status"], rest["refund"]) == ("cancelled", "390.00")
    assert len(payments(database)) == 6


def test_quote_equals_the_refund_of_a_cancellation(api: SchemaApi) -> None:
    booking = api.book(1, 2, from_stop=2, to_stop=4)
    until = "2026-12-05T10:55:00+05:30"
    terms = {
        "currency": "INR",
        "valid_until": until,
        "stands_until": until,  # the name of valid_until until 0.1.0
        "refund_percent": "50",
    }
    of_booking = {"reference": booking["reference"], "phone": ASHA}
    assert api.read("cancel_quote", **of_booking) == terms | {"refund": "140.00"}
    assert api.read("cancel_quote", **of_booking, tickets=[2]) == terms | {"refund": "70.00"}
    assert api.cancel(booking, 2)["refund"] == "70.00"
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA)["refund"] == "70.00"


@pytest.mark.parametrize(
    ("percent", "fare", "refund"),
    [("33.33", "0.50", "0.17"), ("50", "0.01", "0.01"), ("0", "260", "0.00"), ("100", "9.99", "9.99")],
)
def test_refund_is_rounded_for_each_ticket(
    api: SchemaApi, database: Database, percent: str, fare: str, refund: str
) -> None:
    database.query("UPDATE bus_info SET refund_percent = %s", percent)
    database.query("UPDATE route_table SET fare = %s WHERE bus_id = 1 AND stop_no = 5", fare)
    booking = api.book(1, 2)
    database.query("UPDATE bus_info SET refund_percent = 7")  # for later bookings
    cancelled = api.cancel(booking)
    assert [ticket["refund"] for ticket in cancelled["tickets"]] == [refund, refund]


def test_unpaid_hold_gets_no_refund(api: SchemaApi, database: Database) -> None:
    hold = api.hold(1, 2)
    assert api.read("cancel_quote", reference=hold["reference"], phone=ASHA)["refund"] == "0.00"
    assert api.cancel(hold)["refund"] == "0.00"
    assert payments(database) == []


def test_ticket_is_cancelled_only_once(api: SchemaApi) -> None:
    booking = api.book(1, 2)
    api.cancel(booking, 1)
    before = api.everything()
    again = api.cancel(booking, 1)
    assert (again["reason"], again["message"]) == (
        "already_cancelled",
        f"Ticket 1 of booking {booking['reference']} is already cancelled.",
    )
    assert api.cancel(booking, 2, 1)["reason"] == "already_cancelled"
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA, tickets=[1])["reason"] == (
        "already_cancelled"
    )
    assert api.everything() == before
    api.cancel(booking)
    assert api.cancel(booking)["message"].startswith("Tickets 1 and 2 of booking")


def test_unknown_ticket_number_is_refused(api: SchemaApi) -> None:
    booking = api.book(1, 2)
    before = api.everything()
    refusals = [
        api.cancel(booking, 2, 3),
        api.read("cancel_quote", reference=booking["reference"], phone=ASHA, tickets=[3]),
        api.change("change_seat", booking, ticket_no=3, seat_no=4),
        api.change("alight", booking, tickets=[3], at=2),
    ]
    for refusal in refusals:
        assert (refusal["reason"], refusal["tickets"]) == ("unknown_booking", [1, 2])
        assert refusal["message"] == f"Booking {booking['reference']} has only 2 tickets: 1, 2."
    assert api.everything() == before


def test_changes_after_departure_are_refused(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1, travel_date="2026-12-01")
    later = api.book(2, travel_date="2026-12-01", from_stop=2, to_stop=5)
    clock.set("2026-12-01 10:00+05:30")
    before = api.everything()
    refusals = [
        api.cancel(booking),
        api.read("cancel_quote", reference=booking["reference"], phone=ASHA),
        api.change("change_seat", booking, ticket_no=1, seat_no=4),
    ]
    for refusal in refusals:
        assert refusal["reason"] == "departed"
        assert f"The bus of booking {booking['reference']} has left Bengaluru;" in refusal["message"]
    assert api.everything() == before
    assert api.cancel(later)["status"] == "cancelled"


def test_quote_for_an_expired_hold_is_refused_like_its_cancellation(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1)
    clock.advance(minutes=11)
    quoted = api.read("cancel_quote", reference=hold["reference"], phone=ASHA)  # the trip is not settled yet
    assert quoted["reason"] == "hold_expired"
    assert api.cancel(hold) == quoted


# Change seat -----------------------------------------------------------------------------------


def test_change_to_a_free_seat(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    moved = api.change("change_seat", booking, ticket_no=2, seat_no=8)
    assert [ticket["seat_no"] for ticket in moved["tickets"]] == [1, 8]
    assert (api.seats("taken"), moved["fare"], len(payments(database))) == ([1, 8], "520.00", 2)


def test_held_ticket_may_change_its_seat_and_may_keep_it(api: SchemaApi) -> None:
    hold = api.hold(1)
    assert api.change("change_seat", hold, ticket_no=1, seat_no=2)["status"] == "held"
    assert api.change("change_seat", hold, ticket_no=1, seat_no=2)["tickets"][0]["seat_no"] == 2
    assert api.seats("held") == [2]


def test_seated_at_is_when_the_ticket_got_its_seat(api: SchemaApi, database: Database, clock: Clock) -> None:
    def seated_at(booking: Answer) -> list[str | None]:
        return [ticket["seated_at"] for ticket in api.show(booking)["tickets"]]

    booking = api.hold(1, 2)
    clock.advance(seconds=1)
    api.change("confirm", booking)
    clock.advance(seconds=0.25)
    api.change("change_seat", booking, ticket_no=2, seat_no=3)
    clock.advance(seconds=1)
    api.change("change_seat", booking, ticket_no=2, seat_no=3)  # the same seat
    assert seated_at(booking) == ["2026-12-01T03:30:01+00:00", "2026-12-01T03:30:01.25+00:00"]
    api.book(count=6)
    waiting = api.book(count=1, waitlist=True)
    assert seated_at(waiting) == [None]
    api.change("cancel", booking, tickets=[1])
    assert seated_at(waiting) == ["2026-12-01T03:30:02.25+00:00"]


def test_new_seat_must_be_free_only_on_the_segment_of_the_ticket(api: SchemaApi) -> None:
    api.book(2, from_stop=3, to_stop=5, phone=RAVI)
    booking = api.book(1, from_stop=1, to_stop=3)
    assert api.change("change_seat", booking, ticket_no=1, seat_no=2)["tickets"][0]["seat_no"] == 2


def test_taken_and_unknown_seats_are_refused(api: SchemaApi) -> None:
    api.book(2, from_stop=2, to_stop=3, phone=RAVI)
    booking = api.book(1, 3)
    before = api.everything()
    assert api.change("change_seat", booking, ticket_no=1, seat_no=2)["seats"] == [2]
    assert api.change("change_seat", booking, ticket_no=1, seat_no=3)["reason"] == "seat_taken"
    assert api.change("change_seat", booking, ticket_no=1, seat_no=9)["reason"] == "unknown_seat"
    assert api.everything() == before


def test_ticket_without_seat_cannot_change_it(api: SchemaApi) -> None:
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    waiting = api.book(count=3, waitlist=True)
    assert api.change("change_seat", waiting, ticket_no=1, seat_no=7)["reason"] == "not_held"
    api.cancel(waiting)
    assert api.change("change_seat", waiting, ticket_no=1, seat_no=7)["reason"] == "already_cancelled"


# Alight ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["Mandya", "mndy", 3])
def test_alighting_frees_the_rest_of_the_segment(api: SchemaApi, database: Database, at: str | int) -> None:
    booking = api.book(1, 2)
    ended = api.change("alight", booking, at=at)
    assert (ended["status"], ended["destination"], ended["to_stop"]) == ("booked", "Mandya", 3)
    assert (ended["arrives_at"], ended["fare"], ended["refund"]) == (
        "2026-12-05T11:45:00+05:30",
        "520.00",
        "0.00",
    )
    assert api.free(3, 5) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert api.seats("taken", 1, 3) == [1, 2]
    assert payments(database) == ["charge 260.00"] * 2


def test_one_ticket_of_a_party_alights(api: SchemaApi) -> None:
    booking = api.book(1, 2)
    ended = api.change("alight", booking, tickets=[2], at="Mandya")
    assert ended["destination"] == "Mysuru"  # where the other ticket ends
    assert (api.free(3, 5)[0], api.seats("taken", 3, 5)) == (2, [1])


def test_ticket_that_ends_before_its_booking_says_where(api: SchemaApi) -> None:
    booking = api.book(1, 2, 3)
    end = {"to_stop": 3, "destination": "Mandya", "arrives_at": "2026-12-05T11:45:00+05:30"}
    ended = api.change("alight", booking, tickets=[2], at="Mandya")
    assert ended == api.show(booking)
    assert [end.items() <= ticket.items() for ticket in ended["tickets"]] == [False, True, False]
    assert all(ticket.keys() == booking["tickets"][0].keys() for ticket in ended["tickets"][::2])
    moved = api.change("change_seat", booking, ticket_no=2, seat_no=8)
    assert moved["tickets"][1] == ended["tickets"][1] | {
        "seat_no": 8, "seated_at": moved["tickets"][1]["seated_at"],
    }  # fmt: skip
    assert end.items() <= api.cancel(booking, 1)["tickets"][1].items()
    last = api.cancel(booking, 3)  # ticket 2 is the only open one now, so the booking ends where it does
    assert (last["destination"], last["to_stop"]) == ("Mandya", 3)
    assert not any(ticket.keys() & end.keys() for ticket in last["tickets"])


def test_service_sets_the_percentage_of_the_refund_for_alighting(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 25 WHERE bus_id = 1")
    booking = api.book(1)
    assert api.change("alight", booking, at="Srirangapatna")["refund"] == "7.50"  # of 30
    assert api.change("alight", booking, at="Mandya")["refund"] == "20.00"  # of 80
    assert payments(database) == ["charge 260.00", "refund 7.50", "refund 12.50"]


def test_refunds_never_exceed_the_fare(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 100, refund_percent = 90 WHERE bus_id = 1")
    booking = api.book(1)
    assert api.change("alight", booking, at="Ramanagara")["refund"] == "170.00"
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA)["refund"] == "81.00"
    assert api.cancel(booking)["refund"] == "251.00"


@pytest.mark.parametrize("factor", ["5", "1.2", "0.01", "0"])
def test_alighting_refund_uses_the_fares_and_the_percentage_at_the_sale(
    api: SchemaApi, database: Database, factor: str
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 25 WHERE bus_id = 1")
    sold = [api.book(1), api.change("confirm", api.hold(2))]
    part = api.book(3, from_stop=2, to_stop=4)
    database.query("UPDATE route_table SET fare = fare * %s WHERE bus_id = 1", factor)
    database.query("UPDATE bus_info SET alight_refund_percent = 75 WHERE bus_id = 1")
    for booking in sold:
        assert api.change("alight", booking, at="Srirangapatna")["refund"] == "7.50"  # of 30
        assert api.change("alight", booking, at="Mandya")["refund"] == "20.00"  # of 80
        assert api.cancel(booking)["refund"] == "140.00"  # 20 for alighting, and half of 260 - 20
    assert api.change("alight", part, at="Mandya")["refund"] == "12.50"  # of 50


def test_alighting_twice_refunds_as_much_as_alighting_once(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50 WHERE bus_id = 1")
    database.query("UPDATE route_table SET fare = 0.33 * stop_no WHERE bus_id = 1")
    twice, once = api.book(1), api.book(2)
    api.change("alight", twice, at="Srirangapatna")
    refunds = [api.change("alight", booking, at="Mandya")["refund"] for booking in (twice, once)]
    assert refunds == ["0.33", "0.33"]


def test_party_promoted_from_the_waitlist_has_the_fares_of_its_request(
    api: SchemaApi, database: Database
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50 WHERE bus_id = 1")
    full = [api.book(1, 2, 3, 4), api.book(5, 6, 7, 8)]
    waiting = api.book(count=1, waitlist=True)
    database.query("UPDATE route_table SET fare = fare * 3 WHERE bus_id = 1")
    database.query("UPDATE bus_info SET alight_refund_percent = 0, refund_percent = 0 WHERE bus_id = 1")
    api.cancel(full[0])
    assert (api.show(waiting)["status"], api.show(waiting)["fare"]) == ("booked", "260.00")
    assert api.change("alight", waiting, at="Mandya")["refund"] == "40.00"
    assert api.cancel(waiting)["refund"] == "150.00"


@pytest.mark.parametrize(
    ("factor", "refund"), [("1", "20.00"), ("10", "20.00"), ("0.1", "20.00"), ("0", "0.00")]
)
def test_ticket_without_stored_refunds_is_refunded_by_the_fares_of_today(
    api: SchemaApi, database: Database, factor: str, refund: str
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 25 WHERE bus_id = 1")
    booking = api.book(1, 2)
    database.query("UPDATE passengers SET alight_refunds = NULL")
    database.query("UPDATE route_table SET fare = fare * %s WHERE bus_id = 1", factor)
    api.change("alight", booking, tickets=[1], at="Srirangapatna")
    database.query("UPDATE route_table SET fare = stop_no WHERE bus_id = 1")  # after the refunds were stored
    ended = api.change("alight", booking, tickets=[1], at="Mandya")
    assert ended["tickets"][0]["refund"] == refund


def test_shortened_ticket_without_stored_refunds_can_be_shortened_again(
    api: SchemaApi, database: Database
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 25 WHERE bus_id = 1")
    booking = api.book(1)
    assert api.change("alight", booking, at="Mandya")["refund"] == "20.00"  # of 80
    database.query("UPDATE passengers SET alight_refunds = NULL")
    database.query("UPDATE route_table SET fare = fare * 2 WHERE bus_id = 1")
    assert api.change("alight", booking, at="Ramanagara")["refund"] == "42.50"  # of 170


def test_alighting_during_the_journey(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1, travel_date="2026-12-01")
    clock.set("2026-12-01 11:49+05:30")
    assert api.change("alight", booking, at="Ramanagara")["reason"] == "departed"
    assert api.change("alight", booking, at="Mandya")["to_stop"] == 3
    assert api.book(1, travel_date="2026-12-01", from_stop=3, to_stop=5)["status"] == "booked"


def test_quote_has_every_stop_at_which_a_ticket_can_end(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 25 WHERE bus_id = 1")
    stops = quoted(api, api.book(1, 2))
    assert [(stop["stop_no"], stop["place"], stop["refund"]) for stop in stops] == [
        (2, "Ramanagara", "85.00"),
        (3, "Mandya", "40.00"),
        (4, "Srirangapatna", "15.00"),
    ]
    assert stops[1]["arrives_at"] == "2026-12-05T11:45:00+05:30"
    assert quoted(api, api.book(3, from_stop=1, to_stop=2)) == []


@pytest.mark.parametrize("stored", [True, False])
def test_quote_equals_the_refund_for_alighting(api: SchemaApi, database: Database, stored: bool) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 35 WHERE bus_id = 1")
    bookings = [api.book(1, 2), api.book(3, 4), api.book(5, 6)]
    for booking in bookings[1:]:
        api.change("alight", booking, tickets=[2], at=4)
    if not stored:
        database.query("UPDATE passengers SET alight_refunds = NULL")
    for booking, tickets in zip(bookings, ([1], [2], [1, 2]), strict=True):
        for stop in reversed(quoted(api, booking, tickets=tickets)):
            (one,) = quoted(api, booking, tickets=tickets, at=stop["place"])
            before = float(api.show(booking)["refund"])
            after = api.change("alight", booking, tickets=tickets, at=stop["stop_no"])["refund"]
            assert float(after) == before + float(one["refund"]), stop


def test_quote_during_the_journey_has_only_stops_ahead(api: SchemaApi, clock: Clock) -> None:
    booking = api.book(1, travel_date="2026-12-01")
    clock.set("2026-12-01 11:49+05:30")
    assert [stop["place"] for stop in quoted(api, booking)] == ["Mandya", "Srirangapatna"]
    refusal = api.read("alight_quote", reference=booking["reference"], phone=ASHA, at="Ramanagara")
    assert refusal["reason"] == "departed"


def test_quote_has_only_stops_within_the_segments_of_all_tickets(api: SchemaApi) -> None:
    booking = api.book(1, 2)
    api.change("alight", booking, tickets=[1], at="Mandya")
    assert [stop["stop_no"] for stop in quoted(api, booking)] == [2]
    assert [stop["stop_no"] for stop in quoted(api, booking, tickets=[2])] == [2, 3, 4]


@pytest.mark.parametrize("at", [None, "Mandya", "Mysuru", "Mandia", 3, 5])
def test_quote_is_refused_for_the_same_reasons_as_alighting(api: SchemaApi, at: str | int | None) -> None:
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    tickets: list[dict[str, Any]] = [{}, {"tickets": [3]}]
    for booking in (api.cancel(api.book(7)), api.book(7), api.hold(8), api.book(count=2, waitlist=True)):
        for more in tickets:
            quote = {"reference": booking["reference"], "phone": ASHA, **more}
            answer = api.read("alight_quote", **quote, **({} if at is None else {"at": at}))
            alighted = api.change("alight", booking, at="Mandya" if at is None else at, **more)
            assert answer.get("reason") == alighted.get("reason")
            assert answer.get("message") == alighted.get("message")


def quoted(api: SchemaApi, booking: dict[str, Any], **args: Any) -> list[dict[str, Any]]:
    stops: list[dict[str, Any]] = api.read(
        "alight_quote", reference=booking["reference"], phone=ASHA, **args
    )["stops"]
    return stops


@pytest.mark.parametrize("at", ["Bengaluru", "Mysuru", "Chennai", 1, 5, 6, 0])
def test_alighting_outside_the_segment_is_refused(api: SchemaApi, at: str | int) -> None:
    booking = api.book(1)
    before = api.everything()
    refusal = api.change("alight", booking, at=at)
    assert refusal["reason"] == "not_on_route"
    assert refusal["message"].startswith("Stop " if isinstance(at, int) else at)
    assert refusal["stops"] == ["Bengaluru", "Ramanagara", "Mandya", "Srirangapatna", "Mysuru"]
    assert api.everything() == before


def test_alighting_at_an_unknown_place_is_refused(api: SchemaApi) -> None:
    refusal = api.change("alight", api.book(1), at="Mandia")
    assert (refusal["reason"], refusal["nearest"][0]) == ("unknown_place", "Mandya")


def test_destination_of_a_booking_is_that_of_its_open_tickets(api: SchemaApi) -> None:
    party = api.book(1, 2)
    api.change("cancel", party, tickets=[2])
    assert api.change("alight", party, at="Mandya")["to_stop"] == 3


def test_only_a_booked_ticket_can_alight(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1)
    assert api.change("alight", hold, at=3)["reason"] == "not_held"
    clock.advance(minutes=11)
    assert api.change("alight", hold, at=3)["reason"] == "hold_expired"
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    waiting = api.book(count=3, waitlist=True)
    assert api.change("alight", waiting, at=3)["reason"] == "not_held"
    cancelled = api.cancel(api.book(7))
    assert api.change("alight", cancelled, at=3)["reason"] == "already_cancelled"


def test_the_tickets_of_a_party_may_alight_at_different_stops(api: SchemaApi) -> None:
    booking = api.book(1, 2, 3)
    api.change("alight", booking, tickets=[1], at="Ramanagara")
    api.cancel(booking, 3)
    assert api.change("alight", booking, at="Mandya")["reason"] == "not_on_route"  # ticket 1 ends before it
    api.change("alight", booking, tickets=[2], at="Mandya")
    assert api.free(3, 5) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert api.seats("taken", 2, 3) == [2]


def test_plan_of_a_cancelled_trip_changes_nothing(api: SchemaApi, database: Database) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    trip = {"bus_id": 1, "travel_date": DAY, "account": "conductor", "reason": "Flood."}
    booking = api.book(1, 2)
    api.hold(3)
    planned = api.write("cancel_trip", plan=True, **trip)
    assert (planned["tickets"], planned["refund"]) == (3, booking["fare"])
    assert api.show(booking)["status"] == "booked"
    assert api.write("cancel_trip", **trip) == planned
    assert api.write("cancel_trip", plan=True, **trip)["reason"] == "already_cancelled"
