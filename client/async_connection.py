"""A conversation with a server: requests out, replies in, sent again when the connection breaks.

A call that finds its link broken opens a new one and sends the same request again. A signed-in client signs
in on every link, by its token.
"""

import itertools
import ssl
import threading
from typing import Any, Self, TypeVar

import msgspec

from busware.async_links import Event, Lock, TcpLink, wait_for
from busware.retries import (
    DEFAULT_TRIES,
    DRAINING,
    HOST,
    PORT,
    RETRY_REASONS,
    SIGN_IN,
    TIMEOUT_SECONDS,
    ConnectionLost,
    OnChange,
    OnNotification,
    final_error,
    token_of,
    waits,
    with_key,
)
from busware.server.protocol import Login, Logout, Refusal, Request, Session
from busware.server.protocol.jsonrpc import decode_reply, encode_request

Reply = TypeVar("Reply")


class AsyncConnection:
    """Carries requests to a server, one at a time. tls: to speak TLS. token: to be signed in by.

    Threads, or the tasks of an event loop, may share it: a lock makes them take turns. Connects with the
    first request. on_change: called with False when the connection breaks, or the server says that it goes
    down, and with True when a server has replied; from any thread, and it must not call the connection.
    """

    def __init__(  # noqa: PLR0913 - an option each
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
        self._tries = tries
        self.on_notification = on_notification
        self.on_change: OnChange | None = None
        self._ids = itertools.count(1)
        self._turn = Lock()
        self._closed = Event()
        self._reporting = threading.Lock()  # of changes, which several threads see: reported in their order
        self._is_there = False  # the server is, as reported last
        self._tls = tls
        self._token = token
        self._link: TcpLink | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection for good; a call that waits elsewhere raises ConnectionLost."""
        self._closed.set()
        await self._hang_up()

    async def call(self, request: Request, reply_type: type[Reply]) -> Reply:
        """Send a request until it is answered; return the reply as reply_type.

        Raises Refusal when the server refuses it (with the `key` of a write that may be sent again in its
        data), ConnectionLost when it gives no reply, RpcError on an internal error of the server.
        """
        request = with_key(request)
        where = f"{self.host}:{self.port}"
        key: str | None = None
        failure: Exception | None = None
        async with self._turn:
            for seconds in waits(self._tries):
                if await wait_for(self._closed, seconds):
                    raise ConnectionLost("the connection was closed here", key)
                try:
                    await self._reach(request)
                    key = getattr(request, "key", None)
                    return self._signed(request, await self._exchange(request, reply_type))
                except Refusal as refusal:
                    failure = refusal
                    if refusal.reason not in RETRY_REASONS:
                        break
                    await self._hang_up()  # another server may know more
                except msgspec.DecodeError as error:
                    await self._hang_up()
                    raise ConnectionLost(
                        f"no Busware server at {where}, or one of another version: {error}", key
                    ) from error
                except ssl.SSLCertVerificationError as error:
                    doubt = error.verify_message.rstrip(".")
                    raise ConnectionLost(f"no server to be trusted at {where}: {doubt}") from error
                except (OSError, UnicodeError) as error:  # UnicodeError: of a host name that is none
                    failure = error
        raise final_error(failure, where, key) from failure

    def _signed(self, request: Request, reply: Reply) -> Reply:
        """Remember the token after a request that signs in or out."""
        if isinstance(request, SIGN_IN):
            self._token = token_of(reply)
        elif isinstance(request, Logout):
            self._token = None
        return reply

    # Over TCP ----------------------------------------------------------------------------------

    async def _reach(self, request: Request) -> None:
        """Be connected to the server, and signed in there. Raises OSError, or Refusal."""
        if self._link is not None and self._link.is_open:
            return
        self._link = await TcpLink.open(self.host, self.port, self._tls, self._notified, self._broke)
        if self._closed.is_set():  # meanwhile
            await self._link.close()
        if self._token is None or isinstance(request, SIGN_IN):
            return
        try:
            await self._exchange(Login(token=self._token), Session)
        except Refusal as refusal:
            if refusal.reason == "wrong_password":
                self._token = None
                raise Refusal("not_signed_in", refusal.message) from None
            raise

    async def _exchange(self, request: Request, reply_type: type[Reply]) -> Reply:
        """Send a request and return its reply. Raises whatever comes instead."""
        link = self._link
        if link is None:
            raise ConnectionError("there is no connection")
        line = await link.ask(encode_request(next(self._ids), request), self._timeout)
        is_there = True
        try:
            return decode_reply(line, reply_type)
        except Refusal as refusal:
            is_there = refusal.reason != DRAINING
            raise
        finally:
            self._changed(link, is_there=is_there)

    async def _hang_up(self) -> None:
        if self._link is not None:
            await self._link.close()

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        if self.on_notification is not None:
            self.on_notification(method, params)

    def _broke(self, link: TcpLink) -> None:
        self._changed(link, is_there=False)

    def _changed(self, link: TcpLink, *, is_there: bool) -> None:
        """Report whether the server is there, when that is new: a server that is ending may still accept a
        connection, one that replies is there. A link that was replaced or has ended is no news of it."""
        with self._reporting:
            if link is not self._link or is_there == self._is_there or (is_there and not link.is_open):
                return
            self._is_there = is_there
            if self.on_change is not None:
                self.on_change(is_there)
