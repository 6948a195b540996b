"""Schema api, the queue: who waits for a stretch, who is served when one comes free, and who is not."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi


@pytest.fixture
def full(api: SchemaApi) -> list[dict[str, Any]]:
    """The day bus, sold out: RAVI's bookings of seats 1 to 4, and 5 to 8."""
    return [api.book(1, 2, 3, 4, phone=RAVI), api.book(5, 6, 7, 8, phone=RAVI)]


def wait(api: SchemaApi, count: int = 1, from_stop: int = 1, to_stop: int = 5) -> dict[str, Any]:
    """ASHA's place in the queue."""
    waiting = api.book(count=count, from_stop=from_stop, to_stop=to_stop, waitlist=True)
    assert waiting["status"] == "pending"
    return waiting


def served(api: SchemaApi, *waiting: dict[str, Any]) -> list[bool]:
    """Which of those who waited are booked now; the others wait still."""
    shown = [api.show(one)["status"] for one in waiting]
    assert set(shown) <= {"booked", "pending"}
    return [status == "booked" for status in shown]


def test_a_place_in_the_queue_has_no_seat_and_costs_nothing(
    api: SchemaApi, database: Database, full: list[Any]
) -> None:
    waiting = api.book(count=2, waitlist=True, passengers=[{"name": "Asha"}])
    assert (waiting["status"], waiting["position"], waiting["fare"]) == ("pending", 1, "520.00")
    assert "expires_at" not in waiting
    assert [ticket["seat_no"] for ticket in waiting["tickets"]] == [None, None]
    assert database.value("SELECT count(*) FROM payments") == 8


def test_who_asks_for_seats_that_are_free_does_not_wait(api: SchemaApi) -> None:
    assert api.book(count=2, waitlist=True)["status"] == "booked"


def test_only_a_count_waits_and_only_who_asks_to(api: SchemaApi, full: list[Any]) -> None:
    before = api.everything()
    assert api.book(1, waitlist=True)["reason"] == "seat_taken"
    assert api.book(count=1)["reason"] == "sold_out"
    assert api.hold(count=1)["reason"] == "sold_out"
    assert api.everything() == before


def test_nobody_waits_for_more_seats_than_there_are(api: SchemaApi) -> None:
    assert api.book(count=5, bus_id=2, waitlist=True)["reason"] == "sold_out"


def test_a_cancellation_serves_the_queue(api: SchemaApi, database: Database, full: list[Any]) -> None:
    waiting = wait(api, 2)
    api.cancel(full[0], 2, 3, phone=RAVI)
    booked = api.show(waiting)
    assert (booked["status"], [ticket["seat_no"] for ticket in booked["tickets"]]) == ("booked", [2, 3])
    assert "position" not in booked
    charged = database.query("SELECT amount::text FROM payments WHERE reference = %s", waiting["reference"])
    assert charged == ["260.00", "260.00"]
    assert api.cancel(waiting)["refund"] == "260.00"


def test_the_queue_is_served_in_order_of_arrival(api: SchemaApi, full: list[Any]) -> None:
    waiting = [wait(api) for _ in range(3)]
    assert [api.show(one)["position"] for one in waiting] == [1, 2, 3]
    api.cancel(full[0], 1, phone=RAVI)
    assert served(api, *waiting) == [True, False, False]
    assert [api.show(one)["position"] for one in waiting[1:]] == [1, 2]
    api.cancel(full[0], 2, phone=RAVI)
    assert served(api, *waiting) == [True, True, False]


def test_who_does_not_fit_does_not_block_those_behind(api: SchemaApi, full: list[Any]) -> None:
    large, small = wait(api, 3), wait(api, 2)
    api.cancel(full[0], 1, 2, phone=RAVI)
    assert served(api, large, small) == [False, True]
    assert api.show(large)["position"] == 1
    api.cancel(full[0], phone=RAVI)  # two more come free: still not three
    assert served(api, large) == [False]
    api.cancel(small, 1)
    assert served(api, large) == [True]


def test_a_stretch_is_served_with_a_stretch(api: SchemaApi, full: list[Any]) -> None:
    whole, first, second = wait(api), wait(api, 1, 1, 3), wait(api, 1, 3, 5)
    api.change("alight", full[0], tickets=[1], at="Mandya", phone=RAVI)
    assert served(api, whole, first, second) == [False, False, True]
    api.cancel(full[0], 2, phone=RAVI)
    assert served(api, whole, first, second) == [True, False, True]


def test_two_may_share_what_one_gave_back(api: SchemaApi, full: list[Any]) -> None:
    first, second = wait(api, 1, 1, 3), wait(api, 1, 3, 5)
    api.cancel(full[0], 1, phone=RAVI)
    assert served(api, first, second) == [True, True]
    assert api.show(first)["tickets"][0]["seat_no"] == api.show(second)["tickets"][0]["seat_no"] == 1


def test_a_change_of_seat_serves_the_queue(api: SchemaApi) -> None:
    for seat in range(1, 8):
        api.book(seat, phone=RAVI)
    short = api.book(8, from_stop=1, to_stop=3, phone=RAVI)
    moves = api.book(count=1, from_stop=3, to_stop=5, phone=RAVI)
    api.cancel(short, phone=RAVI)
    waiting = wait(api)
    other = api.book(8, from_stop=1, to_stop=3, phone=RAVI)
    assert moves["tickets"][0]["seat_no"] == 8
    assert served(api, waiting) == [False]
    api.cancel(other, phone=RAVI)
    assert served(api, waiting) == [False]  # seat 8 is still taken from Mandya on
    api.cancel(moves, phone=RAVI)
    assert served(api, waiting) == [True]


def test_a_released_hold_serves_the_queue(api: SchemaApi) -> None:
    hold = api.hold(1, 2)
    api.book(3, 4, 5, 6, 7, 8)
    waiting = wait(api, 2)
    api.change("release", hold)
    assert served(api, waiting) == [True]


def test_a_hold_that_runs_out_serves_the_queue_before_anybody_else(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    api.book(3, 4, 5, 6, 7, 8)
    waiting = wait(api, 2)
    clock.advance(minutes=10)
    assert api.book(count=1, phone=RAVI)["reason"] == "sold_out"  # the request settles first
    assert served(api, waiting) == [True]
    assert api.change("confirm", hold)["reason"] == "hold_expired"


def test_a_party_that_grew_smaller_is_served_if_it_fits_now(api: SchemaApi) -> None:
    api.book(1, 2, 3, 4, 5, 6, phone=RAVI)
    waiting = wait(api, 3)
    part = api.cancel(waiting, 2)
    assert [ticket["status"] for ticket in part["tickets"]] == ["booked", "cancelled", "booked"]
    assert [ticket["seat_no"] for ticket in part["tickets"]] == [7, None, 8]


def test_leaving_the_queue(api: SchemaApi, full: list[Any]) -> None:
    first, second = wait(api), wait(api)
    assert api.cancel(first)["refund"] == "0.00"
    assert api.show(second)["position"] == 1
    api.cancel(full[0], 1, phone=RAVI)
    assert served(api, second) == [True]


def test_the_queue_has_an_end(api: SchemaApi, database: Database, full: list[Any]) -> None:
    database.query("UPDATE bus_info SET queue_limit = 2 WHERE bus_id = 1")
    first, _ = wait(api, 2), wait(api)
    before = api.everything()
    assert api.book(count=1, waitlist=True) == {
        "reason": "queue_full",
        "message": "The waiting list is full: 2 wait already.",
        "limit": 2,
    }
    assert api.everything() == before
    api.cancel(first)
    assert wait(api)["position"] == 2


def test_the_queue_ends_when_the_boarding_stop_is_left(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
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


def test_nobody_is_promoted_on_a_trip_that_does_not_run(
    api: SchemaApi, database: Database, full: list[Any]
) -> None:
    waiting = wait(api)
    database.query("UPDATE trips SET state = 'cancelled' WHERE bus_id = 1 AND travel_date = %s", DAY)
    api.cancel(full[0], phone=RAVI)
    assert served(api, waiting) == [False]
    assert database.query("SELECT * FROM api.audit()") == []
    database.query("UPDATE trips SET state = 'open' WHERE bus_id = 1 AND travel_date = %s", DAY)
    api.cancel(full[1], 1, phone=RAVI)
    assert served(api, waiting) == [True]


def test_counting_anew_serves_the_queue_with_what_comes_free(api: SchemaApi, database: Database) -> None:
    for seats in ([1, 2, 3, 4], [5, 6, 7]):
        api.book(*seats, phone=RAVI)
    by_hand = "UPDATE seats SET taken = '{[1,5)}' WHERE bus_id = 1 AND travel_date = %s AND seat_no = 8"
    database.query(by_hand, DAY)
    waiting = wait(api)
    trip = f'{{"bus_id": 1, "travel_date": "{DAY}"}}'
    assert database.value("SELECT api.recount_for(%s)", trip) == 1
    assert served(api, waiting) == [True]
    assert database.value("SELECT api.recount_for(%s)", trip) == 0


def test_counting_anew_does_not_stumble_over_what_it_mends(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    hold = api.hold(1)
    api.book(2, 3, 4, 5, 6, 7, phone=RAVI)
    api.book(8, phone=RAVI)
    waiting = wait(api)
    clock.advance(minutes=11)
    database.query("UPDATE seats SET taken = '{}' WHERE seat_no = 2")  # wrong, and the trip is due
    with pytest.raises(Exception, match="segment_sold_once"):
        api.book(count=1, phone=RAVI, from_stop=2, to_stop=3)
    database.value("SELECT api.recount_for(%s)", f'{{"reference": "{hold["reference"]}"}}')
    assert served(api, waiting) == [True]
    assert api.show(waiting, phone=ASHA)["tickets"][0]["seat_no"] == 1
