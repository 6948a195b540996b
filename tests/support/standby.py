"""Standbys of the PostgreSQL of the tests: physical copies that replay its write-ahead log."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from busware.server.embedded.data_folder import Urls
from scripts.benchmark.standby import standby_of

if TYPE_CHECKING:
    from tests.conftest import Cluster, Database


class Standby:
    """A running standby of a cluster."""

    def __init__(self, cluster: "Cluster", stack: ExitStack) -> None:
        from tests.conftest import temporary_folder

        folder = temporary_folder()
        stack.callback(shutil.rmtree, folder)
        self._running = stack.enter_context(ExitStack())
        primary = Urls(cluster.owner_url, cluster.server_url)
        options = {"max_connections": "200"}  # as many as the primary has
        self._urls = self._running.enter_context(standby_of(primary, cluster.programs, folder, options))

    def url(self, database: "Database") -> str:
        """The URL of a database on this standby, for the server's database role."""
        return self._urls.server.removesuffix("busware") + database.conn.info.dbname

    def connect(self, database: "Database") -> psycopg.Connection[Any]:
        """A connection as the owner, in autocommit mode."""
        return psycopg.connect(self._urls.owner, dbname=database.conn.info.dbname, autocommit=True)

    def stop(self) -> None:
        """Stop it."""
        self._running.close()


@pytest.fixture
def new_standby(cluster: "Cluster") -> Iterator[Callable[[], Standby]]:
    with ExitStack() as stack:
        yield lambda: Standby(cluster, stack)
