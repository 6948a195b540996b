"""Schema api, holds: confirmed, given up, run out, and who may open one; the same for any booking."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi


def seats_of(booking: dict[str, Any]) -> list[int]:
    return [ticket["seat_no"] for ticket in booking["tickets"]]


def test_a_hold_shows_its_end_and_takes_the_seat(api: SchemaApi, database: Database) -> None:
    hold = api.hold(1, 2)
    assert (hold["status"], hold["expires_at"]) == ("held", "2026-12-01T09:10:00+05:30")
    assert api.book(1)["reason"] == "seat_taken"
    assert api.hold(3, seconds=30)["expires_at"] == "2026-12-01T09:00:30+05:30"
    assert database.value("SELECT count(*) FROM payments") == 0


def test_a_hold_ends_with_the_sale(api: SchemaApi, clock: Clock) -> None:
    clock.set("2026-12-01 09:55+05:30")
    hold = api.hold(1, travel_date="2026-12-01")
    assert hold["expires_at"] == "2026-12-01T10:00:00+05:30"
    clock.set("2026-12-01 10:00+05:30")
    assert api.change("confirm", hold)["reason"] == "departed"


def test_a_hold_is_confirmed_and_paid(api: SchemaApi, database: Database, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=9, seconds=59)
    booking = api.change("confirm", hold)
    assert booking["status"] == "booked"
    assert "expires_at" not in booking
    assert database.query("SELECT kind, amount::text FROM payments") == [("charge", "260.00")] * 2
    clock.advance(minutes=1)
    assert api.show(hold) == booking  # it does not run out any more


def test_a_hold_is_given_up(api: SchemaApi, database: Database) -> None:
    hold = api.hold(1, 2)
    released = api.change("release", hold)
    assert (released["status"], released["refund"]) == ("cancelled", "0.00")
    assert api.free() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert database.value("SELECT count(*) FROM payments") == 0


def test_a_hold_that_ran_out_is_for_sale_and_shows_as_expired(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=10)
    assert api.show(hold)["status"] == "expired"
    assert database.query("SELECT DISTINCT status FROM passengers") == ["held"]  # nobody has settled yet
    assert api.book(2, phone=RAVI)["status"] == "booked"
    assert api.show(hold)["status"] == "expired"
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'expired'") == 2
    assert api.free() == [1, 3, 4, 5, 6, 7, 8]


def test_settling_by_itself(api: SchemaApi, database: Database, clock: Clock) -> None:
    api.hold(1)
    assert database.query("SELECT * FROM api.due_trips()") == []
    clock.advance(minutes=10)
    assert database.query("SELECT bus_id, travel_date::text FROM api.due_trips()") == [(1, DAY)]
    assert api.write("settle", bus_id=1, travel_date=DAY) == {}
    assert database.query("SELECT * FROM api.due_trips()") == []
    assert database.query("SELECT DISTINCT status FROM passengers") == ["expired"]


def test_a_hold_that_ran_out_is_confirmed_if_its_seats_are_free(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=11)
    api.write("settle", bus_id=1, travel_date=DAY)
    booking = api.change("confirm", hold)
    assert (booking["status"], seats_of(booking)) == ("booked", [1, 2])


def test_a_hold_that_ran_out_is_lost_if_one_of_its_seats_is(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=11)
    taken = api.book(2, from_stop=4, to_stop=5, phone=RAVI)
    refusal = api.change("confirm", hold)
    assert refusal == {
        "reason": "hold_expired",
        "message": "The hold ran out, and somebody else has taken the seat.",
    }
    api.cancel(taken, phone=RAVI)
    assert api.change("confirm", hold)["status"] == "booked"


def test_what_is_left_of_a_hold_is_confirmed_even_after_it_ran_out(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    api.cancel(hold, 2)
    clock.advance(minutes=11)
    booking = api.change("confirm", hold)
    assert [ticket["status"] for ticket in booking["tickets"]] == ["booked", "cancelled"]
    assert booking["fare"] == "520.00"
    assert 2 in api.free()


@pytest.mark.parametrize("method", ["confirm", "release"])
def test_what_is_no_hold_is_neither_confirmed_nor_released(api: SchemaApi, method: str, clock: Clock) -> None:
    booked = api.book(1)
    assert api.change(method, booked)["reason"] == "already_booked"
    api.cancel(booked)
    assert api.change(method, booked)["reason"] == "already_cancelled"
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    waiting = api.book(count=3, waitlist=True)
    assert api.change(method, waiting)["reason"] == "not_held"
    clock.set("2026-12-05 09:00+05:30")
    assert api.change(method, waiting)["reason"] == "not_held"


def test_a_hold_that_ran_out_is_not_released(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1)
    clock.advance(minutes=11)
    assert api.change("release", hold)["reason"] == "hold_expired"
    assert api.cancel(hold)["reason"] == "hold_expired"
    assert api.change("change_seat", hold, ticket_no=1, seat_no=2)["reason"] == "hold_expired"


def test_nothing_is_confirmed_on_a_trip_that_does_not_run(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    hold, lost = api.hold(1), api.hold(2, seconds=60)
    database.query("UPDATE trips SET state = 'cancelled', reason = 'Strike.' WHERE travel_date = %s", DAY)
    clock.advance(minutes=2)
    for one in (hold, lost):
        refusal = api.change("confirm", one)
        assert refusal["reason"] == "trip_cancelled"
        assert refusal["message"] == "Day Bus (bus 1) does not run on 2026-12-05. Strike."
    assert api.change("release", hold)["status"] == "cancelled"


# Who may open a booking ------------------------------------------------------------------------

OPENERS = [
    ("confirm", {}),
    ("release", {}),
    ("cancel", {}),
    ("change_seat", {"ticket_no": 1, "seat_no": 2}),
    ("alight", {"at": 2}),
]


@pytest.mark.parametrize(("method", "args"), OPENERS)
def test_reference_and_phone_open_a_booking_together(
    api: SchemaApi, method: str, args: dict[str, Any]
) -> None:
    hold = api.hold(1)
    before = api.everything()
    told = {
        api.write(method, reference=reference, **args, **phone)["message"]
        for reference in (hold["reference"], "BAAAAA", "ZZZZZZZZZZ", "?", hold["reference"] + "A")
        for phone in ({"phone": RAVI}, {"phone": None}, {}, {"phone": ASHA})
        if (reference, phone) != (hold["reference"], {"phone": ASHA})
    }
    assert told == {"No booking has that reference and phone number."}  # whichever of them is wrong
    assert api.everything() == before


@pytest.mark.parametrize("method", ["booking", "cancel_quote"])
def test_reading_a_booking_takes_both_as_well(api: SchemaApi, method: str) -> None:
    hold = api.hold(1)
    assert api.read(method, reference=hold["reference"])["reason"] == "unknown_booking"
    assert api.read(method, reference=hold["reference"], phone=RAVI)["reason"] == "unknown_booking"
    assert api.read(method, reference="BAAAAA", phone=ASHA)["reason"] == "unknown_booking"
    assert "reason" not in api.read(method, reference=f" {hold['reference'].lower()} ", phone=ASHA)


def test_an_unknown_method_is_a_fault_and_changes_nothing(api: SchemaApi) -> None:
    hold = api.hold(1)
    before = api.everything()
    for method in ("nonesuch", None):
        with pytest.raises(psycopg.errors.CaseNotFound):
            api.change(method, hold)  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.CaseNotFound):
            api.read(method)  # type: ignore[arg-type]
    assert api.everything() == before
