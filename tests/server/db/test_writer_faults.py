"""The writer with calls that fail, and with connections that break: every caller gets its outcome."""

import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from busware.server.db.deadlines import Deadlines
from busware.server.db.writer import Call, QueuedCall, Writer
from busware.server.protocol import Refusal
from tests.support.line_client import wait_until
from tests.support.writing import DATE, block_writer, book, lock_trip, outcome, seats_of

pytestmark = pytest.mark.settings(lock_wait_ms=20_000)  # the tests hold row locks for longer than by default

TERMINATE_WRITER = (
    "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity"
    " WHERE application_name = 'busware writer' AND datname = current_database()"
)


def replace_batch(database, body):
    """Replace api.batch by a SQL function that returns columns n, refused and answer."""
    batch = "api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)"
    database.query(f"CREATE OR REPLACE FUNCTION {batch} LANGUAGE sql SECURITY DEFINER AS $$ {body} $$")


# Calls that fail -------------------------------------------------------------------------------


def test_a_failing_call_does_not_affect_others_in_its_batch(database, writer, submit, other_session, caplog):
    blocked = block_writer(other_session, database, submit)
    bad = submit(Call("book", msgspec.Raw(b'{"bus_id": "one"}')))
    good = [submit(book(seat)) for seat in range(1, 4)]
    wait_until(lambda: writer.waiting == 4)
    other_session.commit()
    assert seats_of(outcome(blocked)) == [1]
    assert [seats_of(outcome(future)) for future in good] == [[1], [2], [3]]
    assert str(outcome(bad)).startswith("22P02: ")
    assert "a batch of 4 failed, its calls run alone" in caplog.text


def test_a_failing_callback_does_not_affect_calls_that_run_alone(database, writer, submit, other_session):
    blocked = block_writer(other_session, database, submit)
    writer.on_commit = lambda done: 1 / 0
    bad = submit(Call("book", msgspec.Raw(b'{"bus_id": "one"}')))
    good = [submit(book(seat)) for seat in range(1, 4)]
    wait_until(lambda: writer.waiting == 4)
    other_session.commit()
    assert seats_of(outcome(blocked)) == [1]
    assert str(outcome(bad)).startswith("22P02: ")
    assert [seats_of(outcome(future)) for future in good] == [[1], [2], [3]]


@pytest.mark.settings(lock_wait_ms=600, write_wait_seconds=5)
def test_lock_timeout_is_restored_after_calls_ran_alone(database, settings, other_session):
    writer = Writer(database.server, settings, Deadlines(settings))
    writer.on_commit = lambda done: 1 / 0
    database.query("SELECT api.call('book', %s::jsonb, key => 'k')", bytes(book(8).args).decode())
    other_session.execute("UPDATE passengers SET name = 'Asha'")
    reference = database.value("SELECT reference FROM passengers")
    args = msgspec.Raw(msgspec.json.encode({"reference": reference, "phone": "+919845012345"}))
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(writer.submit, call) for call in (book(1), Call("cancel", args), book(2))]
        wait_until(lambda: writer.waiting == 3)
        writer.start()
        assert outcome(futures[1]) == "busy"
        assert [seats_of(outcome(future)) for future in (futures[0], futures[2])] == [[1], [2]]
    other_session.rollback()
    replace_batch(database, "SELECT 0, false, to_jsonb(current_setting('lock_timeout'))")
    assert bytes(writer.submit(book(3)).body) == b'"600ms"'
    writer.stop()


@pytest.mark.parametrize(
    "rows", ["VALUES (0, false, '{}'::jsonb), (7, false, '{}')", "SELECT 0, false, '{}'::jsonb LIMIT 0"]
)
def test_a_caller_gets_an_outcome_even_if_the_database_returns_wrong_rows(database, submit, rows):
    replace_batch(database, rows)
    outcome(submit(book(1)))


def test_taken_seats_are_counted_again_after_tickets_were_written_by_hand(database, submit, caplog):
    database.query(
        "INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, seat_no, segment, fare, status,"
        " refund_percent, created_at) VALUES (1, 'BAAAAA', 1, %s, 1, '[1,3)', 1, 'booked', 50, now())",
        DATE,
    )
    assert outcome(submit(book(1))) == "seat_taken"
    assert f"tickets of service 1 on {DATE} were changed by hand; seats corrected: 1" in caplog.text
    (taken,) = database.query(
        "SELECT taken::text FROM seats WHERE (bus_id, travel_date, seat_no) = (1, %s, 1)", DATE
    )
    assert taken == "{[1,3)}"


def test_a_caller_that_withdraws_while_its_batch_ends_is_released_once(writer, other_session):
    """The call withdraws after the writer has read its outcome, before it reads which calls are deferred."""
    queued = QueuedCall(book(1), time.monotonic() + 60)

    class Batch(list):
        def __iter__(self):
            yield from super().__iter__()
            if queued in writer._deferred and not writer._submit_lock.locked():  # otherwise it would wait
                writer._withdraw(queued)

    lock_trip(other_session)
    with writer._write_lock:
        writer._write(Batch([queued]))
        writer._withdraw(queued)
    with pytest.raises(Refusal) as refused:
        queued.wait(writer._withdraw)
    assert refused.value.reason == "busy"


# Connections that break ------------------------------------------------------------------------


def test_an_idle_connection_that_broke_is_replaced(database, submit, proxy):
    database.query(TERMINATE_WRITER, 5000)
    assert seats_of(outcome(submit(book(1)))) == [1]
    proxy.break_connections()
    assert seats_of(outcome(submit(book(2)))) == [2]


@pytest.mark.settings(connect_seconds=0.1)
def test_calls_are_busy_while_the_database_is_unavailable(database, submit, proxy):
    proxy.stop()
    assert outcome(submit(book(1))) == "busy"  # not outcome_unknown, because nothing was sent
    assert outcome(submit(book(1))) == "busy"
    proxy.restart()
    assert seats_of(outcome(submit(book(1)))) == [1]


def test_a_batch_is_sent_again_after_its_connection_was_terminated(database, submit, other_session):
    blocked = block_writer(other_session, database, submit)
    database.query(TERMINATE_WRITER, 0)
    other_session.commit()
    assert seats_of(outcome(blocked)) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_a_call_is_committed_once_if_its_reply_is_lost(database, submit, proxy):
    # Prepares the statement, so that the next call has one reply: that of its commit.
    outcome(submit(book(1, bus=2)))
    proxy.drops_replies = True
    assert seats_of(outcome(submit(book(1)))) == [1]
    assert not proxy.drops_replies
    assert database.value("SELECT count(*) FROM passengers WHERE bus_id = 1") == 1


@pytest.mark.settings(connect_seconds=0.3)
def test_the_outcome_is_unknown_if_the_database_stays_unavailable(database, submit, proxy, other_session):
    blocked = block_writer(other_session, database, submit, key="k")
    proxy.stop()
    assert outcome(blocked) == "outcome_unknown"
    other_session.commit()
    assert outcome(submit(book(2))) == "busy"  # nothing was sent
    proxy.restart()
    wait_until(lambda: database.value("SELECT count(*) FROM passengers"))  # the call was committed
    assert seats_of(outcome(submit(book(1, date="2026-12-03", key="k")))) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_the_outcome_is_unknown_if_the_writer_fails_after_a_call_was_sent(
    database, writer, submit, other_session
):
    blocked = block_writer(other_session, database, submit)

    def fail(size):
        raise MemoryError

    writer.on_batch = fail
    database.query(TERMINATE_WRITER, 0)
    other_session.commit()
    assert outcome(blocked) == "outcome_unknown"


@pytest.mark.settings(write_wait_seconds=0.3)
def test_the_outcome_is_unknown_if_a_call_is_deferred_after_it_was_sent(
    database, submit, proxy, other_session
):
    """The transaction of the first connection continues, and locks the trip, while the second sends again."""
    blocked = block_writer(other_session, database, submit)
    proxy.break_connections()
    assert outcome(blocked) == "outcome_unknown"
    other_session.commit()


@pytest.mark.settings(connect_seconds=0.2)
def test_the_outcome_is_unknown_if_a_batch_always_breaks_the_connection(database, submit):
    replace_batch(database, "SELECT 0, pg_terminate_backend(pg_backend_pid()), NULL::jsonb")
    assert outcome(submit(book(1))) == "outcome_unknown"
    assert outcome(submit(book(2))) == "outcome_unknown"
