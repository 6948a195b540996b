"""Standbys of the PostgreSQL of the tests: physical copies that replay its write-ahead log."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from busware.server.embedded.data_folder import open_private
from busware.server.embedded.process import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.conftest import Cluster, Database


class Standby:
    """A running standby in a folder. Its roles and passwords are the primary's."""

    def __init__(self, cluster: "Cluster", folder: Path) -> None:
        with open_private(folder / "urls.env", "w") as urls:
            urls.write(f"BUSWARE_OWNER_URL={cluster.owner_url}\nDATABASE_URL={cluster.server_url}\n")
        data = folder / "postgres"
        program = [cluster.programs / "pg_basebackup", "--dbname", cluster.owner_url, "--pgdata", data]
        subprocess.run([*program, "--checkpoint=fast", "--write-recovery-conf"], check=True)
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            for path in (data, *data.rglob("*")):
                shutil.chown(path, "postgres", "postgres")
        options = {"hot_standby": "on", "max_connections": "200"}  # as many connections as the primary has
        self._postgres = EmbeddedPostgres(folder, options=options, programs=cluster.programs)
        self._urls = self._postgres.start()

    def url(self, database: "Database") -> str:
        """The URL of a database on this standby, for the server's database role."""
        return self._urls.server.removesuffix("busware") + database.conn.info.dbname

    def connect(self, database: "Database") -> psycopg.Connection[Any]:
        """A connection as the owner, in autocommit mode."""
        return psycopg.connect(self._urls.owner, dbname=database.conn.info.dbname, autocommit=True)

    def stop(self) -> None:
        """Stop it."""
        self._postgres.stop()


@pytest.fixture
def new_standby(cluster: "Cluster") -> Iterator[Callable[[], Standby]]:
    from tests.conftest import temporary_folder

    with ExitStack() as stack:

        def make() -> Standby:
            folder = temporary_folder()
            stack.callback(shutil.rmtree, folder)
            standby = Standby(cluster, folder)
            stack.callback(standby.stop)
            return standby

        yield make
