"""The TCP face: an accept loop, and a thread for each client (server/tcp/connection.py).

A client that sends faster than it is answered is slowed down by TCP itself.

Limits: so many clients; so long a line (one that is longer is skipped to its end); so long a
silence; so much that waits to be sent, which is the socket's own buffer, and so long for it to move.
Timeouts are the socket's, SO_RCVTIMEO and SO_SNDTIMEO, which spare a poll before each recv and send.

A stop drains: answers under way are sent, what has been received behind them is refused, and each
connection is closed.
"""

import logging
import socket
import ssl
import threading
import time
from contextlib import suppress

from busware.server.booking.operations import Operations
from busware.server.ports import listen
from busware.server.protocol import Refusal, jsonrpc
from busware.server.push.pusher import Pusher
from busware.server.settings import Settings
from busware.server.tcp.connection import Connection
from busware.server.tls import TlsSocket

log = logging.getLogger("busware.tcp")

# Of every thread from then on. CPython 3.13 takes up to three quarters of it to skip the deepest JSON.
_STACK_BYTES = 512 * 1024
_ACCEPT_PAUSE_SECONDS = 0.1  # after accept failed, as it does when the process is out of files


class TcpServer:
    """Listens, and serves whoever comes. port: the one it listens on, once started. tls: to speak TLS."""

    def __init__(
        self,
        settings: Settings,
        operations: Operations,
        pusher: Pusher,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings
        self.operations = operations
        self.pusher = pusher
        self.tls = tls
        self.port = settings.port
        self.draining = False
        self.now = settings.now  # of plain-text travellers
        self._lock = threading.Lock()  # for `_connections`
        self._connections: set[Connection] = set()
        self._count = 0  # of clients so far

    def start(self, *, shared: bool = False) -> None:
        """Listen, and accept in a thread. Raises PortError.

        shared: the other processes of a supervisor listen on the same port.
        """
        self._listener = listen(self.settings, "port", shared=shared)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)
        threading.stack_size(_STACK_BYTES)
        self._acceptor.start()

    def drain(self) -> None:
        """Stop: accept nobody, let answers under way be sent, refuse the rest, close.

        Blocks for drain_seconds at most; a connection that is not done by then is cut off.
        """
        self.draining = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the acceptor; close alone would not
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.stop_reading()
        give_up_at = time.monotonic() + self.settings.drain_seconds
        for connection in connections:
            connection.thread.join(max(0.0, give_up_at - time.monotonic()))
        for connection in connections:
            if connection.thread.is_alive():
                log.warning("%s was cut off: its answer took longer than drain_seconds", connection.name)
                connection.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError as error:
                if self.draining:
                    return
                log.warning("cannot accept a client: %s", error)
                time.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            self._admit(client, f"{address[0]}:{address[1]}")

    def _admit(self, client: socket.socket, address: str) -> None:
        self._count += 1
        line = client if self.tls is None else TlsSocket(client, self.tls)
        connection = Connection(self, line, self._count, address)
        with self._lock:
            full = len(self._connections) >= self.settings.max_clients
            if not full:
                self._connections.add(connection)
        if full:
            self._turn_away(client, address)
            return
        try:
            connection.thread.start()
        except RuntimeError:  # out of threads
            self.leave(connection)
            self._turn_away(client, address)

    def _turn_away(self, client: socket.socket, address: str) -> None:
        log.warning("turned %s away: there are %d clients", address, len(self._connections))
        busy = Refusal("busy", "There are too many clients: nothing was done, try again later.")
        with client, suppress(OSError):
            if self.tls is not None:
                return
            client.send(jsonrpc.encode_refusal(jsonrpc.NO_ID, busy), socket.MSG_DONTWAIT)
            client.shutdown(socket.SHUT_WR)

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is done."""
        with self._lock:
            self._connections.discard(connection)
