"""The server with its pusher and listener started, and the operator's side of it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from busware.server.push.messages import Message, Messages
from tests.support.line_client import LineClient, wait_until

if TYPE_CHECKING:
    from tests.conftest import Database


@pytest.fixture
def pushing(server: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """`server`, which pushes messages and changed bookings to its clients."""
    server.writer.on_commit = server.listener.queue_changes
    server.pusher.start()
    server.listener.start(f"{server.host}:{server.port}")
    try:
        yield server
    finally:
        server.pusher.stop()
        server.listener.stop()


class Console(Messages):
    """What an operator's console reads and sends."""

    def messages(self) -> list[Message]:
        """All messages, in order."""
        return list(self.after(0))

    def number_of(self, line: LineClient) -> int:
        """The client_no of a connected client; waits until it is published."""
        address = line.address
        return int(
            wait_until(
                lambda: next((c.client_no for c in self.presence().clients if c.address == address), None)
            )
        )

    def wait_until_left(self, number: int) -> None:
        """Wait until it is published that a client has left."""
        wait_until(lambda: [c for c in self.presence().clients if c.client_no == number and c.left_at])


@pytest.fixture
def console(pushing: SimpleNamespace, database: "Database") -> Console:
    """The console of an operator, on `pushing`. It is registered, so clients are published."""
    database.query("SELECT api.register_process('console', 'of the test')")
    return Console(pushing.pool, pushing.settings)
