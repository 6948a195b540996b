"""One TCP connection to a server, with asyncio. transport.py has the same names for threads."""

import asyncio
import contextlib
import ssl
from asyncio import Event as Event  # imported from here by async_connection.py
from asyncio import Lock as Lock
from collections.abc import Callable

from busware.retries import CONNECT_SECONDS, MAX_REPLY_BYTES, OnNotification, dispatch_line


async def wait_for(event: Event, seconds: float) -> bool:
    """Wait until an event is set, for at most `seconds`. Return whether it is set."""
    if seconds:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
    return event.is_set()


class TcpTransport:
    """A TCP connection, and a task that reads it: replies to the waiting call, notifications to a callback.

    It is open until either end closes it or a call on it fails. It is never opened again, so a reply on an
    old connection cannot answer a request on a new one. on_end: called in the reading task when the server
    closes the connection.
    """

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        on_notification: OnNotification,
        on_end: Callable[["TcpTransport"], None],
    ) -> None:
        self._stream, self._writer = streams
        self._on_notification = on_notification
        self._on_end = on_end
        self._replies = asyncio.Queue[bytes | None]()
        self.is_open = True
        self._reading_task = asyncio.create_task(self._read(), name="busware reader")

    async def close(self) -> None:
        """Close the connection, and wait until the reading task has ended."""
        self.is_open = False
        self._writer.transport.abort()
        await asyncio.wait([self._reading_task])

    async def send(self, line: bytes, timeout_seconds: float) -> bytes:
        """Send a request; return the line that answers it. Closes the connection on an OSError."""
        try:
            async with asyncio.timeout(timeout_seconds):
                with contextlib.suppress(OSError):  # the reading task queues None, after a last reply if any
                    self._writer.write(line)
                    await self._writer.drain()
                reply = await self._replies.get()
        except TimeoutError:
            await self.close()
            raise TimeoutError(f"no reply within {timeout_seconds:g} s") from None
        except BaseException:  # the task was cancelled: its reply must not answer the next call
            await self.close()
            raise
        if reply is None:
            raise ConnectionError("the server closed the connection")
        return reply

    async def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: a line is too long
            while (line := await self._stream.readline()).endswith(b"\n"):
                dispatch_line(line, self._replies.put_nowait, self._on_notification)
        ended_by_server, self.is_open = self.is_open, False
        await close_writer(self._writer)
        self._replies.put_nowait(None)
        if ended_by_server:
            self._on_end(self)


async def connect(
    host: str, port: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection. Raises OSError."""
    async with asyncio.timeout(CONNECT_SECONDS):
        return await asyncio.open_connection(host, port, ssl=tls, limit=MAX_REPLY_BYTES)


async def close_writer(writer: asyncio.StreamWriter) -> None:
    """Close a connection without delay, and wait until it is closed."""
    writer.transport.abort()
    with contextlib.suppress(OSError):  # the error that ended the connection
        await writer.wait_closed()
