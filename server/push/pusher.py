"""The pusher: sends connected clients messages, and bookings of theirs that have changed.

Each connection has a subscription (server/push/subscriptions.py). One worker thread per process receives
change notifications (server/db/listener.py) and reads what they name: messages after the last one, and the
bookings on changed trips to which a connection here is subscribed. It compares these bookings with what the
client last received, so a client is not sent its own changes. The same thread sends a client that returns the
messages it has missed, and publishes in the database who is connected, for operators.

The comparison of bookings is limited to a 2 % duty cycle, but waits at most _MAX_PAUSE_SECONDS.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from busware.server.db.listener import ChangeNotification, Listener
from busware.server.db.pool import InternalError
from busware.server.protocol import Booking, Refusal
from busware.server.push.messages import Messages
from busware.server.push.subscriptions import BookingState, Subscription
from busware.server.worker_thread import WorkerThread

_PAUSE_FACTOR = 50  # the pause after a comparison, as a multiple of its duration …
_MAX_PAUSE_SECONDS = 2.0  # … and its limit


@dataclass
class _Due:
    """What the next check has to do."""

    checks: dict[Subscription, list[str]] = field(default_factory=dict)  # with readers that missed messages
    ended: dict[Subscription, None] = field(default_factory=dict)
    messages: bool = False  # there are new ones
    changes: ChangeNotification = field(default_factory=ChangeNotification)  # of bookings


class Pusher:
    """Pushes to the subscriptions of this process."""

    def __init__(self, messages: Messages, listener: Listener) -> None:
        self._messages = messages
        self._listener = listener
        self._lock = threading.Lock()  # for the next two
        self._subscriptions: dict[Subscription, None] = {}  # in order of arrival
        self._due = _Due()
        self._worker = WorkerThread("push", self._check)

        # Only the worker thread uses these.
        self._published_as: int | None = None  # the process_no under which the clients were published
        self._read_to = 0  # the last message that was pushed
        self._compare_at = 0.0  # when bookings may be compared again

    def start(self) -> None:
        """Begin to push what is new from now on. Raises Refusal or InternalError."""
        self._read_to = self._messages.last()
        self._worker.start()
        self._unsubscribe = self._listener.subscribe(self._receive)

    def stop(self) -> None:
        """Push nothing more."""
        self._unsubscribe()
        self._worker.stop()

    @property
    def process_no(self) -> int | None:
        """The number under which this process is registered."""
        return self._listener.process_no

    def subscribe(self, subscription: Subscription) -> None:
        """Push to a connection from now on."""
        with self._lock:
            self._subscriptions[subscription] = None
        self.schedule_check(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Push nothing more to a connection."""
        with self._lock:
            self._subscriptions.pop(subscription, None)
            self._due.ended[subscription] = None
        self._worker.schedule()

    def schedule_check(self, subscription: Subscription) -> None:
        """Have a subscription checked: its face, its account or its bookings are new."""
        with self._lock:
            self._due.checks.setdefault(subscription, [])
        self._worker.schedule()

    def _receive(self, change: ChangeNotification) -> None:
        if change.trips or change.messages or change.everything:
            with self._lock:
                self._due.messages |= change.messages or change.everything
                self._due.changes |= change
            self._worker.schedule()

    # The worker thread -------------------------------------------------------------------------

    def _check(self) -> float | None:
        """Do what is due, or leave it due if that fails. Returns the seconds until bookings are compared.

        Raises Refusal or InternalError.
        """
        with self._lock:
            due, self._due = self._due, _Due()
            due.checks = {s: readers for s, readers in due.checks.items() if s in self._subscriptions}
        try:
            self._publish_presence(due.checks, due.ended)
            self._push_missed(due.checks)
            if due.messages:
                self._push_messages()
            return self._push_bookings(due.changes)
        except (Refusal, InternalError):
            with self._lock:
                self._due = _Due(
                    self._due.checks | due.checks,
                    due.ended | self._due.ended,
                    due.messages or self._due.messages,
                    due.changes | self._due.changes,
                )
            raise

    def _connected(self) -> list[Subscription]:
        """All subscriptions. Called after what is pushed was read: no client misses what came after it."""
        with self._lock:
            return list(self._subscriptions)

    def _publish_presence(self, checks: Iterable[Subscription], ended: Iterable[Subscription]) -> None:
        """Publish the clients that are new, have changed or have left; all of them under a new process_no.

        The process has a new number after its listener has reconnected. Clients keep theirs.
        """
        process_no = self._listener.process_no
        if process_no is None:  # not connected yet; the listener's first notification leads here again
            return
        anew = process_no != self._published_as
        current = {s: s.current_presence() for s in (*(self._connected() if anew else checks), *ended)}
        changed = {s: presence for s, presence in current.items() if anew or presence != s.presence}
        left = [current[s].connection_no for s in ended]
        if changed or left:
            numbers = self._messages.publish_clients(process_no, list(changed.values()), left)
            for s, presence in changed.items():
                s.presence = msgspec.structs.replace(presence, client_no=numbers[presence.connection_no])
        self._published_as = process_no

    def _push_missed(self, checks: dict[Subscription, list[str]]) -> None:
        """Push to clients that opened a booking or signed in the messages they have missed."""
        for subscription, readers in checks.items():
            readers += subscription.take_returned()
        returned = {reader for readers in checks.values() for reader in readers}
        if not returned:
            return
        last = self._messages.last()
        missed = self._messages.missed(returned)
        for subscription, readers in checks.items():
            subscription.push_missed(readers, missed, last)
        read_to = {one.reader: one.message.message_id for one in missed}
        for reader, message_id in read_to.items():
            self._messages.mark_read([reader], message_id)

    def _push_messages(self) -> None:
        """Push the messages after the last one that was pushed."""
        for message in self._messages.all_after(self._read_to):
            all_readers: set[str] = set()
            for subscription in self._connected():
                if (readers := subscription.readers_of(message)) is not None:
                    subscription.push_message(message)
                    all_readers |= readers
            if all_readers:
                self._messages.mark_read(all_readers, message.message_id)
            self._read_to = message.message_id

    def _push_bookings(self, changes: ChangeNotification) -> float | None:
        """Push bookings that have changed; if it is too early, returns the seconds until it is not."""
        if not (changes.trips or changes.everything):
            return None
        began = time.monotonic()
        if began < self._compare_at:
            with self._lock:
                self._due.changes |= changes
            return self._compare_at - began
        self._compare(changes)
        self._publish_presence(self._connected(), [])  # with the bookings made since
        ended = time.monotonic()
        self._compare_at = ended + min(_PAUSE_FACTOR * (ended - began), _MAX_PAUSE_SECONDS)
        return None

    def _compare(self, changes: ChangeNotification) -> None:
        """Push the bookings that are not what their clients last received."""
        buses: dict[str, int] = {}
        followers = defaultdict[str, list[tuple[Subscription, BookingState]]](list)
        for subscription in self._connected():
            for state in subscription.idle_bookings():
                if changes.everything or (state.bus_id, state.travel_date) in changes.trips:
                    buses[state.reference] = state.bus_id
                    followers[state.reference].append((subscription, state))
        for raw in self._messages.bookings(buses):
            booking = msgspec.json.decode(raw, type=Booking)
            for subscription, state in followers[booking.reference]:
                subscription.push_booking(state, booking, raw)
