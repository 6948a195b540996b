"""Hints from process to process: "this trip changed", "there is a message", "clients came or went".

A hint says that something is worth reading again, never what it is now. It is sent by NOTIFY after the
commit, outside of the booking's transaction (within, it would serialise all commits), and many in one:
what changes within hint_ms is told once. One that is lost costs promptness alone, since everybody reads
again on connect and every reread_seconds.

One thread owns one connection, which listens and sends. That connection is also the place of this
process among the others (api.enlist): when it ends, however it ends, they know that the process is gone.
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
from busware.server.settings import Settings

log = logging.getLogger("busware.notices")

Trip = tuple[int, str]  # bus_id, travel_date

_CHANNEL = "busware"
_MOST_TRIPS = 150  # in one notification, which has 8,000 bytes at most
_RETRY_SECONDS = 1.0  # the pause before a database that is away is tried again


class Hint(Struct, frozen=True, omit_defaults=True):
    """What is worth reading again. everything: all that one shows, since hints may have been lost."""

    trips: frozenset[Trip] = frozenset()
    messages: bool = False
    clients: bool = False
    everything: bool = False

    def __or__(self, other: "Hint") -> "Hint":
        return Hint(
            self.trips | other.trips,
            self.messages or other.messages,
            self.clients or other.clients,
            self.everything or other.everything,
        )

    def __bool__(self) -> bool:
        return bool(self.trips) or self.messages or self.clients or self.everything


class _OfTrip(Struct):
    """The part of an answer, or of the args of a call, that says which trip it is about."""

    bus_id: int | None = None
    travel_date: str | None = None


_hints = msgspec.json.Decoder(Hint)
_of_trip = msgspec.json.Decoder(_OfTrip)
_encode = msgspec.json.Encoder().encode


class Notices:
    """Hears and sends hints. process_no: by which the others know this process, while it is connected.

    role: server, or console, which nobody is a client of.
    """

    def __init__(self, url: str, settings: Settings, role: str = "server") -> None:
        self.process_no: int | None = None
        self._url = url
        self._settings = settings
        self._role = role
        self._name = ""
        self._subscribers: list[Callable[[Hint], None]] = []
        self._committed = deque[Iterable[tuple[Raw, Raw]]]()  # what the writer did, to be told
        self._told_of = False  # the thread was woken for it
        self._stopping = False
        self._tried = threading.Event()  # the database was, and may be had or not
        self._ringer: socket.socket | None = None  # rings the bell that the thread listens to
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

        # From here on the thread's own.
        self._changed: set[Trip] = set()  # to be told
        self._heard = Hint()
        self._send_at = 0.0  # the time before which nothing more is sent
        self._reread_at = 0.0  # when everybody is to read again
        self._away = False  # the database is, and the log says so

    def start(self, name: str) -> None:
        """Listen, as the process of that name; when the database is away, it is tried again and again."""
        self._name = name
        self._bell, self._ringer = socket.socketpair()
        self._thread.start()
        self._tried.wait()

    def stop(self) -> None:
        """Take leave of the others, and disconnect."""
        self._stopping = True
        self._ring()
        self._thread.join()
        self._bell.close()
        if self._ringer:
            self._ringer.close()

    def subscribe(self, callback: Callable[[Hint], None]) -> Callable[[], None]:
        """Have a callback told every hint; answers what ends that.

        It is called in the thread that listens, so it must be quick.
        """
        self._subscribers = [*self._subscribers, callback]

        def unsubscribe() -> None:
            self._subscribers = [one for one in self._subscribers if one is not callback]

        return unsubscribe

    def committed(self, calls: Iterable[tuple[Raw, Raw]]) -> None:
        """The writer has committed calls, each with its args and its answer: their trips have changed."""
        self._committed.append(calls)
        if not self._told_of:
            self._told_of = True
            self._ring()

    def _ring(self) -> None:
        if self._ringer:
            with suppress(OSError):  # it has stopped
                self._ringer.send(b"\0")

    # The thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            try:
                connection = connect(self._url, self._settings, "notices")
            except psycopg.Error as error:
                self._lost(error)
                continue
            try:
                self._enter(connection)
                while not self._stopping:
                    self._turn(connection)
                connection.execute("SELECT api.leave(%s)", (self.process_no,))
            except psycopg.Error as error:
                self._lost(error)
            finally:
                connection.close()

    def _lost(self, error: psycopg.Error) -> None:
        log.log(logging.DEBUG if self._away else logging.WARNING, "no hints, the database is away: %s", error)
        self._away = True
        self._gather()  # which the writer may go on adding to
        self._tried.set()
        self._wait([], _RETRY_SECONDS)

    def _enter(self, connection: psycopg.Connection) -> None:
        """Listen, take a place among the processes, and have everybody read again."""
        connection.add_notify_handler(lambda notice: self._hear(notice.payload.encode()))
        connection.execute(f"LISTEN {_CHANNEL}")
        enlist = "SELECT api.enlist(%s, %s, %s)"
        ((self.process_no,),) = connection.execute(
            enlist, (self._role, self._name, self.process_no)
        ).fetchall()
        if self._away:
            log.info("listening again")
        self._away = False
        if self._changed:  # meanwhile
            self._told_of = True
        self._reread_at = time.monotonic()
        self._tried.set()

    def _turn(self, connection: psycopg.Connection) -> None:
        """Send what is to be sent, hear what has come and tell it here; where nothing has, wait for it."""
        now = time.monotonic()
        if self._told_of and now >= self._send_at:
            self._send(connection)
            self._send_at = now + self._settings.hint_ms / 1000
        # before the wait: the socket tells nothing of what was read already
        connection.pgconn.consume_input()
        while notice := connection.pgconn.notifies():
            self._hear(notice.extra)
        if now >= self._reread_at:
            self._heard |= Hint(everything=True)
            self._reread_at = now + self._settings.reread_seconds
        if self._heard:
            heard, self._heard = self._heard, Hint()
            self._tell(heard)
            return
        wake_at = min(self._reread_at, self._send_at) if self._told_of else self._reread_at
        self._wait([connection.fileno()], wake_at - time.monotonic())

    def _hear(self, payload: bytes) -> None:
        try:
            self._heard |= _hints.decode(payload)
        except (msgspec.DecodeError, RecursionError):  # somebody notified by hand
            self._heard |= Hint(everything=True)

    def _tell(self, hint: Hint) -> None:
        for callback in self._subscribers:
            try:
                callback(hint)
            except Exception:
                log.exception("a subscriber failed on a hint")

    def _send(self, connection: psycopg.Connection) -> None:
        """Tell everybody, ourselves among them, which trips have changed."""
        self._told_of = False  # before it is looked at, so that nothing falls between
        self._gather()
        told = sorted(self._changed)
        for first in range(0, len(told), _MOST_TRIPS):
            payload = _encode({"trips": told[first : first + _MOST_TRIPS]}).decode()
            connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))
        self._changed.clear()

    def _gather(self) -> None:
        """Make of what was committed the trips that it was about, each once."""
        while self._committed:
            for args, answer in self._committed.popleft():
                if trip := _trip_of(answer) or _trip_of(args):
                    self._changed.add(trip)

    def _wait(self, readable: list[int], seconds: float) -> None:
        """Wait for one of these, for a ring of the bell, or for so long."""
        poll = select.poll()  # not select, which knows no file of number 1,024 and more
        bell = self._bell.fileno()
        for file in (*readable, bell):
            poll.register(file, select.POLLIN)
        if bell in [file for file, _ in poll.poll(max(0.0, seconds) * 1000)]:
            self._bell.recv(4096)


def _trip_of(json: Raw) -> Trip | None:
    of = _of_trip.decode(json)
    return (of.bus_id, of.travel_date) if of.bus_id is not None and of.travel_date is not None else None
