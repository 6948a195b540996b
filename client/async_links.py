"""The asynchronous link over TCP, by asyncio's streams.

links.py has the same names for threads, and says what a link is.
"""

import asyncio
import contextlib
import ssl
from asyncio import Event as Event
from asyncio import Lock as Lock
from collections.abc import Callable
from typing import Self

from busware.retries import CONNECT_SECONDS, MAX_REPLY_BYTES, OnNotification, deliver


async def wait_for(event: Event, seconds: float) -> bool:
    """Wait for an event, at most so many seconds. Whether it has happened."""
    if event.is_set() or not seconds:
        return event.is_set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


class TcpLink:
    """A TCP connection, and a task that reads it: replies to the waiting call, notifications to a callback.

    on_end: called when the server ends it, from that task.
    """

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        on_notification: OnNotification,
        on_end: Callable[["TcpLink"], None],
    ) -> Self:
        """Connect. Raises OSError."""
        return cls(*await connect(host, port, tls), on_notification, on_end)

    def __init__(
        self,
        lines: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_notification: OnNotification,
        on_end: Callable[["TcpLink"], None],
    ) -> None:
        self._lines = lines
        self._writer = writer
        self._on_notification = on_notification
        self._on_end = on_end
        self._replies = asyncio.Queue[bytes | None]()
        self.is_open = True
        self._reader = asyncio.create_task(self._read(), name="busware reader")

    async def close(self) -> None:
        """Close it, and wait for the end of the reader."""
        self.is_open = False
        self._writer.transport.abort()
        await asyncio.wait([self._reader])

    async def ask(self, line: bytes, timeout_seconds: float) -> bytes:
        """Send a line and wait for its reply. Closes the link, and raises OSError, when there is none."""
        try:
            async with asyncio.timeout(timeout_seconds):
                with contextlib.suppress(OSError):  # the reader learns why: a last line, or the end
                    self._writer.write(line)
                    await self._writer.drain()
                reply = await self._replies.get()
        except TimeoutError:
            await self.close()
            raise TimeoutError(f"nothing came within {timeout_seconds:g} s") from None
        except BaseException:  # a cancelled task: no later call may take the reply that is on its way
            await self.close()
            raise
        if reply is None:
            raise ConnectionError("the server closed the connection")
        return reply

    async def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: of a line that is too long
            while (line := await self._lines.readline()).endswith(b"\n"):
                deliver(line, self._replies.put_nowait, self._on_notification)
        ended_by_server, self.is_open = self.is_open, False
        await end(self._writer)
        self._replies.put_nowait(None)
        if ended_by_server:
            self._on_end(self)


async def connect(
    host: str, port: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The streams of a connection to the server. Raises OSError."""
    async with asyncio.timeout(CONNECT_SECONDS):
        return await asyncio.open_connection(host, port, ssl=tls, limit=MAX_REPLY_BYTES)


async def end(writer: asyncio.StreamWriter) -> None:
    """Close a connection at once, and wait until it is closed."""
    writer.transport.abort()
    with contextlib.suppress(OSError):  # what ended it
        await writer.wait_closed()
