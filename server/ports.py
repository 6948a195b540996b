"""The ports of the server: listening sockets, and a lock on a port that several processes share."""

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

PortSetting = Literal["port", "http_port", "ports"]  # a field of Settings
# By setting: the command-line argument that sets the same.
_ARGUMENTS = {"port": f", or {SERVER} PORT", "ports": f", or {SERVER} --ports"}


class PortError(OSError):
    """The server cannot listen on a port. The message says why, and what to change."""

    def __str__(self) -> str:
        return str(self.strerror)


def listen(settings: Settings, port: int, chosen_by: PortSetting, *, shared: bool = False) -> socket.socket:
    """Listen on a port, which a setting has chosen. Raises PortError.

    shared: the other processes of a supervisor listen on the same port.
    """
    with _explain_failure(settings, port, chosen_by):
        return socket.create_server(
            (settings.host, port),
            family=_resolve(settings, port)[0],
            backlog=settings.listen_backlog,
            reuse_port=shared,
        )


def check_ports(settings: Settings) -> Settings:
    """Check that nothing listens on the ports. Raises PortError.

    Returns the settings, with HTTP port 0 (any free one) if the default HTTP port is taken.
    """
    listen(settings, settings.port, "port").close()
    for _, port in settings.ports or ():
        listen(settings, port, "ports").close()
    try:
        listen(settings, settings.http_port, "http_port").close()
    except PortError as error:
        if error.errno != errno.EADDRINUSE or settings.http_port != Settings.http_port:
            raise
        log.warning("Port %d is taken: HTTP is served on another port.", settings.http_port)
        return dataclasses.replace(settings, http_port=0)
    return settings


@contextmanager
def share_port(settings: Settings, port: int, chosen_by: PortSetting) -> Iterator[int]:
    """Reserve a port for the processes of one supervisor. Yields its number; raises PortError.

    A bound socket that never listens reserves the port while no process listens on it. SO_REUSEPORT would let
    another supervisor share the port unnoticed, so a lock excludes it.
    """
    with ExitStack() as stack:
        with _explain_failure(settings, port, chosen_by):
            family, address = _resolve(settings, port)
            reserved = stack.enter_context(socket.socket(family))
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind(address)
            port = reserved.getsockname()[1]
            # An abstract name: the kernel frees it when the process ends, however it ends. Like a port, it
            # belongs to the network namespace.
            lock = stack.enter_context(socket.socket(socket.AF_UNIX))
            lock.bind(f"\0busware-port-{port}")
        yield port


def _resolve(settings: Settings, port: int) -> tuple[socket.AddressFamily, Any]:
    """The address family and the socket address of a port."""
    family, _, _, _, address = socket.getaddrinfo(
        settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return family, address


@contextmanager
def _explain_failure(settings: Settings, port: int, chosen_by: PortSetting) -> Iterator[None]:
    """Raise a PortError in place of an OSError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        advice = "BUSWARE_HOST (or --host) must be an address or a host name of this machine."
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            argument = _ARGUMENTS.get(chosen_by, "")
            advice = (
                f"Choose another port, such as {port + 1} (BUSWARE_{chosen_by.upper()}{argument}), "
                "or stop the process that uses this one."
            )
        message = f"cannot listen on {settings.host}:{port}: {reason}. {advice}"
        raise PortError(error.errno, message) from error
