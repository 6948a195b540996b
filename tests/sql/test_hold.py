"""Schema api, holds: confirmed, given up, run out, and who may open one; the same for any booking."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.desk import ASHA, DAY, RAVI, Desk


def seats_of(booking: dict[str, Any]) -> list[int]:
    return [ticket["seat_no"] for ticket in booking["tickets"]]


def test_a_hold_shows_its_end_and_takes_the_seat(desk: Desk, database: Database) -> None:
    hold = desk.hold(1, 2)
    assert (hold["status"], hold["expires_at"]) == ("held", "2026-12-01T09:10:00+05:30")
    assert desk.book(1)["reason"] == "seat_taken"
    assert desk.hold(3, seconds=30)["expires_at"] == "2026-12-01T09:00:30+05:30"
    assert database.value("SELECT count(*) FROM payments") == 0


def test_a_hold_ends_with_the_sale(desk: Desk, clock: Clock) -> None:
    clock.set("2026-12-01 09:55+05:30")
    hold = desk.hold(1, travel_date="2026-12-01")
    assert hold["expires_at"] == "2026-12-01T10:00:00+05:30"
    clock.set("2026-12-01 10:00+05:30")
    assert desk.change("confirm", hold)["reason"] == "departed"


def test_a_hold_is_confirmed_and_paid(desk: Desk, database: Database, clock: Clock) -> None:
    hold = desk.hold(1, 2)
    clock.advance(minutes=9, seconds=59)
    booking = desk.change("confirm", hold)
    assert booking["status"] == "booked"
    assert "expires_at" not in booking
    assert database.query("SELECT kind, amount::text FROM payments") == [("charge", "260.00")] * 2
    clock.advance(minutes=1)
    assert desk.show(hold) == booking  # it does not run out any more


def test_a_hold_is_given_up(desk: Desk, database: Database) -> None:
    hold = desk.hold(1, 2)
    released = desk.change("release", hold)
    assert (released["status"], released["refund"]) == ("cancelled", "0.00")
    assert desk.free() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert database.value("SELECT count(*) FROM payments") == 0


def test_a_hold_that_ran_out_is_for_sale_and_shows_as_expired(
    desk: Desk, database: Database, clock: Clock
) -> None:
    hold = desk.hold(1, 2)
    clock.advance(minutes=10)
    assert desk.show(hold)["status"] == "expired"
    assert database.query("SELECT DISTINCT status FROM passengers") == ["held"]  # nobody has settled yet
    assert desk.book(2, phone=RAVI)["status"] == "booked"
    assert desk.show(hold)["status"] == "expired"
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'expired'") == 2
    assert desk.free() == [1, 3, 4, 5, 6, 7, 8]


def test_settling_by_itself(desk: Desk, database: Database, clock: Clock) -> None:
    desk.hold(1)
    assert database.query("SELECT * FROM api.due_trips()") == []
    clock.advance(minutes=10)
    assert database.query("SELECT bus_id, travel_date::text FROM api.due_trips()") == [(1, DAY)]
    assert desk.write("settle", bus_id=1, travel_date=DAY) == {}
    assert database.query("SELECT * FROM api.due_trips()") == []
    assert database.query("SELECT DISTINCT status FROM passengers") == ["expired"]


def test_a_hold_that_ran_out_is_confirmed_if_its_seats_are_free(desk: Desk, clock: Clock) -> None:
    hold = desk.hold(1, 2)
    clock.advance(minutes=11)
    desk.write("settle", bus_id=1, travel_date=DAY)
    booking = desk.change("confirm", hold)
    assert (booking["status"], seats_of(booking)) == ("booked", [1, 2])


def test_a_hold_that_ran_out_is_lost_if_one_of_its_seats_is(desk: Desk, clock: Clock) -> None:
    hold = desk.hold(1, 2)
    clock.advance(minutes=11)
    taken = desk.book(2, from_stop=4, to_stop=5, phone=RAVI)
    refusal = desk.change("confirm", hold)
    assert refusal == {
        "reason": "hold_expired",
        "message": "The hold ran out, and somebody else has taken the seat.",
    }
    desk.cancel(taken, phone=RAVI)
    assert desk.change("confirm", hold)["status"] == "booked"


def test_what_is_left_of_a_hold_is_confirmed_even_after_it_ran_out(desk: Desk, clock: Clock) -> None:
    hold = desk.hold(1, 2)
    desk.cancel(hold, 2)
    clock.advance(minutes=11)
    booking = desk.change("confirm", hold)
    assert [ticket["status"] for ticket in booking["tickets"]] == ["booked", "cancelled"]
    assert booking["fare"] == "520.00"
    assert 2 in desk.free()


@pytest.mark.parametrize("method", ["confirm", "release"])
def test_what_is_no_hold_is_neither_confirmed_nor_released(desk: Desk, method: str, clock: Clock) -> None:
    booked = desk.book(1)
    assert desk.change(method, booked)["reason"] == "already_booked"
    desk.cancel(booked)
    assert desk.change(method, booked)["reason"] == "already_cancelled"
    desk.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    waiting = desk.book(count=3, waitlist=True)
    assert desk.change(method, waiting)["reason"] == "not_held"
    clock.set("2026-12-05 09:00+05:30")
    assert desk.change(method, waiting)["reason"] == "not_held"


def test_a_hold_that_ran_out_is_not_released(desk: Desk, clock: Clock) -> None:
    hold = desk.hold(1)
    clock.advance(minutes=11)
    assert desk.change("release", hold)["reason"] == "hold_expired"
    assert desk.cancel(hold)["reason"] == "hold_expired"
    assert desk.change("change_seat", hold, ticket_no=1, seat_no=2)["reason"] == "hold_expired"


def test_nothing_is_confirmed_on_a_trip_that_does_not_run(
    desk: Desk, database: Database, clock: Clock
) -> None:
    hold, lost = desk.hold(1), desk.hold(2, seconds=60)
    database.query("UPDATE trips SET state = 'cancelled', reason = 'Strike.' WHERE travel_date = %s", DAY)
    clock.advance(minutes=2)
    for one in (hold, lost):
        refusal = desk.change("confirm", one)
        assert refusal["reason"] == "trip_cancelled"
        assert refusal["message"] == "Day Bus (bus 1) does not run on 2026-12-05. Strike."
    assert desk.change("release", hold)["status"] == "cancelled"


# Who may open a booking ------------------------------------------------------------------------

OPENERS = [
    ("confirm", {}),
    ("release", {}),
    ("cancel", {}),
    ("change_seat", {"ticket_no": 1, "seat_no": 2}),
    ("alight", {"at": 2}),
]


@pytest.mark.parametrize(("method", "args"), OPENERS)
def test_reference_and_phone_open_a_booking_together(desk: Desk, method: str, args: dict[str, Any]) -> None:
    hold = desk.hold(1)
    before = desk.everything()
    told = {
        desk.write(method, reference=reference, **args, **phone)["message"]
        for reference in (hold["reference"], "BAAAAA", "ZZZZZZZZZZ", "?", hold["reference"] + "A")
        for phone in ({"phone": RAVI}, {"phone": None}, {}, {"phone": ASHA})
        if (reference, phone) != (hold["reference"], {"phone": ASHA})
    }
    assert told == {"No booking has that reference and phone number."}  # whichever of them is wrong
    assert desk.everything() == before


@pytest.mark.parametrize("method", ["booking", "cancel_quote"])
def test_reading_a_booking_takes_both_as_well(desk: Desk, method: str) -> None:
    hold = desk.hold(1)
    assert desk.read(method, reference=hold["reference"])["reason"] == "unknown_booking"
    assert desk.read(method, reference=hold["reference"], phone=RAVI)["reason"] == "unknown_booking"
    assert desk.read(method, reference="BAAAAA", phone=ASHA)["reason"] == "unknown_booking"
    assert "reason" not in desk.read(method, reference=f" {hold['reference'].lower()} ", phone=ASHA)


def test_an_unknown_method_is_a_fault_and_changes_nothing(desk: Desk) -> None:
    hold = desk.hold(1)
    before = desk.everything()
    for method in ("nonesuch", None):
        with pytest.raises(psycopg.errors.CaseNotFound):
            desk.change(method, hold)  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.CaseNotFound):
            desk.read(method)  # type: ignore[arg-type]
    assert desk.everything() == before
