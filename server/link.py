"""The writer's connection to PostgreSQL: replaced when it breaks, and given up when that takes too long.

For one thread at a time, whoever has the pen.
"""

import logging
import threading
import time
from contextlib import suppress

import psycopg

from server.settings import Settings
from server.storage import Away, connect, meaning

log = logging.getLogger("busware.writer")

_FIRST_PAUSE = 0.05  # seconds between two attempts to connect, doubled each time …
_LONGEST_PAUSE = 1.0  # … up to this


class Link:
    """A connection as long as there can be one. stopping: set when the time for new attempts is over."""

    def __init__(self, url: str, settings: Settings, stopping: threading.Event) -> None:
        self._url, self._settings, self._stopping = url, settings, stopping
        self._connection: psycopg.Connection | None = None
        self._broken_at: float | None = None  # when it broke, until something succeeds again

    def open(self) -> None:
        """Connect, once. Raises Away."""
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise meaning(error) from error

    def close(self) -> None:
        """Disconnect."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def connection(self) -> psycopg.Connection:
        """The connection, which nobody has hung up on; a new one where need be.

        After a break it tries for connect_seconds, and from then on once. Raises Away.
        """
        if self._connection and not _is_dead(self._connection):
            return self._connection
        if self._connection:
            self.lost(Away("the database closed the connection"))
        pause = _FIRST_PAUSE
        while True:
            try:
                self._connection = self._connect()
            except psycopg.Error as error:
                if time.monotonic() + pause >= self._give_up_at or self._stopping.wait(pause):
                    level = logging.WARNING if pause > _FIRST_PAUSE else logging.DEBUG  # still away: no news
                    log.log(level, "the database is away: %s", error)
                    raise meaning(error) from error
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                log.info("connected to the database again")
                return self._connection

    def answered(self) -> None:
        """Something was answered: the next break is a new one."""
        self._broken_at = None

    def lost(self, why: Away) -> None:
        """It broke."""
        log.warning("lost the connection to the database: %s", why)
        if self._broken_at is None:
            self._broken_at = time.monotonic()
        self.close()

    @property
    def given_up(self) -> bool:
        """Whether it has been broken for too long to send anything again."""
        return self._stopping.is_set() or time.monotonic() >= self._give_up_at

    def wait_for_locks(self, milliseconds: int) -> None:
        """For a row, from now on; a connection that breaks over it is replaced by one that waits as told."""
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.execute(f"SET lock_timeout = {milliseconds:d}")

    def _connect(self) -> psycopg.Connection:
        return connect(self._url, self._settings, "writer", lock_timeout=self._settings.lock_wait_ms)

    @property
    def _give_up_at(self) -> float:
        return (self._broken_at or 0.0) + self._settings.connect_seconds


def _is_dead(connection: psycopg.Connection) -> bool:
    """Whether the other side has hung up on an idle connection: its last word, then the end."""
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return connection.closed
