"""Limits on connections and on the heads of requests: number, bytes, seconds.

uvicorn limits none of these three, so this subclass of its connection class does. Past a limit, the client
gets a problem and the connection is closed. The body of a request is limited by server/http/executor.py.
"""

import asyncio
import weakref
from http import HTTPStatus
from typing import ClassVar

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from busware.server.http import problems
from busware.server.http.problems import Problem
from busware.server.protocol import Refusal
from busware.server.settings import Settings


def check_head(scope: Scope, settings: Settings) -> None:
    """Raises Problem (431) if the head of a request is too long."""
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) for name, value in scope["headers"]) > settings.http_header_bytes:
        raise _head_too_long(settings)


def limited_protocol(settings: Settings) -> type[HttpToolsProtocol]:
    """uvicorn's connection class, with these limits."""
    return type("LimitedProtocol", (_LimitedProtocol,), {"settings": settings})


class _LimitedProtocol(HttpToolsProtocol):
    """One connection. An incomplete head is limited to http_header_bytes and http_read_seconds."""

    settings: ClassVar[Settings]

    _timer: asyncio.TimerHandle
    _in_head = True  # before the first request, and from each request's first byte to the end of its head
    _received_bytes = 0  # of the head that is incomplete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._cycles = weakref.WeakSet[RequestResponseCycle]()
        self._timer = self._start_timer()
        if len(self.connections) > self.settings.http_connections:
            busy = Refusal("busy", "There are too many connections: nothing was done, try again.")
            self._refuse(problems.of_refusal(busy))

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        for cycle in self._cycles:  # uvicorn does this for the last pipelined request only
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head  # else the data begins in a body or with another request
        super().data_received(data)
        if was_in_head and self._in_head:
            self._received_bytes += len(data)
            if self._received_bytes > self.settings.http_header_bytes:
                self._refuse(_head_too_long(self.settings))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._received_bytes = True, 0
        self._timer.cancel()
        self._timer = self._start_timer()

    def on_headers_complete(self) -> None:
        self._timer.cancel()
        self._in_head = False
        super().on_headers_complete()
        self._cycles.add(self.cycle)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP."""
        self._refuse(problems.of_status(400, msg))

    def _start_timer(self) -> asyncio.TimerHandle:
        return self.loop.call_later(self.settings.http_read_seconds, self._time_out)

    def _time_out(self) -> None:
        seconds = self.settings.http_read_seconds
        self._refuse(problems.of_status(408, f"The head of the request did not arrive within {seconds:g} s."))

    def _refuse(self, problem: Problem) -> None:
        """Send a problem and close the connection. There is no request that uvicorn could answer."""
        if self.transport.is_closing():
            return
        headers = {
            "Content-Type": problems.PROBLEM,
            "Content-Length": str(len(problem.body)),
            "Connection": "close",
            **problem.headers,
        }
        lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + problem.body)
        self.transport.close()


def _head_too_long(settings: Settings) -> Problem:
    message = f"The head of the request is too long: at most {settings.http_header_bytes} bytes."
    return problems.of_status(431, message, {"Connection": "close"})
