"""Two connections that race: for tests that are named interleavings, each with a clean audit at its end.

A step is held where it is by the lock it has: whoever is `first` leaves its transaction open, the
`second` runs into it, and once PostgreSQL says that it waits, the first commits or rolls back.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.line_client import WAIT_SECONDS
from tests.support.schema_api import SchemaApi, audit

if TYPE_CHECKING:
    from tests.conftest import Database


class Race:
    """A database and those who race on it. `first` is in a transaction until it commits or rolls back."""

    def __init__(
        self, database: "Database", first: SchemaApi, second: SchemaApi, threads: ThreadPoolExecutor
    ) -> None:
        self.database, self.first, self.second = database, first, second
        self.threads = threads

    @classmethod
    @contextmanager
    def open(cls, database: "Database") -> Iterator["Race"]:
        """A race on three connections, and a look at the audit after it."""
        with (
            database.connect_as_server(autocommit=False) as first,
            database.connect_as_server() as second,
            ThreadPoolExecutor(1) as threads,
        ):
            yield cls(database, SchemaApi(first), SchemaApi(second), threads)
            first.rollback()
        assert audit(database.conn) == []

    def start(self, step: Callable[[], Any]) -> "Future[Any]":
        """Let a step of the second's run, up to where it has to wait for a lock."""
        running = self.threads.submit(step)
        waits = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.database.value(waits, self.second.conn.info.backend_pid):
            assert not running.done(), f"it did not wait: {running.result()}"
            assert time.monotonic() < deadline, "it neither ended nor waits for a lock"
        return running

    def then_commit(self, running: "Future[Any]") -> Any:
        """What the waiting step comes to once the first has committed."""
        self.first.conn.commit()
        return running.result(WAIT_SECONDS)

    def then_rollback(self, running: "Future[Any]") -> Any:
        """What the waiting step comes to once the first has rolled back."""
        self.first.conn.rollback()
        return running.result(WAIT_SECONDS)


@pytest.fixture
def race(database: "Database") -> Iterator[Race]:
    with Race.open(database) as race:
        yield race
