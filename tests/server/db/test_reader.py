"""Reads: alone, together with others that wait, the same for many, and when they fail."""

import json
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from busware.server.db.pool import InternalError, Pool
from busware.server.db.reader import Reader
from busware.server.protocol import Answer, Refusal
from tests.support.line_client import WAIT_SECONDS, wait_until

BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"
LOSE = (
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE application_name LIKE 'busware%' AND datname = current_database()"
)


def search(destination: str = "Mandya") -> bytes:
    return b'{"origin":"Bengaluru","destination":"%s","date":"2026-12-02"}' % destination.encode()


@pytest.fixture
def pool(database, settings) -> Iterator[Pool]:
    pool = Pool(database.server, settings)
    pool.open()
    yield pool
    pool.close()


@pytest.fixture
def reader(pool, settings) -> Reader:
    return Reader(pool, settings)


def bodies(asked: list["Future[Answer]"]) -> list[bytes]:
    return [bytes(one.result(WAIT_SECONDS).body) for one in asked]


class Crowd:
    """Those who ask while the database holds up the one connection."""

    def __init__(self, reader, threads):
        self._reader, self._threads = reader, threads
        self.count = 0

    def ask(self, method="search", args=None, count=1):
        """Let so many ask; returns when they wait."""
        asked = [self._threads.submit(self._reader.read, method, args or search()) for _ in range(count)]
        self.count += count
        wait_until(lambda: self._reader.waiting == self.count)
        return asked


@contextmanager
def held_up(database, reader):
    """A question that was sent and is not answered before the end, and a crowd behind it."""
    with database.connect(autocommit=False) as held, ThreadPoolExecutor(32) as threads:
        held.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        first = threads.submit(reader.read, "search", search())
        wait_until(lambda: database.value(BLOCKED) == 1)
        yield first, Crowd(reader, threads)
        held.rollback()


@contextmanager
def gathering(reader):
    """A crowd that waits until the end, as if a question were under way for so long."""
    with ThreadPoolExecutor(32) as threads:
        reader._free -= 1
        yield Crowd(reader, threads)
        reader._pass_on()


PLACES = "CREATE OR REPLACE FUNCTION api.places(kind text DEFAULT NULL) RETURNS jsonb"


def tell_statement(database):
    """Have places tell which statement asked it: by whom, and when (two may go in the same microsecond)."""
    statement = "jsonb_build_array(pg_backend_pid(), statement_timestamp())"
    database.query(f"{PLACES} LANGUAGE sql STABLE RETURN {statement}")


def slow_places(database):
    """Have places take as many seconds as its kind says, and count how often it was asked."""
    database.query("CREATE SEQUENCE slept")
    database.query(
        f"{PLACES} LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM nextval('slept');"
        " PERFORM pg_sleep(kind::float); RETURN jsonb_build_object('slept', kind); END $$"
    )


# Alone -----------------------------------------------------------------------------------------


def test_an_answer_is_what_the_database_wrote(reader, database):
    answer = reader.read("search", search())
    assert not answer.refused
    written = database.value("SELECT answer::text FROM api.read('search', %s)", search().decode())
    assert bytes(answer.body).decode() == written


def test_a_refusal_is_told_from_an_answer(reader):
    answer = reader.read("search", b'{"origin":"Mandia","destination":"Mysuru","date":"2026-12-02"}')
    assert answer.refused
    assert answer.refusal().reason == "unknown_place"
    assert answer.refusal().data["nearest"][0] == "Mandya"


def test_reads_go_on_after_every_connection_was_lost(reader, database):
    for _ in range(3):
        assert database.value(LOSE) >= 1
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: reader.read("search", search()), range(16)))
        assert {answer.refused for answer in answers} == {False}


@pytest.mark.settings(statement_seconds=0.1)
def test_a_read_that_takes_too_long_is_busy(reader, database):
    with database.connect(autocommit=False) as held:
        held.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Refusal) as refused:
            reader.read("search", search())
        assert refused.value.reason == "busy"


def test_a_read_that_fails_is_a_fault(reader):
    with pytest.raises(InternalError, match=r"^22P02: invalid input syntax for type bigint"):
        reader.read("seat_map", b'{"bus_id":"one"}')


def test_reads_after_the_end_are_refused(reader, pool):
    pool.close()
    with pytest.raises(Refusal) as refused:
        reader.read("search", search())
    assert refused.value.reason == "draining"


# Together --------------------------------------------------------------------------------------


@pytest.mark.settings(read_connections=1)
def test_those_who_wait_each_get_their_own_answer(reader, database):
    places = ["Mandya", "Mysuru", "Nowhere", "Mandya"]
    with held_up(database, reader) as (first, crowd):
        asked = [crowd.ask("places", b'{"kind":"bus"}')[0]]
        asked += [crowd.ask(args=search(place))[0] for place in places]
    alone = [reader.read("places", b'{"kind":"bus"}'), *(reader.read("search", search(p)) for p in places)]
    assert bodies(asked) == [bytes(answer.body) for answer in alone]
    assert [one.result().refused for one in asked] == [False, False, False, True, False]
    assert bodies([first]) == bodies(asked[1:2])


@pytest.mark.settings(read_connections=1, read_batch=3)
def test_no_more_than_read_batch_go_together(reader, database):
    tell_statement(database)
    with held_up(database, reader) as (_, crowd):
        asked = [crowd.ask("places", b'{"kind":"%d"}' % n)[0] for n in range(8)]
    assert list(Counter(bodies(asked)).values()) == [3, 3, 2]


@pytest.mark.settings(read_connections=1)
def test_who_asks_what_another_waits_to_ask_gets_the_same_answer(reader, database):
    with held_up(database, reader) as (first, crowd):  # which is sent, and nobody joins it
        others = crowd.ask(count=4)
        different = crowd.ask(args=search("Mysuru"))
    answers = [first, *others, *different]
    assert len({id(one.result(WAIT_SECONDS).body) for one in answers}) == 3
    assert len(set(bodies(answers))) == 2


@pytest.mark.settings(read_connections=1)
def test_one_that_fails_harms_no_other(reader, database):
    with held_up(database, reader) as (_, crowd):
        good = crowd.ask(args=search("Mysuru"))
        bad = crowd.ask("seat_map", b'{"bus_id":"one"}', count=2)
        good += crowd.ask("places", b"{}")
    assert [one.result(WAIT_SECONDS).refused for one in good] == [False, False]
    for one in bad:
        with pytest.raises(InternalError, match=r"^22P02: invalid input syntax for type bigint"):
            one.result(WAIT_SECONDS)


@pytest.mark.settings(read_connections=1, statement_seconds=1)
def test_one_that_takes_too_long_harms_no_other(reader, database):
    slow_places(database)
    with gathering(reader) as crowd:
        good = crowd.ask(args=search("Mysuru"))
        (slow,) = crowd.ask("places", b'{"kind":"2"}')
        good += crowd.ask("places", b'{"kind":"0"}')
    with pytest.raises(Refusal, match="overloaded"):
        slow.result(WAIT_SECONDS)
    assert [one.result(WAIT_SECONDS).refused for one in good] == [False, False]


@pytest.mark.settings(read_connections=1, statement_seconds=1)
def test_those_who_are_in_time_alone_are_in_time_together(reader, database):
    slow_places(database)
    with gathering(reader) as crowd:
        asked = [crowd.ask("places", b'{"kind":"0.2","n":%d}' % n)[0] for n in range(8)]
    assert [one.result(WAIT_SECONDS).refused for one in asked] == [False] * 8


@pytest.mark.settings(read_connections=1, statement_seconds=0.5, read_wait_seconds=2)
def test_those_who_run_alone_have_no_more_than_their_time(reader, database):
    slow_places(database)
    with gathering(reader) as crowd:
        asked = [crowd.ask("places", b'{"kind":"10","n":%d}' % n)[0] for n in range(7)]
    for one in asked:
        with pytest.raises(Refusal, match="overloaded"):
            one.result(WAIT_SECONDS)
    assert database.value("SELECT last_value FROM slept") < 1 + 7  # alone, only those who had the time


@pytest.mark.settings(read_connections=1)
def test_each_who_asks_is_told_of_a_fault_on_their_own(reader, database):
    with held_up(database, reader) as (_, crowd):
        bad = crowd.ask("seat_map", b'{"bus_id":"one"}', count=20)
    faults = [one.exception(WAIT_SECONDS) for one in bad]
    assert len({id(fault) for fault in faults}) == 20
    assert max(len(traceback.extract_tb(fault.__traceback__)) for fault in faults) < 10


@pytest.mark.settings(read_connections=2)
def test_those_who_wait_are_shared_out_among_the_connections(reader, database):
    tell_statement(database)
    with ThreadPoolExecutor(1) as threads, held_up(database, reader) as (_, crowd):
        second = threads.submit(reader.read, "search", search("Mysuru"))
        wait_until(lambda: database.value(BLOCKED) == 2)
        asked = [crowd.ask("places", b'{"kind":"%d"}' % n)[0] for n in range(8)]
    assert len(bodies([second])) == 1
    assert max(Counter(bodies(asked)).values()) <= 5


@pytest.mark.settings(read_connections=1)
def test_those_who_wait_are_answered_after_the_connection_was_lost(reader, database):
    with held_up(database, reader) as (first, crowd):
        asked = [crowd.ask(args=search(place))[0] for place in ("Mandya", "Mysuru")]
        assert database.value(LOSE) >= 1
    assert [one.result(WAIT_SECONDS).refused for one in [first, *asked]] == [False, False, False]


# Too many --------------------------------------------------------------------------------------


@pytest.mark.settings(read_connections=1, read_wait_seconds=0.1)
def test_who_waits_too_long_is_told_so_and_nothing_is_left_of_it(reader, database):
    with held_up(database, reader) as (first, _), ThreadPoolExecutor(6) as threads:
        for read in [threads.submit(reader.read, "search", search(p)) for p in ("Mandya", "Mysuru") * 3]:
            with pytest.raises(Refusal, match="Too many are asking") as refused:
                read.result(WAIT_SECONDS)
            assert refused.value.reason == "busy"
        assert reader.waiting == 0
    assert not first.result(WAIT_SECONDS).refused
    assert not reader.read("search", search()).refused


@pytest.mark.settings(read_connections=3, read_batch=4)
def test_a_crowd_of_all_kinds_gets_answers_of_its_own(reader, database):
    """No question is lost, and no connection: 24 threads, half of whom ask the same."""
    asked = [search("Mandya"), search("Mysuru"), search("Nowhere"), b'{"origin":1}']
    alone = {args: read(reader, args) for args in asked}
    start = threading.Barrier(24)

    def ask(n):
        start.wait(WAIT_SECONDS)
        for k in range(40):
            args = asked[0] if n % 2 else asked[(n + k) % len(asked)]
            assert read(reader, args) == alone[args]

    with ThreadPoolExecutor(24) as threads:
        list(threads.map(ask, range(24)))
    assert reader.waiting == 0
    with ThreadPoolExecutor(2) as threads, held_up(database, reader):  # all connections are there still
        others = [threads.submit(reader.read, "search", search(place)) for place in ("Mandya", "Mysuru")]
        wait_until(lambda: database.value(BLOCKED) == 3)
    assert len(bodies(others)) == 2


def read(reader, args):
    answer = reader.read("search", args)
    return json.loads(bytes(answer.body))
