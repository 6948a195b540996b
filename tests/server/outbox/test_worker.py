"""The outbox worker: it publishes after commits, and carries out each row at least once with the same key."""

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from busware.server.housekeeping import Housekeeper
from busware.server.outbox.worker import GiveUp, Outbox, OutboxRow, Retry
from busware.server.protocol import Caller, Notice, RequestReset
from busware.server.push.messages import Messages
from tests.conftest import Clock, Database
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.schema_api import DAY, SchemaApi
from tests.support.writing import book

pytestmark = pytest.mark.settings(outbox_seconds=0.05, publish_ms=1)
BOOK = "SELECT api.book(1, '2026-12-02', from_stop => 1, to_stop => 2, count => 1, phone => '+919845012345')"
STATES = "SELECT state, attempts, error FROM outbox ORDER BY outbox_no"


class Carrier:
    """A carrier that records its rows, and does with each what the test says."""

    def __init__(self) -> None:
        self.rows = queue.Queue[OutboxRow]()
        self.outcomes = queue.Queue[Exception | None]()  # of the calls, in order; the call waits for it

    def __call__(self, row: OutboxRow) -> None:
        self.rows.put(row)
        outcome = self.outcomes.get(timeout=WAIT_SECONDS)
        if outcome:
            raise outcome

    def next(self) -> OutboxRow:
        """The next row that is carried out; the call waits for an outcome."""
        return self.rows.get(timeout=WAIT_SECONDS)


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def start(server: SimpleNamespace) -> Iterator[Callable[..., Outbox]]:
    """A function that starts a worker with a carrier of mails; `writer` publishes through the first one."""
    started: list[Outbox] = []

    def start(carrier: Callable[[OutboxRow], None] | None = None) -> Outbox:
        outbox = Outbox(server.pool, server.settings)
        if carrier:
            outbox.register("mail", carrier)
        outbox.start()
        started.append(outbox)
        return outbox

    yield start
    for outbox in started:
        outbox.stop()


def enqueue(database: Database, count: int = 1, order: str | None = None) -> None:
    database.query(
        "SELECT api.enqueue('mail', jsonb_build_object('n', n), ordered_by => %s)"
        " FROM generate_series(1, %s) AS n",
        order,
        count,
    )


def states(database: Database) -> list[Any]:
    return database.query(STATES)


# Publication -----------------------------------------------------------------------------------


@pytest.mark.settings(outbox_seconds=1000)
def test_commit_publishes(server: SimpleNamespace, start: Callable[..., Outbox], database: Database) -> None:
    outbox = start()
    server.writer.on_commit = lambda calls: outbox.schedule()
    for seat in (1, 2):
        server.writer.submit(book(seat))
        wait_until(lambda seat=seat: database.value("SELECT count(position) FROM events") == seat)


@pytest.mark.settings(outbox_seconds=1000)
def test_writes_through_the_pool_publish(
    server: SimpleNamespace, start: Callable[..., Outbox], database: Database, clock: Clock
) -> None:
    """The end of a hold, and a notice."""
    SchemaApi(database.conn).hold(1, seconds=60)
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    clock.advance(minutes=2)
    outbox = start()
    wait_until(lambda: published(database) == ["booking.held"])
    server.pool.on_write = outbox.schedule
    housekeeper = Housekeeper(server.pool, server.settings, server.operations.accounts.rate_limiter)
    housekeeper.settle()
    wait_until(lambda: published(database)[1:] == ["booking.expired"])
    notice = Notice(bus_id=1, travel_date=date.fromisoformat(DAY), text="Platform 4.")
    Messages(server.pool, server.settings).notice_to_trip(
        notice, Caller(account="conductor", role="operator")
    )
    wait_until(lambda: published(database)[2:] == ["trip.notice"])


@pytest.mark.settings(outbox_seconds=1000)
def test_row_without_an_event_is_carried_out_at_once(
    server: SimpleNamespace, start: Callable[..., Outbox], database: Database, carrier: Carrier
) -> None:
    database.query(
        "INSERT INTO accounts (username, password_hash, email, created_at)"
        " VALUES ('asha', '', 'asha@example.org', now())"
    )
    server.pool.on_write = start(carrier).schedule
    carrier.outcomes.put(None)
    server.operations.accounts.request_reset(RequestReset(account="asha"), Caller())
    assert carrier.next().kind == "mail"


def published(database: Database) -> list[str]:
    """The types of the published events, in order."""
    return database.query("SELECT type FROM events WHERE position IS NOT NULL ORDER BY position")


def test_event_of_another_process_is_published(start: Callable[..., Outbox], database: Database) -> None:
    start()
    database.query(BOOK)
    wait_until(lambda: database.value("SELECT count(position) FROM events") == 1)


def test_events_are_published_while_another_session_publishes(
    start: Callable[..., Outbox], database: Database
) -> None:
    """The other session has begun to publish before the event was committed."""
    with database.connect(autocommit=False) as other:
        other.execute("SELECT api.publish_events()")
        database.query(BOOK)
        start()
        other.commit()
        wait_until(lambda: database.value("SELECT count(position) FROM events") == 1)


@pytest.mark.settings(publish_batch=8)
def test_batch_that_takes_too_long_is_made_smaller(start: Callable[..., Outbox], database: Database) -> None:
    """api.fan_out is replaced by one that is cancelled at the third event of a transaction."""
    database.query(
        "CREATE OR REPLACE FUNCTION api.fan_out(e events) RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
        "  PERFORM set_config('test.n', coalesce(current_setting('test.n', true), '') || '+', true);"
        "  IF current_setting('test.n') = '+++' THEN RAISE 'late' USING ERRCODE = 'query_canceled'; END IF;"
        "END $$"
    )
    for _ in range(8):
        database.query(BOOK)
    start()
    wait_until(lambda: database.value("SELECT count(position) FROM events") == 8)


def test_event_that_cannot_be_published_is_logged(
    start: Callable[..., Outbox], database: Database, caplog: Any
) -> None:
    database.query(
        "CREATE OR REPLACE FUNCTION api.fan_out(e events) RETURNS void LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'no such template'; END$$"
    )
    database.query(BOOK)
    start()
    number = database.value("SELECT event_no FROM events")
    wait_until(
        lambda: f"event {number} (booking.booked) cannot be published: no such template" in caplog.text
    )


# Attempts --------------------------------------------------------------------------------------


def test_row_is_carried_out(start: Callable[..., Outbox], database: Database, carrier: Carrier) -> None:
    enqueue(database)
    start(carrier)
    row = carrier.next()
    assert (bytes(row.payload), row.attempts, row.event) == (b'{"n": 1}', 1, None)
    assert states(database) == [("waiting", 1, None)]
    carrier.outcomes.put(None)
    wait_until(lambda: states(database) == [("done", 1, None)])


@pytest.mark.settings(outbox_seconds=WAIT_SECONDS * 10)
def test_rows_that_are_due_together_are_carried_out_together(
    start: Callable[..., Outbox], database: Database, carrier: Carrier
) -> None:
    outbox = start(carrier)
    for _ in range(2):
        enqueue(database, 4)
        outbox.schedule()
        rows = [carrier.next() for _ in range(4)]
        assert len({row.outbox_no for row in rows}) == 4
        for _ in rows:
            carrier.outcomes.put(None)
        wait_until(lambda: all(state == "done" for state, *_ in states(database)))


def test_failed_row_is_tried_again_with_the_same_key(
    start: Callable[..., Outbox], database: Database, carrier: Carrier, clock: Clock, caplog: Any
) -> None:
    enqueue(database)
    start(carrier)
    keys = []
    for outcome, error in (
        (Retry("busy", 60), "busy"),
        (Retry("still busy"), "still busy"),
        (ValueError("broken"), "ValueError: broken"),
        (GiveUp("unknown address"), "unknown address"),
    ):
        keys.append(carrier.next().key)
        carrier.outcomes.put(outcome)
        wait_until(lambda error=error: states(database)[0][2] == error)
        clock.advance(minutes=10)
    assert states(database) == [("dead", 4, "unknown address")]
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert "ValueError: broken" in caplog.text


@pytest.mark.parametrize(
    ("outcome", "stored"),
    [
        (GiveUp("550 \0 no such user"), "550  no such user"),
        (GiveUp("550 \udc80 no such user"), "550 ? no such user"),
        (GiveUp("550 \x1b[31mred"), "550 [31mred"),
        (GiveUp(""), "no reason"),
    ],
    ids=["nul", "surrogate", "escape", "empty"],
)
def test_text_of_a_receiver_is_stored_without_control_characters(
    start: Callable[..., Outbox], database: Database, carrier: Carrier, outcome: Exception, stored: str
) -> None:
    enqueue(database)
    start(carrier)
    carrier.next()
    carrier.outcomes.put(outcome)
    wait_until(lambda: states(database) == [("dead", 1, stored)])


@pytest.mark.parametrize("seconds", [1e15, float("inf")])
def test_asked_pause_is_limited(
    start: Callable[..., Outbox], database: Database, carrier: Carrier, clock: Clock, seconds: float
) -> None:
    enqueue(database)
    start(carrier)
    carrier.next()
    carrier.outcomes.put(Retry("busy", seconds))
    wait_until(lambda: states(database) == [("waiting", 1, "busy")])
    assert database.value("SELECT due_at - api.now() FROM outbox") == timedelta(hours=1)


@pytest.mark.settings(outbox_threads=1)
def test_refund_does_not_wait_for_mails(
    server: SimpleNamespace, database: Database, carrier: Carrier
) -> None:
    """The mail server does not answer, and more mails wait."""
    refunds = Carrier()
    refunds.outcomes.put(None)
    enqueue(database, 2)
    outbox = Outbox(server.pool, server.settings)
    outbox.register("mail", carrier)
    outbox.register("refund", refunds)
    outbox.start()
    try:
        carrier.next()
        database.query("SELECT api.enqueue('refund', '{}')")
        assert refunds.next().kind == "refund"
        wait_until(lambda: [state for state, _, _ in states(database)] == ["waiting", "waiting", "done"])
    finally:
        for _ in range(2):
            carrier.outcomes.put(None)
        outbox.stop()


@pytest.mark.settings(outbox_threads=1)
def test_row_that_cannot_be_finished_does_not_delay_others(
    start: Callable[..., Outbox], database: Database, carrier: Carrier
) -> None:
    """A trigger refuses the end of the first row."""
    enqueue(database, 2)
    database.query(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'refused' USING ERRCODE = '22000'; END$$;"
        "CREATE TRIGGER refuse BEFORE UPDATE ON outbox FOR EACH ROW"
        " WHEN (new.state = 'done' AND new.outbox_no = 1) EXECUTE FUNCTION refuse()"
    )
    start(carrier)
    for _ in range(2):
        carrier.next()
        carrier.outcomes.put(None)
    wait_until(lambda: [state for state, _, _ in states(database)] == ["waiting", "done"])


def test_row_is_given_up_after_some_hours(
    start: Callable[..., Outbox], database: Database, carrier: Carrier, clock: Clock
) -> None:
    enqueue(database)
    clock.advance(hours=72)
    start(carrier)
    carrier.next()
    carrier.outcomes.put(Retry("busy"))
    wait_until(lambda: states(database) == [("dead", 1, "busy")])


@pytest.mark.parametrize(("attempts", "longest"), [(1, 5), (2, 10), (5, 80), (11, 3600), (5000, 3600)])
def test_pause_grows_and_is_random(
    start: Callable[..., Outbox], database: Database, attempts: int, longest: float
) -> None:
    def fail(row: OutboxRow) -> None:
        raise Retry("busy")

    enqueue(database, 20)
    database.query("UPDATE outbox SET attempts = %s", attempts - 1)
    start(fail)
    wait_until(lambda: states(database) == [("waiting", attempts, "busy")] * 20)
    pauses = database.query("SELECT extract(epoch FROM due_at - api.now())::float FROM outbox")
    assert longest / 2 <= min(pauses) < max(pauses) <= longest


def test_rows_of_an_order_are_carried_out_in_order(
    start: Callable[..., Outbox], database: Database, carrier: Carrier, clock: Clock
) -> None:
    enqueue(database, 3, order="a")
    start(carrier)
    for n, outcome in ((1, Retry("busy", 60)), (1, None), (2, GiveUp("never")), (3, None)):
        assert bytes(carrier.next().payload) == b'{"n": %d}' % n
        assert carrier.rows.empty()
        carrier.outcomes.put(outcome)
        if isinstance(outcome, Retry):
            wait_until(lambda: states(database)[0][2] == "busy")
            clock.advance(minutes=1)
    wait_until(lambda: [state for state, _, _ in states(database)] == ["done", "dead", "done"])


def test_two_servers_carry_out_each_row_once(
    start: Callable[..., Outbox], database: Database, carrier: Carrier
) -> None:
    enqueue(database, 100)
    for _ in range(100):
        carrier.outcomes.put(None)
    start(carrier)
    start(carrier)
    assert sorted(carrier.next().outbox_no for _ in range(100)) == database.query(
        "SELECT outbox_no FROM outbox ORDER BY 1"
    )
    wait_until(lambda: states(database) == [("done", 1, None)] * 100)


def test_attempt_that_outlives_its_lease_does_not_end_the_row(
    start: Callable[..., Outbox], database: Database, carrier: Carrier, clock: Clock, caplog: Any
) -> None:
    enqueue(database)
    start(carrier)
    slow = carrier.next()
    clock.advance(seconds=121)
    second = carrier.next()
    assert (second.key, second.attempts) == (slow.key, 2)
    carrier.outcomes.put(GiveUp("one of them"))
    carrier.outcomes.put(None)
    wait_until(lambda: states(database)[0][0] != "waiting")
    wait_until(lambda: "took longer than its lease" in caplog.text)


# Stop ------------------------------------------------------------------------------------------


@pytest.mark.settings(outbox_threads=1)
def test_stop_waits_for_the_row_that_is_carried_out(
    start: Callable[..., Outbox], database: Database, carrier: Carrier
) -> None:
    enqueue(database, 2, order="a")
    outbox = start(carrier)
    carrier.next()
    stopping = threading.Thread(target=outbox.stop)
    stopping.start()
    wait_until(outbox.stopping.is_set)
    carrier.outcomes.put(None)
    stopping.join(WAIT_SECONDS)
    assert not stopping.is_alive()
    assert states(database) == [("done", 1, None), ("waiting", 0, None)]


def test_stop_does_not_wait_longer_than_its_limit(
    start: Callable[..., Outbox], database: Database, carrier: Carrier, clock: Clock, caplog: Any
) -> None:
    """The row is claimed again by another server when its lease has ended."""
    enqueue(database)
    outbox = start(carrier)
    first = carrier.next()
    outbox.stop(0)
    assert "are tried again" in caplog.text
    assert states(database) == [("waiting", 1, None)]
    clock.advance(minutes=2)
    start(carrier)
    assert carrier.next().key == first.key
    for _ in range(2):
        carrier.outcomes.put(None)
    wait_until(lambda: states(database) == [("done", 2, None)])
