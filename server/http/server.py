"""The HTTP server: starts and drains uvicorn, which runs in a thread of its own."""

import asyncio
import errno
import logging
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn

from busware.server.booking.operations import Operations
from busware.server.db.listener import Listener
from busware.server.http.app import Pages, make_app
from busware.server.http.event_streams import EventStreams
from busware.server.http.executor import Executor
from busware.server.http.limits import limited_protocol
from busware.server.ports import listen
from busware.server.settings import Settings

log = logging.getLogger("busware.http")

_NO_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # with which accept() fails
_TLS_CLOSE_SECONDS = 2.0  # how long a closed connection may send its last bytes and wait for close_notify
_DRAIN_CHECK_SECONDS = 0.1  # the pause between two looks for new connections during the drain
_ACCEPT_LOG_SECONDS = 1.0  # the pause between two log lines about connections that cannot be accepted


class HttpServer:
    """Serves HTTP, or HTTPS if tls is given. port: the port it listens on, once started.

    listener: notifies event streams of changes; without it they only read periodically. make_pages: makes
    the pages for people; without it there are none.
    """

    def __init__(
        self,
        settings: Settings,
        operations: Operations,
        tls: ssl.SSLContext | None = None,
        listener: Listener | None = None,
        make_pages: Callable[[Executor, EventStreams], Pages] | None = None,
    ) -> None:
        self.port = settings.http_port
        self.executor = Executor(operations, settings)
        self._streams = EventStreams(self.executor, listener)
        self._pages = make_pages(self.executor, self._streams) if make_pages else None
        self._settings = settings
        self._uvicorn = _Uvicorn(self._config(tls))
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._handle_loop_error)
        self._accept_error_at = -math.inf  # when the log last said that no connection can be accepted
        if tls is not None:  # uvicorn does not pass these on; asyncio's defaults are 60 and 30 seconds
            self._loop.create_server = partial(  # type: ignore[method-assign]
                self._loop.create_server,
                ssl_handshake_timeout=settings.http_read_seconds,
                ssl_shutdown_timeout=_TLS_CLOSE_SECONDS,
            )
        self._thread = threading.Thread(target=self._run, name="http server", daemon=True)

    def start(self, *, shared: bool = False) -> None:
        """Listen, and serve in a thread. Raises PortError.

        shared: the other processes of a supervisor listen on the same port.
        """
        self._socket = listen(self._settings, self._settings.http_port, "http_port", shared=shared)
        # Connections inherit both options. asyncio sets TCP_NODELAY only for sockets with proto IPPROTO_TCP;
        # here it is 0. TCP_USER_TIMEOUT ends a connection whose client does not read its answer.
        milliseconds = round(self._settings.send_seconds * 1000)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        self.port = self._socket.getsockname()[1]
        self._thread.start()

    def drain(self) -> None:
        """Stop: accept no connection, refuse new requests, send the answers of running requests, close."""
        self.executor.draining = True
        self._uvicorn.should_exit = True
        with suppress(RuntimeError):  # the loop is closed: drained already
            self._loop.call_soon_threadsafe(self._streams.stop)
        self._thread.join()
        self.executor.close()

    def _config(self, tls: ssl.SSLContext | None) -> uvicorn.Config:
        settings = self._settings
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # its warnings are about wrong requests
        config = uvicorn.Config(
            make_app(self.executor, self._streams, self._pages),
            http=limited_protocol(settings),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=settings.http_proxies is not None,
            forwarded_allow_ips=settings.http_proxies,
            backlog=settings.listen_backlog,
            timeout_keep_alive=max(1, round(settings.http_idle_seconds)),
            timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
        )
        config.load()
        config.ssl = tls
        return config

    def _handle_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an error in a callback of the loop; without a free file descriptor, in a line each second.

        asyncio repeats a failed accept() as often as the backlog is long, and then each second.
        """
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _NO_RESOURCES:
            loop.default_exception_handler(context)
        elif time.monotonic() >= self._accept_error_at + _ACCEPT_LOG_SECONDS:
            self._accept_error_at = time.monotonic()
            log.warning("cannot accept an HTTP connection: %s", error)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._streams.start()
        await self._uvicorn.serve(sockets=[self._socket])


class _Uvicorn(uvicorn.Server):
    """uvicorn, whose drain also closes the connections whose TLS handshake ends during it."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        closing = asyncio.create_task(self._close_new_connections())
        try:
            await super().shutdown(sockets)
        finally:
            closing.cancel()

    async def _close_new_connections(self) -> None:
        while True:
            await asyncio.sleep(_DRAIN_CHECK_SECONDS)
            for connection in list(self.server_state.connections):
                if not connection.transport.is_closing():
                    connection.shutdown()
