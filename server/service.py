"""One process that serves: creates its parts and connects them.

On a stop, the exit stack stops the parts: the one pushed last is stopped first. The HTTP server and the TCP
server drain: requests under way are answered, later ones are refused. Then the writer commits the calls that
are queued.
"""

import os
import ssl
from collections.abc import Callable
from contextlib import ExitStack

from busware.server.booking.operations import Operations
from busware.server.certificates import CertificateReloader
from busware.server.db.listener import Listener
from busware.server.db.pool import Pool
from busware.server.db.writer import Writer
from busware.server.housekeeping import Housekeeper
from busware.server.http import HttpServer
from busware.server.push.messages import Messages
from busware.server.push.pusher import Pusher
from busware.server.settings import Settings, SettingsError
from busware.server.tcp.server import TcpServer
from busware.server.tls import is_loopback, server_context


def serve(
    settings: Settings,
    url: str,
    stack: ExitStack,
    on_outdated: Callable[[str], None],
    *,
    shared: bool = False,
) -> tuple[int, int]:
    """Start all parts and push their stop methods onto the stack. Returns the TCP port and the HTTP port.

    url: of the database, as the server's database role.
    on_outdated: called, with the reason, when a breaking migration outdates this process.
    shared: the other processes of a supervisor listen on the same ports.
    Raises SettingsError, DatabaseUnavailable or PortError.
    """
    tls = tls_context(settings)
    if tls and settings.tls_cert and settings.tls_key:
        certificates = CertificateReloader(
            tls, settings.tls_cert, settings.tls_key, settings.tls_check_seconds
        )
        certificates.start()
        stack.callback(certificates.stop)
    pool = Pool(url, settings)
    stack.callback(pool.close)
    pool.open()
    listener = Listener(url, settings)
    listener.on_outdated = on_outdated
    writer = Writer(url, settings)
    writer.on_commit = listener.queue_changes
    writer.start()
    stack.callback(writer.stop)
    housekeeper = Housekeeper(pool, settings)
    housekeeper.start()
    stack.callback(housekeeper.stop)

    operations = Operations(pool, writer, settings)
    pusher = Pusher(Messages(pool, settings), listener)
    tcp = TcpServer(settings, operations, pusher, tls)
    tcp.start(shared=shared)
    stack.callback(tcp.drain)
    http = HttpServer(settings, operations, tls, listener)
    http.start(shared=shared)
    stack.callback(http.drain)
    pusher.start()
    listener.start(f"{settings.host}:{tcp.port}, process {os.getpid()}")
    stack.callback(listener.stop)
    stack.callback(pusher.stop)  # before listener.stop: the pusher needs the registration of this process
    return tcp.port, http.port


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context of both ports; None without TLS. Raises SettingsError."""
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate and key:
        try:
            return server_context(certificate, key)
        except OSError as error:  # ssl.SSLError is a subclass
            raise SettingsError(
                f"BUSWARE_TLS_CERT ({certificate}) and BUSWARE_TLS_KEY ({key}) cannot be used: {error}."
            ) from None
    if certificate or key:
        raise SettingsError("BUSWARE_TLS_CERT and BUSWARE_TLS_KEY: set both, or neither.")
    if not settings.plain and not is_loopback(settings.host):
        raise SettingsError(
            f"BUSWARE_HOST={settings.host} accepts connections from other machines, and without TLS they can "
            "be intercepted. Set BUSWARE_TLS_CERT and BUSWARE_TLS_KEY; or, on a private network, "
            "BUSWARE_PLAIN=true."
        )
    return None
