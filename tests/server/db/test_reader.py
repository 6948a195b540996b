"""The reader: single reads, reads that wait and share a statement, failures, and time limits."""

import json
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import InternalError, Pool
from busware.server.db.reader import Reader
from busware.server.protocol import Answer, Refusal
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.tcp_proxy import TcpProxy

BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"
TERMINATE_CONNECTIONS = (
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE application_name LIKE 'busware%' AND datname = current_database()"
)
REPLACE_PLACES = (
    "CREATE OR REPLACE FUNCTION api.places(kind text DEFAULT NULL, origin text DEFAULT NULL) RETURNS jsonb"
)


def search(destination: str = "Mandya") -> bytes:
    return b'{"origin":"Bengaluru","destination":"%s","date":"2026-12-02"}' % destination.encode()


@pytest.fixture
def pool(proxy: TcpProxy, settings: Settings) -> Iterator[Pool]:
    pool = Pool(proxy.url, settings, Deadlines(settings))
    pool.open()
    yield pool
    pool.close()


@pytest.fixture
def reader(pool: Pool, settings: Settings) -> Reader:
    return Reader(pool, settings)


def bodies(reads: list["Future[Answer]"]) -> list[bytes]:
    return [bytes(read.result(WAIT_SECONDS).body) for read in reads]


class WaitingReads:
    """Reads in threads of their own, while every connection is in use."""

    def __init__(self, reader: Reader, threads: ThreadPoolExecutor) -> None:
        self._reader, self._threads = reader, threads
        self._count = 0

    def add(self, method: str = "search", args: bytes = b"", count: int = 1) -> list["Future[Answer]"]:
        """Start equal reads, and return once they wait."""
        reads = [self._threads.submit(self._reader.read, method, args or search()) for _ in range(count)]
        self._count += count
        wait_until(lambda: self._reader.waiting == self._count)
        return reads


@contextmanager
def blocked(database: Database, reader: Reader) -> Iterator[tuple["Future[Answer]", WaitingReads]]:
    """A read, blocked by a table lock until the `with` block ends, and reads that wait for its connection."""
    with database.connect(autocommit=False) as locking, ThreadPoolExecutor(32) as threads:
        locking.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        first = threads.submit(reader.read, "search", search())
        wait_until(lambda: database.value(BLOCKED) == 1)
        yield first, WaitingReads(reader, threads)
        locking.rollback()


@contextmanager
def delayed(proxy: TcpProxy, reader: Reader) -> Iterator[WaitingReads]:
    """Reads that wait for the only connection until the `with` block ends.

    The proxy holds a reply on that connection. No statement runs, so none times out.
    """
    with ThreadPoolExecutor(32) as threads:
        proxy.hold_replies()
        threads.submit(reader.read, "search", search())
        wait_until(lambda: proxy.held_replies)
        yield WaitingReads(reader, threads)
        proxy.release_replies()


def return_statement_from_places(database: Database) -> None:
    """Make api.places return what identifies the calling statement: its connection and its start time."""
    statement = "jsonb_build_array(pg_backend_pid(), statement_timestamp())"
    database.query(f"{REPLACE_PLACES} LANGUAGE sql STABLE RETURN {statement}")


def sleep_in_places(database: Database) -> None:
    """Make api.places sleep for the seconds in its argument. The sequence `slept` counts the calls."""
    database.query("CREATE SEQUENCE slept")
    database.query(
        f"{REPLACE_PLACES} LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM nextval('slept');"
        " PERFORM pg_sleep(kind::float); RETURN jsonb_build_object('slept', kind); END $$"
    )


# Single reads ----------------------------------------------------------------------------------


def test_an_answer_is_the_text_of_the_database(reader: Reader, database: Database) -> None:
    answer = reader.read("search", search())
    assert not answer.refused
    text = database.value("SELECT answer::text FROM api.read('search', %s)", search().decode())
    assert bytes(answer.body).decode() == text


def test_a_refusal_is_returned_as_refused(reader: Reader) -> None:
    answer = reader.read("search", b'{"origin":"Mandia","destination":"Mysuru","date":"2026-12-02"}')
    assert answer.refused
    assert answer.refusal().reason == "unknown_place"
    assert answer.refusal().data["nearest"][0] == "Mandya"


def test_reads_succeed_after_all_connections_were_terminated(reader: Reader, database: Database) -> None:
    for _ in range(3):
        assert database.value(TERMINATE_CONNECTIONS) >= 1
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: reader.read("search", search()), range(16)))
        assert {answer.refused for answer in answers} == {False}


@pytest.mark.settings(statement_seconds=0.1)
def test_a_read_that_times_out_is_busy(reader: Reader, database: Database) -> None:
    with database.connect(autocommit=False) as locking:
        locking.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Refusal) as refused:
            reader.read("search", search())
        assert refused.value.reason == "busy"


def test_a_read_that_fails_raises_an_internal_error(reader: Reader) -> None:
    with pytest.raises(InternalError, match=r"^22P02: invalid input syntax for type bigint"):
        reader.read("seat_map", b'{"bus_id":"one"}')


def test_reads_are_refused_after_the_pool_was_closed(reader: Reader, pool: Pool) -> None:
    pool.close()
    with pytest.raises(Refusal) as refused:
        reader.read("search", search())
    assert refused.value.reason == "draining"


# Reads that wait -------------------------------------------------------------------------------


@pytest.mark.settings(read_connections=1)
def test_each_waiting_read_gets_its_own_answer(reader: Reader, database: Database) -> None:
    places = ["Mandya", "Mysuru", "Nowhere", "Mandya"]
    with blocked(database, reader) as (first, waiting):
        reads = [waiting.add("places", b'{"kind":"bus"}')[0]]
        reads += [waiting.add(args=search(place))[0] for place in places]
    single = [reader.read("places", b'{"kind":"bus"}'), *(reader.read("search", search(p)) for p in places)]
    assert bodies(reads) == [bytes(answer.body) for answer in single]
    assert [read.result().refused for read in reads] == [False, False, False, True, False]
    assert bodies([first]) == bodies(reads[1:2])


@pytest.mark.settings(read_connections=1, read_batch=3)
def test_at_most_read_batch_reads_share_a_statement(reader: Reader, database: Database) -> None:
    return_statement_from_places(database)
    with blocked(database, reader) as (_, waiting):
        reads = [waiting.add("places", b'{"kind":"%d"}' % n)[0] for n in range(8)]
    assert list(Counter(bodies(reads)).values()) == [3, 3, 2]


@pytest.mark.settings(read_connections=1)
def test_equal_waiting_reads_become_one(reader: Reader, database: Database) -> None:
    with blocked(database, reader) as (first, waiting):  # the first is sent already, and is not joined
        equal = waiting.add(count=4)
        different = waiting.add(args=search("Mysuru"))
    answers = [first, *equal, *different]
    assert len({id(read.result(WAIT_SECONDS).body) for read in answers}) == 3
    assert len(set(bodies(answers))) == 2


@pytest.mark.settings(read_connections=1)
def test_a_failing_read_does_not_affect_others_in_its_statement(reader: Reader, database: Database) -> None:
    with blocked(database, reader) as (_, waiting):
        good = waiting.add(args=search("Mysuru"))
        bad = waiting.add("seat_map", b'{"bus_id":"one"}', count=2)
        good += waiting.add("places", b"{}")
    assert [read.result(WAIT_SECONDS).refused for read in good] == [False, False]
    for read in bad:
        with pytest.raises(InternalError, match=r"^22P02: invalid input syntax for type bigint"):
            read.result(WAIT_SECONDS)


@pytest.mark.settings(read_connections=1, statement_seconds=1)
def test_a_slow_read_does_not_affect_others_in_its_statement(
    proxy: TcpProxy, reader: Reader, database: Database
) -> None:
    sleep_in_places(database)
    with delayed(proxy, reader) as waiting:
        good = waiting.add(args=search("Mysuru"))
        (slow,) = waiting.add("places", b'{"kind":"2"}')
        good += waiting.add("places", b'{"kind":"0"}')
    with pytest.raises(Refusal, match="overloaded"):
        slow.result(WAIT_SECONDS)
    assert [read.result(WAIT_SECONDS).refused for read in good] == [False, False]


@pytest.mark.settings(read_connections=1, statement_seconds=1)
def test_reads_that_time_out_together_succeed_alone(
    proxy: TcpProxy, reader: Reader, database: Database
) -> None:
    sleep_in_places(database)
    with delayed(proxy, reader) as waiting:
        reads = [waiting.add("places", b'{"kind":"0.2","n":%d}' % n)[0] for n in range(8)]
    assert [read.result(WAIT_SECONDS).refused for read in reads] == [False] * 8


@pytest.mark.settings(read_connections=1, statement_seconds=0.5, read_wait_seconds=2)
def test_reads_run_alone_for_read_wait_seconds_only(
    proxy: TcpProxy, reader: Reader, database: Database
) -> None:
    sleep_in_places(database)
    with delayed(proxy, reader) as waiting:
        reads = [waiting.add("places", b'{"kind":"10","n":%d}' % n)[0] for n in range(7)]
    for read in reads:
        with pytest.raises(Refusal, match="overloaded"):
            read.result(WAIT_SECONDS)
    calls_if_all_ran_alone = 1 + 7
    assert database.value("SELECT last_value FROM slept") < calls_if_all_ran_alone


@pytest.mark.settings(read_connections=1)
def test_each_caller_gets_an_exception_of_its_own(reader: Reader, database: Database) -> None:
    with blocked(database, reader) as (_, waiting):
        bad = waiting.add("seat_map", b'{"bus_id":"one"}', count=20)
    errors = [read.exception(WAIT_SECONDS) for read in bad]
    assert len({id(error) for error in errors}) == 20
    # If several threads raised one exception, its traceback would collect the frames of all of them.
    assert max(len(traceback.extract_tb(error.__traceback__)) for error in errors if error) < 10


@pytest.mark.settings(read_connections=2)
def test_waiting_reads_are_shared_among_the_connections(reader: Reader, database: Database) -> None:
    return_statement_from_places(database)
    with ThreadPoolExecutor(1) as threads, blocked(database, reader) as (_, waiting):
        second = threads.submit(reader.read, "search", search("Mysuru"))
        wait_until(lambda: database.value(BLOCKED) == 2)
        reads = [waiting.add("places", b'{"kind":"%d"}' % n)[0] for n in range(8)]
    assert len(bodies([second])) == 1
    # A statement has one read and, of the at most 8 that still wait, the share of one of the two connections.
    assert max(Counter(bodies(reads)).values()) <= 1 + 8 // 2


@pytest.mark.settings(read_connections=1)
def test_waiting_reads_succeed_after_the_connection_was_terminated(
    reader: Reader, database: Database
) -> None:
    with blocked(database, reader) as (first, waiting):
        reads = [waiting.add(args=search(place))[0] for place in ("Mandya", "Mysuru")]
        assert database.value(TERMINATE_CONNECTIONS) >= 1
    assert [read.result(WAIT_SECONDS).refused for read in [first, *reads]] == [False, False, False]


# Limits ----------------------------------------------------------------------------------------


@pytest.mark.settings(read_connections=1, read_wait_seconds=0.1)
def test_a_read_that_waits_too_long_is_busy_and_is_not_sent(reader: Reader, database: Database) -> None:
    with blocked(database, reader) as (first, _), ThreadPoolExecutor(6) as threads:
        for read in [threads.submit(reader.read, "search", search(p)) for p in ("Mandya", "Mysuru") * 3]:
            with pytest.raises(Refusal, match="Too many reads are waiting") as refused:
                read.result(WAIT_SECONDS)
            assert refused.value.reason == "busy"
        assert reader.waiting == 0
    assert not first.result(WAIT_SECONDS).refused
    assert not reader.read("search", search()).refused


@pytest.mark.settings(read_connections=3, read_batch=4)
def test_many_threads_lose_no_read_and_no_connection(reader: Reader, database: Database) -> None:
    requests = [search("Mandya"), search("Mysuru"), search("Nowhere"), b'{"origin":1}']
    expected = {args: read_json(reader, args) for args in requests}
    start = threading.Barrier(24)

    def read_repeatedly(n: int) -> None:
        start.wait(WAIT_SECONDS)
        for k in range(40):
            args = requests[0] if n % 2 else requests[(n + k) % len(requests)]
            assert read_json(reader, args) == expected[args]

    with ThreadPoolExecutor(24) as threads:
        list(threads.map(read_repeatedly, range(24)))
    assert reader.waiting == 0
    with ThreadPoolExecutor(2) as threads, blocked(database, reader):  # uses all three connections
        others = [threads.submit(reader.read, "search", search(place)) for place in ("Mandya", "Mysuru")]
        wait_until(lambda: database.value(BLOCKED) == 3)
    assert len(bodies(others)) == 2


def read_json(reader: Reader, args: bytes) -> Any:
    answer = reader.read("search", args)
    return json.loads(bytes(answer.body))
