"""Two connections that compete for a lock, for tests of a named interleaving.

The `first` connection leaves its transaction open. A step on the `second` connection waits for a lock of
the first. When PostgreSQL shows that it waits, the first commits or rolls back. The audit runs at the end.
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
    """A database and two connections to it: `first` is in a transaction, `second` commits every statement."""

    def __init__(
        self, database: "Database", first: SchemaApi, second: SchemaApi, threads: ThreadPoolExecutor
    ) -> None:
        self.database, self.first, self.second = database, first, second
        self.threads = threads

    @classmethod
    @contextmanager
    def open(cls, database: "Database") -> Iterator["Race"]:
        """Open both connections. At the end, roll the first one back and check the audit."""
        with (
            database.connect(autocommit=False) as first,
            database.connect() as second,
            ThreadPoolExecutor(1) as threads,
        ):
            yield cls(database, SchemaApi(first), SchemaApi(second), threads)
            first.rollback()
        assert audit(database.conn) == []

    def start(self, step: Callable[[], Any]) -> "Future[Any]":
        """Run a step of `second` in a thread, and return when it waits for a lock."""
        running = self.threads.submit(step)
        waits = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.database.value(waits, self.second.conn.info.backend_pid):
            assert not running.done(), f"the step waited for no lock: {running.result()}"
            assert time.monotonic() < deadline, "the step neither ended nor waits for a lock"
        return running

    def then_commit(self, running: "Future[Any]") -> Any:
        """Commit the first transaction, and return the result of the waiting step."""
        self.first.conn.commit()
        return running.result(WAIT_SECONDS)

    def then_rollback(self, running: "Future[Any]") -> Any:
        """Roll the first transaction back, and return the result of the waiting step."""
        self.first.conn.rollback()
        return running.result(WAIT_SECONDS)


@pytest.fixture
def race(database: "Database") -> Iterator[Race]:
    with Race.open(database) as race:
        yield race
