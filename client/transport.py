"""One TCP connection to a server, with threads. async_transport.py has the same names for asyncio."""

import contextlib
import queue
import socket
import ssl
import threading
from collections.abc import Callable
from threading import Event as Event  # imported from here by connection.py
from threading import Lock as Lock

from busware.retries import CONNECT_SECONDS, MAX_REPLY_BYTES, OnNotification, dispatch_line
from busware.server.tls import TlsSocket


def wait_for(event: Event, seconds: float) -> bool:
    """Wait until an event is set, for at most `seconds`. Return whether it is set."""
    return event.wait(seconds)


class TcpTransport:
    """A TCP connection, and a thread that reads it: replies to the waiting call, notifications to a callback.

    It is open until either end closes it or a call on it fails. It is never opened again, so a reply on an
    old connection cannot answer a request on a new one. on_end: called in the reading thread when the server
    closes the connection.
    """

    def __init__(
        self,
        connection: socket.socket | TlsSocket,
        on_notification: OnNotification,
        on_end: Callable[["TcpTransport"], None],
    ) -> None:
        self._socket = connection
        self._on_notification = on_notification
        self._on_end = on_end
        self._replies = queue.SimpleQueue[bytes | None]()
        self.is_open = True
        threading.Thread(target=self._read, name="busware reader", daemon=True).start()

    def close(self) -> None:
        """Shut the connection down. This ends the reading thread, which closes the socket."""
        self.is_open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def send(self, line: bytes, timeout_seconds: float) -> bytes:
        """Send a request; return the line that answers it. Closes the connection on an OSError."""
        try:
            with contextlib.suppress(OSError):  # the reading thread reports it, after a last reply
                self._socket.sendall(line)
            reply = self._replies.get(timeout=timeout_seconds)
        except queue.Empty:
            self.close()
            raise TimeoutError(f"no reply within {timeout_seconds:g} s") from None
        except BaseException:  # Ctrl-C: its reply must not answer the next call
            self.close()
            raise
        if reply is None:
            raise ConnectionError("the server closed the connection")
        return reply

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._socket, self._socket.makefile("rb") as lines:
            while (line := lines.readline(MAX_REPLY_BYTES)).endswith(b"\n"):
                dispatch_line(line, self._replies.put, self._on_notification)
        ended_by_server, self.is_open = self.is_open, False
        self._replies.put(None)
        if ended_by_server:
            self._on_end(self)


def connect(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket | TlsSocket:
    """Open a connection. Raises OSError."""
    plain = socket.create_connection((host, port), CONNECT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection: socket.socket | TlsSocket = plain
    if tls is not None:
        connection = TlsSocket(plain, tls, host)
        try:
            connection.handshake()
        except BaseException:
            plain.close()
            raise
    plain.settimeout(None)  # the reading thread waits without limit; each call has its own timeout
    return connection
