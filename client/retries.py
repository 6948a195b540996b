"""What the synchronous and the asynchronous client share: limits, idempotency keys, errors, TLS.

A write is sent with an idempotency key, the same one each time, so that the server executes it once however
often it receives it.
"""

import logging
import os
import ssl
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from busware.server import tls
from busware.server.protocol import Login, Refusal, Register, Request
from busware.server.protocol.jsonrpc import decode_notification

OnNotification = Callable[[str, dict[str, Any]], None]
OnChange = Callable[[bool], None]

HOST = "127.0.0.1"
PORT = 9999
TIMEOUT_SECONDS = 30.0  # for a reply, each time a request is sent
CONNECT_SECONDS = 5.0  # for the server to accept a connection, each time
DEFAULT_TRIES = 6  # how often a request is sent at most
RETRY_SECONDS = 0.2  # the wait before the second try; it doubles from try to try …
MAX_RETRY_SECONDS = 2.0  # … up to this
MAX_REPLY_BYTES = 16 * 1024 * 1024  # a server that sends a longer reply is no Busware server

SIGN_IN = (Register, Login)
DRAINING = "draining"
RETRY_REASONS = ("outcome_unknown", DRAINING)  # refusals that say: send the same again, with the same key

log = logging.getLogger("busware.client")


class ConnectionLost(Exception):
    """The server gives no reply, after all the tries.

    key: the idempotency key of a write that may have been executed, else None. Sent again with this key, the
    write is executed once.
    """

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


def with_key(request: Request) -> Request:
    """The request, with an idempotency key if it writes and has none."""
    if request.writes and getattr(request, "key", None) is None:
        return msgspec.structs.replace(request, key=str(uuid.uuid4()))
    return request


def waits(tries: int) -> Iterator[float]:
    """How long to wait before each try, in seconds."""
    yield 0.0
    seconds = RETRY_SECONDS
    for _ in range(tries - 1):
        yield seconds
        seconds = min(2 * seconds, MAX_RETRY_SECONDS)


def final_error(failure: Exception | None, where: str, key: str | None) -> Refusal | ConnectionLost:
    """What to raise after the last try failed with `failure`."""
    if isinstance(failure, Refusal):
        if key and failure.reason in ("busy", *RETRY_REASONS):
            failure.data.setdefault("key", key)
        return failure
    if isinstance(failure, ConnectionError) and failure.errno:
        why = os.strerror(failure.errno)  # asyncio has a text of its own
    else:
        why = getattr(failure, "strerror", None) or str(failure)
    return ConnectionLost(f"no answer from {where}: {why}", key)


def token_of(reply: object) -> str:
    """The token in a reply to register or login."""
    fields = msgspec.json.decode(reply) if isinstance(reply, msgspec.Raw) else msgspec.to_builtins(reply)
    return str(fields["token"])


def deliver(line: bytes, on_reply: Callable[[bytes], None], on_notification: OnNotification) -> None:
    """Pass a line of the server on: a notification to its callback, anything else to the waiting call."""
    try:
        notification = decode_notification(line)
    except msgspec.DecodeError:
        notification = None  # the call finds out what is wrong with it
    if notification is None:
        on_reply(line)
        return
    try:
        on_notification(notification.method, notification.params)
    except Exception:  # an error of the callback must not end the reading
        log.exception("The callback failed on the notification %s", notification.method)


def tls_context(
    host: str, wanted: bool | None = None, authority: Path | None = None
) -> ssl.SSLContext | None:
    """The TLS to speak with a host or at a URL; None for plain. Raises OSError when the authority is no good.

    wanted: None to speak plain with this very machine alone; a URL says it itself. authority: a file of
    certificates to verify the server by, instead of the machine's.
    """
    if "://" in host:
        wanted = host.startswith("https:")
    elif wanted is None:
        wanted = not tls.is_loopback(host)
    return tls.client_context(authority) if wanted else None
