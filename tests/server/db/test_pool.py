"""The connection pool: opening it, and its limit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import DatabaseUnavailable, Pool
from busware.server.protocol import Refusal
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, wait_until


@pytest.fixture
def pool(database: Database, settings: Settings) -> Iterator[Pool]:
    pool = Pool(database.server, settings, Deadlines(settings))
    pool.open()
    yield pool
    pool.close()


@pytest.mark.settings(read_connections=1, read_wait_seconds=0.1)
def test_a_statement_is_refused_as_busy_if_no_connection_becomes_free(pool: Pool, database: Database) -> None:
    with database.connect(autocommit=False) as locking, ThreadPoolExecutor(1) as threads:
        locking.execute("LOCK TABLE bus_info IN ACCESS EXCLUSIVE MODE")
        blocked = threads.submit(pool.execute, "SELECT count(*) > 0 FROM bus_info")
        wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        with pytest.raises(Refusal, match="No database connection was free within") as refused:
            pool.execute("SELECT 1")
        assert refused.value.reason == "busy"
        locking.rollback()
        assert blocked.result(WAIT_SECONDS) == [(True,)]


@pytest.mark.settings(connect_seconds=0.1)
def test_open_raises_if_the_database_does_not_answer(settings: Settings) -> None:
    pool = Pool("postgresql://nobody@127.0.0.1:1/nothing", settings, Deadlines(settings))
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        pool.open()
