"""The server as one that tells its clients what they did not ask for, and the operator's side of that."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from busware.server.push.messages import Messages
from tests.support.line import Line, until


@pytest.fixture
def telling(server: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """`server`, whose clients are told of messages and of bookings that have changed."""
    server.writer.on_commit = server.listener.queue_changes
    server.delivery.start()
    server.listener.start(f"{server.host}:{server.port}")
    try:
        yield server
    finally:
        server.delivery.stop()
        server.listener.stop()


class Console(Messages):
    """What an operator's console has."""

    def number_of(self, line: Line) -> int:
        """By which number the operators know a client; waits until they do."""
        address = line.address
        return int(
            until(lambda: next((c.client_no for c in self.present().clients if c.address == address), None))
        )

    def wait_until_left(self, number: int) -> None:
        """Wait until they know that it has left."""
        until(lambda: [c for c in self.present().clients if c.client_no == number and c.left_at])


@pytest.fixture
def console(telling: SimpleNamespace) -> Console:
    """An operator's, on `telling`."""
    return Console(telling.storage, telling.settings)
