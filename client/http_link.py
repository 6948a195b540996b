"""The synchronous link over HTTP. async_http_link.py has the same name for asyncio."""

import contextlib
import http.client
import socket
import ssl
import threading
from typing import Self

from busware.retries import CONNECT_SECONDS


class HttpLink:
    """An HTTP connection that is kept open."""

    @classmethod
    def open(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Self:
        """Connect. Raises OSError."""
        connection = (
            http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
            if tls is None
            else http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=tls)
        )
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._http = connection
        self._in_use = threading.Lock()
        self._http.auto_open = 0
        self.is_open = True

    def close(self) -> None:
        """Close it. Where a call in another thread uses the socket, that call ends, and then closes it."""
        self.is_open = False
        line = self._http.sock
        if line is not None:
            with contextlib.suppress(OSError):  # it has ended
                # SSLSocket.shutdown drops the TLS object, which the other thread may be about to use
                socket.socket.shutdown(line, socket.SHUT_RDWR)
        if self._in_use.acquire(blocking=False):
            self._http.close()
            self._in_use.release()

    def ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout_seconds: float
    ) -> tuple[int, bytes]:
        """Send a request; the status and the body of its response. Without one, closes and raises OSError."""
        keep = False
        try:
            with self._in_use:
                if self._http.sock is not None:
                    self._http.sock.settimeout(timeout_seconds)
                self._http.request(method, path, body, headers)
                response = self._http.getresponse()
                answer = response.read()
            keep = self.is_open and not response.will_close
            return response.status, answer
        except http.client.HTTPException as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        finally:
            if not keep:  # after Ctrl-C too: no later call may take the reply that is on its way
                self.close()
