"""Deadlines: no thread of the server waits for the database without a limit.

statement_timeout is a limit of PostgreSQL's. It does nothing while PostgreSQL is frozen, on a stopped virtual
machine for example, or behind a connection pooler. So each connection of the server has a second limit on
this side. psycopg resumes its generators every 0.1 s while it waits; `Deadlines.limit` wraps them, and raises
DeadlinePassed when the time is over. Then the connection is closed, as if it had been lost.
"""

import math
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from busware.server.settings import Settings

T = TypeVar("T")

# How much later than statement_timeout our own limit ends a statement. PostgreSQL's error is better: it says
# that the statement was rolled back.
_GRACE_SECONDS = 1.0


class DeadlinePassed(psycopg.OperationalError):
    """The database has not answered in time, and the connection is closed."""


class Deadlines:
    """The time limits of the connections of one process.

    connection_class: the class of these connections; its `connect` takes what psycopg.connect takes.
    statement_seconds: the longest that this side waits for a statement.
    """

    def __init__(self, settings: Settings) -> None:
        self.connection_class = _limited_connection(self)
        self.statement_seconds = settings.statement_seconds + _GRACE_SECONDS
        self.host_connect_seconds = settings.host_connect_seconds
        self._drain_seconds = settings.drain_seconds
        self._stop_at = math.inf

    def begin_stop(self) -> None:
        """Begin the stop of the server: drain_seconds from now, every wait for the database ends."""
        self._stop_at = time.monotonic() + self._drain_seconds

    def seconds_left(self) -> float:
        """How much of drain_seconds is left, after `begin_stop`."""
        return self.seconds_for(self._drain_seconds)

    def seconds_for(self, seconds: float) -> float:
        """How long a wait may take: these seconds, or fewer if the server stops."""
        return max(0.0, min(seconds, self._stop_at - time.monotonic()))

    def limit(self, steps: Generator[Any, Any, T], seconds: float) -> Generator[Any, Any, T]:
        """The same generator of psycopg, with a limit. Raises DeadlinePassed.

        It yields what it waits for. psycopg then sends what is ready; nothing, if it interrupted the wait.
        """
        deadline = time.monotonic() + seconds
        ready = None
        try:
            while True:
                ready = yield steps.send(ready)
                if not ready and time.monotonic() >= min(deadline, self._stop_at):
                    raise DeadlinePassed(
                        "the server is stopping"
                        if self._stop_at <= deadline
                        else f"the database has not answered within {seconds:g} s"
                    )
        except StopIteration as end:
            result: T = end.value
            return result


def _limited_connection(deadlines: Deadlines) -> type[psycopg.Connection[Any]]:
    """A class of connections with these limits.

    An OSError, such as EMFILE, becomes a psycopg.OperationalError: there is no connection then.
    """

    class Connection(psycopg.Connection[Any]):
        @classmethod
        def connect(cls, conninfo: str = "", **parameters: Any) -> Any:
            try:
                return super().connect(conninfo, **parameters)
            except OSError as error:
                raise psycopg.OperationalError(f"cannot connect: {error}") from error

        @classmethod
        def _connect_gen(cls, conninfo: str = "", **parameters: Any) -> Any:  # for each host of the URL
            steps = super()._connect_gen(conninfo, **parameters)
            return deadlines.limit(steps, deadlines.host_connect_seconds)

        def wait(self, gen: Any, *arguments: Any, **parameters: Any) -> Any:
            steps = deadlines.limit(gen, deadlines.statement_seconds)
            try:
                return super().wait(steps, *arguments, **parameters)
            except DeadlinePassed:
                self.close()
                raise
            except OSError as error:
                self.close()
                raise psycopg.OperationalError(f"the connection failed: {error}") from error

    return Connection


def connection_parameters(url: str, settings: Settings) -> dict[str, Any]:
    """The parameters of a connection to the primary: of several hosts in the URL, the one that may write."""
    return {
        # per host; psycopg has a minimum of 2 s
        "connect_timeout": max(2, math.ceil(settings.host_connect_seconds)),
        "target_session_attrs": conninfo_to_dict(url).get("target_session_attrs", "read-write"),
    }
