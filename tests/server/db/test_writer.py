"""The writer: many calls in one commit, each with its own answer, whatever somebody else holds."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from busware.server.db.writer import Call, Writer
from busware.server.protocol import Refusal
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.writing import DATE, book, hold_trip, hold_writer, outcome, seats_of, writer_is_stuck

pytestmark = pytest.mark.settings(lock_wait_ms=20_000)  # the tests hold rows for as long as they like


# Batches ---------------------------------------------------------------------------------------


def test_each_call_gets_its_own_answer_and_all_share_a_commit(database, writer, submit, held):
    writer.on_commit = lambda done: (
        1 / 0
    )  # what becomes of telling others comes between nobody and their answer
    stuck = hold_writer(held, database, submit)
    futures = {seat: submit(book(seat)) for seat in (*range(1, 9), 9)}
    wait_until(lambda: writer.waiting == 9)
    held.commit()
    assert seats_of(outcome(stuck)) == [1]
    assert {seat: seats_of(outcome(futures[seat])) for seat in range(1, 9)} == {n: [n] for n in range(1, 9)}
    assert outcome(futures[9]) == "unknown_seat"
    commits = database.query("SELECT DISTINCT xmin::text FROM passengers WHERE travel_date = %s", DATE)
    assert len(commits) == 1


@pytest.mark.settings(write_batch=3)
def test_a_batch_has_its_limit(database, writer, submit, held):
    stuck = hold_writer(held, database, submit)
    futures = [submit(book(seat)) for seat in range(1, 9)]
    wait_until(lambda: writer.waiting == 8)
    held.commit()
    assert sorted(seats_of(outcome(future))[0] for future in futures) == [*range(1, 9)]
    assert seats_of(outcome(stuck)) == [1]
    commits = database.query(
        "SELECT count(*) FROM passengers WHERE travel_date = %s GROUP BY xmin::text", DATE
    )
    assert sorted(commits) == [2, 3, 3]


@pytest.mark.settings(write_queue=2)
def test_a_full_queue_is_busy_at_once(database, writer, submit, held):
    futures = [hold_writer(held, database, submit)]
    futures += [submit(book(seat)) for seat in (1, 2)]
    wait_until(lambda: writer.waiting == 2)
    with pytest.raises(Refusal, match="Too many writes are waiting") as refused:
        writer.submit(book(3))
    assert refused.value.reason == "busy"
    held.commit()
    assert [seats_of(outcome(future)) for future in futures] == [[1], [1], [2]]


def test_the_same_key_at_once_is_one_booking(database, writer, submit, held):
    stuck = hold_writer(held, database, submit)
    futures = [submit(book(key="k", seats=None, count=2)) for _ in range(8)]
    wait_until(lambda: writer.waiting == 8)
    held.commit()
    outcomes = [outcome(future) for future in futures]
    assert len({one["reference"] for one in outcomes}) == 1
    assert outcome(submit(book(2, key="k"))) == "key_reused"
    assert outcome(stuck)["status"] == "booked"
    assert database.value("SELECT count(*) FROM passengers WHERE travel_date = %s", DATE) == 2


def test_a_lone_caller_writes_and_whoever_comes_meanwhile_is_written_for(database, writer, submit, held):
    wrote = []
    writer.on_commit = lambda done: wrote.append((threading.current_thread(), len(done)))
    writer.submit(book(1))
    stuck = hold_writer(held, database, submit)
    others = [submit(book(seat)) for seat in (2, 3)]
    wait_until(lambda: writer.waiting == 2)
    held.commit()
    assert [seats_of(outcome(future)) for future in (stuck, *others)] == [[1], [2], [3]]
    with writer._write_lock:  # which its thread puts down a little after the answers
        pass
    writer.submit(book(4))
    me = threading.current_thread()
    assert [n for _, n in wrote] == [1, 1, 2, 1]
    assert [thread for thread, _ in wrote] == [me, wrote[1][0], writer._thread, me]
    assert wrote[1][0] not in (me, writer._thread)


# A trip that somebody holds --------------------------------------------------------------------


def test_the_same_key_for_two_trips_at_once_is_reused(database, submit, held):
    other = book(1, date="2026-12-03", key="mine")
    held.execute("SELECT api.call('book', %s::jsonb, 'phone:1', 'mine')", [bytes(other.args).decode()])
    second = submit(book(1, key="mine"))
    wait_until(
        lambda: writer_is_stuck(database)
    )  # it has decided, and cannot record what the other has not yet
    held.commit()
    assert outcome(second) == "key_reused"


def test_a_held_trip_holds_up_nobody_else(database, submit, held):
    hold_trip(held)
    waiting = [submit(book(seat)) for seat in (1, 2)]
    for seat in range(1, 5):
        assert seats_of(outcome(submit(book(seat, bus=2)))) == [seat]
    assert not any(future.done() for future in waiting)
    held.commit()
    assert [seats_of(outcome(future)) for future in waiting] == [[1], [2]]


@pytest.mark.settings(write_wait_seconds=0.5)
def test_a_trip_held_for_too_long_is_busy(database, submit, held):
    hold_trip(held)
    assert outcome(submit(book())) == "busy"
    held.commit()
    assert database.value("SELECT count(*) FROM passengers") == 0
    assert seats_of(outcome(submit(book()))) == [1]


@pytest.mark.settings(statement_seconds=1)
def test_a_statement_that_takes_too_long_is_busy(database, submit, held):
    held.execute("SELECT FROM seats WHERE (bus_id, travel_date, seat_no) = (1, %s, 1) FOR UPDATE", [DATE])
    assert outcome(submit(book(1))) == "busy"
    held.commit()
    assert database.value("SELECT count(*) FROM passengers") == 0
    assert seats_of(outcome(submit(book()))) == [1]


@pytest.mark.settings(lock_wait_ms=500, write_wait_seconds=5)
def test_a_ticket_that_somebody_holds_harms_no_other(database, settings, held):
    """Those who want it wait no longer together than one would, for an open transaction of psql's."""
    writer = Writer(database.server, settings)
    database.query("SELECT api.call('book', %s::jsonb, 'phone:1', 'k')", bytes(book(8).args).decode())
    reference = database.value("SELECT reference FROM passengers")
    held.execute("UPDATE passengers SET name = 'Asha' WHERE reference = %s", [reference])
    args = msgspec.Raw(msgspec.json.encode({"reference": reference, "phone": "+919845012345"}))
    calls = [Call("cancel", args)] * 20 + [book(seat) for seat in range(1, 5)]
    with ThreadPoolExecutor(len(calls)) as threads:
        futures = [threads.submit(writer.submit, call) for call in calls]
        wait_until(lambda: writer.waiting == len(calls))
        writer.start()  # only now, so that they are one batch
        outcomes = [outcome(future) for future in futures]
        assert outcomes[:20] == ["busy"] * 20
        assert [seats_of(one) for one in outcomes[20:]] == [[1], [2], [3], [4]]
        held.commit()
        assert outcome(threads.submit(writer.submit, calls[0]))["status"] == "cancelled"
        writer.stop()


# The end ---------------------------------------------------------------------------------------


def test_stopping_answers_what_waits_and_refuses_the_rest(database, writer, submit, held):
    futures = [hold_writer(held, database, submit), submit(book(1)), submit(book(2))]
    wait_until(lambda: writer.waiting == 2)
    stop = threading.Thread(target=writer.stop)
    stop.start()
    wait_until(lambda: writer.stopping.is_set())
    with pytest.raises(Refusal) as refused:
        writer.submit(book(3))
    assert refused.value.reason == "draining"
    held.commit()
    stop.join(WAIT_SECONDS)
    assert [seats_of(outcome(future)) for future in futures] == [[1], [1], [2]]


@pytest.mark.parametrize("deferred", [False, True])
def test_stopping_waits_for_a_lone_caller(database, writer, submit, held, deferred):
    if deferred:
        hold_trip(held)
        alone = submit(book(1))
        wait_until(lambda: writer.waiting == 1)
    else:
        alone = hold_writer(held, database, submit)
    stop = threading.Thread(target=writer.stop)
    stop.start()
    wait_until(lambda: writer.stopping.is_set())
    held.commit()
    stop.join(WAIT_SECONDS)
    assert not stop.is_alive()
    assert seats_of(outcome(alone)) == [1]
