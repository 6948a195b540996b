"""The TCP server: accepts connections, and starts a thread for each client (server/tcp/connection.py).

Settings have the limits: clients in all and from one address, the length of a line, the time without a
request, the time to send a reply, and the bytes that wait to be sent. The timeouts are SO_RCVTIMEO and
SO_SNDTIMEO of the socket, so that no poll is needed before each recv and send. A client that sends faster
than the server answers is slowed down by TCP.

The address of a client is the one from which it connects; behind one of tcp_proxies, the one in the PROXY
header.

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
from busware.server.ports import PortSetting, listen
from busware.server.protocol import Refusal
from busware.server.push.pusher import Pusher
from busware.server.setting_kinds import DialoguePorts
from busware.server.settings import Settings
from busware.server.tcp.connection import Connection

log = logging.getLogger("busware.tcp")

# The stack of each thread that is started later. The most deeply nested JSON that can be parsed uses up to
# three quarters of it (CPython 3.13).
_STACK_BYTES = 512 * 1024
_ACCEPT_PAUSE_SECONDS = 0.1  # after a failed accept, for example if no file descriptor is free


class TcpServer:
    """Listens on the TCP ports. tls: None for plain TCP.

    port: for all clients. ports: the others, each for one dialogue. If a setting is 0 (any free port), the
    number is known after start.
    """

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
        self.ports: DialoguePorts = ()
        self.draining = False
        self.now = settings.now  # the clock of plain-text conversations
        self._listeners: list[socket.socket] = []
        self._acceptors: list[threading.Thread] = []  # one for each listener
        self._lock = threading.Lock()  # for the next four attributes
        self._connections: set[Connection] = set()
        self._subjects: dict[Connection, str] = {}  # the connections to which clients_per_address applies
        self._counts = SubjectCounts()  # the connections of each subject (server/addresses.py)
        self._count = 0  # of clients since the start

    def start(self, *, shared: bool = False) -> None:
        """Listen, and accept clients in a thread for each port. Raises PortError.

        shared: the other processes of a supervisor listen on the same ports.
        """
        threading.stack_size(_STACK_BYTES)
        self.port = self._listen(self.settings.port, "port", "", shared)
        self.ports = tuple(
            (dialogue, self._listen(port, "ports", dialogue, shared))
            for dialogue, port in self.settings.ports or ()
        )
        for acceptor in self._acceptors:
            acceptor.start()

    def _listen(self, port: int, chosen_by: PortSetting, dialogue: str, shared: bool) -> int:
        """Listen on a port. Returns its number. dialogue: of the port; empty for the port for all clients."""
        listener = listen(self.settings, port, chosen_by, shared=shared)
        self._listeners.append(listener)
        name = f"accept {dialogue}".strip()
        acceptor = threading.Thread(target=self._accept, args=(listener, dialogue), name=name, daemon=True)
        self._acceptors.append(acceptor)
        number: int = listener.getsockname()[1]
        return number

    def drain(self) -> None:
        """Stop: send the replies of the requests being executed, refuse further ones, close the connections.

        Waits drain_seconds at most, and then disconnects the connections that are still open.
        """
        self.draining = True
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # ends accept(), which close does not
            listener.close()
        for acceptor in self._acceptors:
            acceptor.join()
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

    def _accept(self, listener: socket.socket, dialogue: str) -> None:
        failing = False
        while True:
            try:
                client, address = listener.accept()
            except OSError as error:
                if self.draining:
                    return
                log.log(logging.DEBUG if failing else logging.WARNING, "cannot accept a client: %s", error)
                failing = True
                time.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            failing = False
            self._start(client, f"{address[0]}:{address[1]}", dialogue)

    def _start(self, client: socket.socket, address: str, dialogue: str) -> None:
        """Start the thread of a client, or refuse the client."""
        with self._lock:
            self._count += 1
            number = self._count
        connection = Connection(self, client, number, address, dialogue)
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
