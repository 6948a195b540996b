"""Holds: confirm, release and expire; and who may open a booking."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi


def seats_of(booking: dict[str, Any]) -> list[int]:
    return [ticket["seat_no"] for ticket in booking["tickets"]]


def test_hold_takes_the_seat_until_its_expiry(api: SchemaApi, database: Database) -> None:
    hold = api.hold(1, 2)
    assert (hold["status"], hold["expires_at"]) == ("held", "2026-12-01T09:10:00+05:30")
    assert api.book(1)["reason"] == "seat_taken"
    assert api.hold(3, seconds=30)["expires_at"] == "2026-12-01T09:00:30+05:30"
    assert database.value("SELECT count(*) FROM payments") == 0


def test_hold_expires_at_departure(api: SchemaApi, clock: Clock) -> None:
    clock.set("2026-12-01 09:55+05:30")
    hold = api.hold(1, travel_date="2026-12-01")
    assert hold["expires_at"] == "2026-12-01T10:00:00+05:30"
    clock.set("2026-12-01 10:00+05:30")
    assert api.change("confirm", hold)["reason"] == "departed"


def test_confirmed_hold_is_paid(api: SchemaApi, database: Database, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=9, seconds=59)
    booking = api.change("confirm", hold)
    assert booking["status"] == "booked"
    assert "expires_at" not in booking
    assert database.query("SELECT kind, amount::text FROM payments") == [("charge", "260.00")] * 2
    clock.advance(minutes=1)
    assert api.show(hold) == booking  # it no longer expires


def test_release(api: SchemaApi, database: Database) -> None:
    hold = api.hold(1, 2)
    released = api.change("release", hold)
    assert (released["status"], released["refund"]) == ("cancelled", "0.00")
    assert api.free() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert database.value("SELECT count(*) FROM payments") == 0


def test_seats_of_an_expired_hold_are_free(api: SchemaApi, database: Database, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=10)
    assert api.show(hold)["status"] == "expired"
    assert database.query("SELECT DISTINCT status FROM passengers") == ["held"]  # the trip is not settled yet
    assert api.book(2, phone=RAVI)["status"] == "booked"
    assert api.show(hold)["status"] == "expired"
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'expired'") == 2
    assert api.free() == [1, 3, 4, 5, 6, 7, 8]


def test_settle_expires_a_due_hold(api: SchemaApi, database: Database, clock: Clock) -> None:
    api.hold(1)
    assert database.query("SELECT * FROM api.due_trips()") == []
    clock.advance(minutes=10)
    assert database.query("SELECT bus_id, travel_date::text FROM api.due_trips()") == [(1, DAY)]
    assert api.write("settle", bus_id=1, travel_date=DAY) == {}
    assert database.query("SELECT * FROM api.due_trips()") == []
    assert database.query("SELECT DISTINCT status FROM passengers") == ["expired"]


def test_expired_hold_is_confirmed_if_its_seats_are_free(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=11)
    api.write("settle", bus_id=1, travel_date=DAY)
    booking = api.change("confirm", hold)
    assert (booking["status"], seats_of(booking)) == ("booked", [1, 2])


def test_expired_hold_is_refused_while_one_of_its_seats_is_taken(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=11)
    taken = api.book(2, from_stop=4, to_stop=5, phone=RAVI)
    refusal = api.change("confirm", hold)
    assert refusal == {
        "reason": "hold_expired",
        "message": "The hold has expired, and at least one seat of it is taken.",
    }
    api.cancel(taken, phone=RAVI)
    assert api.change("confirm", hold)["status"] == "booked"


def test_expired_hold_is_confirmed_without_its_cancelled_ticket(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    api.cancel(hold, 2)
    clock.advance(minutes=11)
    booking = api.change("confirm", hold)
    assert [ticket["status"] for ticket in booking["tickets"]] == ["booked", "cancelled"]
    assert booking["fare"] == "520.00"
    assert 2 in api.free()


def set_fare(database: Database, fare: str) -> None:
    """Change the fare of the whole route of service 1."""
    database.query("UPDATE route_table SET fare = %s WHERE bus_id = 1 AND stop_no = 5", fare)


def test_live_hold_keeps_its_fare_and_terms(api: SchemaApi, database: Database) -> None:
    hold = api.hold(1, 2)
    set_fare(database, "900")
    database.query("UPDATE bus_info SET refund_percent = 0 WHERE bus_id = 1")
    booking = api.change("confirm", hold, fare="1800.00")
    assert (booking["status"], booking["fare"]) == ("booked", "520.00")
    assert api.cancel(booking)["refund"] == "260.00"


@pytest.mark.parametrize("settled", [True, False])
def test_expired_hold_is_confirmed_at_the_fare_of_today_once_the_caller_accepts_it(
    api: SchemaApi, database: Database, clock: Clock, settled: bool
) -> None:
    hold = api.hold(1, 2)
    set_fare(database, "300")
    clock.advance(minutes=11)
    if settled:
        api.write("settle", bus_id=1, travel_date=DAY)
    refused = {
        "reason": "hold_expired",
        "message": "The hold has expired, and its fare or its terms have changed. "
        "The fare is now 600.00. To book, confirm this fare.",
        "currency": "INR",
        "fare": "600.00",
    }
    assert api.change("confirm", hold) == refused
    assert api.change("confirm", hold, fare="520.00") == refused
    assert api.show(hold)["status"] == "expired"
    set_fare(database, "310")
    assert api.change("confirm", hold, fare="600.00")["fare"] == "620.00"
    booking = api.change("confirm", hold, fare="620")
    assert (booking["status"], booking["fare"]) == ("booked", "620.00")
    assert [ticket["fare"] for ticket in booking["tickets"]] == ["310.00", "310.00"]
    assert database.query("SELECT kind, amount::text FROM payments") == [("charge", "310.00")] * 2


@pytest.mark.parametrize(
    ("changed", "restored"),
    [
        ("UPDATE bus_info SET refund_percent = 10", "UPDATE bus_info SET refund_percent = 50"),
        ("UPDATE bus_info SET alight_refund_percent = 10", "UPDATE bus_info SET alight_refund_percent = 25"),
        (
            "UPDATE route_table SET fare = 200 WHERE bus_id = 1 AND stop_no = 3",
            "UPDATE route_table SET fare = 180 WHERE bus_id = 1 AND stop_no = 3",
        ),
    ],
)
def test_expired_hold_with_changed_refund_terms_needs_an_accepted_fare(
    api: SchemaApi, database: Database, clock: Clock, changed: str, restored: str
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 25")
    holds = [api.hold(1), api.hold(2)]
    database.query(changed)
    clock.advance(minutes=11)
    assert api.change("confirm", holds[0])["fare"] == "260.00"
    assert api.change("confirm", holds[0], fare="260.00")["status"] == "booked"
    database.query(restored)
    assert api.change("confirm", holds[1])["status"] == "booked"
    assert database.value("SELECT count(DISTINCT (refund_percent, alight_refunds)) FROM passengers") == 2


def test_new_fare_of_an_expired_hold_includes_the_old_fare_of_its_cancelled_ticket(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    hold = api.hold(1, 2)
    api.cancel(hold, 2)
    set_fare(database, "300")
    clock.advance(minutes=11)
    assert api.change("confirm", hold)["fare"] == "560.00"  # 300 for ticket 1, 260 of ticket 2
    booking = api.change("confirm", hold, fare="560.00")
    assert [ticket["fare"] for ticket in booking["tickets"]] == ["300.00", "260.00"]
    assert booking["fare"] == "560.00"
    assert database.query("SELECT ticket_no, amount::text FROM payments") == [(1, "300.00")]


def test_expired_hold_on_taken_seats_has_no_new_fare(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    hold = api.hold(1, 2)
    set_fare(database, "300")
    clock.advance(minutes=11)
    api.book(2, phone=RAVI)
    for fare in ({}, {"fare": "600.00"}):
        refusal = api.change("confirm", hold, **fare)
        assert (refusal["reason"], "fare" in refusal) == ("hold_expired", False)


@pytest.mark.parametrize("method", ["confirm", "release"])
def test_only_a_hold_is_confirmed_or_released(api: SchemaApi, method: str, clock: Clock) -> None:
    booked = api.book(1)
    assert api.change(method, booked)["reason"] == "already_booked"
    api.cancel(booked)
    assert api.change(method, booked)["reason"] == "already_cancelled"
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    waiting = api.book(count=3, waitlist=True)
    assert api.change(method, waiting)["reason"] == "not_held"
    clock.set("2026-12-05 09:00+05:30")
    assert api.change(method, waiting)["reason"] == "not_held"


def test_expired_hold_cannot_be_released(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1)
    clock.advance(minutes=11)
    assert api.change("release", hold)["reason"] == "hold_expired"
    assert api.cancel(hold)["reason"] == "hold_expired"
    assert api.change("change_seat", hold, ticket_no=1, seat_no=2)["reason"] == "hold_expired"


def test_hold_on_a_cancelled_trip_cannot_be_confirmed(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    hold, expired = api.hold(1), api.hold(2, seconds=60)
    database.query("UPDATE trips SET state = 'cancelled', reason = 'Strike.' WHERE travel_date = %s", DAY)
    clock.advance(minutes=2)
    for booking in (hold, expired):
        refusal = api.change("confirm", booking)
        assert refusal["reason"] == "trip_cancelled"
        assert refusal["message"] == "Day Bus (bus 1) does not run on 2026-12-05. Strike."
    assert api.change("release", hold)["status"] == "cancelled"


# Who may open a booking ------------------------------------------------------------------------

WRITES_ON_A_BOOKING = [
    ("confirm", {}),
    ("release", {}),
    ("cancel", {}),
    ("change_seat", {"ticket_no": 1, "seat_no": 2}),
    ("alight", {"at": 2}),
]


@pytest.mark.parametrize(("method", "args"), WRITES_ON_A_BOOKING)
def test_write_needs_reference_and_phone(api: SchemaApi, method: str, args: dict[str, Any]) -> None:
    hold = api.hold(1)
    before = api.everything()
    messages = {
        api.write(method, reference=reference, **args, **phone)["message"]
        for reference in (hold["reference"], "BAAAAA", "ZZZZZZZZZZ", "?", hold["reference"] + "A")
        for phone in ({"phone": RAVI}, {"phone": None}, {}, {"phone": ASHA})
        if (reference, phone) != (hold["reference"], {"phone": ASHA})
    }
    assert messages == {"No booking has that reference and phone number."}
    assert api.everything() == before


@pytest.mark.parametrize("method", ["booking", "cancel_quote"])
def test_read_needs_reference_and_phone(api: SchemaApi, method: str) -> None:
    hold = api.hold(1)
    assert api.read(method, reference=hold["reference"])["reason"] == "unknown_booking"
    assert api.read(method, reference=hold["reference"], phone=RAVI)["reason"] == "unknown_booking"
    assert api.read(method, reference="BAAAAA", phone=ASHA)["reason"] == "unknown_booking"
    assert "reason" not in api.read(method, reference=f" {hold['reference'].lower()} ", phone=ASHA)


def test_unknown_method_fails_and_changes_nothing(api: SchemaApi) -> None:
    hold = api.hold(1)
    before = api.everything()
    for method in ("nonesuch", None):
        with pytest.raises(psycopg.errors.CaseNotFound):
            api.change(method, hold)  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.CaseNotFound):
            api.read(method)  # type: ignore[arg-type]
    assert api.everything() == before
