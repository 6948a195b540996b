"""Change notifications between processes: changed trips, messages, clients and processes.

A notification says what to read again, never its new state. It is sent by NOTIFY after the commit, outside
the booking's transaction (inside, NOTIFY would serialize all commits). Changes within `hint_ms` are
sent together. A lost notification only delays subscribers: they read everything again on connect and every
reread_seconds.

One thread owns one connection, which listens and sends. The connection also registers this process in table
`processes`: when the connection ends, for whatever reason, other processes see that this one has ended.
"""

import logging
import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from functools import partial

import msgspec
import psycopg
from msgspec import Raw, Struct

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import connect
from busware.server.db.schema import explain_outdated
from busware.server.settings import Settings

log = logging.getLogger("busware.listener")

Trip = tuple[int, str]  # bus_id, travel_date

_CHANNEL = "busware"
_MAX_TRIPS = 150  # in one notification, whose payload is limited to 8,000 bytes
_RETRY_SECONDS = 1.0  # between two attempts to connect


class ChangeNotification(Struct, frozen=True, omit_defaults=True):
    """What to read again. everything: read all of it, because notifications may have been lost."""

    trips: frozenset[Trip] = frozenset()
    messages: bool = False
    clients: bool = False
    processes: bool = False  # a process has started or ended
    webhooks: bool = False  # a webhook was paused, or is no longer paused
    accounts: bool = False  # the rights of an account have changed, and its sessions have ended
    everything: bool = False
    upgrade: str = ""  # why a breaking migration makes this process stop

    def __or__(self, other: "ChangeNotification") -> "ChangeNotification":
        return ChangeNotification(
            self.trips | other.trips,
            self.messages or other.messages,
            self.clients or other.clients,
            self.processes or other.processes,
            self.webhooks or other.webhooks,
            self.accounts or other.accounts,
            self.everything or other.everything,
            self.upgrade or other.upgrade,
        )

    def __bool__(self) -> bool:
        return self != _NOTHING


_NOTHING = ChangeNotification()


class _TripFields(Struct):
    """The part of a call's args or answer that names its trip."""

    bus_id: int | None = None
    travel_date: str | None = None


_decode_notification = msgspec.json.Decoder(ChangeNotification).decode
_decode_trip = msgspec.json.Decoder(_TripFields).decode
_encode = msgspec.json.Encoder().encode


class Listener:
    """The notification listener of a process.

    process_no: the number under which this process is registered; None before the first connection.
    role: server or console.
    on_outdated: called once, with the reason, when a breaking migration outdates this version.
    """

    def __init__(self, url: str, settings: Settings, deadlines: Deadlines, role: str = "server") -> None:
        self.process_no: int | None = None
        self.on_outdated: Callable[[str], None] = lambda why: None
        self._url, self._settings, self._deadlines, self._role = url, settings, deadlines, role
        self._name = ""
        self._subscribers: list[Callable[[ChangeNotification], None]] = []
        self._committed = deque[Iterable[tuple[Raw, Raw]]]()  # calls whose trips are not in _changed yet
        self._stopping = False
        self._connect_tried = threading.Event()  # set after the first attempt to connect
        self._interrupt_sender: socket.socket | None = None  # a byte sent here ends the wait of the thread
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

        # Only the thread uses these.
        self._changed: set[Trip] = set()  # to be sent
        self._received = ChangeNotification()  # for the subscribers
        self._send_at = 0.0  # when the next notification may be sent
        self._reread_at = 0.0  # when subscribers have to read everything again
        self._disconnected = False  # whether the log says that there is no connection
        self._outdated = False  # whether on_outdated was called

    def start(self, name: str) -> None:
        """Listen, and register this process under a name. Without a connection, the thread retries."""
        self._name = name
        self._interrupt_receiver, self._interrupt_sender = socket.socketpair()
        self._thread.start()
        self._connect_tried.wait()

    def stop(self) -> None:
        """Remove this process from the table of processes, and disconnect."""
        self._stopping = True
        self._interrupt_wait()
        self._thread.join()
        self._interrupt_receiver.close()
        if self._interrupt_sender:
            self._interrupt_sender.close()

    def subscribe(self, callback: Callable[[ChangeNotification], None]) -> Callable[[], None]:
        """Call a function for every notification. Return a function that ends the subscription.

        The callback runs in the listener's thread, so it must not block.
        """
        self._subscribers.append(callback)
        return partial(self._subscribers.remove, callback)

    def queue_changes(self, calls: Iterable[tuple[Raw, Raw]]) -> None:
        """Send notifications of the trips of committed calls, each given as its args and its answer.

        Not thread-safe: the writer calls it under its write lock.
        """
        self._committed.append(calls)
        # If earlier calls are queued, the thread has been interrupted. Without a connection, an interrupt
        # would only shorten the pause before the next attempt to connect.
        if len(self._committed) == 1 and not self._disconnected:
            self._interrupt_wait()

    def _interrupt_wait(self) -> None:
        if self._interrupt_sender:
            with suppress(OSError):  # the listener has stopped
                self._interrupt_sender.send(b"\0")

    # The thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            try:
                with closing(connect(self._url, self._settings, "listener", self._deadlines)) as connection:
                    self._register(connection)
                    while not self._stopping:
                        self._step(connection)
                    connection.execute("SELECT api.unregister_process(%s)", (self.process_no,))
            except psycopg.Error as error:
                level = logging.DEBUG if self._disconnected else logging.WARNING
                log.log(level, "no change notifications, the database is unavailable: %s", error)
                self._disconnected = True
                self._collect_trips()  # bounds _committed, to which the writer may go on adding
                self._connect_tried.set()
                self._wait([], _RETRY_SECONDS)

    def _register(self, connection: psycopg.Connection) -> None:
        """Listen, register this process, and make all subscribers read everything."""
        connection.add_notify_handler(lambda notification: self._receive(notification.payload.encode()))
        connection.execute(f"LISTEN {_CHANNEL}")
        ((self.process_no,),) = connection.execute(
            "SELECT api.register_process(%s, %s, %s)", (self._role, self._name, self.process_no)
        ).fetchall()
        if self._disconnected:
            log.info("change notifications are received again")
        self._disconnected = False
        self._reread_at = time.monotonic()
        self._connect_tried.set()

    def _step(self, connection: psycopg.Connection) -> None:
        """Send due notifications, and call the subscribers with received ones; if there are none, wait."""
        now = time.monotonic()
        if now >= self._send_at and (self._committed or self._changed):
            self._send(connection)
            self._send_at = now + self._settings.hint_ms / 1000
        # libpq may have read a notification together with a result; then the socket is not readable again
        connection.pgconn.consume_input()
        while notification := connection.pgconn.notifies():
            self._receive(notification.extra)
        if now >= self._reread_at:
            # First the query, because it may receive notifications, which change self._received.
            why_outdated = explain_outdated(connection)
            self._received |= ChangeNotification(everything=True, upgrade=why_outdated)
            self._reread_at = now + self._settings.reread_seconds
        if self._received:
            received, self._received = self._received, ChangeNotification()
            if received.upgrade and not self._outdated:
                self._outdated = True
                self.on_outdated(received.upgrade)
            self._notify_subscribers(received)
        else:
            send_at = self._send_at if self._committed or self._changed else math.inf
            self._wait([connection.fileno()], min(self._reread_at, send_at) - time.monotonic())

    def _receive(self, payload: bytes) -> None:
        try:
            self._received |= _decode_notification(payload)
        except (msgspec.DecodeError, RecursionError):  # not sent by Busware
            self._received |= ChangeNotification(everything=True)

    def _notify_subscribers(self, notification: ChangeNotification) -> None:
        for callback in list(self._subscribers):  # a copy: other threads subscribe and unsubscribe
            try:
                callback(notification)
            except Exception:
                log.exception("a subscriber failed on a change notification")

    def _send(self, connection: psycopg.Connection) -> None:
        """Notify all processes, this one included, of the trips that changed."""
        self._collect_trips()
        trips = sorted(self._changed)
        for first in range(0, len(trips), _MAX_TRIPS):
            payload = _encode({"trips": trips[first : first + _MAX_TRIPS]}).decode()
            connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))
        self._changed.clear()

    def _collect_trips(self) -> None:
        """Replace the committed calls by their trips, each once."""
        while self._committed:
            for args, answer in self._committed.popleft():
                if trip := _trip_of(answer) or _trip_of(args):
                    self._changed.add(trip)

    def _wait(self, readable: list[int], seconds: float) -> None:
        """Wait until a file is readable, until an interrupt, or for a number of seconds."""
        poll = select.poll()  # select does not support file numbers above 1,023
        interrupt = self._interrupt_receiver.fileno()
        for file in (*readable, interrupt):
            poll.register(file, select.POLLIN)
        if interrupt in dict(poll.poll(max(0.0, seconds) * 1000)):
            self._interrupt_receiver.recv(4096)


def _trip_of(json: Raw) -> Trip | None:
    trip = _decode_trip(json)
    return None if trip.bus_id is None or trip.travel_date is None else (trip.bus_id, trip.travel_date)
