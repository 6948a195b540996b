"""Change notifications between processes: a trip changed, there is a message, clients connected or left.

A notification says what to read again, never its new state. It is sent by NOTIFY after the commit, outside
the booking's transaction (inside, NOTIFY would serialize all commits). The changes of hint_ms are sent
together. A lost notification only delays subscribers: they read everything again on connect and every
reread_seconds.

One thread owns one connection, which listens and sends. The connection also registers this process with the
others (api.register_process): when it ends, for whatever reason, they know that the process is gone.
"""

import logging
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec
import psycopg
from msgspec import Raw, Struct

from busware.server.db.pool import connect
from busware.server.db.schema import SchemaError, refuse_unknown
from busware.server.settings import Settings

log = logging.getLogger("busware.listener")

Trip = tuple[int, str]  # bus_id, travel_date

_CHANNEL = "busware"
_MAX_TRIPS = 150  # in one notification, whose payload is limited to 8,000 bytes
_RETRY_SECONDS = 1.0  # between two attempts to connect


class ChangeNotification(Struct, frozen=True, omit_defaults=True):
    """What to read again. everything: all that a subscriber shows, since notifications may have been lost."""

    trips: frozenset[Trip] = frozenset()
    messages: bool = False
    clients: bool = False
    everything: bool = False
    upgrade: str = ""  # a breaking migration, because of which this process has to stop

    def __or__(self, other: "ChangeNotification") -> "ChangeNotification":
        return ChangeNotification(
            self.trips | other.trips,
            self.messages or other.messages,
            self.clients or other.clients,
            self.everything or other.everything,
            self.upgrade or other.upgrade,
        )

    def __bool__(self) -> bool:
        return self != _NOTHING


_NOTHING = ChangeNotification()


class _TripOf(Struct):
    """The part of a call's args or answer that names its trip."""

    bus_id: int | None = None
    travel_date: str | None = None


_decode_notification = msgspec.json.Decoder(ChangeNotification).decode
_decode_trip = msgspec.json.Decoder(_TripOf).decode
_encode = msgspec.json.Encoder().encode


class Listener:
    """The notification listener of a process.

    process_no: the number under which this process is registered; None before the first connection.
    role: of this process: server or console.
    on_outdated: called once, with the reason, when a breaking migration outdates this version.
    """

    def __init__(self, url: str, settings: Settings, role: str = "server") -> None:
        self.process_no: int | None = None
        self.on_outdated: Callable[[str], None] = lambda why: None
        self._url = url
        self._settings = settings
        self._role = role
        self._name = ""
        self._subscribers: list[Callable[[ChangeNotification], None]] = []
        self._committed = deque[Iterable[tuple[Raw, Raw]]]()  # calls whose trips are not in _changed yet
        self._send_due = False  # there is something in _committed or _changed
        self._stopping = False
        self._connect_tried = threading.Event()  # once, with or without success
        self._interrupt: socket.socket | None = None  # a byte written to it ends the wait of the thread
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

        # Only the thread uses these.
        self._changed: set[Trip] = set()  # to be sent
        self._received = ChangeNotification()  # for the subscribers
        self._send_at = 0.0  # when the next notification may be sent
        self._reread_at = 0.0  # when subscribers have to read everything again
        self._disconnected = False  # and the log says so
        self._outdated = False  # on_outdated was called

    def start(self, name: str) -> None:
        """Listen, and register this process under a name; the thread retries if there is no connection."""
        self._name = name
        self._interrupted, self._interrupt = socket.socketpair()
        self._thread.start()
        self._connect_tried.wait()

    def stop(self) -> None:
        """Remove this process from the others' list, and disconnect."""
        self._stopping = True
        self._interrupt_wait()
        self._thread.join()
        self._interrupted.close()
        if self._interrupt:
            self._interrupt.close()

    def subscribe(self, callback: Callable[[ChangeNotification], None]) -> Callable[[], None]:
        """Call a function for every notification; returns a function that ends this.

        The callback runs in the listener's thread, so it must not block.
        """
        self._subscribers = [*self._subscribers, callback]

        def unsubscribe() -> None:
            self._subscribers = [one for one in self._subscribers if one is not callback]

        return unsubscribe

    def queue_changes(self, calls: Iterable[tuple[Raw, Raw]]) -> None:
        """Have notifications sent of the trips of committed calls, each with its args and its answer."""
        self._committed.append(calls)
        if not self._send_due:
            self._send_due = True
            self._interrupt_wait()

    def _interrupt_wait(self) -> None:
        if self._interrupt:
            with suppress(OSError):  # the listener has stopped
                self._interrupt.send(b"\0")

    # The thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            try:
                connection = connect(self._url, self._settings, "listener")
            except psycopg.Error as error:
                self._retry_later(error)
                continue
            try:
                self._register(connection)
                while not self._stopping:
                    self._step(connection)
                connection.execute("SELECT api.unregister_process(%s)", (self.process_no,))
            except psycopg.Error as error:
                self._retry_later(error)
            finally:
                connection.close()

    def _retry_later(self, error: psycopg.Error) -> None:
        level = logging.DEBUG if self._disconnected else logging.WARNING
        log.log(level, "no change notifications, the database is away: %s", error)
        self._disconnected = True
        self._collect_trips()  # bounds _committed, to which the writer may go on adding
        self._connect_tried.set()
        self._wait([], _RETRY_SECONDS)

    def _register(self, connection: psycopg.Connection) -> None:
        """Listen, register this process, and have all subscribers read everything."""
        connection.add_notify_handler(lambda notification: self._receive(notification.payload.encode()))
        connection.execute(f"LISTEN {_CHANNEL}")
        enlist = "SELECT api.register_process(%s, %s, %s)"
        ((self.process_no,),) = connection.execute(
            enlist, (self._role, self._name, self.process_no)
        ).fetchall()
        if self._disconnected:
            log.info("change notifications are received again")
        self._disconnected = False
        if self._changed:  # while there was no connection
            self._send_due = True
        self._reread_at = time.monotonic()
        self._connect_tried.set()

    def _step(self, connection: psycopg.Connection) -> None:
        """Send what is due, and pass on what was received; if that is nothing, wait for more."""
        now = time.monotonic()
        if self._send_due and now >= self._send_at:
            self._send(connection)
            self._send_at = now + self._settings.hint_ms / 1000
        # before the wait: what libpq has read already does not make the socket readable
        connection.pgconn.consume_input()
        while notification := connection.pgconn.notifies():
            self._receive(notification.extra)
        if now >= self._reread_at:
            why_outdated = _why_outdated(connection)  # before _received is read: it may receive something
            self._received |= ChangeNotification(everything=True, upgrade=why_outdated)
            self._reread_at = now + self._settings.reread_seconds
        if self._received:
            received, self._received = self._received, ChangeNotification()
            if received.upgrade and not self._outdated:
                self._outdated = True
                self.on_outdated(received.upgrade)
            self._notify_subscribers(received)
            return
        wait_until = min(self._reread_at, self._send_at) if self._send_due else self._reread_at
        self._wait([connection.fileno()], wait_until - time.monotonic())

    def _receive(self, payload: bytes) -> None:
        try:
            self._received |= _decode_notification(payload)
        except (msgspec.DecodeError, RecursionError):  # sent by hand
            self._received |= ChangeNotification(everything=True)

    def _notify_subscribers(self, notification: ChangeNotification) -> None:
        for callback in self._subscribers:
            try:
                callback(notification)
            except Exception:
                log.exception("a subscriber failed on a change notification")

    def _send(self, connection: psycopg.Connection) -> None:
        """Notify all processes, this one included, of the trips that changed."""
        self._send_due = False  # before _committed is read, so that a later call sets it again
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
        """Wait until one of the files is readable, until an interrupt, or for so many seconds."""
        poll = select.poll()  # select does not support file numbers above 1,023
        interrupted = self._interrupted.fileno()
        for file in (*readable, interrupted):
            poll.register(file, select.POLLIN)
        if interrupted in [file for file, _ in poll.poll(max(0.0, seconds) * 1000)]:
            self._interrupted.recv(4096)


def _why_outdated(connection: psycopg.Connection) -> str:
    """The breaking migration that outdates this version; '' if there is none."""
    try:
        refuse_unknown(connection)
    except SchemaError as error:
        return str(error)
    return ""


def _trip_of(json: Raw) -> Trip | None:
    of = _decode_trip(json)
    return (of.bus_id, of.travel_date) if of.bus_id is not None and of.travel_date is not None else None
