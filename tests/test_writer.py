"""The writer: many calls in one commit, each with its own answer, whatever happens to the others, to
the trip, or to the road to PostgreSQL."""

import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import pytest

from server.calls import Call
from server.storage import Fault
from server.wire import Refusal
from server.writer import Writer
from tests.line import WAIT_SECONDS, until
from tests.road import Road

pytestmark = pytest.mark.settings(lock_wait_ms=20_000)  # the tests hold rows for as long as they like

DATE = "2026-12-02"


@pytest.fixture
def road(database):
    road = Road(database.server)
    yield road
    road.close()


@pytest.fixture
def writer(database, settings, road):
    writer = Writer(road.url, settings)
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture
def submit(writer):
    """Submit a call from a thread of its own: its future."""
    with ThreadPoolExecutor(64) as threads:

        def submit(call) -> Future:
            return threads.submit(writer.submit, call)

        yield submit


@pytest.fixture
def held(database):
    """Somebody's transaction, for whatever the test wants to be in the writer's way."""
    with database.connect(autocommit=False) as conn:
        yield conn


def book(seat=1, *, date=DATE, bus=1, key="", **fields):
    args = {"bus_id": bus, "travel_date": date, "from_stop": 1, "to_stop": 2, "seats": [seat], **fields}
    return Call("book", msgspec.Raw(msgspec.json.encode(args | {"phone": "+919845012345"})), "phone:1", key)


def outcome(future):
    """The reply, or the reason of the refusal, or the exception, that a submitted call came to."""
    try:
        answer = future.result(WAIT_SECONDS)
    except Refusal as refusal:
        return refusal.reason
    except Fault as fault:
        return fault
    told = json.loads(bytes(answer.body))
    return told["reason"] if answer.refused else told


def seats_of(booking):
    return [ticket["seat_no"] for ticket in booking["tickets"]]


def writer_is_stuck(database):
    return database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'busware writer' AND wait_event_type = 'Lock'"
    )


def hold_trip(held, date=DATE):
    held.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", [date])


def hold_writer(held, database, submit, **fields):
    """Have the writer stuck in the middle of a batch of one, which holds its trip by then."""
    call = book(1, **{"date": "2026-12-03", **fields})
    args = json.loads(bytes(call.args))
    held.execute("SELECT FROM seats WHERE (bus_id, travel_date, seat_no) = (%s, %s, 1) FOR UPDATE",
                 [args["bus_id"], args["travel_date"]])  # fmt: skip
    stuck = submit(call)
    until(lambda: writer_is_stuck(database))
    return stuck


# Batches ---------------------------------------------------------------------------------------


def test_each_call_gets_its_own_answer_and_all_share_a_commit(database, writer, submit, held):
    writer.on_commit = lambda done: (
        1 / 0
    )  # what becomes of telling others comes between nobody and their answer
    stuck = hold_writer(held, database, submit)
    futures = {seat: submit(book(seat)) for seat in (*range(1, 9), 9)}
    until(lambda: writer.waiting == 9)
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
    until(lambda: writer.waiting == 8)
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
    until(lambda: writer.waiting == 2)
    with pytest.raises(Refusal, match="Too many writes are waiting") as refused:
        writer.submit(book(3))
    assert refused.value.reason == "busy"
    held.commit()
    assert [seats_of(outcome(future)) for future in futures] == [[1], [1], [2]]


def test_the_same_key_at_once_is_one_booking(database, writer, submit, held):
    stuck = hold_writer(held, database, submit)
    futures = [submit(book(key="k", seats=None, count=2)) for _ in range(8)]
    until(lambda: writer.waiting == 8)
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
    until(lambda: writer.waiting == 2)
    held.commit()
    assert [seats_of(outcome(future)) for future in (stuck, *others)] == [[1], [2], [3]]
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
    until(lambda: writer_is_stuck(database))  # it has decided, and cannot record what the other has not yet
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


@pytest.mark.settings(write_wait_seconds=0.1)
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
        until(lambda: writer.waiting == len(calls))
        writer.start()  # only now, so that they are one batch
        outcomes = [outcome(future) for future in futures]
        assert outcomes[:20] == ["busy"] * 20
        assert [seats_of(one) for one in outcomes[20:]] == [[1], [2], [3], [4]]
        held.commit()
        assert outcome(threads.submit(writer.submit, calls[0]))["status"] == "cancelled"
        writer.stop()


# Faults ----------------------------------------------------------------------------------------


def test_a_fault_harms_no_other(database, writer, submit, held, caplog):
    stuck = hold_writer(held, database, submit)
    bad = submit(Call("book", msgspec.Raw(b'{"bus_id": "one"}')))
    good = [submit(book(seat)) for seat in range(1, 4)]
    until(lambda: writer.waiting == 4)
    held.commit()
    assert seats_of(outcome(stuck)) == [1]
    assert [seats_of(outcome(future)) for future in good] == [[1], [2], [3]]
    assert str(outcome(bad)).startswith("22P02: ")
    assert "a batch of 4 failed, its members run alone" in caplog.text


def test_a_trip_that_was_written_to_by_hand_is_mended(database, submit, caplog):
    database.query(
        "INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, seat_no, segment, fare, status,"
        " refund_percent, created_at) VALUES (1, 'BAAAAA', 1, %s, 1, '[1,3)', 1, 'booked', 50, now())",
        DATE,
    )
    assert outcome(submit(book(1))) == "seat_taken"
    assert f"tickets of 1 of {DATE} were changed by hand: 1 seats corrected" in caplog.text
    (taken,) = database.query(
        "SELECT taken::text FROM seats WHERE (bus_id, travel_date, seat_no) = (1, %s, 1)", DATE
    )
    assert taken == "{[1,3)}"


# The road to PostgreSQL ------------------------------------------------------------------------


def test_a_connection_that_broke_while_nothing_was_said_is_replaced(database, submit, road):
    database.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                   " WHERE application_name = 'busware writer' AND datname = current_database()")  # fmt: skip
    assert seats_of(outcome(submit(book(1)))) == [1]
    road.break_connections()
    assert seats_of(outcome(submit(book(2)))) == [2]


@pytest.mark.settings(connect_seconds=0.1)
def test_a_database_that_is_away_is_busy_and_found_again(database, submit, road):
    road.cut()
    assert outcome(submit(book(1))) == "busy"  # nothing was sent
    assert outcome(submit(book(1))) == "busy"
    road.mend()
    assert seats_of(outcome(submit(book(1)))) == [1]


def test_a_batch_whose_backend_is_killed_is_sent_again(database, submit, held):
    stuck = hold_writer(held, database, submit)
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE application_name = 'busware writer' AND datname = current_database()")  # fmt: skip
    held.commit()
    assert seats_of(outcome(stuck)) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_an_answer_that_is_lost_after_the_commit_is_asked_for_again(database, submit, road):
    outcome(submit(book(1, bus=2)))  # the statement is prepared: from now on one answer is one commit
    road.loses_answers = True
    assert seats_of(outcome(submit(book(1)))) == [1]
    assert not road.loses_answers
    assert database.value("SELECT count(*) FROM passengers WHERE bus_id = 1") == 1


@pytest.mark.settings(connect_seconds=0.3)
def test_an_outcome_that_cannot_be_learnt_is_unknown(database, submit, road, held):
    stuck = hold_writer(held, database, submit, key="k")
    road.cut()
    assert outcome(stuck) == "outcome_unknown"
    held.commit()
    assert outcome(submit(book(2))) == "busy"  # nothing was sent
    road.mend()
    until(lambda: database.value("SELECT count(*) FROM passengers"))  # it was done after all
    assert seats_of(outcome(submit(book(1, date="2026-12-03", key="k")))) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


@pytest.mark.settings(write_wait_seconds=0.3)
def test_what_was_sent_and_then_deferred_is_unknown_and_not_busy(database, submit, road, held):
    """The first connection's backend goes on, and holds the trip, while the second asks again."""
    stuck = hold_writer(held, database, submit)
    road.break_connections()
    assert outcome(stuck) == "outcome_unknown"
    held.commit()


@pytest.mark.settings(connect_seconds=0.2)
def test_a_database_that_breaks_every_statement_is_given_up(database, submit):
    batch = "api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)"
    end = "SELECT 0, pg_terminate_backend(pg_backend_pid()), NULL::jsonb"
    database.query(f"CREATE OR REPLACE FUNCTION {batch} LANGUAGE sql SECURITY DEFINER AS $$ {end} $$")
    assert outcome(submit(book(1))) == "outcome_unknown"
    assert outcome(submit(book(2))) == "outcome_unknown"


# The end ---------------------------------------------------------------------------------------


def test_stopping_answers_what_waits_and_refuses_the_rest(database, writer, submit, held):
    futures = [hold_writer(held, database, submit), submit(book(1)), submit(book(2))]
    until(lambda: writer.waiting == 2)
    stop = threading.Thread(target=writer.stop)
    stop.start()
    until(lambda: writer._stopping.is_set())
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
        until(lambda: writer.waiting == 1)
    else:
        alone = hold_writer(held, database, submit)
    stop = threading.Thread(target=writer.stop)
    stop.start()
    until(lambda: writer._stopping.is_set())
    held.commit()
    stop.join(WAIT_SECONDS)
    assert not stop.is_alive()
    assert seats_of(outcome(alone)) == [1]
