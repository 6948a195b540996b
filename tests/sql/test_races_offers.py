"""Two concurrent requests that end one offer (see tests/support/race.py): exactly one ends it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Clock
from tests.support.offers import LATER, add_later_bus, displace
from tests.support.race import Race
from tests.support.schema_api import ASHA, DAY, Answer, SchemaApi, call, outcomes_of

Step = Callable[[SchemaApi, Answer], Any]


@pytest.fixture
def offered(race: Race) -> Answer:
    """A displaced booking of two, with an offer."""
    database = race.database
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    add_later_bus(database)
    database.query("UPDATE bus_info SET alternative_hours = 3")
    booking = race.second.book(1, 2)
    displace(database, booking["reference"])
    return booking


def accept(api: SchemaApi, booking: Answer) -> Answer:
    return api.change("accept", booking)


def decline(api: SchemaApi, booking: Answer) -> Answer:
    return api.change("decline", booking)


def cancel(api: SchemaApi, booking: Answer) -> Answer:
    return api.cancel(booking)


def offer_again(api: SchemaApi, booking: Answer) -> Any:
    api.conn.execute("SELECT api.lock_trip(1, %s)", (DAY,))
    statement = "SELECT api.make_offer(1, %s, 'Another bus runs.', 'refund')"
    return api.conn.execute(statement, (booking["reference"],)).fetchone()


def cancel_trip(api: SchemaApi, bus_id: int = 1) -> Answer:
    return api.write("cancel_trip", bus_id=bus_id, travel_date=DAY, reason="Flood.", account="conductor")


def cancel_own_trip(api: SchemaApi, booking: Answer) -> Answer:
    return cancel_trip(api)


def outcome(answer: Answer) -> str:
    return str(answer.get("state") or answer.get("reason") or answer["status"])


def state(race: Race, booking: Answer) -> tuple[str, str, int]:
    """The status, the refund and the service of a booking."""
    shown = race.second.show(booking)
    return shown["status"], shown["refund"], shown["bus_id"]


def held(race: Race) -> int:
    query = "SELECT count(*) FROM passengers WHERE bus_id = %s AND status = 'held'"
    return int(race.database.value(query, LATER))


@pytest.mark.parametrize(
    ("first", "second", "outcome_of_second", "then"),
    [
        (accept, accept, "accepted", ("booked", "0.00", LATER)),
        (accept, decline, "accepted", ("booked", "0.00", LATER)),
        (decline, accept, "declined", ("cancelled", "520.00", 1)),
        (decline, decline, "declined", ("cancelled", "520.00", 1)),
        (decline, cancel, "already_cancelled", ("cancelled", "520.00", 1)),
        (cancel, accept, "declined", ("cancelled", "520.00", 1)),
        (cancel, decline, "declined", ("cancelled", "520.00", 1)),
        (accept, cancel, "cancelled", ("cancelled", "260.00", LATER)),  # of the booking on the other trip
        (cancel_own_trip, accept, "booked", ("booked", "0.00", LATER)),  # the offer stays open
        (cancel_own_trip, decline, "cancelled", ("cancelled", "520.00", 1)),
    ],
)  # fmt: skip
def test_one_of_two_requests_ends_the_offer(
    race: Race, offered: Answer, first: Step, second: Step, outcome_of_second: str, then: tuple[str, str, int]
) -> None:
    first(race.first, offered)
    late = race.start(lambda: second(race.second, offered))
    assert outcome(race.then_commit(late)) == outcome_of_second
    assert state(race, offered) == then
    assert held(race) == 0


@pytest.mark.parametrize("first", [accept, decline, cancel])
def test_rollback_leaves_the_offer_open(race: Race, offered: Answer, first: Step) -> None:
    first(race.first, offered)
    late = race.start(lambda: accept(race.second, offered))
    assert race.then_rollback(late)["status"] == "booked"


@pytest.mark.parametrize(
    ("end", "then"),
    [(accept, ("booked", "0.00", LATER)), (decline, ("cancelled", "520.00", 1))],
)  # fmt: skip
def test_offer_does_not_expire_while_it_is_answered(
    race: Race, offered: Answer, clock: Clock, end: Step, then: tuple[str, str, int]
) -> None:
    end(race.first, offered)
    clock.advance(hours=24)
    assert race.database.value("SELECT api.settle_due(1, %s)", DAY) is False  # it waits for no lock
    race.first.conn.commit()
    race.database.query("SELECT api.settle_due(1, %s), api.settle_due(%s, %s)", DAY, LATER, DAY)
    assert state(race, offered) == then


@pytest.mark.parametrize("end", [accept, decline])
def test_answer_while_the_offer_expires(race: Race, offered: Answer, clock: Clock, end: Step) -> None:
    clock.advance(hours=24)
    race.first.conn.execute("SELECT api.settle_due(1, %s)", (DAY,))
    late = race.start(lambda: end(race.second, offered))
    assert outcome(race.then_commit(late)) == "expired"
    assert state(race, offered) == ("cancelled", "520.00", 1)


def test_answer_while_a_new_offer_is_made(race: Race, offered: Answer) -> None:
    """A request without an offer number means the open offer."""
    offer_again(race.first, offered)
    late = race.start(lambda: race.second.change("accept", offered, offer_no=1))
    assert outcome(race.then_commit(late)) == "withdrawn"
    assert held(race) == 2
    assert accept(race.second, offered)["status"] == "booked"


def test_accept_while_the_other_trip_is_cancelled(race: Race, offered: Answer) -> None:
    """The call is deferred, and refused when it is sent again. The whole fare is refunded."""
    cancel_trip(race.first, LATER)
    again = call("accept", reference=offered["reference"], phone=ASHA)
    assert outcomes_of(race.second.batch(again)) == [None]
    race.first.conn.commit()
    (refusal,) = race.second.batch(again)
    assert refusal is not None
    assert (refusal["reason"], refusal["state"]) == ("offer_ended", "expired")
    assert state(race, offered) == ("cancelled", "520.00", 1)


def test_other_trip_is_cancelled_after_accepting(race: Race, offered: Answer) -> None:
    accept(race.first, offered)
    late = race.start(lambda: cancel_trip(race.second, LATER))
    assert race.then_commit(late)["refund"] == "520.00"
    assert state(race, offered) == ("cancelled", "520.00", LATER)


def test_decline_does_not_wait_for_the_other_trip(race: Race, offered: Answer, clock: Clock) -> None:
    """Its seats stay held until the offer would have expired."""
    race.first.conn.execute("SELECT api.lock_trip(%s, %s)", (LATER, DAY))
    assert decline(race.second, offered)["refund"] == "520.00"
    race.first.conn.rollback()
    assert held(race) == 2
    clock.advance(hours=24)
    assert race.database.value("SELECT api.settle_due(%s, %s)", LATER, DAY)
    assert held(race) == 0


def test_locked_trip_is_not_offered(race: Race, offered: Answer) -> None:
    race.first.conn.execute("SELECT api.lock_trip(%s, %s)", (LATER, DAY))
    other = race.second.book(3)
    displace(race.database, other["reference"])
    assert state(race, other) == ("cancelled", "260.00", 1)


def test_crossing_offers_do_not_deadlock(race: Race, offered: Answer) -> None:
    """Each of two bookings is offered the trip of the other, and both accept at once."""
    other = race.second.book(count=1, bus_id=LATER)
    displace(race.database, other["reference"], bus_id=LATER)
    assert race.second.show(other)["offers"][0]["trip"]["bus_id"] == 1
    accept(race.first, offered)
    again = call("accept", reference=other["reference"], phone=ASHA)
    assert outcomes_of(race.second.batch(again)) == [None]
    race.first.conn.commit()
    assert outcomes_of(race.second.batch(again)) == ["booked"]
    assert (state(race, offered)[2], state(race, other)[2]) == (LATER, 1)


def test_cancelled_ticket_does_not_wait_for_the_other_trip(race: Race, offered: Answer) -> None:
    """The seat that was held for it stays held; the offer does not show it."""
    race.first.conn.execute("SELECT api.lock_trip(%s, %s)", (LATER, DAY))
    shown = race.second.cancel(offered, 1)
    assert len(shown["offers"][0]["trip"]["seats"]) == 1
    race.first.conn.rollback()
    assert held(race) == 2
    assert race.second.change("accept", offered)["status"] == "booked"
    assert held(race) == 0


def test_accept_in_psql_waits_for_the_other_trip(race: Race, offered: Answer) -> None:
    race.first.conn.execute("SELECT api.lock_trip(%s, %s)", (LATER, DAY))
    late = race.start(lambda: accept(race.second, offered))
    assert race.then_commit(late)["status"] == "booked"
