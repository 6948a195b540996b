"""The waitlist: who may join it, and which parties are promoted when seats become free."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi


@pytest.fixture
def full(api: SchemaApi) -> list[dict[str, Any]]:
    """Service 1 is sold out: RAVI's bookings of the seats 1 to 4, and 5 to 8."""
    return [api.book(1, 2, 3, 4, phone=RAVI), api.book(5, 6, 7, 8, phone=RAVI)]


def wait(api: SchemaApi, count: int = 1, from_stop: int = 1, to_stop: int = 5) -> dict[str, Any]:
    """Join the waitlist as ASHA."""
    waiting = api.book(count=count, from_stop=from_stop, to_stop=to_stop, waitlist=True)
    assert waiting["status"] == "pending"
    return waiting


def promoted(api: SchemaApi, *waiting: dict[str, Any]) -> list[bool]:
    """For each of these bookings, whether it was promoted; the others must still wait."""
    statuses = [api.show(booking)["status"] for booking in waiting]
    assert set(statuses) <= {"booked", "pending"}
    return [status == "booked" for status in statuses]


def test_waitlist_entry_has_no_seat_and_costs_nothing(
    api: SchemaApi, database: Database, full: list[Any]
) -> None:
    waiting = api.book(count=2, waitlist=True, passengers=[{"name": "Asha"}])
    assert (waiting["status"], waiting["position"], waiting["fare"]) == ("pending", 1, "520.00")
    assert "expires_at" not in waiting
    assert [ticket["seat_no"] for ticket in waiting["tickets"]] == [None, None]
    assert database.value("SELECT count(*) FROM payments") == 8


def test_free_seats_are_booked_at_once(api: SchemaApi) -> None:
    assert api.book(count=2, waitlist=True)["status"] == "booked"


def test_only_a_count_of_seats_with_the_flag_joins_the_waitlist(api: SchemaApi, full: list[Any]) -> None:
    before = api.everything()
    assert api.book(1, waitlist=True)["reason"] == "seat_taken"
    assert api.book(count=1)["reason"] == "sold_out"
    assert api.hold(count=1)["reason"] == "sold_out"
    assert api.everything() == before


def test_party_larger_than_the_bus_cannot_join(api: SchemaApi) -> None:
    assert api.book(count=5, bus_id=2, waitlist=True)["reason"] == "sold_out"


def test_cancellation_promotes_the_waitlist(api: SchemaApi, database: Database, full: list[Any]) -> None:
    waiting = wait(api, 2)
    api.cancel(full[0], 2, 3, phone=RAVI)
    booked = api.show(waiting)
    assert (booked["status"], [ticket["seat_no"] for ticket in booked["tickets"]]) == ("booked", [2, 3])
    assert "position" not in booked
    charged = database.query("SELECT amount::text FROM payments WHERE reference = %s", waiting["reference"])
    assert charged == ["260.00", "260.00"]
    assert api.cancel(waiting)["refund"] == "260.00"


def test_parties_are_promoted_in_order_of_arrival(api: SchemaApi, full: list[Any]) -> None:
    waiting = [wait(api) for _ in range(3)]
    assert [api.show(booking)["position"] for booking in waiting] == [1, 2, 3]
    api.cancel(full[0], 1, phone=RAVI)
    assert promoted(api, *waiting) == [True, False, False]
    assert [api.show(booking)["position"] for booking in waiting[1:]] == [1, 2]
    api.cancel(full[0], 2, phone=RAVI)
    assert promoted(api, *waiting) == [True, True, False]


def test_party_that_does_not_fit_does_not_block_later_ones(api: SchemaApi, full: list[Any]) -> None:
    large, small = wait(api, 3), wait(api, 2)
    api.cancel(full[0], 1, 2, phone=RAVI)
    assert promoted(api, large, small) == [False, True]
    assert api.show(large)["position"] == 1
    api.cancel(full[0], phone=RAVI)  # two seats become free; the party needs three
    assert promoted(api, large) == [False]
    api.cancel(small, 1)
    assert promoted(api, large) == [True]


def test_freed_segment_promotes_a_party_that_fits_it(api: SchemaApi, full: list[Any]) -> None:
    whole, first, second = wait(api), wait(api, 1, 1, 3), wait(api, 1, 3, 5)
    api.change("alight", full[0], tickets=[1], at="Mandya", phone=RAVI)
    assert promoted(api, whole, first, second) == [False, False, True]
    api.cancel(full[0], 2, phone=RAVI)
    assert promoted(api, whole, first, second) == [True, False, True]


def test_one_freed_seat_promotes_two_parties_on_adjacent_segments(api: SchemaApi, full: list[Any]) -> None:
    first, second = wait(api, 1, 1, 3), wait(api, 1, 3, 5)
    api.cancel(full[0], 1, phone=RAVI)
    assert promoted(api, first, second) == [True, True]
    assert api.show(first)["tickets"][0]["seat_no"] == api.show(second)["tickets"][0]["seat_no"] == 1


def test_party_waits_until_a_seat_is_free_on_its_whole_segment(api: SchemaApi) -> None:
    for seat in range(1, 8):
        api.book(seat, phone=RAVI)
    first_half = api.book(8, from_stop=1, to_stop=3, phone=RAVI)
    second_half = api.book(count=1, from_stop=3, to_stop=5, phone=RAVI)
    api.cancel(first_half, phone=RAVI)
    waiting = wait(api)
    other = api.book(8, from_stop=1, to_stop=3, phone=RAVI)
    assert second_half["tickets"][0]["seat_no"] == 8
    assert promoted(api, waiting) == [False]
    api.cancel(other, phone=RAVI)
    assert promoted(api, waiting) == [False]  # seat 8 is still taken from Mandya on
    api.cancel(second_half, phone=RAVI)
    assert promoted(api, waiting) == [True]


def test_change_of_seat_promotes_the_waitlist(api: SchemaApi) -> None:
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    api.book(7, from_stop=1, to_stop=3, phone=RAVI)
    moved = api.book(8, from_stop=3, to_stop=5, phone=RAVI)
    waiting = wait(api)
    api.change("change_seat", moved, ticket_no=1, seat_no=7, phone=RAVI)
    assert promoted(api, waiting) == [True]


def test_released_hold_promotes_the_waitlist(api: SchemaApi) -> None:
    hold = api.hold(1, 2)
    api.book(3, 4, 5, 6, 7, 8)
    waiting = wait(api, 2)
    api.change("release", hold)
    assert promoted(api, waiting) == [True]


def test_expired_hold_promotes_the_waitlist_before_a_new_request(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    api.book(3, 4, 5, 6, 7, 8)
    waiting = wait(api, 2)
    clock.advance(minutes=10)
    assert api.book(count=1, phone=RAVI)["reason"] == "sold_out"  # the request settles the trip first
    assert promoted(api, waiting) == [True]
    assert api.change("confirm", hold)["reason"] == "hold_expired"


def test_party_that_becomes_smaller_is_promoted_if_it_fits(api: SchemaApi) -> None:
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    waiting = wait(api, 3)
    part = api.cancel(waiting, 2)
    assert [ticket["status"] for ticket in part["tickets"]] == ["booked", "cancelled", "booked"]
    assert [ticket["seat_no"] for ticket in part["tickets"]] == [7, None, 8]


def test_leave_the_waitlist(api: SchemaApi, full: list[Any]) -> None:
    first, second = wait(api), wait(api)
    assert api.cancel(first)["refund"] == "0.00"
    assert api.show(second)["position"] == 1
    api.cancel(full[0], 1, phone=RAVI)
    assert promoted(api, second) == [True]


def test_length_of_the_waitlist_is_limited(api: SchemaApi, database: Database, full: list[Any]) -> None:
    database.query("UPDATE bus_info SET queue_limit = 2 WHERE bus_id = 1")
    first, _ = wait(api, 2), wait(api)
    before = api.everything()
    assert api.book(count=1, waitlist=True) == {
        "reason": "queue_full",
        "message": "The waitlist is full. Parties on it: 2.",
        "limit": 2,
    }
    assert api.everything() == before
    api.cancel(first)
    assert wait(api)["position"] == 2


def test_waitlist_entry_expires_at_departure(api: SchemaApi, database: Database, clock: Clock) -> None:
    today = {"travel_date": "2026-12-01"}
    full = [api.book(*seats, **today, phone=RAVI) for seats in ([1, 2, 3, 4], [5, 6, 7, 8])]
    whole = api.book(count=1, waitlist=True, **today)
    later = api.book(count=1, waitlist=True, from_stop=3, to_stop=5, **today)
    clock.set("2026-12-01 10:00+05:30")
    assert (api.show(whole)["status"], api.show(later)["status"]) == ("expired", "pending")
    assert api.show(later)["position"] == 1
    api.change("alight", full[0], at="Ramanagara", phone=RAVI)
    assert (api.show(whole)["status"], api.show(later)["status"]) == ("expired", "booked")
    assert database.query("SELECT status FROM passengers WHERE queue_no IS NOT NULL ORDER BY queue_no") == [
        "expired",
        "booked",
    ]


def test_cancelled_trip_promotes_no_party(api: SchemaApi, database: Database, full: list[Any]) -> None:
    waiting = wait(api)
    database.query("UPDATE trips SET state = 'cancelled' WHERE bus_id = 1 AND travel_date = %s", DAY)
    api.cancel(full[0], phone=RAVI)
    assert promoted(api, waiting) == [False]
    assert database.query("SELECT * FROM api.audit()") == []
    database.query("UPDATE trips SET state = 'open' WHERE bus_id = 1 AND travel_date = %s", DAY)
    api.cancel(full[1], 1, phone=RAVI)
    assert promoted(api, waiting) == [True]


def test_recount_promotes_the_waitlist(api: SchemaApi, database: Database) -> None:
    for seats in ([1, 2, 3, 4], [5, 6, 7]):
        api.book(*seats, phone=RAVI)
    by_hand = "UPDATE seats SET taken = '{[1,5)}' WHERE bus_id = 1 AND travel_date = %s AND seat_no = 8"
    database.query(by_hand, DAY)
    waiting = wait(api)
    trip = f'{{"bus_id": 1, "travel_date": "{DAY}"}}'
    assert database.value("SELECT api.recount_for(%s)", trip) == 1
    assert promoted(api, waiting) == [True]
    assert database.value("SELECT api.recount_for(%s)", trip) == 0


def test_recount_repairs_a_trip_before_it_is_settled(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    hold = api.hold(1)
    api.book(2, 3, 4, 5, 6, 7, phone=RAVI)
    api.book(8, phone=RAVI)
    waiting = wait(api)
    clock.advance(minutes=11)
    # a wrong value, while the trip has an expired hold
    database.query("UPDATE seats SET taken = '{}' WHERE seat_no = 2")
    with pytest.raises(Exception, match="segment_sold_once"):
        api.book(count=1, phone=RAVI, from_stop=2, to_stop=3)
    database.value("SELECT api.recount_for(%s)", f'{{"reference": "{hold["reference"]}"}}')
    assert promoted(api, waiting) == [True]
    assert api.show(waiting, phone=ASHA)["tickets"][0]["seat_no"] == 1
