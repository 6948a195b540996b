"""A PgBouncer in front of the database of a test, with the pgbouncer.ini of docs/administration.md."""

import os
import pwd
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.line_client import wait_until
from tests.support.project import PROJECT

if TYPE_CHECKING:
    from tests.conftest import Database

_PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


class PgBouncer:
    """A running PgBouncer. url, owner_url: connect through it, as the server and as the owner."""

    def __init__(self, database: "Database", folder: Path, port: int, mode: str) -> None:
        self._folder = folder
        self.url = _through(database.server, port)
        self.owner_url = _through(database.owner, port)
        urls = [urlsplit(url) for url in (database.server, database.owner)]
        (folder / "userlist.txt").write_text("".join(f'"{url.username}" "{url.password}"\n' for url in urls))
        (folder / "pgbouncer.ini").write_text(
            _configuration(urls[0].port, urls[0].path[1:], folder, port, mode)
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        nobody = pwd.getpwnam("nobody")  # it refuses to run as root
        user: dict[str, Any] = {} if os.geteuid() else {"user": nobody.pw_uid, "group": nobody.pw_gid}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_PROGRAM, str(self._folder / "pgbouncer.ini")], stdout=log, stderr=log, cwd="/", **user
            )
        wait_until(self._serves)

    def kill(self) -> None:
        """End it at once, which breaks all connections."""
        self._process.kill()
        self._process.wait()

    def _serves(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


def _through(url: str, port: int) -> str:
    parts = urlsplit(url)
    return f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{port}/busware"


def _configuration(postgres_port: int | None, name: str, folder: Path, port: int, mode: str) -> str:
    """The file of the documentation, with the ports, the names and the mode of the test."""
    document = (PROJECT / "docs" / "administration.md").read_text()
    (text,) = re.findall(r"```ini\n(.*?)```", document, re.DOTALL)
    for documented, value in (
        ("port=5432 dbname=busware", f"port={postgres_port} dbname={name}"),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("/etc/pgbouncer/userlist.txt", str(folder / "userlist.txt")),
        ("pool_mode = transaction", f"pool_mode = {mode}"),
    ):
        assert text.count(documented) == 1, documented
        text = text.replace(documented, value)
    return f"{text}unix_socket_dir =\n"


@pytest.fixture
def pgbouncer(database: "Database", data_folder: Path, request: pytest.FixtureRequest) -> Iterator[PgBouncer]:
    """A PgBouncer in transaction mode, or in the mode of the mark `pool_mode`."""
    if not os.access(_PROGRAM, os.X_OK):
        pytest.skip("there is no PgBouncer: apt install pgbouncer")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    mark = request.node.get_closest_marker("pool_mode")
    bouncer = PgBouncer(database, data_folder, port, mark.args[0] if mark else "transaction")
    yield bouncer
    bouncer.kill()
