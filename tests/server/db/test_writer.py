"""The writer: batches, locked trips, time limits, and stopping."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from busware.server.db.deadlines import Deadlines
from busware.server.db.writer import Call, Writer
from busware.server.protocol import Refusal
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.writing import (
    DATE,
    block_writer,
    book,
    lock_trip,
    outcome,
    seats_of,
    writer_waits_for_lock,
)

pytestmark = pytest.mark.settings(lock_wait_ms=20_000)  # the tests hold row locks for longer than the default


# Batches ---------------------------------------------------------------------------------------


def test_calls_share_a_commit_and_get_their_own_answers(database, writer, submit, other_session):
    writer.on_commit = lambda done: 1 / 0  # a failing callback must not affect the answers
    blocked = block_writer(other_session, database, submit)
    futures = {seat: submit(book(seat)) for seat in (*range(1, 9), 9)}
    wait_until(lambda: writer.waiting == 9)
    other_session.commit()
    assert seats_of(outcome(blocked)) == [1]
    assert {seat: seats_of(outcome(futures[seat])) for seat in range(1, 9)} == {n: [n] for n in range(1, 9)}
    assert outcome(futures[9]) == "unknown_seat"
    commits = database.query("SELECT DISTINCT xmin::text FROM passengers WHERE travel_date = %s", DATE)
    assert len(commits) == 1


@pytest.mark.settings(write_batch=3)
def test_at_most_write_batch_calls_share_a_commit(database, writer, submit, other_session):
    blocked = block_writer(other_session, database, submit)
    futures = [submit(book(seat)) for seat in range(1, 9)]
    wait_until(lambda: writer.waiting == 8)
    other_session.commit()
    assert sorted(seats_of(outcome(future))[0] for future in futures) == [*range(1, 9)]
    assert seats_of(outcome(blocked)) == [1]
    commits = database.query(
        "SELECT count(*) FROM passengers WHERE travel_date = %s GROUP BY xmin::text", DATE
    )
    assert sorted(commits) == [2, 3, 3]


@pytest.mark.settings(write_queue=2)
def test_a_call_is_busy_at_once_if_the_queue_is_full(database, writer, submit, other_session):
    futures = [block_writer(other_session, database, submit)]
    futures += [submit(book(seat)) for seat in (1, 2)]
    wait_until(lambda: writer.waiting == 2)
    with pytest.raises(Refusal, match="Too many writes are waiting") as refused:
        writer.submit(book(3))
    assert refused.value.reason == "busy"
    other_session.commit()
    assert [seats_of(outcome(future)) for future in futures] == [[1], [1], [2]]


def test_calls_with_one_key_in_a_batch_make_one_booking(database, writer, submit, other_session):
    blocked = block_writer(other_session, database, submit)
    futures = [submit(book(key="k", seats=None, count=2)) for _ in range(8)]
    wait_until(lambda: writer.waiting == 8)
    other_session.commit()
    outcomes = [outcome(future) for future in futures]
    assert len({booking["reference"] for booking in outcomes}) == 1
    assert outcome(submit(book(2, key="k"))) == "key_reused"
    assert outcome(blocked)["status"] == "booked"
    assert database.value("SELECT count(*) FROM passengers WHERE travel_date = %s", DATE) == 2


def test_a_lone_caller_writes_in_its_own_thread_and_queued_calls_in_the_writers(
    database, writer, submit, other_session
):
    commits = []
    writer.on_commit = lambda done: commits.append((threading.current_thread(), len(done)))
    writer.submit(book(1))
    blocked = block_writer(other_session, database, submit)
    queued = [submit(book(seat)) for seat in (2, 3)]
    wait_until(lambda: writer.waiting == 2)
    other_session.commit()
    assert [seats_of(outcome(future)) for future in (blocked, *queued)] == [[1], [2], [3]]
    (first, _), (second, _), (third, _) = commits
    assert [size for _, size in commits] == [1, 1, 2]
    assert first is threading.current_thread()
    assert third.name == "writer"
    assert second not in (first, third)
    later_seats = iter(range(4, 9))  # the writer's thread releases the lock a little after the answers

    def is_lone() -> bool:
        writer.submit(book(next(later_seats)))
        return commits[-1][0] is first

    wait_until(is_lone)


# Locked rows -----------------------------------------------------------------------------------


def test_a_key_used_concurrently_for_two_trips_is_refused_for_the_second(database, submit, other_session):
    first = book(1, date="2026-12-03", key="mine")
    other_session.execute("SELECT api.call('book', %s::jsonb, key => 'mine')", [bytes(first.args).decode()])
    second = submit(book(1, key="mine"))
    wait_until(lambda: writer_waits_for_lock(database))  # other_session has inserted the same key
    other_session.commit()
    assert outcome(second) == "key_reused"


def test_a_locked_trip_does_not_delay_other_trips(database, submit, other_session):
    lock_trip(other_session)
    deferred = [submit(book(seat)) for seat in (1, 2)]
    for seat in range(1, 5):
        assert seats_of(outcome(submit(book(seat, bus=2)))) == [seat]
    assert not any(future.done() for future in deferred)
    other_session.commit()
    assert [seats_of(outcome(future)) for future in deferred] == [[1], [2]]


@pytest.mark.settings(write_wait_seconds=0.5)
def test_a_call_for_a_locked_trip_is_busy_after_write_wait_seconds(database, submit, other_session):
    lock_trip(other_session)
    assert outcome(submit(book())) == "busy"
    other_session.commit()
    assert database.value("SELECT count(*) FROM passengers") == 0
    assert seats_of(outcome(submit(book()))) == [1]


@pytest.mark.settings(statement_seconds=1)
def test_a_statement_that_times_out_is_busy(database, submit, other_session):
    other_session.execute(
        "SELECT FROM seats WHERE (bus_id, travel_date, seat_no) = (1, %s, 1) FOR UPDATE", [DATE]
    )
    assert outcome(submit(book(1))) == "busy"
    other_session.commit()
    assert database.value("SELECT count(*) FROM passengers") == 0
    assert seats_of(outcome(submit(book()))) == [1]


@pytest.mark.settings(lock_wait_ms=500, write_wait_seconds=5)
def test_calls_for_a_locked_ticket_do_not_affect_others_in_their_batch(database, settings, other_session):
    """All calls for the ticket together wait for lock_wait_ms, so the others are in time."""
    writer = Writer(database.server, settings, Deadlines(settings))
    database.query("SELECT api.call('book', %s::jsonb, key => 'k')", bytes(book(8).args).decode())
    reference = database.value("SELECT reference FROM passengers")
    other_session.execute("UPDATE passengers SET name = 'Asha' WHERE reference = %s", [reference])
    args = msgspec.Raw(msgspec.json.encode({"reference": reference, "phone": "+919845012345"}))
    calls = [Call("cancel", args)] * 20 + [book(seat) for seat in range(1, 5)]
    with ThreadPoolExecutor(len(calls)) as threads:
        futures = [threads.submit(writer.submit, call) for call in calls]
        wait_until(lambda: writer.waiting == len(calls))
        writer.start()  # only now, so that they are one batch
        outcomes = [outcome(future) for future in futures]
        assert outcomes[:20] == ["busy"] * 20
        assert [seats_of(booking) for booking in outcomes[20:]] == [[1], [2], [3], [4]]
        other_session.commit()
        assert outcome(threads.submit(writer.submit, calls[0]))["status"] == "cancelled"
        writer.stop()


# Stopping --------------------------------------------------------------------------------------


def test_stop_completes_waiting_calls_and_refuses_new_ones(database, writer, submit, other_session):
    futures = [block_writer(other_session, database, submit), submit(book(1)), submit(book(2))]
    wait_until(lambda: writer.waiting == 2)
    stop = threading.Thread(target=writer.stop)
    stop.start()
    wait_until(writer.stopping.is_set)
    with pytest.raises(Refusal) as refused:
        writer.submit(book(3))
    assert refused.value.reason == "draining"
    other_session.commit()
    stop.join(WAIT_SECONDS)
    assert [seats_of(outcome(future)) for future in futures] == [[1], [1], [2]]


@pytest.mark.parametrize("deferred", [False, True])
def test_stop_completes_the_call_of_a_lone_caller(database, writer, submit, other_session, deferred):
    if deferred:
        lock_trip(other_session)
        lone = submit(book(1))
        wait_until(lambda: writer.waiting == 1)
    else:
        lone = block_writer(other_session, database, submit)
    stop = threading.Thread(target=writer.stop)
    stop.start()
    wait_until(writer.stopping.is_set)
    other_session.commit()
    stop.join(WAIT_SECONDS)
    assert not stop.is_alive()
    assert seats_of(outcome(lone)) == [1]
