"""Reads on a standby: what it executes, when the primary executes it instead, and that no read is stale."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import requests

from busware.server import protocol
from busware.server.booking.operations import Operations
from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import Pool
from busware.server.db.standby import StandbyReads
from busware.server.db.writer import Writer
from busware.server.http.examples import EXAMPLES
from busware.server.protocol import Caller, Refusal
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.processes import ServerProcess
from tests.support.schema_api import audit
from tests.support.serving import travel_day
from tests.support.standby import Standby

WRITERS, WRITES = 4, 50
COUNT = "SELECT count(*) FROM written WHERE writer = %s"
WRITE = "INSERT INTO written VALUES (%s)"

pytestmark = pytest.mark.settings(standby_retry_seconds=1e-3, standby_wait_ms=2000)


class Reads:
    """StandbyReads, and how many reads each database has executed."""

    def __init__(self, primary_url: str, standby_url: str, settings: Settings) -> None:
        deadlines = Deadlines(settings)
        self.pool = Pool(primary_url, settings, deadlines)
        self.standby = StandbyReads(self.pool, standby_url, settings, deadlines)
        self.executed = Counter[str]()
        self.standby.on_read = lambda database: self.executed.update([database])

    def count(self, writer: int) -> int:
        """The number of rows of a writer."""
        ((count,),) = self.standby.execute(COUNT, [writer])
        return int(count)


@contextmanager
def reading(primary_url: str, standby_url: str, settings: Settings) -> Iterator[Reads]:
    reads = Reads(primary_url, standby_url, settings)
    reads.pool.open()
    try:
        reads.standby.open()
        yield reads
    finally:
        reads.standby.close()
        reads.pool.close()


@pytest.fixture
def written(database: Database) -> Callable[[int], int]:
    """A function that writes a row of a writer."""
    database.query("CREATE TABLE written (writer int)")
    database.query("GRANT SELECT ON written TO PUBLIC")
    return lambda writer: database.conn.execute(WRITE, [writer]).rowcount


@pytest.fixture
def standby(new_standby: Callable[[], Standby], written: Callable[[int], int]) -> Standby:
    return new_standby()


@pytest.fixture
def reads(database: Database, standby: Standby, settings: Settings) -> Iterator[Reads]:
    with reading(database.server, standby.url(database), settings) as reads:
        yield reads


def test_read_includes_every_write_acknowledged_before_it(reads: Reads, database: Database) -> None:
    def write_and_read(writer: int) -> list[int]:
        with database.connect() as conn:
            return [conn.execute(WRITE, [writer]).rowcount and reads.count(writer) for _ in range(WRITES)]

    with ThreadPoolExecutor(WRITERS) as threads:
        counts = list(threads.map(write_and_read, range(WRITERS)))
    assert counts == [list(range(1, WRITES + 1))] * WRITERS
    assert reads.executed["standby"] > 0


@pytest.mark.settings(standby_wait_ms=1)
def test_primary_executes_reads_while_the_standby_is_behind(
    reads: Reads, database: Database, standby: Standby, written: Callable[[int], int],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, "busware.standby")
    wait_until(lambda: reads.count(1) == 0 and reads.executed["standby"])
    with standby.connect(database) as conn:
        conn.execute("SELECT pg_wal_replay_pause()")
        wait_until(lambda: conn.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",))
        before = reads.executed["standby"]
        for n in range(1, 4):
            written(1)
            assert reads.count(1) == n
        assert reads.executed["standby"] == before
        conn.execute("SELECT pg_wal_replay_resume()")
    wait_until(lambda: reads.count(1) == 3 and reads.executed["standby"] > before)
    behind, again = [record.message for record in caplog.records][-2:]
    assert behind.startswith(
        "the primary executes the reads, because the standby cannot: it has not replayed"
    )
    assert again == "the standby executes reads again"


def test_promoted_standby_executes_no_read(
    reads: Reads, database: Database, standby: Standby, written: Callable[[int], int]
) -> None:
    wait_until(lambda: reads.count(1) == 0 and reads.executed["standby"])
    with standby.connect(database) as conn:
        conn.execute("SELECT pg_promote()")
        conn.execute(WRITE, [1])  # only there
    before = reads.executed["standby"]
    written(1)
    written(1)
    assert reads.count(1) == 2
    assert reads.executed["standby"] == before


@pytest.mark.settings(standby_wait_ms=1)
def test_standby_of_the_old_timeline_executes_no_read(
    new_standby: Callable[[], Standby], database: Database, written: Callable[[int], int], settings: Settings
) -> None:
    """It is ahead of the new primary, with a write that the new primary does not have."""
    ahead, promoted = new_standby(), new_standby()
    with promoted.connect(database) as primary, ahead.connect(database) as behind:
        primary.execute("SELECT pg_promote()")
        written(1)
        database.query("SELECT pg_logical_emit_message(false, 'filler', repeat('x', 100000))")
        end = database.value("SELECT pg_current_wal_flush_lsn()::text")
        wait_until(
            lambda: behind.execute("SELECT pg_last_wal_replay_lsn() >= %s", [end]).fetchone() == (True,)
        )
        assert primary.execute("SELECT pg_current_wal_flush_lsn() < %s", [end]).fetchone() == (True,)
        with reading(promoted.url(database), ahead.url(database), settings) as reads:
            assert [reads.count(1) for _ in range(3)] == [0, 0, 0]
            assert reads.executed == {"primary": 3}


def test_stopped_standby_fails_no_read(reads: Reads, standby: Standby, written: Callable[[int], int]) -> None:
    wait_until(lambda: reads.count(1) == 0 and reads.executed["standby"])
    standby.stop()
    written(1)
    assert [reads.count(1) for _ in range(3)] == [1, 1, 1]


@pytest.mark.settings(standby_wait_ms=100)
def test_url_of_another_database_is_not_used(
    database: Database, empty_database: Database, standby: Standby, settings: Settings,
    written: Callable[[int], int], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with reading(database.server, standby.url(empty_database), settings) as reads:
        written(1)
        assert reads.count(1) == 1
        assert reads.executed == {"primary": 1}
        wait_until(lambda: "BUSWARE_READ_URL leads to another database than DATABASE_URL" in caplog.text)


@pytest.mark.settings(standby_wait_ms=60_000)
def test_url_may_name_the_primary_too(database: Database, standby: Standby, settings: Settings) -> None:
    primary, other = urlsplit(database.server), urlsplit(standby.url(database))
    hosts = f"{primary.netloc},{other.hostname}:{other.port}"
    url = f"postgresql://{hosts}{primary.path}?load_balance_hosts=random"
    with reading(database.server, url, settings) as reads:
        assert [reads.count(1) for _ in range(5)] == [0] * 5
        assert reads.executed == {"standby": 5}


@pytest.mark.settings(standby_wait_ms=60_000)
def test_every_read_of_the_protocol_can_be_executed_on_a_standby(
    reads: Reads, database: Database, settings: Settings
) -> None:
    writer = Writer(database.server, settings, Deadlines(settings))
    operations = Operations(reads.pool, writer, settings, reads.standby)
    admin = Caller(account="asha", role="admin")
    writer.start()
    try:
        for method, kind in protocol.METHODS.items():
            if not kind.writes:
                with suppress(Refusal):
                    operations.perform(msgspec.convert(EXAMPLES[method].request, kind), admin)
    finally:
        writer.stop()
    executed = re.findall(r'busware_reads_total{database="(\w+)"} (\d+)', operations.metrics.text().decode())
    ((where, count),) = executed
    assert (where, int(count) > 20) == ("standby", True)


@pytest.mark.system
def test_server_reads_on_the_standby(
    urls: dict[str, str], database: Database, standby: Standby, line_to: Callable[[int], Any]
) -> None:
    day = travel_day(database)
    more = {"BUSWARE_READ_URL": standby.url(database), "BUSWARE_STANDBY_WAIT_MS": "60000"}
    with ServerProcess("0", **urls, **more) as server:
        http_url = re.search(r"http://127\.0\.0\.1:\d+", server.read_until("HTTP:"))
        line = line_to(server.port)
        trip = {"bus_id": 1, "travel_date": day, "origin": "Bengaluru", "destination": "Mysuru"}
        for seat in range(1, 5):
            reference = line.call("book", **trip, seats=[seat], phone="98450 12345")["reference"]
            booking = line.call("booking", reference=reference, phone="98450 12345")
            assert [ticket["seat_no"] for ticket in booking["tickets"]] == [seat]
        assert http_url
        metrics = requests.get(f"{http_url[0]}/metrics", timeout=WAIT_SECONDS).text
        assert 'busware_reads_total{database="standby"}' in metrics
    assert audit(database.conn) == []
