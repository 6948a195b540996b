"""The TCP server: accepts connections, and starts a thread for each client (server/tcp/connection.py).

Settings limit the number of clients, in all and from one address, the length of a line, how long a client may
send nothing, how long the server tries to send a reply, and how many bytes may wait to be sent. The timeouts
are SO_RCVTIMEO and SO_SNDTIMEO of the socket, so that no poll is needed before each recv and send. A client
that sends faster than it is answered is slowed down by TCP.

A client has the address from which it connects; behind one of tcp_proxies, that in the PROXY header.

To stop, the server drains: it sends the replies of the requests that are being executed, refuses the requests
received after them, and closes the connections.
"""

import logging
import socket
import ssl
import threading
import time
from contextlib import suppress

from busware.server.addresses import SubjectCounts, limited_subject
from busware.server.booking.operations import Operations
from busware.server.ports import listen
from busware.server.protocol import Refusal
from busware.server.push.pusher import Pusher
from busware.server.settings import Settings
from busware.server.tcp.connection import Connection

log = logging.getLogger("busware.tcp")

# The stack of each thread that is started later. The most deeply nested JSON that can be parsed uses up to
# three quarters of it (CPython 3.13).
_STACK_BYTES = 512 * 1024
_ACCEPT_PAUSE_SECONDS = 0.1  # after a failed accept, for example if no file descriptor is free


class TcpServer:
    """Listens on a port. port: if the setting is 0, known after start. tls: None for plain TCP."""

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
        self.now = settings.now  # the clock of plain-text conversations
        self._lock = threading.Lock()  # for the next three attributes
        self._connections: set[Connection] = set()
        self._subjects: dict[Connection, str] = {}  # of those to which clients_per_address applies
        self._counts = SubjectCounts()  # the connections of each subject
        self._count = 0  # of clients since the start

    def start(self, *, shared: bool = False) -> None:
        """Listen, and accept clients in a thread. Raises PortError.

        shared: the other processes of a supervisor listen on the same port.
        """
        self._listener = listen(self.settings, "port", shared=shared)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)
        threading.stack_size(_STACK_BYTES)
        self._acceptor.start()

    def drain(self) -> None:
        """Stop: send the replies of the requests being executed, refuse further ones, close the connections.

        Waits drain_seconds at most, and then disconnects the connections that are still open.
        """
        self.draining = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends accept(), which close does not
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.stop_reading()
        deadline = time.monotonic() + self.settings.drain_seconds
        for connection in connections:
            connection.thread.join(max(0.0, deadline - time.monotonic()))
        for connection in connections:
            if connection.thread.is_alive():
                log.warning("%s was disconnected: its reply took longer than drain_seconds", connection.name)
                connection.disconnect()

    def _accept(self) -> None:
        failing = False
        while True:
            try:
                client, address = self._listener.accept()
            except OSError as error:
                if self.draining:
                    return
                log.log(logging.DEBUG if failing else logging.WARNING, "cannot accept a client: %s", error)
                failing = True
                time.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            failing = False
            self._start(client, f"{address[0]}:{address[1]}")

    def _start(self, client: socket.socket, address: str) -> None:
        """Start the thread of a client, or refuse the client."""
        self._count += 1
        connection = Connection(self, client, self._count, address, self.tls)
        with self._lock:
            full = len(self._connections) >= self.settings.max_clients
            if not full:
                self._connections.add(connection)
        if full:
            self._refuse(connection, f"there are {self.settings.max_clients} clients (max_clients)")
            return
        try:
            connection.thread.start()
        except RuntimeError as error:
            self.remove(connection)
            self._refuse(connection, f"no thread can be started for it: {error}")

    def admit(self, connection: Connection) -> bool:
        """Count a connection for its address. False: its address has too many, and it was refused."""
        settings = self.settings
        subject = limited_subject(connection.host, settings)
        if subject is None or settings.is_tcp_proxy(connection.host):
            return True
        with self._lock:
            full = self._counts[subject] >= settings.clients_per_address
            if not full:
                self._counts[subject] += 1
                self._subjects[connection] = subject
        if full:
            why = f"there are {settings.clients_per_address} clients from its address (clients_per_address)"
            self._refuse(connection, why, "too many clients from your address")
        return not full

    def _refuse(self, connection: Connection, why: str, what: str = "too many clients") -> None:
        log.warning("refused %s: %s", connection.address, why)
        connection.refuse(Refusal("busy", f"There are {what}: nothing was done, try again later."))

    def remove(self, connection: Connection) -> None:
        """Remove a connection that has ended."""
        with self._lock:
            self._connections.discard(connection)
            if (subject := self._subjects.pop(connection, None)) is not None:
                self._counts.decrease(subject)
