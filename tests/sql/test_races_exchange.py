"""Concurrent exchanges: for the last seat, of a trip that is cancelled, in opposite directions."""

from typing import Any

import pytest

from tests.conftest import Database
from tests.support.race import Race
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, Answer, call, outcomes_of


@pytest.fixture(autouse=True)
def one_seat(database: Database) -> None:
    """A service of the same operator with one seat."""
    database.query("""
        SELECT api.add_service(bus_id => 3, name => 'Car', operator => 'KSRTC', layout => 's', stops => $$
            Bengaluru | -     | 09:00 |   0 |   0
            Mysuru    | 11:30 | -     | 145 | 260
        $$)
    """)


def exchange(booking: Answer, phone: str, **args: Any) -> Answer:
    """A call of `exchange`, for a batch."""
    return call("exchange", reference=booking["reference"], phone=phone, **args)


def test_two_exchanges_for_the_last_seat(race: Race) -> None:
    first, second = race.second.book(1), race.second.book(2, phone=RAVI)
    race.first.change("exchange", first, bus_id=3)
    late = race.start(lambda: race.second.change("exchange", second, phone=RAVI, bus_id=3))
    assert race.then_commit(late)["reason"] == "sold_out"
    assert race.second.show(second, phone=RAVI)["bus_id"] == 1


def test_two_exchanges_for_the_last_seat_and_the_first_rolls_back(race: Race) -> None:
    first, second = race.second.book(1), race.second.book(2, phone=RAVI)
    race.first.change("exchange", first, bus_id=3)
    late = race.start(lambda: race.second.change("exchange", second, phone=RAVI, bus_id=3))
    assert race.then_rollback(late)["bus_id"] == 3


def test_booking_and_exchange_for_the_last_seat(race: Race) -> None:
    booking = race.second.book(1)
    race.first.book(1, bus_id=3, phone=RAVI)
    late = race.start(lambda: race.second.change("exchange", booking, bus_id=3))
    assert race.then_commit(late)["reason"] == "sold_out"


@pytest.mark.parametrize("cancelled", [1, 3])
def test_cancellation_of_a_trip_and_then_an_exchange(race: Race, cancelled: int) -> None:
    booking = race.second.book(1)
    race.first.conn.execute("SELECT api.cancel_trip(%s, %s, 'Flooded.')", (cancelled, DAY))
    late = race.start(lambda: race.second.change("exchange", booking, bus_id=3))
    assert race.then_commit(late)["reason"] == ("already_cancelled" if cancelled == 1 else "trip_cancelled")


@pytest.mark.parametrize("cancelled", [1, 3])
def test_exchange_and_then_the_cancellation_of_a_trip(race: Race, cancelled: int) -> None:
    booking = race.second.book(1)
    race.first.change("exchange", booking, bus_id=3)
    cancelling = race.start(
        lambda: race.second.conn.execute("SELECT api.cancel_trip(%s, %s, 'Flooded.')", (cancelled, DAY))
    )
    race.then_commit(cancelling)
    now = race.second.show(booking)
    assert (now["bus_id"], now["status"]) == (3, "cancelled" if cancelled == 3 else "booked")


def test_exchange_and_then_a_cancellation_of_the_booking(race: Race) -> None:
    """The cancellation waits for the trip that the booking leaves, and then cancels it on the new one."""
    booking = race.second.book(1)
    race.first.change("exchange", booking, bus_id=3)
    cancelling = race.start(lambda: race.second.cancel(booking))
    done = race.then_commit(cancelling)
    assert (done["bus_id"], done["status"]) == (3, "cancelled")
    assert race.second.seats("taken", bus_id=3, to_stop=2) == []


def test_cancellation_of_the_booking_and_then_an_exchange(race: Race) -> None:
    booking = race.second.book(1)
    race.first.cancel(booking)
    late = race.start(lambda: race.second.change("exchange", booking, bus_id=3))
    assert race.then_commit(late)["reason"] == "already_cancelled"


def test_call_for_a_booking_that_moves_before_its_trip_is_locked(race: Race) -> None:
    """A call finds the trip of its booking, and the booking leaves that trip before the call locks it."""
    booking = race.second.book(1)
    trip = "SELECT t FROM trips t WHERE t.bus_id = 1 AND t.travel_date = %s"
    with race.database.connect() as conn:
        (old,) = conn.execute(trip, (DAY,)).fetchone() or (None,)
        race.second.change("exchange", booking, travel_date=OTHER_DAY)
        dispatched = conn.execute(
            "SELECT (o).deferred FROM api.dispatch('cancel', jsonb_populate_record(NULL::api.request, "
            "jsonb_build_object('reference', %s::text, 'phone', %s::text)), %s::trips, NULL) AS o",
            (booking["reference"], ASHA, old),
        ).fetchone()
    assert dispatched == (True,)
    assert race.second.show(booking)["status"] == "booked"


def test_exchanges_in_opposite_directions_do_not_deadlock(race: Race) -> None:
    """Each transaction has locked the trip of its booking. Both exchanges are deferred, and then succeed."""
    one, other = race.second.book(1), race.second.book(1, travel_date=OTHER_DAY, phone=RAVI)
    there = exchange(one, ASHA, travel_date=OTHER_DAY)
    back = exchange(other, RAVI, travel_date=DAY)
    with race.database.connect(autocommit=False) as third:
        race.first.conn.execute("SELECT api.lock_trip(1, %s)", (DAY,))
        third.execute("SELECT api.lock_trip(1, %s)", (OTHER_DAY,))
        assert outcomes_of(race.first.batch(there)) == [None]
        third.rollback()
    race.first.conn.rollback()
    assert outcomes_of(race.second.batch(there, back)) == ["booked", "booked"]
    assert race.second.seats("taken") == [1]


def test_waiting_exchanges_in_opposite_directions(race: Race) -> None:
    """api.call locks both trips in one order, so the second exchange waits for the first."""
    one, other = race.second.book(1), race.second.book(1, travel_date=OTHER_DAY, phone=RAVI)
    race.first.change("exchange", one, travel_date=OTHER_DAY)
    back = race.start(lambda: race.second.change("exchange", other, phone=RAVI, travel_date=DAY))
    assert race.then_commit(back)["travel_date"] == DAY
    assert race.second.show(one)["travel_date"] == OTHER_DAY


def test_exchange_with_one_key_twice(race: Race) -> None:
    booking = race.second.book(1)
    race.first.write("exchange", "k", reference=booking["reference"], phone=ASHA, bus_id=3)
    again = race.start(
        lambda: race.second.write("exchange", "k", reference=booking["reference"], phone=ASHA, bus_id=3)
    )
    assert race.then_commit(again)["bus_id"] == 3
    assert race.database.value("SELECT count(*) FROM exchanges") == 1
