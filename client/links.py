"""The synchronous link over TCP, and what threads wait by.

async_links.py has the same names for asyncio. A link is open until either end closes it or a call on it
fails; it is never opened again, so that nothing of an old connection is taken for a reply on a new one.
"""

import contextlib
import queue
import socket
import ssl
import threading
from collections.abc import Callable
from threading import Event as Event
from threading import Lock as Lock
from typing import Self

from busware.retries import CONNECT_SECONDS, MAX_REPLY_BYTES, OnNotification, deliver
from busware.server.tls import TlsSocket


def wait_for(event: Event, seconds: float) -> bool:
    """Wait for an event, at most so many seconds. Whether it has happened."""
    return event.wait(seconds)


class TcpLink:
    """A TCP connection, and a thread that reads it: replies to the waiting call, notifications to a callback.

    on_end: called when the server ends it, from that thread.
    """

    @classmethod
    def open(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        on_notification: OnNotification,
        on_end: Callable[["TcpLink"], None],
    ) -> Self:
        """Connect. Raises OSError."""
        return cls(_connect(host, port, tls), f"{host}:{port}", on_notification, on_end)

    def __init__(
        self,
        connected: socket.socket | TlsSocket,
        name: str,
        on_notification: OnNotification,
        on_end: Callable[["TcpLink"], None],
    ) -> None:
        self._socket = connected
        self._on_notification = on_notification
        self._on_end = on_end
        self._replies = queue.SimpleQueue[bytes | None]()
        self.is_open = True
        threading.Thread(target=self._read, name=f"busware reader {name}", daemon=True).start()

    def close(self) -> None:
        """End both halves; that ends the read of the reader, which closes the socket."""
        self.is_open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def ask(self, line: bytes, timeout_seconds: float) -> bytes:
        """Send a line and wait for its reply. Closes the link, and raises OSError, when there is none."""
        try:
            with contextlib.suppress(OSError):  # the reader learns why: a last line, or the end
                self._socket.sendall(line)
            reply = self._replies.get(timeout=timeout_seconds)
            if reply is None:
                raise ConnectionError("the server closed the connection")
            return reply
        except queue.Empty:
            self.close()
            raise TimeoutError(f"nothing came within {timeout_seconds:g} s") from None
        except BaseException:  # Ctrl-C too: no later call may take the reply that is on its way
            self.close()
            raise

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._socket, self._socket.makefile("rb") as lines:
            while (line := lines.readline(MAX_REPLY_BYTES)).endswith(b"\n"):
                deliver(line, self._replies.put, self._on_notification)
        ended_by_server, self.is_open = self.is_open, False
        self._replies.put(None)
        if ended_by_server:
            self._on_end(self)


def _connect(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket | TlsSocket:
    """A socket to the server. Raises OSError."""
    plain = socket.create_connection((host, port), CONNECT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line: socket.socket | TlsSocket = plain
    if tls is not None:
        line = TlsSocket(plain, tls, host)
        try:
            line.handshake()
        except BaseException:
            plain.close()
            raise
    plain.settimeout(None)  # the reader waits as long as it takes; a call times itself
    return line
