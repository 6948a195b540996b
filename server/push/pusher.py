"""The pusher: sends messages and changed bookings to connected clients.

Each connection has a subscription (server/push/subscriptions.py). One worker thread per process receives
change notifications (server/db/listener.py), and reads what they name: new messages, and the bookings on
changed trips that a connection of this process follows. It compares each booking with the state that the
client last received, so a client is not sent its own changes. The same thread sends missed messages to a
client that reconnects, and publishes the connected clients in the database, for operators: all of them while
a console is alive, and without one those that have sent the operators a message.

Comparisons of bookings are limited to a 2 % duty cycle; a pause is at most _MAX_PAUSE_SECONDS long.
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

_PAUSE_FACTOR = 50  # the pause after a comparison, as a multiple of its duration
_MAX_PAUSE_SECONDS = 2.0


@dataclass
class _Due:
    """What the next check has to do."""

    # The subscriptions to check, each with its new recipients, which may have missed messages.
    checks: dict[Subscription, list[str]] = field(default_factory=dict)
    ended: dict[Subscription, None] = field(default_factory=dict)
    messages: bool = False  # read new messages
    changes: ChangeNotification = field(default_factory=ChangeNotification)  # compare bookings


class Pusher:
    """Pushes to the subscriptions of this process. last_pushed: the number of the last message it pushed."""

    def __init__(self, messages: Messages, listener: Listener) -> None:
        self.last_pushed = 0
        self._messages = messages
        self._listener = listener
        self._lock = threading.Lock()  # guards the next two attributes
        self._subscriptions: dict[Subscription, None] = {}  # in order of arrival
        self._due = _Due()
        self._worker = WorkerThread("push", self._check)

        # Only the worker thread uses these.
        self._has_console = False  # whether a console is alive
        # process_no and _has_console at the last publication
        self._published_as: tuple[int, bool] | None = None
        self._compare_at = 0.0  # when bookings may be compared again

    def start(self) -> None:
        """Start to push. Messages before now are not pushed. Raises Refusal or InternalError."""
        self.last_pushed = self._messages.last_message_id()
        self._worker.start()
        self._unsubscribe = self._listener.subscribe(self._receive)

    def stop(self) -> None:
        """Stop pushing."""
        self._unsubscribe()
        self._worker.stop()

    @property
    def process_no(self) -> int | None:
        """The number under which this process is registered."""
        return self._listener.process_no

    def subscribe(self, subscription: Subscription) -> None:
        """Start to push to a connection."""
        with self._lock:
            self._subscriptions[subscription] = None
        self.schedule_check(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop pushing to a connection."""
        with self._lock:
            self._subscriptions.pop(subscription, None)
            self._due.ended[subscription] = None
        self._worker.schedule()

    def schedule_check(self, subscription: Subscription) -> None:
        """Check a subscription: its protocol, its account or its bookings have changed."""
        with self._lock:
            self._due.checks.setdefault(subscription, [])
        self._worker.schedule()

    def _receive(self, change: ChangeNotification) -> None:
        if change.trips or change.messages or change.processes or change.everything:
            with self._lock:
                self._due.messages |= change.messages or change.everything
                self._due.changes |= change
            self._worker.schedule()

    # The worker thread -------------------------------------------------------------------------

    def _check(self) -> float | None:
        """Do what is due; if it fails, it stays due. Returns the seconds until the next comparison, or None.

        Raises Refusal or InternalError.
        """
        with self._lock:
            due, self._due = self._due, _Due()
            due.checks = {s: recipients for s, recipients in due.checks.items() if s in self._subscriptions}
        try:
            for subscription in due.checks:
                subscription.push_kept()
            if due.changes.processes or due.changes.everything:
                self._has_console = self._messages.has_console()
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
        """All subscriptions. Call it after reading the data to push, so that a new client cannot miss it."""
        with self._lock:
            return list(self._subscriptions)

    def _publish_presence(self, checks: Iterable[Subscription], ended: Iterable[Subscription]) -> None:
        """Publish the clients that are new, have changed or have left.

        When the listener reconnects, the process gets a new number. Then all clients are published under it;
        they keep their own numbers. They are also published when the first console starts. A client that was
        published is marked when it leaves.
        """
        process_no = self._listener.process_no
        if process_no is None:  # not registered yet; the first notification of the listener follows
            return
        publish_as = (process_no, self._has_console)
        due = [*(checks if publish_as == self._published_as else self._connected()), *ended]
        current = {s: s.client(process_no) for s in due if self._has_console or s.has_sent_message}
        changed = {s: client for s, client in current.items() if client != s.published}
        left = [s.client(process_no).connection_no for s in ended if s in current or s.published]
        if changed or left:
            numbers = self._messages.publish_clients(process_no, list(changed.values()), left)
            for s, client in changed.items():
                s.published = msgspec.structs.replace(client, client_no=numbers[client.connection_no])
        self._published_as = publish_as

    def _push_missed(self, checks: dict[Subscription, list[str]]) -> None:
        """Push missed messages to the clients that have opened a booking or signed in."""
        for subscription, recipients in checks.items():
            recipients += subscription.take_new_recipients()
        returned = {recipient for recipients in checks.values() for recipient in recipients}
        if not returned:
            return
        last = self._messages.last_message_id()
        missed = self._messages.missed(returned)
        for subscription, recipients in checks.items():
            subscription.push_missed(recipients, missed, last)
        last_missed = {m.reader: m.message.message_id for m in missed}
        for recipient, message_id in last_missed.items():
            self._messages.mark_read([recipient], message_id)

    def _push_messages(self) -> None:
        """Push new messages."""
        for message in self._messages.after(self.last_pushed):
            all_recipients: set[str] = set()
            connected = self._connected()
            if message.client_no:  # the client may have connected after this check began
                self._publish_presence([s for s in connected if s.published is None], [])
            for subscription in connected:
                if (recipients := subscription.recipients_of(message)) is not None:
                    subscription.push_message(message)
                    all_recipients |= recipients
            if all_recipients:
                self._messages.mark_read(all_recipients, message.message_id)
            self.last_pushed = message.message_id

    def _push_bookings(self, changes: ChangeNotification) -> float | None:
        """Push changed bookings. If the pause has not ended, return its remaining seconds instead."""
        if not (changes.trips or changes.everything):
            return None
        began = time.monotonic()
        if began < self._compare_at:
            with self._lock:
                self._due.changes |= changes
            return self._compare_at - began
        self._compare(changes)
        self._publish_presence(self._connected(), [])  # operators also see the last booking of each client
        ended = time.monotonic()
        self._compare_at = ended + min(_PAUSE_FACTOR * (ended - began), _MAX_PAUSE_SECONDS)
        return None

    def _compare(self, changes: ChangeNotification) -> None:
        """Push the bookings whose state differs from what the client last received."""
        followers = defaultdict[str, list[tuple[Subscription, BookingState]]](list)
        for subscription in self._connected():
            for state in subscription.unrequested_bookings():
                if changes.everything or (state.bus_id, state.travel_date) in changes.trips:
                    followers[state.reference].append((subscription, state))
        for raw in self._messages.bookings(followers):
            booking = msgspec.json.decode(raw, type=Booking)
            for subscription, state in followers[booking.reference]:
                subscription.push_booking(state, booking, raw)
