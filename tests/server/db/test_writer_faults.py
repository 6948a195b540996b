"""The writer in trouble: calls that fail, and a road to PostgreSQL that breaks, harm nobody else."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from busware.server.db.writer import Call, Writer
from tests.support.line_client import wait_until
from tests.support.writing import DATE, book, hold_writer, outcome, seats_of

pytestmark = pytest.mark.settings(lock_wait_ms=20_000)  # the tests hold rows for as long as they like


# Faults ----------------------------------------------------------------------------------------


def test_a_fault_harms_no_other(database, writer, submit, held, caplog):
    stuck = hold_writer(held, database, submit)
    bad = submit(Call("book", msgspec.Raw(b'{"bus_id": "one"}')))
    good = [submit(book(seat)) for seat in range(1, 4)]
    wait_until(lambda: writer.waiting == 4)
    held.commit()
    assert seats_of(outcome(stuck)) == [1]
    assert [seats_of(outcome(future)) for future in good] == [[1], [2], [3]]
    assert str(outcome(bad)).startswith("22P02: ")
    assert "a batch of 4 failed, its calls run alone" in caplog.text


def test_telling_others_comes_between_nobody_and_their_answer_when_they_run_alone(
    database, writer, submit, held
):
    stuck = hold_writer(held, database, submit)
    writer.on_commit = lambda done: 1 / 0
    bad = submit(Call("book", msgspec.Raw(b'{"bus_id": "one"}')))
    good = [submit(book(seat)) for seat in range(1, 4)]
    wait_until(lambda: writer.waiting == 4)
    held.commit()
    assert seats_of(outcome(stuck)) == [1]
    assert str(outcome(bad)).startswith("22P02: ")
    assert [seats_of(outcome(future)) for future in good] == [[1], [2], [3]]


@pytest.mark.settings(lock_wait_ms=600, write_wait_seconds=5)
def test_the_patience_for_rows_comes_back(database, settings, held):
    writer = Writer(database.server, settings)
    writer.on_commit = lambda done: 1 / 0
    database.query("SELECT api.call('book', %s::jsonb, 'phone:1', 'k')", bytes(book(8).args).decode())
    held.execute("UPDATE passengers SET name = 'Asha'")
    reference = database.value("SELECT reference FROM passengers")
    args = msgspec.Raw(msgspec.json.encode({"reference": reference, "phone": "+919845012345"}))
    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(writer.submit, call) for call in (book(1), Call("cancel", args), book(2))]
        wait_until(lambda: writer.waiting == 3)
        writer.start()
        assert outcome(futures[1]) == "busy"
        assert [seats_of(outcome(future)) for future in (futures[0], futures[2])] == [[1], [2]]
        with writer._write_lock:
            assert writer._connection.get().execute("SHOW lock_timeout").fetchone() == ("600ms",)
        writer.stop()


@pytest.mark.parametrize(
    "rows", ["VALUES (0, false, '{}'::jsonb), (7, false, '{}')", "SELECT 0, false, '{}'::jsonb LIMIT 0"]
)
def test_nobody_waits_for_ever_whatever_the_database_says(database, submit, rows):
    batch = "api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)"
    database.query(f"CREATE OR REPLACE FUNCTION {batch} LANGUAGE sql SECURITY DEFINER AS $$ {rows} $$")
    outcome(submit(book(1)))


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


def test_a_connection_that_broke_while_nothing_was_said_is_replaced(database, submit, proxy):
    database.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                   " WHERE application_name = 'busware writer' AND datname = current_database()")  # fmt: skip
    assert seats_of(outcome(submit(book(1)))) == [1]
    proxy.break_connections()
    assert seats_of(outcome(submit(book(2)))) == [2]


@pytest.mark.settings(connect_seconds=0.1)
def test_a_database_that_is_away_is_busy_and_found_again(database, submit, proxy):
    proxy.stop()
    assert outcome(submit(book(1))) == "busy"  # nothing was sent
    assert outcome(submit(book(1))) == "busy"
    proxy.restart()
    assert seats_of(outcome(submit(book(1)))) == [1]


def test_a_batch_whose_backend_is_killed_is_sent_again(database, submit, held):
    stuck = hold_writer(held, database, submit)
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE application_name = 'busware writer' AND datname = current_database()")  # fmt: skip
    held.commit()
    assert seats_of(outcome(stuck)) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_an_answer_that_is_lost_after_the_commit_is_asked_for_again(database, submit, proxy):
    outcome(submit(book(1, bus=2)))  # the statement is prepared: from now on one answer is one commit
    proxy.drops_replies = True
    assert seats_of(outcome(submit(book(1)))) == [1]
    assert not proxy.drops_replies
    assert database.value("SELECT count(*) FROM passengers WHERE bus_id = 1") == 1


@pytest.mark.settings(connect_seconds=0.3)
def test_an_outcome_that_cannot_be_learnt_is_unknown(database, submit, proxy, held):
    stuck = hold_writer(held, database, submit, key="k")
    proxy.stop()
    assert outcome(stuck) == "outcome_unknown"
    held.commit()
    assert outcome(submit(book(2))) == "busy"  # nothing was sent
    proxy.restart()
    wait_until(lambda: database.value("SELECT count(*) FROM passengers"))  # it was done after all
    assert seats_of(outcome(submit(book(1, date="2026-12-03", key="k")))) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_what_was_sent_before_the_writer_failed_is_unknown(database, writer, submit, held):
    stuck = hold_writer(held, database, submit)

    def fail(size):
        raise MemoryError

    writer.on_batch = fail
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE application_name = 'busware writer' AND datname = current_database()")  # fmt: skip
    held.commit()
    assert outcome(stuck) == "outcome_unknown"


@pytest.mark.settings(write_wait_seconds=0.3)
def test_what_was_sent_and_then_deferred_is_unknown_and_not_busy(database, submit, proxy, held):
    """The first connection's backend goes on, and holds the trip, while the second asks again."""
    stuck = hold_writer(held, database, submit)
    proxy.break_connections()
    assert outcome(stuck) == "outcome_unknown"
    held.commit()


@pytest.mark.settings(connect_seconds=0.2)
def test_a_database_that_breaks_every_statement_is_given_up(database, submit):
    batch = "api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)"
    end = "SELECT 0, pg_terminate_backend(pg_backend_pid()), NULL::jsonb"
    database.query(f"CREATE OR REPLACE FUNCTION {batch} LANGUAGE sql SECURITY DEFINER AS $$ {end} $$")
    assert outcome(submit(book(1))) == "outcome_unknown"
    assert outcome(submit(book(2))) == "outcome_unknown"
