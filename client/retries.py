"""What the clients for TCP and HTTP share: limits, idempotency keys, errors, TLS, the state of a connection.

A write is sent with the same idempotency key at each try, so the server executes it once.
"""

import itertools
import logging
import os
import ssl
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from busware.server import tls
from busware.server.protocol import (
    Login,
    Logout,
    Refusal,
    Register,
    Request,
    ResetPassword,
    ServiceData,
    ServiceFields,
)
from busware.server.protocol.jsonrpc import decode_notification

OnNotification = Callable[[str, dict[str, Any]], None]
OnConnectionChange = Callable[[bool], None]
PlaceOrStopNo = str | int

HOST = "127.0.0.1"
PORT = 9999
TIMEOUT_SECONDS = 30.0  # for a reply, at each try
CONNECT_SECONDS = 5.0  # for a connection, at each try
DEFAULT_TRIES = 6
RETRY_SECONDS = 0.2  # before the second try; it doubles at each further try
MAX_RETRY_SECONDS = 2.0
MAX_REPLY_BYTES = 16 * 1024 * 1024

DRAINING = "draining"
RETRY_REASONS = ("outcome_unknown", DRAINING)  # refusals after which the client repeats the request
SIGN_IN = (Register, Login, ResetPassword)

log = logging.getLogger("busware.client")


class ConnectionLost(Exception):
    """No usable reply: no answer at any try, an answer of another version, or a server that is not trusted.

    key: the idempotency key of a write that the server may have executed, else None. If the write is sent
    again with this key, it is executed once.
    """

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


def with_key(request: Request) -> Request:
    """The request, with a new idempotency key if it can have one and has none."""
    if getattr(request, "key", "") is None:
        return msgspec.structs.replace(request, key=str(uuid.uuid4()))
    return request


def retry_delays(tries: int) -> list[float]:
    """The seconds to wait before each try."""
    return [0.0, *(min(RETRY_SECONDS * 2**n, MAX_RETRY_SECONDS) for n in range(tries - 1))]


def final_error(failure: Exception | None, server: str, key: str | None) -> Refusal | ConnectionLost:
    """The exception to raise after the last try. failure: what that try raised."""
    match failure:
        case Refusal():
            if key and failure.reason in ("busy", *RETRY_REASONS):
                failure.data.setdefault("key", key)
            return failure
        case msgspec.DecodeError():
            message = f"No Busware server at {server}, or one of another version: {failure}"
        case ssl.SSLCertVerificationError():
            message = f"No trusted server at {server}: {failure.verify_message.rstrip('.')}"
        case ConnectionError(errno=int(errno)):  # asyncio's own text differs
            message = f"No answer from {server}: {os.strerror(errno)}"
        case _:
            detail = getattr(failure, "strerror", None) or str(failure) or "timed out"
            message = f"No answer from {server}: {detail}"
    return ConnectionLost(message, key)


def segment_fields(origin: PlaceOrStopNo | None, destination: PlaceOrStopNo | None) -> dict[str, Any]:
    """The fields of a request that name a segment: by place for a str, by stop number for an int."""
    return {
        "origin" if isinstance(origin, str) else "from_stop": origin,
        "destination" if isinstance(destination, str) else "to_stop": destination,
    }


def service_fields(service: ServiceData) -> dict[str, Any]:
    """The fields of a service except its number, for a request."""
    return {name: getattr(service, name) for name in ServiceFields.__struct_fields__}


def token_after(request: Request, reply: object, token: str | None) -> str | None:
    """The token to sign in with after this request. token: the one that was used before it."""
    if isinstance(request, SIGN_IN):
        return str(msgspec.json.decode(msgspec.json.encode(reply))["token"])
    return None if isinstance(request, Logout) else token


def dispatch_line(line: bytes, on_reply: Callable[[bytes], None], on_notification: OnNotification) -> None:
    """Call on_notification for a notification of the server, and on_reply for any other line."""
    try:
        notification = decode_notification(line)
    except msgspec.DecodeError:
        notification = None  # the call that takes the reply reports the error
    if notification is None:
        on_reply(line)
        return
    try:
        on_notification(notification.method, notification.params)
    except Exception:  # the next lines must still be read
        log.exception("The callback failed on the notification %s", notification.method)


def tls_context(
    host: str, wanted: bool | None = None, authority: Path | None = None
) -> ssl.SSLContext | None:
    """The TLS context for a host or URL, or None for a plain connection.

    wanted: None selects TLS for every host but this machine. The scheme of a URL takes precedence.
    authority: a file of certificates to verify the server with, instead of the machine's. Raises OSError
    if the file cannot be used.
    """
    if "://" in host:
        wanted = host.startswith("https:")
    elif wanted is None:
        wanted = not tls.is_loopback(host)
    return tls.client_context(authority) if wanted else None


class BaseConnection:
    """The state of a connection to a server. The subclasses carry requests, with threads or with asyncio.

    tries: the maximum number of times a request is sent.
    tls: the context for TLS, None for a plain connection. token: signs in on each connection. on_change:
    called with True when the server replies, and with False when the connection breaks or the server
    drains. It is called from any thread, and must not call the connection.
    """

    lock_type: type[Any]
    event_type: type[Any]

    def __init__(  # noqa: PLR0913 - one parameter for each option
        self,
        host: str = HOST,
        port: int = PORT,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tries: int = DEFAULT_TRIES,
        on_notification: OnNotification | None = None,
        tls: ssl.SSLContext | None = None,
        token: str | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._timeout = timeout_seconds
        self.tries = tries
        self._tls = tls
        self._token = token
        self.on_notification = on_notification
        self.on_change: OnConnectionChange | None = None
        self._ids = itertools.count(1)
        self._call_lock = self.lock_type()
        self._closed = self.event_type()
        self._transport: Any = None
        self._server_replies = False  # what on_change was last called with
        self._report_lock = threading.Lock()  # keeps the reports of several threads in order

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        if self.on_notification is not None:
            self.on_notification(method, params)

    def _report(self, transport: Any, *, server_replies: bool = False) -> None:
        """Call on_change if this is a change. Ignores a transport that was replaced or has ended."""
        with self._report_lock:
            outdated = transport is not self._transport or (server_replies and not transport.is_open)
            if not outdated and server_replies != self._server_replies:
                self._server_replies = server_replies
                if self.on_change is not None:
                    self.on_change(server_replies)
