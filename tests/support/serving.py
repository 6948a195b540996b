"""Servers in their own processes, on the database of a test: their settings, process ids and clients."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest

from tests.support.line_client import LineClient, wait_until

if TYPE_CHECKING:
    from tests.conftest import Database


class Connected(Protocol):
    """A client with its address as operators see it."""

    @property
    def address(self) -> str: ...


C = TypeVar("C", bound=Connected)


@pytest.fixture
def urls(database: "Database") -> dict[str, str]:
    """The settings of a server on the database, whose clock runs and whose trips are on sale from today."""
    database.query("CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN now()")
    database.query("SELECT api.open_sales(bus_id) FROM bus_info")
    return {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner, "BUSWARE_HTTP_PORT": "0"}


@pytest.fixture
def line_to() -> Iterator[Callable[[int], LineClient]]:
    lines: list[LineClient] = []

    def connect(port: int) -> LineClient:
        lines.append(LineClient("127.0.0.1", port))
        return lines[-1]

    yield connect
    for line in lines:
        line.close()


def serving(database: "Database", port: int | None = None) -> list[int]:
    """The process ids of the serving processes, on one port or on all."""
    names = database.query("SELECT name FROM processes p WHERE role = 'server' AND api.is_alive(process_no)")
    return sorted(int(name.rpartition(" ")[2]) for name in names if port is None or f":{port}," in name)


def travel_day(database: "Database") -> str:
    """The last travel date on sale."""
    return str(database.value("SELECT max(travel_date) FROM trips"))


def register_console(database: "Database") -> None:
    """Register a console on the connection of the test, so that the servers publish their clients."""
    if not database.value("SELECT api.has_console()"):
        database.query("SELECT api.register_process('console', 'of the test')")


def process_of(database: "Database", line: Connected) -> int:
    """The process_no of the process that serves a client."""
    register_console(database)
    where = "SELECT process_no FROM clients WHERE address = %s AND left_at IS NULL"
    (process_no,) = wait_until(lambda: database.query(where, line.address))
    return int(process_no)


def on_each_process(database: "Database", port: int, connect: Callable[[int], C]) -> list[C]:
    """A client of each process on a port. It connects until the kernel has chosen each process once."""
    lines: dict[int, C] = {}
    while len(lines) < len(serving(database, port)):
        line = connect(port)
        lines.setdefault(process_of(database, line), line)
    return list(lines.values())
