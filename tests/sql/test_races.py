"""Concurrent requests for a seat, a booking, a waitlist position (see tests/support/race.py)."""

import pytest

from tests.conftest import Clock
from tests.support.race import Race
from tests.support.schema_api import DAY, OTHER_DAY, RAVI, Answer, SchemaApi, book, outcomes_of

# A seat ----------------------------------------------------------------------------------------


def test_two_bookings_of_one_seat(race: Race) -> None:
    race.first.book(1)
    loser = race.start(lambda: race.second.book(1, phone=RAVI))
    assert race.then_commit(loser)["reason"] == "seat_taken"


def test_two_bookings_of_one_seat_and_the_first_rolls_back(race: Race) -> None:
    race.first.book(1)
    winner = race.start(lambda: race.second.book(1, phone=RAVI))
    assert race.then_rollback(winner)["status"] == "booked"


def test_two_bookings_of_any_seat_get_different_seats(race: Race) -> None:
    first = race.first.book()
    second = race.then_commit(race.start(lambda: race.second.book(phone=RAVI)))
    assert first["tickets"][0]["seat_no"] != second["tickets"][0]["seat_no"]


def test_two_bookings_of_the_last_seat(race: Race) -> None:
    race.second.book(1, 2, 3, 4, 5, 6)
    race.second.book(7)
    race.first.book(count=1)
    loser = race.start(lambda: race.second.book(count=1, phone=RAVI))
    assert race.then_commit(loser)["reason"] == "sold_out"


def test_two_batches_that_book_one_seat(race: Race) -> None:
    assert outcomes_of(race.first.batch(book(1))) == ["booked"]
    assert outcomes_of(race.second.batch(book(1), book(1, bus_id=2))) == [None, "booked"]
    race.first.conn.commit()
    assert outcomes_of(race.second.batch(book(1))) == ["seat_taken"]


def test_adjacent_segments_of_one_seat(race: Race) -> None:
    race.first.book(1, from_stop=1, to_stop=3)
    rest = race.start(lambda: race.second.book(1, from_stop=3, to_stop=5, phone=RAVI))
    assert race.then_commit(rest)["status"] == "booked"
    assert race.database.value("SELECT taken::text FROM seats WHERE taken <> '{}'") == "{[1,5)}"


def test_overlapping_parties_in_opposite_order(race: Race) -> None:
    race.first.book(1, 2)
    loser = race.start(lambda: race.second.book(3, 2, 1, phone=RAVI))
    assert race.then_commit(loser)["seats"] == [1, 2]
    assert race.second.seats("taken") == [1, 2]


def test_batches_of_two_trips_in_opposite_order(race: Race) -> None:
    """Each transaction has locked one trip and books on the other. That call is deferred: no deadlock."""
    one_day, other_day = book(1), book(1, travel_date=OTHER_DAY)
    with race.database.connect(autocommit=False) as third:
        other = SchemaApi(third)
        assert outcomes_of(race.first.batch(one_day)) == ["booked"]
        assert outcomes_of(other.batch(other_day)) == ["booked"]
        assert outcomes_of(race.first.batch(other_day)) == outcomes_of(other.batch(one_day)) == [None]
        third.commit()
    race.first.conn.commit()
    assert outcomes_of(race.second.batch(one_day, other_day)) == ["seat_taken", "seat_taken"]


# A booking -------------------------------------------------------------------------------------


def test_cancel_and_cancel(race: Race) -> None:
    booking = race.second.book(1, 2)
    race.first.cancel(booking)
    late = race.start(lambda: race.second.cancel(booking))
    assert race.then_commit(late)["reason"] == "already_cancelled"
    assert race.database.value("SELECT count(*) FROM payments WHERE kind = 'refund'") == 2


def test_cancel_of_one_ticket_and_cancel_of_all(race: Race) -> None:
    booking = race.second.book(1, 2)
    race.first.cancel(booking, 1)
    whole = race.start(lambda: race.second.cancel(booking))
    assert race.then_commit(whole)["refund"] == "260.00"
    assert race.database.value("SELECT count(*) FROM payments WHERE kind = 'refund'") == 2


def test_confirm_and_release(race: Race) -> None:
    hold = race.second.hold(1)
    race.first.change("confirm", hold)
    late = race.start(lambda: race.second.change("release", hold))
    assert race.then_commit(late)["reason"] == "already_booked"


def test_confirm_and_expiry(race: Race, clock: Clock) -> None:
    hold = race.second.hold(1)
    clock.advance(minutes=9, seconds=59)
    race.first.change("confirm", hold)
    clock.advance(seconds=1)
    assert race.database.query("SELECT bus_id FROM api.due_trips()") == [1]
    settled = race.start(lambda: race.second.write("settle", bus_id=1, travel_date=DAY))
    assert race.then_commit(settled) == {}
    assert race.second.show(hold)["status"] == "booked"
    assert race.second.book(1, phone=RAVI)["reason"] == "seat_taken"


def test_confirm_after_expiry_and_another_booking(race: Race, clock: Clock) -> None:
    hold = race.second.hold(1)
    clock.advance(minutes=10)
    race.first.book(1, phone=RAVI)  # settles the trip first
    late = race.start(lambda: race.second.change("confirm", hold))
    assert race.then_commit(late)["reason"] == "hold_expired"


def test_confirm_after_expiry_and_a_booking_that_rolls_back(race: Race, clock: Clock) -> None:
    hold = race.second.hold(1)
    clock.advance(minutes=10)
    race.first.book(1, phone=RAVI)
    late = race.start(lambda: race.second.change("confirm", hold))
    assert race.then_rollback(late)["status"] == "booked"


def test_change_of_seat_and_booking(race: Race) -> None:
    booking = race.second.book(1)
    race.first.change("change_seat", booking, ticket_no=1, seat_no=2)
    booking_both = race.start(lambda: race.second.book(1, 2, phone=RAVI))
    assert race.then_commit(booking_both)["seats"] == [2]
    assert race.second.book(1, phone=RAVI)["status"] == "booked"


# A waitlist position ---------------------------------------------------------------------------


@pytest.fixture
def full(race: Race) -> Answer:
    race.second.book(3, 4, 5, 6, 7, 8, phone=RAVI)
    return race.second.book(1, 2)


def test_cancel_and_then_join_the_waitlist(race: Race, full: Answer) -> None:
    race.first.cancel(full)
    joining = race.start(lambda: race.second.book(count=2, waitlist=True, phone=RAVI))
    assert race.then_commit(joining)["status"] == "booked"


def test_join_the_waitlist_and_then_cancel(race: Race, full: Answer) -> None:
    waiting = race.first.book(count=2, waitlist=True, phone=RAVI)
    assert waiting["status"] == "pending"
    cancelling = race.start(lambda: race.second.cancel(full))
    race.then_commit(cancelling)
    assert race.second.show(waiting, phone=RAVI)["status"] == "booked"


def test_join_the_waitlist_twice_and_then_cancel_one_ticket(race: Race, full: Answer) -> None:
    early = race.second.book(count=1, waitlist=True, phone=RAVI)
    late = race.first.book(count=1, waitlist=True)
    race.then_commit(race.start(lambda: race.second.cancel(full, 1)))
    assert race.second.show(early, phone=RAVI)["status"] == "booked"
    assert race.second.show(late)["position"] == 1
