"""Races for a key, for a trip, and for everything: named interleavings (tests/support/race.py), and a crowd.

A `gate` holds a batch in the one place where no lock of its own stops it: between its snapshot and
its locks.
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
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, Answer, SchemaApi, book, call, reasons, sale


@pytest.fixture
def gate(race: Race) -> Iterator[psycopg.Connection[Any]]:
    """While this connection keeps advisory lock 1, the second's batches wait between snapshot and locks."""
    race.database.query("ALTER FUNCTION api.trip_of RENAME TO trip_of_call")
    race.database.query("""
        CREATE FUNCTION api.trip_of(args jsonb, OUT bus_id bigint, OUT travel_date date)
        LANGUAGE plpgsql STABLE AS $$
        BEGIN
            IF current_setting('test.gate', true) = 'here' THEN
                PERFORM pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1);
            END IF;
            SELECT * INTO bus_id, travel_date FROM api.trip_of_call(args);
        END $$""")
    race.second.conn.execute("SET test.gate = 'here'")
    with race.database.connect() as keeper:
        keeper.execute("SELECT pg_advisory_lock(1)")
        yield keeper


# For a key -------------------------------------------------------------------------------------


def test_the_same_key_twice_at_once(race: Race) -> None:
    one = race.first.write("book", "asha", "k", **sale(1))
    other = race.start(lambda: race.second.write("book", "asha", "k", **sale(1)))
    assert race.then_commit(other) == one
    assert race.database.value("SELECT count(*) FROM passengers") == 1


def test_the_same_key_twice_at_once_and_the_first_gives_up(race: Race) -> None:
    race.first.write("book", "asha", "k", **sale(1))
    other = race.start(lambda: race.second.write("book", "asha", "k", **sale(1)))
    assert race.then_rollback(other)["status"] == "booked"
    assert race.database.value("SELECT count(*) FROM passengers") == 1


def test_the_same_key_twice_at_once_in_batches(race: Race) -> None:
    (one,) = race.first.batch(book(1, key="k"))
    assert race.second.batch(book(1, key="k")) == [None]
    race.first.conn.commit()
    assert race.second.batch(book(1, key="k")) == [one]


def test_the_same_key_committed_between_the_snapshot_of_a_batch_and_its_locks(
    race: Race, gate: psycopg.Connection[Any]
) -> None:
    running = race.start(lambda: race.second.batch(book(1, key="k"), book(2)))
    (one,) = race.first.batch(book(1, key="k"))
    race.first.conn.commit()
    gate.execute("SELECT pg_advisory_unlock(1)")
    answers = running.result(WAIT_SECONDS)
    assert answers[0] == one
    assert reasons(answers) == ["booked", "booked"]


def test_the_same_key_for_two_trips_at_once(race: Race) -> None:
    """No trip is common to them: here the record of the requests decides, and a second try is told so."""
    race.first.batch(book(1, key="k"))
    other = race.start(lambda: race.second.batch(book(1, key="k", travel_date=OTHER_DAY)))
    with pytest.raises(psycopg.errors.UniqueViolation):
        race.then_commit(other)
    assert reasons(race.second.batch(book(1, key="k", travel_date=OTHER_DAY))) == ["key_reused"]


# For a trip ------------------------------------------------------------------------------------


def test_a_trip_that_changed_between_the_snapshot_of_a_batch_and_its_locks(
    race: Race, clock: Clock, gate: psycopg.Connection[Any]
) -> None:
    running = race.start(lambda: race.second.batch(book(1), book(2)))
    race.first.hold(1, phone=RAVI)
    race.first.book(2, phone=RAVI)
    race.first.conn.commit()
    clock.advance(minutes=10)
    gate.execute("SELECT pg_advisory_unlock(1)")
    assert reasons(running.result(WAIT_SECONDS)) == ["booked", "seat_taken"]


def test_a_trip_held_by_a_psql_session(race: Race) -> None:
    with race.database.connect(autocommit=False) as psql:
        psql.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", (DAY,))
        assert reasons(race.second.batch(book(1), book(1, bus_id=2))) == [None, "booked"]
        patient = race.start(lambda: race.second.book(1))  # api.call waits
        psql.rollback()
        assert patient.result(WAIT_SECONDS)["status"] == "booked"


def test_a_psql_session_that_sells_by_hand_behind_the_lock(race: Race) -> None:
    """Rule 1: even so no stretch is sold twice. The writer counts anew, and asks again."""
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


def test_sales_opened_twice_at_once(race: Race, clock: Clock) -> None:
    clock.advance(days=3)
    race.first.conn.execute("SELECT api.open_sales(1)")
    open_sales = "SELECT api.open_sales(1)"
    other = race.start(lambda: race.second.conn.execute(open_sales).fetchone())
    assert race.then_commit(other) == (0,)
    assert race.database.value("SELECT count(*) FROM trips WHERE bus_id = 1") == 18
    assert race.database.value("SELECT count(*) FROM seats WHERE bus_id = 1") == 18 * 8


def test_a_service_written_anew_against_a_booker(race: Race) -> None:
    with race.database.connect(autocommit=False) as psql:
        psql.execute("SELECT api.delete_service(1)")
        late = race.start(lambda: race.second.book(1))
        psql.commit()
        assert late.result(WAIT_SECONDS)["reason"] == "unknown_trip"


def test_a_booker_against_a_service_written_anew(race: Race, database: Database) -> None:
    race.first.book(1)
    with database.connect() as psql:
        editor = Race(database, race.first, SchemaApi(psql), race.threads)
        late = editor.start(lambda: psql.execute("SELECT api.delete_service(1)"))
        with pytest.raises(psycopg.errors.RaiseException, match="Service 1 has 1 ticket"):
            editor.then_commit(late)


# For everything --------------------------------------------------------------------------------


def test_a_crowd_on_one_trip(race: Race) -> None:
    """Six at once do as they please on a bus of eight seats: nothing breaks but what may."""
    with ExitStack() as doors, ThreadPoolExecutor(6) as crowd:
        desks = [SchemaApi(doors.enter_context(race.database.connect_as_server())) for _ in range(6)]
        ended = list(crowd.map(act_at_random, desks, range(6)))
    told = set().union(*ended)
    assert {"booked", "held", "pending", "cancelled", "seat_taken", "sold_out"} <= told
    assert None not in told


def act_at_random(api: SchemaApi, seed: int, steps: int = 100) -> set[str | None]:
    """A traveller without a plan: which statuses and reasons he met."""
    dice = random.Random(seed)
    mine: list[Answer] = []
    told: set[str | None] = set()
    for _ in range(steps):
        a = dice.randint(1, 4)
        stretch = {"from_stop": a, "to_stop": dice.randint(a + 1, 5)}
        booking = dice.choice(mine) if mine else {"reference": "BAAAAA"}
        opened = {"reference": booking["reference"], "phone": ASHA}
        request = dice.choice(
            [
                call("book", **sale(*dice.sample(range(1, 9), dice.randint(1, 3)), **stretch)),
                call("book", **sale(count=dice.randint(1, 4), waitlist=dice.random() < 0.5, **stretch)),
                call("hold", **sale(count=dice.randint(1, 3), **stretch)),
                call("confirm", **opened),
                call("release", **opened),
                call("cancel", **opened),
                call("cancel", tickets=[1], **opened),
                call("change_seat", ticket_no=1, seat_no=dice.randint(1, 8), **opened),
                call("alight", at=dice.randint(2, 4), **opened),
            ]
        )
        if dice.random() < 0.5:
            answer = api.write(request["method"], **request["args"])
        else:
            while (answer := api.batch(request)[0]) is None:
                pass
        told.update(reasons([answer]))
        if "reference" in answer:
            mine.append(answer)
    return told
