"""One process that serves: its parts, put together. Started last is stopped first.

Stopped, the two faces drain (what is under way is answered, the rest is refused), then the writer
answers what waits. Where several processes serve on one port, each of them is one of these.
"""

import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack

from busware.server.booking.operations import Operations
from busware.server.db.listener import Listener
from busware.server.db.pool import Pool
from busware.server.db.writer import Writer
from busware.server.housekeeping import Housekeeper
from busware.server.http import HttpServer
from busware.server.installation import SERVER
from busware.server.push.messages import Messages
from busware.server.push.pusher import Pusher
from busware.server.settings import Settings, SettingsError
from busware.server.tcp.server import TcpServer
from busware.server.tls import is_loopback, server_context

log = logging.getLogger("busware")

_WAY_OUT = (
    "Give BUSWARE_TLS_CERT and BUSWARE_TLS_KEY; or, on a network that is yours alone, BUSWARE_PLAIN=true."
)


def serve(  # noqa: PLR0913 - what a process is made of
    settings: Settings,
    url: str,
    tls: ssl.SSLContext | None,
    stack: ExitStack,
    on_outdated: Callable[[str], None],
    *,
    shared: bool = False,
) -> tuple[int, int]:
    """Start all of it, the stop of it on the stack; answers the ports, TCP's and HTTP's.

    on_outdated: called, with the reason, when a breaking migration outdates this process. shared: together
    with other processes, on the same ports, under a lock (server/supervisor.py).
    Raises DatabaseUnavailable when the database is, OSError when a port cannot be had.
    """
    pool = Pool(url, settings)
    stack.callback(pool.close)
    pool.open()
    listener = Listener(url, settings)
    listener.on_outdated = on_outdated
    writer = Writer(url, settings)
    writer.on_commit = listener.queue_changes
    writer.start()
    stack.callback(writer.stop)
    housekeeper = Housekeeper(pool, writer, settings)
    housekeeper.start()
    stack.callback(housekeeper.stop)

    operations = Operations(pool, writer, settings)
    pusher = Pusher(Messages(pool, settings), listener)
    tcp = _start_tcp(TcpServer(settings, operations, pusher, tls), settings, shared)
    stack.callback(tcp.drain)
    http = _start_http(HttpServer(settings, operations, tls, listener), settings, shared)
    stack.callback(http.drain)
    pusher.start()
    listener.start(f"{settings.host}:{tcp.port}, process {os.getpid()}")
    stack.callback(listener.stop)
    stack.callback(pusher.stop)  # before the listener, which ends the presence of this process
    return tcp.port, http.port


def _start_tcp(tcp: TcpServer, settings: Settings, shared: bool) -> TcpServer:
    try:
        tcp.start(shared=shared)
    except OSError as error:
        raise port_taken(settings.host, settings.port, error) from error
    return tcp


def _start_http(http: HttpServer, settings: Settings, shared: bool) -> HttpServer:
    """Serve HTTP; on another port where the usual one is taken, and nobody asked for that one."""
    try:
        http.start(shared=shared)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or settings.http_port != Settings.http_port or shared:
            raise OSError(
                f"cannot listen on {settings.host}:{settings.http_port}: {os.strerror(error.errno or 0)}. "
                "Choose another port (BUSWARE_HTTP_PORT), or stop whoever has this one."
            ) from error
        http.start(port=0)
        log.warning("port %d is taken: HTTP is served on port %d", settings.http_port, http.port)
    return http


def check_port(settings: Settings) -> None:
    """See early that the TCP port can be had. Raises OSError when it cannot."""
    address = (settings.host, settings.port)
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        socket.create_server(address, family=family).close()
    except OSError as error:
        raise port_taken(settings.host, settings.port, error) from error


def port_taken(host: str, port: int, error: OSError) -> OSError:
    """What to say when the TCP port cannot be had, or not on that host."""
    why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    way_out = "BUSWARE_HOST (or --host) takes an address of this machine, or a name of it."
    if error.errno in (errno.EADDRINUSE, errno.EACCES):
        way_out = (
            f"Choose another port, such as {port + 1} (BUSWARE_PORT, or {SERVER} PORT), "
            "or stop whoever has this one."
        )
    return OSError(f"cannot listen on {host}:{port}: {why}. {way_out}")


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS of both ports, or None for plain. Raises SettingsError where that is not to be had."""
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate and key:
        try:
            return server_context(certificate, key)
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(
                f"BUSWARE_TLS_CERT ({certificate}) and BUSWARE_TLS_KEY ({key}) will not do: {error}."
            ) from None
    if certificate or key:
        raise SettingsError("BUSWARE_TLS_CERT and BUSWARE_TLS_KEY: give both, or neither.")
    if not settings.plain and not is_loopback(settings.host):
        raise SettingsError(
            f"BUSWARE_HOST={settings.host} lets other machines in, and without TLS others could read "
            f"along. {_WAY_OUT}"
        )
    return None
