"""Concurrent requests with one idempotency key, for one trip, and at random (see tests/support/race.py).

The fixture `snapshot_lock` stops a batch between its snapshot and its row locks; no other lock does.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.conftest import WAIT_SECONDS, Clock, Database
from tests.support.race import Race
from tests.support.schema_api import (
    ASHA,
    DAY,
    OTHER_DAY,
    RAVI,
    Answer,
    SchemaApi,
    book,
    call,
    outcomes_of,
    sale,
)


@pytest.fixture
def snapshot_lock(race: Race) -> Iterator[psycopg.Connection[Any]]:
    """A connection with advisory lock 1, for which batches of `second` wait after taking their snapshot."""
    race.database.query("ALTER FUNCTION api.trip_of RENAME TO trip_of_call")
    race.database.query("""
        CREATE FUNCTION api.trip_of(args jsonb, OUT home bigint, OUT bus_id bigint, OUT travel_date date)
        LANGUAGE plpgsql STABLE AS $$
        BEGIN
            IF current_setting('test.waits_after_snapshot', true) = 'yes' THEN
                PERFORM pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1);
            END IF;
            SELECT * INTO home, bus_id, travel_date FROM api.trip_of_call(args);
        END $$""")
    race.second.conn.execute("SET test.waits_after_snapshot = 'yes'")
    with race.database.connect() as conn:
        conn.execute("SELECT pg_advisory_lock(1)")
        yield conn


# One key ---------------------------------------------------------------------------------------


def test_one_key_twice(race: Race) -> None:
    first = race.first.write("book", "k", **sale(1))
    second = race.start(lambda: race.second.write("book", "k", **sale(1)))
    assert race.then_commit(second) == first
    assert race.database.value("SELECT count(*) FROM passengers") == 1


def test_one_key_twice_and_the_first_rolls_back(race: Race) -> None:
    race.first.write("book", "k", **sale(1))
    second = race.start(lambda: race.second.write("book", "k", **sale(1)))
    assert race.then_rollback(second)["status"] == "booked"
    assert race.database.value("SELECT count(*) FROM passengers") == 1


def test_one_key_in_two_batches(race: Race) -> None:
    (first,) = race.first.batch(book(1, key="k"))
    assert race.second.batch(book(1, key="k")) == [None]
    race.first.conn.commit()
    assert race.second.batch(book(1, key="k")) == [first]


@pytest.mark.parametrize("accounts", [({}, {"account": "asha"}), ({"account": "asha"}, {})])
def test_one_key_in_two_batches_before_and_after_signing_in(
    race: Race, accounts: tuple[Answer, Answer]
) -> None:
    before, after = (book(1, key="k", **account) for account in accounts)
    (first,) = race.first.batch(before)
    assert race.second.batch(after) == [None]
    race.first.conn.commit()
    assert race.second.batch(after) == [first]
    assert race.database.value("SELECT count(*) FROM passengers") == 1


def test_one_key_before_and_after_signing_in_while_the_trip_is_locked(race: Race) -> None:
    first = race.first.write("book", "k", **sale(1))
    second = race.start(lambda: race.second.write("book", "k", account="asha", **sale(1)))
    assert race.then_commit(second) == first
    assert race.database.value("SELECT count(*) FROM passengers") == 1


def test_key_committed_between_snapshot_and_locks_of_a_batch(
    race: Race, snapshot_lock: psycopg.Connection[Any]
) -> None:
    running = race.start(lambda: race.second.batch(book(1, key="k"), book(2)))
    (first,) = race.first.batch(book(1, key="k"))
    race.first.conn.commit()
    snapshot_lock.execute("SELECT pg_advisory_unlock(1)")
    answers = running.result(WAIT_SECONDS)
    assert answers[0] == first
    assert outcomes_of(answers) == ["booked", "booked"]


def test_one_key_for_two_trips(race: Race) -> None:
    """The batches lock no common trip: the primary key of idempotency_keys stops the second one."""
    race.first.batch(book(1, key="k"))
    second = race.start(lambda: race.second.batch(book(1, key="k", travel_date=OTHER_DAY)))
    with pytest.raises(psycopg.errors.UniqueViolation):
        race.then_commit(second)
    assert outcomes_of(race.second.batch(book(1, key="k", travel_date=OTHER_DAY))) == ["key_reused"]


# One trip --------------------------------------------------------------------------------------


def test_trip_changed_between_snapshot_and_locks_of_a_batch(
    race: Race, clock: Clock, snapshot_lock: psycopg.Connection[Any]
) -> None:
    running = race.start(lambda: race.second.batch(book(1), book(2)))
    race.first.hold(1, phone=RAVI)
    race.first.book(2, phone=RAVI)
    race.first.conn.commit()
    clock.advance(minutes=10)
    snapshot_lock.execute("SELECT pg_advisory_unlock(1)")
    assert outcomes_of(running.result(WAIT_SECONDS)) == ["booked", "seat_taken"]


def test_trip_locked_in_psql(race: Race) -> None:
    with race.database.connect(autocommit=False) as psql:
        psql.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", (DAY,))
        assert outcomes_of(race.second.batch(book(1), book(1, bus_id=2))) == [None, "booked"]
        waiting = race.start(lambda: race.second.book(1))  # api.call waits for the lock
        psql.rollback()
        assert waiting.result(WAIT_SECONDS)["status"] == "booked"


def test_seat_changed_in_psql_without_the_lock_of_the_trip(race: Race) -> None:
    """The exclusion constraint keeps the segment from being sold twice. A recount repairs `taken`."""
    booking = race.second.book(1)
    with race.database.connect(autocommit=False) as psql:
        psql.execute("UPDATE passengers SET seat_no = 2 WHERE reference = %s", (booking["reference"],))
        late = race.start(lambda: race.second.book(2, phone=RAVI))
        psql.commit()
    with pytest.raises(psycopg.errors.ExclusionViolation):
        late.result(WAIT_SECONDS)
    race.second.conn.execute("SELECT api.recount_for(%s)", (Jsonb(sale()),))
    assert race.second.book(2, phone=RAVI)["reason"] == "seat_taken"
    assert race.second.book(1, phone=RAVI)["status"] == "booked"


def test_sales_opened_twice(race: Race, clock: Clock) -> None:
    clock.advance(days=3)
    race.first.conn.execute("SELECT api.open_sales(1)")
    open_sales = "SELECT api.open_sales(1)"
    second = race.start(lambda: race.second.conn.execute(open_sales).fetchone())
    assert race.then_commit(second) == (0,)
    assert race.database.value("SELECT count(*) FROM trips WHERE bus_id = 1") == 18
    assert race.database.value("SELECT count(*) FROM seats WHERE bus_id = 1") == 18 * 8


EDIT = "SELECT api.add_service(1, layout => 's', replace => true)"


def test_edit_of_a_service_and_book(race: Race) -> None:
    with race.database.connect(autocommit=False) as psql:
        psql.execute(EDIT)
        late = race.start(lambda: race.second.book(2))
        psql.commit()
        assert late.result(WAIT_SECONDS)["reason"] == "unknown_seat"


def test_book_and_edit_of_a_service(race: Race, database: Database) -> None:
    race.first.book(1)
    with database.connect() as psql:
        editing = Race(database, race.first, SchemaApi(psql), race.threads)
        late = editing.start(lambda: psql.execute(EDIT))
        with pytest.raises(psycopg.errors.RaiseException, match="sold seat 1, which would not stay"):
            editing.then_commit(late)


@pytest.mark.parametrize(
    ("change", "trips", "seats"),
    [(EDIT, 18, 1), ("SELECT api.end_service(1, '2026-12-16')", 16, 8)],
)
def test_change_of_a_service_and_open_sales(
    race: Race, clock: Clock, change: str, trips: int, seats: int
) -> None:
    """The new trips are those of the changed calendar, with the changed seats."""
    with race.database.connect(autocommit=False) as psql:
        psql.execute(change)
        clock.advance(days=3)
        late = race.start(lambda: race.second.conn.execute("SELECT api.open_sales(1)"))
        psql.commit()
        late.result(WAIT_SECONDS)
    found = "SELECT count(*) FROM trips WHERE bus_id = 1", "SELECT count(*) FROM seats WHERE bus_id = 1"
    assert [race.database.value(query) for query in found] == [trips, trips * seats]


# Random requests -------------------------------------------------------------------------------


def test_random_requests_for_one_trip(race: Race) -> None:
    """Six connections send random requests for a bus with eight seats. The fixture `race` runs the audit."""
    with ExitStack() as stack, ThreadPoolExecutor(6) as threads:
        apis = [SchemaApi(stack.enter_context(race.database.connect())) for _ in range(6)]
        outcomes = set().union(*threads.map(send_random_requests, apis, range(6)))
    assert {"booked", "held", "pending", "cancelled", "seat_taken", "sold_out"} <= outcomes
    assert None not in outcomes


def send_random_requests(api: SchemaApi, seed: int, count: int = 100) -> set[str | None]:
    """Send random requests; return the statuses and the reasons of refusals."""
    chance = random.Random(seed)
    bookings: list[Answer] = []
    outcomes: set[str | None] = set()
    for _ in range(count):
        start = chance.randint(1, 4)
        segment = {"from_stop": start, "to_stop": chance.randint(start + 1, 5)}
        booking = chance.choice(bookings) if bookings else {"reference": "BAAAAA"}
        of_booking = {"reference": booking["reference"], "phone": ASHA}
        request = chance.choice(
            [
                call("book", **sale(*chance.sample(range(1, 9), chance.randint(1, 3)), **segment)),
                call("book", **sale(count=chance.randint(1, 4), waitlist=chance.random() < 0.5, **segment)),
                call("hold", **sale(count=chance.randint(1, 3), **segment)),
                call("confirm", **of_booking),
                call("release", **of_booking),
                call("cancel", **of_booking),
                call("cancel", tickets=[1], **of_booking),
                call("change_seat", ticket_no=1, seat_no=chance.randint(1, 8), **of_booking),
                call("alight", at=chance.randint(2, 4), **of_booking),
            ]
        )
        if chance.random() < 0.5:
            answer = api.write(request["method"], **request["args"])
        else:
            while (answer := api.batch(request)[0]) is None:
                pass
        outcomes.update(outcomes_of([answer]))
        if "reference" in answer:
            bookings.append(answer)
    return outcomes
