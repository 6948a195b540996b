"""Settling a trip that is due: it waits for no lock of another session, and notifies all processes."""

from typing import Any

import psycopg

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi

DAYS = ["2026-12-06", "2026-12-07", "2026-12-08"]


def settle(api: SchemaApi) -> list[tuple[int, str, bool]]:
    """Settle the trips that are due. Returns each with whether it was settled."""
    return api.conn.execute(
        "SELECT bus_id, travel_date::text, api.settle_due(bus_id, travel_date) FROM api.due_trips()"
    ).fetchall()


def test_trips_that_another_session_has_locked_do_not_delay_others(
    api: SchemaApi, clock: Clock, other_session: psycopg.Connection[Any]
) -> None:
    for day in DAYS:
        api.hold(1, travel_date=day, seconds=60)
    hold = api.hold(1, 2, 3, 4, 5, 6, seconds=61)
    api.book(7, 8, phone=RAVI)
    waiting = api.book(count=2, waitlist=True)
    clock.advance(minutes=2)
    other_session.execute("SELECT FROM trips WHERE travel_date = ANY (%s::date[]) FOR UPDATE", (DAYS,))
    assert settle(api) == [(1, day, False) for day in DAYS] + [(1, DAY, True)]
    assert (api.show(hold)["status"], api.show(waiting)["status"]) == ("expired", "booked")
    other_session.rollback()
    assert settle(api) == [(1, day, True) for day in DAYS]
    assert settle(api) == []


def test_trip_with_a_locked_ticket_is_due_until_the_lock_is_released(
    api: SchemaApi, database: Database, clock: Clock, other_session: psycopg.Connection[Any]
) -> None:
    api.hold(1, 2, seconds=60)
    clock.advance(minutes=2)
    other_session.execute("UPDATE passengers SET name = 'Asha' WHERE ticket_no = 2")
    assert settle(api) == [(1, DAY, False)]
    assert database.query("SELECT status FROM passengers") == ["held", "held"]
    assert api.book(3, phone=RAVI, travel_date=DAYS[0])["status"] == "booked"
    other_session.commit()
    assert settle(api) == [(1, DAY, True)]
    assert database.query("SELECT status FROM passengers WHERE travel_date = %s", DAY) == ["expired"] * 2


def test_trip_that_is_not_due_is_not_settled(api: SchemaApi, database: Database) -> None:
    api.hold(1)
    assert database.value("SELECT api.settle_due(1, %s)", DAY) is False
    assert database.value("SELECT api.settle_due(99, %s)", DAY) is False
    assert database.query("SELECT status FROM passengers") == ["held"]


def test_trip_whose_tickets_were_written_by_hand_is_repaired_and_settled(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    api.hold(8)
    for seats in ([1, 2, 3, 4], [5, 6, 7]):
        api.book(*seats, phone=RAVI)
    waiting = api.book(count=1, waitlist=True)
    clock.advance(minutes=11)
    database.query("UPDATE seats SET taken = '{}' WHERE seat_no = 1")  # the promotion chooses it
    assert settle(api) == [(1, DAY, True)]
    assert api.show(waiting)["tickets"][0]["seat_no"] == 8


def test_processes_are_notified_of_a_settled_trip(api: SchemaApi, database: Database, clock: Clock) -> None:
    api.hold(1, phone=ASHA)
    clock.advance(minutes=11)
    database.query("LISTEN busware")
    settle(api)
    (notification,) = database.conn.notifies(timeout=20, stop_after=1)
    assert notification.payload == f'{{"trips": [[1, "{DAY}"]]}}'
