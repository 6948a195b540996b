"""One HTTPS request to a checked address, with a limit on its whole time and on the received bytes.

No redirect is followed. http.client writes the request and reads the answer. It has no limit on the time of
a whole request, so it gets a socket that has one.
"""

import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple

from busware.server.settings import Settings, SettingsError
from busware.server.webhooks import targets
from busware.server.webhooks.targets import Address, Target

_SHOWN_BYTES = 200  # of the body of an answer


class NotAnswered(Exception):
    """There was no answer. The message says why; the receiver may have the request."""


class Answer(NamedTuple):
    """The answer of a receiver. retry_after: the seconds that it asks for. body: its beginning.

    reason and body are as received: they may have any characters.
    """

    status: int
    reason: str
    retry_after: float | None
    body: bytes


class _LimitedSocket:
    """What http.client uses of a socket, for some seconds and some received bytes.

    After the seconds it raises TimeoutError. After the bytes the connection seems to have ended.
    """

    def __init__(self, seconds: float, receives: int) -> None:
        self._ends_at = time.monotonic() + seconds
        self._receives = receives
        self._socket = socket.socket()  # replaced by `connect`

    def connect(self, addresses: Sequence[Address], host: str, context: ssl.SSLContext) -> None:
        """Connect to the first of some addresses that accepts, with TLS. Each gets its part of the time."""
        for n, address in enumerate(addresses):
            self._socket.close()
            self._socket = socket.socket(address.family, socket.SOCK_STREAM)
            self._socket.settimeout(self.left() / (len(addresses) - n))
            try:
                self._socket.connect(address.where)
            except OSError:
                if n == len(addresses) - 1:
                    raise
            else:
                break
        self._socket.settimeout(self.left())
        self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def sendall(self, data: bytes) -> None:
        """Send all of the data."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self.left())
            rest = rest[self._socket.send(rest) :]

    def receive(self, buffer: memoryview) -> int:
        """Receive into a buffer. Returns the number of bytes; 0: no more will come."""
        self._socket.settimeout(self.left())
        received = self._socket.recv_into(buffer[: self._receives]) if self._receives else 0
        self._receives -= received
        return received

    def makefile(self, mode: str) -> io.BufferedReader:
        """The file from which http.client reads the answer."""
        return io.BufferedReader(_Received(self))

    def close(self) -> None:
        """Do nothing: http.client calls this when it still reads the file."""

    def end(self) -> None:
        """Close the connection, whatever is not received yet."""
        self._socket.close()

    def left(self) -> float:
        """The seconds that are left. Raises TimeoutError without any."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Received(io.RawIOBase):
    """What a limited socket receives, as a file."""

    def __init__(self, limited: _LimitedSocket) -> None:
        self._limited = limited

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive into a buffer."""
        return self._limited.receive(memoryview(buffer))


class Sender:
    """Sends bodies by POST, as the settings say. Raises SettingsError if the certificates cannot be read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        try:
            self._context = ssl.create_default_context(cafile=settings.webhook_ca)
        except OSError as error:  # ssl.SSLError is a subclass
            raise SettingsError(
                f"BUSWARE_WEBHOOK_CA ({settings.webhook_ca}) cannot be used: {error}."
            ) from None
        self._context.set_alpn_protocols(["http/1.1"])

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body. Raises NotAnswered, and Refused if webhooks may not go to an address of the target."""
        seconds = self._settings.webhook_seconds
        limited = _LimitedSocket(seconds, self._settings.webhook_answer_bytes)
        try:
            addresses = targets.resolve(target, self._settings, limited.left())
            limited.connect(addresses, target.host, self._context)
            connection = HTTPConnection(target.host, target.port)
            connection.sock = limited
            fixed = {"Host": target.authority, "Connection": "close"}
            connection.request("POST", target.path, body, {**headers, **fixed})
            response = connection.getresponse()
            body = _beginning(response, self._settings.webhook_answer_bytes)
            return Answer(response.status, response.reason, _retry_after(response), body)
        except TimeoutError:
            raise NotAnswered(f"The receiver did not answer within {seconds:g} s.") from None
        except socket.gaierror:
            raise NotAnswered("The name of the receiver cannot be resolved.") from None
        except (OSError, HTTPException) as error:
            raise NotAnswered(f"The receiver cannot be reached: {type(error).__name__}: {error}") from None
        finally:
            limited.end()


def _beginning(response: HTTPResponse, most: int) -> bytes:
    """The beginning of the body. The rest is received up to the limits, so that the receiver can send it.

    most: the most bytes to read at once. http.client would allocate what the answer claims to have.
    """
    body = b""
    with suppress(OSError, HTTPException, ValueError):
        body = response.read(_SHOWN_BYTES)
        response.read(most)
    return body


def _retry_after(response: HTTPResponse) -> float | None:
    """The seconds of the header Retry-After, which may be a date; None without a valid one."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
