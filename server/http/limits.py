"""Limits on connections and on the heads of requests: number, bytes, seconds.

uvicorn limits none of these three, so this subclass of its connection class does. Past a limit, the client
gets a problem and the connection is closed. The body of a request is limited by server/http/executor.py.

A connection parses a request, and what follows it only after the answer. So the requests that a client sends
before it has the answers wait as bytes, in its socket's buffers once those of the server are full.
Connections that hold such bytes take turns: in each iteration of the event loop, one connection of each
address parses one request.
"""

import asyncio
import weakref
from collections import Counter, deque
from contextlib import suppress
from http import HTTPStatus
from typing import ClassVar

import httptools
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from busware.server.addresses import SubjectCounts, address_subject
from busware.server.http import problems
from busware.server.http.problems import Problem
from busware.server.protocol import Refusal
from busware.server.settings import Settings

_END_OF_HEAD = b"\r\n\r\n"
_SINGLE_HEADERS = (b"authorization", b"content-type", b"host", b"idempotency-key", b"origin")


def check_head(scope: Scope, settings: Settings) -> None:
    """Raises Problem if the head of a request is too long (431), or repeats a header (400)."""
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) for name, value in scope["headers"]) > settings.http_header_bytes:
        raise _head_too_long(settings)
    if len(dict(scope["headers"])) == len(scope["headers"]):  # the usual case: no header is repeated
        return
    names = [name for name, _ in scope["headers"]]
    for name in _SINGLE_HEADERS:
        if names.count(name) > 1:
            header = name.decode().title()
            raise problems.of_status(400, f"The header {header} is repeated: send it once.")


def limited_protocol(settings: Settings) -> type[HttpToolsProtocol]:
    """uvicorn's connection class, with these limits."""
    members = {"settings": settings, "connection_counts": SubjectCounts(), "waiting": {}}
    return type("LimitedProtocol", (_LimitedProtocol,), members)


class _LimitedProtocol(HttpToolsProtocol):
    """One connection. An incomplete head is limited to http_header_bytes and http_read_seconds.

    An incomplete line after a head, such as a trailer, is limited to http_header_bytes too.
    """

    settings: ClassVar[Settings]
    connection_counts: ClassVar[SubjectCounts]  # of each subject, without those that were refused
    waiting: ClassVar[dict[str, deque["_LimitedProtocol"]]]  # of each subject: those that wait for a turn

    subject: str  # the address, as rate limits count it
    idle_since: float  # the loop's time of the connection or of the last answer
    _timer: asyncio.TimerHandle
    _unparsed: bytearray
    _in_head = True  # before the first request, and from each request's first byte to the end of its head
    _in_message = False  # from each request's first byte to the end of its body
    _received_bytes = 0  # of the head or the line that is incomplete
    _is_admitted = False  # False: it was refused, and does not count, even before its client closes it

    # Connections -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._cycles = weakref.WeakSet[RequestResponseCycle]()
        self._unparsed = bytearray()
        self.idle_since = self.loop.time()
        self._timer = self._start_timer()
        address = self.client[0] if self.client else ""
        self.subject = address_subject(address)
        settings, counts = self.settings, self.connection_counts
        if counts[self.subject] >= settings.http_connections_per_address and not self._is_exempt(address):
            self._refuse_busy("There are too many connections from this address")
        elif counts.total() >= settings.http_connections and not self._close_idle_connection():
            self._refuse_busy("There are too many connections")
        else:
            counts[self.subject] += 1
            self._is_admitted = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        for cycle in self._cycles:  # several, if a head followed a body; uvicorn marks only the last one
            cycle.disconnected = True
            cycle.message_event.set()
        if self._is_admitted:
            self.connection_counts.decrease(self.subject)
        super().connection_lost(exc)

    def _is_exempt(self, address: str) -> bool:
        """Whether the limit on the connections of one address does not apply."""
        is_proxy = isinstance(self.app, ProxyHeadersMiddleware) and address in self.app.trusted_hosts
        return is_proxy or self.settings.is_exempt(address)

    def _close_idle_connection(self) -> bool:
        """Close an idle connection of the address that has most of them. False: no connection is idle."""
        idle = [one for one in self.connections if isinstance(one, _LimitedProtocol) and one.is_idle()]
        counts = Counter(one.subject for one in idle if one._is_admitted)
        if not counts:
            return False
        ((subject, _),) = counts.most_common(1)
        oldest = min((one for one in idle if one.subject == subject), key=lambda one: one.idle_since)
        oldest.transport.abort()
        return True

    def is_idle(self) -> bool:
        """Whether no request is being received or answered."""
        is_sending = self._is_answering() or self.transport.get_write_buffer_size()
        return not (self._in_message or self._unparsed or is_sending or self.transport.is_closing())

    # Requests ----------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():  # else TLS may still deliver bytes
            self._unparsed += data
            self._parse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._in_head = self._in_message = True
        self._timer.cancel()
        self._timer = self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else it is a trailer, which nothing here reads
            super().on_header(name, value)
        else:
            self._received_bytes = 0

    def on_headers_complete(self) -> None:
        self._timer.cancel()
        self._in_head = False
        self._received_bytes = 0
        if not self.parser.should_upgrade():  # else _parse_part parses another head in its place
            super().on_headers_complete()
            self._cycles.add(self.cycle)

    def on_chunk_header(self) -> None:
        self._received_bytes = 0

    def on_chunk_complete(self) -> None:
        self._received_bytes = 0

    def on_body(self, body: bytes) -> None:
        self._received_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        self._received_bytes = 0
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.idle_since = self.loop.time()
        if self._unparsed:
            self._wait_for_turn()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_turn(self) -> None:
        """Parse in a later turn of the event loop. In one turn, one connection of each address does so."""
        self.flow.pause_reading()
        waiting = self.waiting.setdefault(self.subject, deque())
        waiting.append(self)
        if len(waiting) == 1:
            self.loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        waiting = self.waiting[self.subject]
        connection = waiting.popleft()
        if waiting:
            self.loop.call_soon(self._next_turn)
        else:
            del self.waiting[self.subject]
        if connection in self.connections:  # it has not ended
            connection._parse()

    def _parse(self) -> None:
        """Parse received bytes, up to the end of a request that has no answer yet.

        In one turn, a connection parses about as many bytes as the longest head has.
        """
        bytes_per_turn, parsed_bytes = self.settings.http_header_bytes, 0
        while self._unparsed and (self._in_message or not self._is_answering()):
            if self.transport.is_closing():
                return
            if parsed_bytes >= bytes_per_turn:
                self._wait_for_turn()
                break
            end = self._unparsed.find(_END_OF_HEAD, 0, bytes_per_turn)
            size = end + len(_END_OF_HEAD) if end >= 0 else bytes_per_turn
            part = self._unparsed[:size]
            del self._unparsed[:size]
            parsed_bytes += len(part)
            self._parse_part(part)
        if self._unparsed:
            self.flow.pause_reading()
        elif self.cycle is None or len(self.cycle.body) <= HIGH_WATER_LIMIT:
            self.flow.resume_reading()

    def _parse_part(self, part: bytearray) -> None:
        """Parse some bytes, with the end of one head at most, so that few requests wait to be answered."""
        self._received_bytes += len(part)
        try:
            self.parser.feed_data(part)
        except httptools.HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                self._refuse(_not_http())
            else:  # httptools skips the body of a request that asks for another protocol
                (head_end,) = upgrade.args
                self._unparsed[:0] = self._head_without_upgrade() + part[head_end:]
                self.parser = httptools.HttpRequestParser(self)  # the other one may expect no more requests
                with suppress(AttributeError):  # as uvicorn does, for httptools < 0.6.3
                    self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        except httptools.HttpParserError:
            self._refuse(_not_http())
        if self._received_bytes > self.settings.http_header_bytes:
            self._refuse(_head_too_long(self.settings))

    def _head_without_upgrade(self) -> bytes:
        """The parsed head, so that the request is answered as if it did not ask for another protocol."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join(lines) + _END_OF_HEAD

    # Refusals ----------------------------------------------------------------------------------

    def _start_timer(self) -> asyncio.TimerHandle:
        return self.loop.call_later(self.settings.http_read_seconds, self._time_out)

    def _time_out(self) -> None:
        seconds = self.settings.http_read_seconds
        self._refuse(problems.of_status(408, f"The head of the request did not arrive within {seconds:g} s."))

    def _refuse_busy(self, message: str) -> None:
        self._refuse(problems.of_refusal(Refusal("busy", f"{message}: nothing was done, try again.")))

    def _refuse(self, problem: Problem) -> None:
        """Send a problem and close the connection. There is no request that uvicorn could answer."""
        if self.transport.is_closing():
            return
        headers = {
            "Content-Type": problems.PROBLEM,
            "Content-Length": str(len(problem.body)),
            "Cache-Control": "no-store",
            "Connection": "close",
            **problem.headers,
        }
        lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + problem.body)
        self.transport.close()


def _not_http() -> Problem:
    return problems.of_status(400, "The request is not valid HTTP.")


def _head_too_long(settings: Settings) -> Problem:
    message = f"The head of the request is too long: at most {settings.http_header_bytes} bytes."
    return problems.of_status(431, message, {"Connection": "close"})
