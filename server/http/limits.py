"""The head of a request: how long it may be, and how long it may take. And how many connections there are.

uvicorn leaves these three open, and a stranger could fill the memory through any of them. What is beyond
a limit is answered, and the connection closed. (server/http/executor.py bounds the body where it reads it.)
"""

import asyncio
from http import HTTPStatus
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from busware.server.http import problems
from busware.server.http.problems import Problem
from busware.server.protocol import Refusal
from busware.server.settings import Settings


def bounded(settings: Settings) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, with these limits."""
    return type("Bounded", (_Bounded,), {"settings": settings})


class _Bounded(HttpToolsProtocol):
    """One connection."""

    settings: ClassVar[Settings]

    _in_head = True  # between requests too: nothing of the next one has come
    _head_bytes = 0  # of the head that is arriving, as far as it is parsed
    _raw_bytes = 0  # of it, parsed or not; what came with the end of another request is not counted
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.settings.http_connections:
            busy = Refusal("busy", "There are too many connections: nothing was done, try again.")
            self._refuse(problems.of_refusal(busy))
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head:
            self._raw_bytes += len(data)
        if self._is_too_long():
            most = self.settings.http_header_bytes
            self._refuse(problems.of_status(431, f"The head of a request has {most} bytes at most."))

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no HTTP."""
        self._refuse(problems.of_status(400, msg))

    # What the parser finds ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes, self._raw_bytes = True, 0, 0
        self._start_timer()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._head_bytes += len(name) + len(value)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._in_head = False
        if not self._is_too_long():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_too_long():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._is_too_long():
            super().on_message_complete()

    # -------------------------------------------------------------------------------------------

    def _is_too_long(self) -> bool:
        return max(self._raw_bytes, self._head_bytes) > self.settings.http_header_bytes

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(self.settings.http_read_seconds, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        within = f"{self.settings.http_read_seconds:g} s"
        self._refuse(problems.of_status(408, f"The head of a request arrives within {within}."))

    def _refuse(self, problem: Problem) -> None:
        """The last words on this connection."""
        if not self.transport.is_closing():
            self.transport.write(_response(problem))
            self.transport.close()


def _response(problem: Problem) -> bytes:
    """A response, byte for byte: where there is no request that uvicorn could answer."""
    headers = {
        "Content-Type": problems.PROBLEM,
        "Content-Length": str(len(problem.body)),
        "Connection": "close",
        **problem.headers,
    }
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + problem.body
