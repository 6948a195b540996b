"""The two ports of the server: listening sockets, and a lock on a port that several processes share."""

import dataclasses
import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

from busware.server.installation import SERVER
from busware.server.settings import Settings

log = logging.getLogger("busware")

Port = Literal["port", "http_port"]  # a field of Settings


class PortError(OSError):
    """The server cannot listen on a port. The message says why, and what to change."""

    def __str__(self) -> str:
        return str(self.strerror)


def listen(settings: Settings, which: Port, *, shared: bool = False) -> socket.socket:
    """Listen on a port. Raises PortError.

    shared: the other processes of a supervisor listen on the same port.
    """
    with _explain_failure(settings, which):
        return socket.create_server(
            (settings.host, getattr(settings, which)),
            family=_resolve(settings, which)[0],
            backlog=settings.listen_backlog,
            reuse_port=shared,
        )


def check_ports(settings: Settings) -> Settings:
    """Check that nothing listens on the two ports. Raises PortError.

    Returns the settings, with HTTP port 0 (any free one) if the default HTTP port is taken.
    """
    listen(settings, "port").close()
    try:
        listen(settings, "http_port").close()
    except PortError as error:
        if error.errno != errno.EADDRINUSE or settings.http_port != Settings.http_port:
            raise
        log.warning("Port %d is taken: HTTP is served on another port.", settings.http_port)
        return dataclasses.replace(settings, http_port=0)
    return settings


@contextmanager
def share_port(settings: Settings, which: Port) -> Iterator[int]:
    """Reserve a port for the processes of one supervisor. Yields its number; raises PortError.

    A bound socket that never listens reserves the port while no process listens on it. SO_REUSEPORT would let
    another supervisor share the port unnoticed, so a lock excludes it.
    """
    with ExitStack() as stack:
        with _explain_failure(settings, which):
            family, address = _resolve(settings, which)
            reserved = stack.enter_context(socket.socket(family))
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind(address)
            port: int = reserved.getsockname()[1]
            # An abstract name: the kernel frees it when the process ends, however it ends. Like a port, it
            # belongs to the network namespace.
            lock = stack.enter_context(socket.socket(socket.AF_UNIX))
            lock.bind(f"\0busware-port-{port}")
        yield port


def _resolve(settings: Settings, which: Port) -> tuple[socket.AddressFamily, Any]:
    """The address family and the socket address of a port."""
    family, _, _, _, address = socket.getaddrinfo(
        settings.host, getattr(settings, which), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return family, address


@contextmanager
def _explain_failure(settings: Settings, which: Port) -> Iterator[None]:
    """Raise a PortError in place of an OSError."""
    try:
        yield
    except OSError as error:
        port = getattr(settings, which)
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        advice = "BUSWARE_HOST (or --host) must be an address or a host name of this machine."
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            argument = f", or {SERVER} PORT" if which == "port" else ""
            advice = (
                f"Choose another port, such as {port + 1} (BUSWARE_{which.upper()}{argument}), "
                "or stop the process that uses this one."
            )
        message = f"cannot listen on {settings.host}:{port}: {reason}. {advice}"
        raise PortError(error.errno, message) from error
