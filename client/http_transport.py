"""One HTTP connection to a server, for threads. async_http_transport.py is the same for asyncio."""

import contextlib
import http.client
import socket
import ssl
import threading

from busware.retries import CONNECT_SECONDS


class HttpTransport:
    """An HTTP connection. The first request opens it, and it stays open for the next ones.

    It is open until either end closes it or a request on it fails. It is never opened again.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._http = (
            http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
            if tls is None
            else http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=tls)
        )
        self._in_use = threading.Lock()
        self.is_open = True

    def close(self) -> None:
        """Close the connection.

        A request that waits in another thread raises OSError, and that thread closes the socket.
        """
        self.is_open = False
        open_socket: socket.socket | None = self._http.sock
        if open_socket is not None:
            with contextlib.suppress(OSError):  # not connected any more
                # SSLSocket.shutdown drops the TLS object, which the other thread may be about to use
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)
        if self._in_use.acquire(blocking=False):
            self._http.close()
            self._in_use.release()

    def send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout_seconds: float
    ) -> tuple[int, bytes]:
        """Send a request; return the status and body of its response. Closes the connection on an OSError."""
        reusable = False
        try:
            with self._in_use:
                self._http.request(method, path, body, headers)
                if not self.is_open:  # `close` was called while it connected
                    raise ConnectionError("the client closed the connection")
                self._http.sock.settimeout(timeout_seconds)
                response = self._http.getresponse()
                answer = response.read()
            reusable = self.is_open and not response.will_close
            return response.status, answer
        except http.client.HTTPException as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        except (OSError, UnicodeError):  # UnicodeError: a ValueError whose text does not repeat a header
            raise
        except ValueError:  # its text repeats the header, which may be the token
            raise ConnectionError("a header of the request has a character that HTTP forbids") from None
        finally:
            if not reusable:  # also after Ctrl-C: the next call must not read the response to this request
                self.close()
