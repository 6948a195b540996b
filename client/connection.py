# Generated from async_connection.py by scripts/generate: edit that file.
"""A connection to a server: sends requests, returns replies, and repeats a request if the connection breaks.

A client that is signed in sends its token first on every new connection.
"""

import ssl
from collections.abc import Iterator
from typing import Any, Protocol, Self, TypeVar

import msgspec

from busware.retries import (
    DRAINING,
    RETRY_REASONS,
    SIGN_IN,
    BaseConnection,
    ConnectionLost,
    final_error,
    retry_delays,
    token_after,
    with_key,
)
from busware.server.protocol import Login, Refusal, Request, Session
from busware.server.protocol.jsonrpc import decode_reply, encode_request
from busware.transport import Event, Lock, TcpTransport, connect, wait_for

Reply = TypeVar("Reply")


class Page(Protocol):
    """A page of a list."""

    @property
    def next(self) -> str | int | None:
        """The value of `after` for the next page; None: it is the last one."""


AnyPage = TypeVar("AnyPage", bound=Page)


class Connection(BaseConnection):
    """Carries requests to a server, one at a time. It connects at the first request.

    Callers may share a connection: the threads of a program, or with asyncio the tasks of one event loop.
    """

    lock_type, event_type = Lock, Event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection permanently. A call in progress raises ConnectionLost."""
        self._closed.set()
        self._disconnect()

    def _pages(self, request: Request, page_type: type[AnyPage]) -> Iterator[AnyPage]:
        """The pages of a list, each with a request of its own. Raises as `call` does."""
        after: Any = None
        while True:
            page = self.call(msgspec.structs.replace(request, after=after), page_type)
            yield page
            if (after := page.next) is None:
                return

    def call(self, request: Request, reply_type: type[Reply]) -> Reply:
        """Send a request, at most `tries` times, until the server replies; return the reply as reply_type.

        Raises Refusal if the server refuses it. If the caller may repeat the refused write later, `data` of
        the refusal contains the idempotency key. Raises ConnectionLost if no reply arrives, and RpcError on
        an internal error of the server.
        """
        request = with_key(request)
        key: str | None = None
        failure: Exception | None = None
        with self._call_lock:
            for seconds in retry_delays(self.tries):
                if wait_for(self._closed, seconds):
                    raise ConnectionLost("The connection was closed by this program", key)
                try:
                    self._ensure_connected(request)
                    key = getattr(request, "key", None)
                    reply = self._exchange(request, reply_type)
                    self._token = token_after(request, reply, self._token)
                    return reply
                except Refusal as refusal:
                    failure = refusal
                    if refusal.reason not in RETRY_REASONS:
                        break
                    self._disconnect()  # the next connection may reach another server
                except (msgspec.DecodeError, ssl.SSLCertVerificationError) as error:
                    failure = error
                    self._disconnect()
                    break
                except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be encoded
                    failure = error
        raise final_error(failure, f"{self.host}:{self.port}", key) from failure

    # Over TCP ----------------------------------------------------------------------------------

    def _ensure_connected(self, request: Request) -> None:
        """Connect and sign in, unless connected. Raises OSError or Refusal."""
        if self._transport is not None and self._transport.is_open:
            return
        connection = connect(self.host, self.port, self._tls)
        self._transport = TcpTransport(connection, self._notify, self._report)
        if self._closed.is_set():  # closed while it connected
            self._transport.close()
        if self._token is None or isinstance(request, SIGN_IN):
            return
        try:
            self._exchange(Login(token=self._token), Session)
        except Refusal as refusal:
            if refusal.reason == "wrong_password":
                self._token = None
                raise Refusal("not_signed_in", refusal.message) from None
            raise

    def _exchange(self, request: Request, reply_type: type[Reply]) -> Reply:
        """Send a request and return its reply. Raises OSError, Refusal, RpcError or DecodeError."""
        transport = self._transport
        line = transport.send(encode_request(next(self._ids), request), self._timeout)
        draining = False
        try:
            return decode_reply(line, reply_type)
        except Refusal as refusal:
            draining = refusal.reason == DRAINING
            raise
        finally:
            self._report(transport, server_replies=not draining)

    def _disconnect(self) -> None:
        if self._transport is not None:
            self._transport.close()
