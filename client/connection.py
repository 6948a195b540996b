"""A conversation with a server: requests out, replies in, resent when the connection breaks.

A link is one socket with a thread that reads it: a reply goes to the call that waits for it, a
notification to the callback. A call that finds its link broken makes a new one, with a socket,
thread and queue of its own, so that nothing of an old link is taken for an answer on a new one, and
sends the same request again. A write goes out with an idempotency key, the same one each time, so
that the server does it once however often it hears of it. Who has signed in is signed in on every link,
by the token.
"""

import contextlib
import itertools
import logging
import queue
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar

import msgspec

from busware.server.protocol import Login, Logout, Refusal, Register, Request, Session
from busware.server.protocol.jsonrpc import decode_notification, decode_reply, encode_request
from busware.server.tls import TlsSocket

Reply = TypeVar("Reply")
OnNotification = Callable[[str, dict[str, Any]], None]
OnChange = Callable[[bool], None]

HOST = "127.0.0.1"
PORT = 9999
TIMEOUT_SECONDS = 30.0  # for an answer, each time a request is sent
CONNECT_SECONDS = 5.0  # for the server to take a connection, each time
TRIES = 6  # how often a request is sent at most
RETRY_SECONDS = 0.2  # the wait before the second try; it doubles from try to try …
LONGEST_RETRY_SECONDS = 2.0  # … up to this
MAX_LINE_BYTES = 16 * 1024 * 1024  # of a reply; whoever sends more is no Busware server

_SIGNS_IN = (Register, Login)

_GOING_DOWN = "draining"
# Refusals that say: send the same again, with the same key.
_ASK_AGAIN = ("outcome_unknown", _GOING_DOWN)

log = logging.getLogger("busware.client")


class ConnectionLost(Exception):
    """The server gives no answer, after all the tries.

    key: the idempotency key of a write that may have been done, else None. Sent again with this
    key, it is done once.
    """

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class Connection:
    """Carries requests to a server, one at a time. tls: to speak TLS. token: to be signed in by.

    Safe to share among threads: a lock makes them take turns. Connects with the first request.
    on_change: called with False when the connection breaks, or the server says that it goes down, and
    with True when one has answered; from any thread, and it must not call the connection.
    """

    def __init__(  # noqa: PLR0913 - an option each
        self,
        host: str = HOST,
        port: int = PORT,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tries: int = TRIES,
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
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._telling = threading.Lock()  # of changes, which several threads see: in their order
        self._is_there = False  # the server is, as far as was told
        self._tls = tls
        self._token = token
        self._link: _Link | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection for good; a call that waits in another thread raises ConnectionLost."""
        self._closed.set()
        self._hang_up()

    def call(self, request: Request, reply_type: type[Reply]) -> Reply:
        """Send a request until it is answered; return the reply as reply_type.

        Raises Refusal when the server refuses it (with the `key` of a write that may be asked again
        in its data), ConnectionLost when it gives no answer, RpcError on a fault inside it.
        """
        request = with_key(request)
        where = f"{self.host}:{self.port}"
        key: str | None = None
        failure: Exception | None = None
        with self._turn:
            for seconds in self._waits():
                if self._closed.wait(seconds):
                    raise ConnectionLost("the connection was closed here", key)
                try:
                    self._reach(request)
                    key = getattr(request, "key", None)
                    return self._signed(request, self._exchange(request, reply_type))
                except Refusal as refusal:
                    failure = refusal
                    if refusal.reason not in _ASK_AGAIN:
                        break
                    self._hang_up()  # another server may know more
                except msgspec.DecodeError as error:
                    self._hang_up()
                    raise ConnectionLost(
                        f"no Busware server at {where}, or one of another version: {error}", key
                    ) from error
                except ssl.SSLCertVerificationError as error:
                    doubt = error.verify_message.rstrip(".")
                    raise ConnectionLost(f"no server to be trusted at {where}: {doubt}") from error
                except (OSError, UnicodeError) as error:  # UnicodeError: of a host name that is none
                    failure = error
        if isinstance(failure, Refusal):
            if key and failure.reason in ("busy", *_ASK_AGAIN):
                failure.data.setdefault("key", key)
            raise failure
        why = getattr(failure, "strerror", None) or failure
        raise ConnectionLost(f"no answer from {where}: {why}", key) from failure

    def _waits(self) -> Iterator[float]:
        """How long to wait before each try, in seconds."""
        yield 0.0
        seconds = RETRY_SECONDS
        for _ in range(self._tries - 1):
            yield seconds
            seconds = min(2 * seconds, LONGEST_RETRY_SECONDS)

    def _signed(self, request: Request, reply: Reply) -> Reply:
        """Remember who is signed in after a request that changes that."""
        if isinstance(request, _SIGNS_IN):
            told = (
                msgspec.json.decode(reply) if isinstance(reply, msgspec.Raw) else msgspec.to_builtins(reply)
            )
            self._token = told["token"]
        elif isinstance(request, Logout):
            self._token = None
        return reply

    # Over TCP ----------------------------------------------------------------------------------

    def _reach(self, request: Request) -> None:
        """Be connected to the server, and signed in there. Raises OSError, or Refusal."""
        if self._link is not None and self._link.is_open:
            return
        self._link = _Link(self.host, self.port, self._notified, self._broke, self._tls)
        if self._closed.is_set():  # meanwhile, by another thread
            self._link.close()
        if self._token is None or isinstance(request, _SIGNS_IN):
            return
        try:
            self._exchange(Login(token=self._token), Session)
        except Refusal as refusal:
            if refusal.reason == "wrong_password":
                self._token = None
                raise Refusal("not_signed_in", refusal.message) from None
            raise

    def _exchange(self, request: Request, reply_type: type[Reply]) -> Reply:
        """Send a request and return its reply. Raises whatever comes instead."""
        link = self._link
        if link is None:
            raise ConnectionError("there is no connection")
        line = link.ask(encode_request(next(self._ids), request), self._timeout)
        is_there = True
        try:
            return decode_reply(line, reply_type)
        except Refusal as refusal:
            is_there = refusal.reason != _GOING_DOWN
            raise
        finally:
            self._changed(link, is_there=is_there)

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        if self.on_notification is not None:
            self.on_notification(method, params)

    def _broke(self, link: "_Link") -> None:
        self._changed(link, is_there=False)

    def _changed(self, link: "_Link", *, is_there: bool) -> None:
        """Tell whether the server is there, when that is new: one that is just dying may still take a
        connection, one that answers is there. A link that was replaced or has ended is no news of it."""
        with self._telling:
            if link is not self._link or is_there == self._is_there or (is_there and not link.is_open):
                return
            self._is_there = is_there
            if self.on_change is not None:
                self.on_change(is_there)


class _Link:
    """One socket, open until either end closes it or a call on it fails."""

    def __init__(
        self,
        host: str,
        port: int,
        on_notification: OnNotification,
        on_end: Callable[["_Link"], None],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._socket = _connect(host, port, tls)
        self._on_notification = on_notification
        self._on_end = on_end
        self._replies = queue.SimpleQueue[bytes | None]()
        self.is_open = True
        threading.Thread(target=self._read, name=f"busware reader {host}:{port}", daemon=True).start()

    def close(self) -> None:
        """End both halves; the reader, woken by that, closes the socket."""
        self.is_open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def ask(self, line: bytes, timeout_seconds: float) -> bytes:
        """Send a line and wait for the one that answers it. Raises OSError, and closes, without one."""
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
        except BaseException:  # Ctrl-C too: the answer that is on its way is nobody's now
            self.close()
            raise

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._socket, self._socket.makefile("rb") as lines:
            while (line := lines.readline(MAX_LINE_BYTES)).endswith(b"\n"):
                self._sort(line)
        broke, self.is_open = self.is_open, False
        self._replies.put(None)
        if broke:
            self._on_end(self)

    def _sort(self, line: bytes) -> None:
        """A notification to the callback, anything else to the call that waits."""
        try:
            told = decode_notification(line)
        except msgspec.DecodeError:
            told = None  # the call finds out what is wrong with it
        if told is None:
            self._replies.put(line)
        else:
            try:
                self._on_notification(told.method, told.params)
            except Exception:  # a fault of the callback's must not end the reading
                log.exception("The callback failed on the notification %s", told.method)


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


def with_key(request: Request) -> Request:
    """The request, with an idempotency key if it writes and has none."""
    if request.writes and getattr(request, "key", None) is None:
        return msgspec.structs.replace(request, key=str(uuid.uuid4()))
    return request
