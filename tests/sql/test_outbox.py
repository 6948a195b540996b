"""The outbox in the database: what is claimed, in which order, and how a row ends."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.race import Race
from tests.support.schema_api import SchemaApi

STATE = "SELECT state, attempts, error FROM outbox WHERE outbox_no = %s"


def enqueue(database: Database, kind: str = "mail", **fields: Any) -> int:
    named = "".join(f", {name} => %s" for name in fields)
    return int(database.value(f"SELECT api.enqueue('{kind}', '{{}}'{named})", *fields.values()))


def claim(conn: psycopg.Connection[Any], count: int = 10, *kinds: str) -> list[tuple[int, int]]:
    """The number of each claimed row, and which attempt it is."""
    return conn.execute(
        "SELECT outbox_no, attempts FROM api.claim_outbox(%s, %s, '1 minute')",
        (list(kinds) or ["mail"], count),
    ).fetchall()


def finish(
    conn: psycopg.Connection[Any], row: tuple[int, int], error: str | None = None, retry: str | None = None
) -> bool:
    ((finished,),) = conn.execute(
        "SELECT api.finish_outbox(%s, %s, %s, %s::interval)", (*row, error, retry)
    ).fetchall()
    return bool(finished)


def test_row_is_claimed_once_until_its_lease_ends(database: Database, clock: Clock) -> None:
    number = enqueue(database)
    assert claim(database.conn) == [(number, 1)]
    clock.advance(seconds=59)
    assert claim(database.conn) == []
    clock.advance(seconds=1)
    assert claim(database.conn) == [(number, 2)]


def test_rows_of_other_kinds_are_left(database: Database) -> None:
    enqueue(database, "refund")
    assert claim(database.conn) == []
    assert len(claim(database.conn, 10, "mail", "refund")) == 1


def test_known_key_adds_nothing(database: Database) -> None:
    key = database.value("SELECT gen_random_uuid()")
    enqueue(database, key=key)
    assert database.value("SELECT api.enqueue('mail', '{}', key => %s)", key) is None
    assert database.value("SELECT count(*) FROM outbox") == 1


def test_claim_has_the_event_and_the_age(database: Database, clock: Clock) -> None:
    SchemaApi(database.conn).book(1)
    enqueue(database, event_no=database.value("SELECT event_no FROM events"))
    clock.advance(seconds=30)
    claimed = (
        "SELECT event ->> 'type', extract(epoch FROM age)::int FROM api.claim_outbox('{mail}', 1, '1 minute')"
    )
    assert database.query(claimed) == [("booking.booked", 30)]


# Ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "retry", "state"),
    [(None, None, "done"), ("refused", None, "dead"), ("busy", "10 s", "waiting")],
)
def test_ends_of_an_attempt(
    database: Database, clock: Clock, error: str | None, retry: str | None, state: str
) -> None:
    number = enqueue(database)
    (row,) = claim(database.conn)
    assert finish(database.conn, row, error, retry)
    assert database.query(STATE, number) == [(state, 1, error)]
    clock.advance(seconds=10)
    assert claim(database.conn) == ([(number, 2)] if state == "waiting" else [])


def test_late_end_of_an_earlier_attempt_is_ignored(database: Database, clock: Clock) -> None:
    number = enqueue(database)
    (slow,) = claim(database.conn)
    clock.advance(minutes=1)
    (second,) = claim(database.conn)
    assert not finish(database.conn, slow, "too late")
    assert finish(database.conn, second)
    assert not finish(database.conn, second, "again")
    assert database.query(STATE, number) == [("done", 2, None)]


# Order -----------------------------------------------------------------------------------------


def test_rows_of_an_order_are_claimed_one_at_a_time(database: Database, clock: Clock) -> None:
    first, second, other = (enqueue(database, ordered_by=order) for order in ("a", "a", "b"))
    assert claim(database.conn) == [(first, 1), (other, 1)]
    finish(database.conn, (first, 1), "busy", "1 hour")
    assert claim(database.conn) == []
    clock.advance(hours=1)
    assert claim(database.conn, 1) == [(other, 2)]
    assert claim(database.conn, 1) == [(first, 2)]
    finish(database.conn, (first, 2))
    assert claim(database.conn) == [(second, 1)]


def test_rows_behind_a_dead_one_go_on(database: Database) -> None:
    first, second = enqueue(database, ordered_by="a"), enqueue(database, ordered_by="a")
    claim(database.conn)
    finish(database.conn, (first, 1), "unknown address")
    assert claim(database.conn) == [(second, 1)]


def due(database: Database) -> list[int]:
    """The rows that a claim reads: those that are due, also if they are behind another."""
    return database.query(
        "SELECT outbox_no FROM outbox WHERE state = 'waiting' AND due_at <= api.now() ORDER BY 1"
    )


@pytest.mark.parametrize("error", [None, "unknown address"])
def test_row_behind_another_is_not_due(database: Database, clock: Clock, error: str | None) -> None:
    first, second, third = (enqueue(database, ordered_by="a") for _ in range(3))
    assert due(database) == [first]
    claim(database.conn)
    finish(database.conn, (first, 1), "busy", "1 hour")
    clock.advance(hours=1)
    assert due(database) == [first]
    claim(database.conn)
    finish(database.conn, (first, 2), error)
    assert due(database) == [second]
    claim(database.conn)
    assert due(database) == []
    finish(database.conn, (second, 1))
    assert due(database) == [third]


def test_retried_row_is_the_last_of_its_order(database: Database, clock: Clock) -> None:
    first, second, third = (enqueue(database, ordered_by="a") for _ in range(3))
    key = database.value("SELECT key FROM outbox WHERE outbox_no = %s", first)
    claim(database.conn)
    finish(database.conn, (first, 1), "unknown address")
    assert claim(database.conn) == [(second, 1)]
    again = database.value("SELECT api.retry_outbox(%s)", first)
    assert again > third
    assert database.value("SELECT api.retry_outbox(%s)", first) is None
    assert claim(database.conn) == []
    for number in (second, third):
        finish(database.conn, (number, 1))
        claim(database.conn)
    assert database.query("SELECT outbox_no, key, attempts FROM outbox WHERE state = 'waiting'") == [
        (again, key, 1)
    ]
    assert database.query("SELECT * FROM api.audit()") == []


# Two servers -----------------------------------------------------------------------------------


def test_two_servers_claim_different_rows_without_waiting(race: Race) -> None:
    first, second = enqueue(race.database), enqueue(race.database)
    assert claim(race.first.conn, 1) == [(first, 1)]
    assert claim(race.second.conn) == [(second, 1)]
    race.first.conn.commit()
    assert claim(race.second.conn) == []


def test_claim_that_is_rolled_back_has_no_effect(race: Race) -> None:
    number = enqueue(race.database)
    assert claim(race.first.conn) == [(number, 1)]
    race.first.conn.rollback()
    assert claim(race.second.conn) == [(number, 1)]


def test_row_of_a_rolled_back_cause_does_not_exist(race: Race) -> None:
    race.first.conn.execute("SELECT api.enqueue('mail', '{}')")
    assert claim(race.second.conn) == []
    race.first.conn.rollback()
    assert claim(race.second.conn) == []


def test_row_that_is_added_while_the_one_before_it_ends_is_due_after_it(race: Race) -> None:
    first = enqueue(race.database, ordered_by="a")
    claim(race.database.conn)
    second = race.first.conn.execute("SELECT api.enqueue('mail', '{}', ordered_by => 'a')").fetchone()
    ending = race.start(lambda: finish(race.second.conn, (first, 1)))
    assert race.then_commit(ending)
    assert due(race.database) == [*second]
