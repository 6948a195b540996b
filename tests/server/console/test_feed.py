"""The feed of the operator's console: the webhooks that the server pauses."""

from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from busware.server.console.feed import ConsoleFeed
from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import Listener
from busware.server.push.messages import Messages
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS
from tests.support.receiver import Hooks, status
from tests.support.schema_api import SchemaApi

pytestmark = pytest.mark.settings(outbox_seconds=0.05, publish_ms=1)


@pytest.fixture
def lines(hooks: Hooks, database: Database) -> Iterator[SimpleQueue[str]]:
    """What a console prints."""
    printed = SimpleQueue[str]()
    listener = Listener(database.server, hooks.settings, Deadlines(hooks.settings), role="console")
    feed = ConsoleFeed(
        Messages(hooks.pool, hooks.settings),
        listener,
        lambda text, *, highlighted=False: printed.put(text),
        hooks.settings.now,
    )
    feed.start()
    listener.start("of the test")
    yield printed
    listener.stop()
    feed.stop()


@pytest.mark.parametrize("method", ["put_webhook", "delete_webhook"])
def test_console_shows_a_webhook_that_is_paused_and_its_end(
    hooks: Hooks, api: SchemaApi, lines: SimpleQueue[str], method: str
) -> None:
    hooks.put()
    hooks.receiver.always = status(410, b"moved\x1b[2J")
    hooks.start()
    api.book(1)
    problem = r"The receiver answered 410 Gone: 'moved\x1b[2J'"
    shown = lines.get(timeout=WAIT_SECONDS)
    assert shown[10:] == f"webhook accounting of KSRTC is paused: {problem}"
    hooks.change(method, **({"active": True} if method == "put_webhook" else {}))
    assert lines.get(timeout=WAIT_SECONDS)[10:] == "webhook accounting of KSRTC is no longer paused"
