"""What connected clients are told without asking: messages, and bookings of theirs that have changed.

Every connection notes the bookings it has made or opened (server/push/watch.py). One thread a process hears
the hints (server/db/listener.py) and reads again what they are about: messages since the last one, the
bookings that somebody here watches on a trip that changed. It compares with what the client knows
already, so that nobody is told of what they have just done themselves. The same thread shows those who
come back what was said while they were away, and introduces clients to the operators.

Bookings are compared for a fiftieth of the time: after it, that rests fifty times as long, but never so
long that a traveller would wonder.
"""

import logging
import threading
import time
from collections.abc import Iterable

import msgspec

from busware.server.db.listener import ChangeNotification, Listener
from busware.server.db.pool import Fault
from busware.server.protocol import Booking, Refusal
from busware.server.push.messages import Message, Messages
from busware.server.push.presence import Client, Presence
from busware.server.push.watch import Known, Watch
from busware.server.settings import Settings

log = logging.getLogger("busware.delivery")

_REST = 50  # times as long as the work took …
_LONGEST_REST_SECONDS = 2.0  # … and no longer
_RETRY_SECONDS = 1.0  # the pause after a reading that failed


class Delivery:
    """Tells the clients of this process."""

    def __init__(self, messages: Messages, listener: Listener, settings: Settings) -> None:
        self._messages = messages
        self._listener = listener
        self._watched = settings.watched_bookings
        self._lock = threading.Lock()  # for what other threads change: the next four
        self._clients: dict[int, Client] = {}
        self._stirred: dict[int, Client] = {}  # they may have news, or be owed some
        self._gone: list[Client] = []
        self._due = ChangeNotification()
        self._stopping = threading.Event()
        self._bell = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

        # From here on the thread's own.
        self._presence = Presence(messages, listener)
        self._read_to = 0  # the last message that was delivered
        self._changed = ChangeNotification()  # the trips whose bookings are to be compared …
        self._compare_at = 0.0  # … not before this time

    def start(self) -> None:
        """Begin to tell what is said from now on. Raises Refusal or Fault."""
        self._read_to = self._messages.last()
        self._thread.start()
        self._unsubscribe = self._listener.subscribe(self._hear)

    def stop(self) -> None:
        """Tell nothing any more."""
        self._unsubscribe()
        self._stopping.set()
        self._bell.set()
        self._thread.join()

    @property
    def process_no(self) -> int | None:
        """The number of this process among the others."""
        return self._listener.process_no

    def new_watch(self) -> Watch:
        """For a new client."""
        return Watch(self._watched)

    def join(self, client: Client) -> None:
        """A client has come."""
        with self._lock:
            self._clients[client.number] = client
        self.stir(client)

    def leave(self, client: Client) -> None:
        """It has gone."""
        with self._lock:
            self._clients.pop(client.number, None)
            self._stirred.pop(client.number, None)
            self._gone.append(client)
        self._bell.set()

    def stir(self, client: Client) -> None:
        """Something about a client is new: its face, its account, a booking that it opened."""
        with self._lock:
            self._stirred[client.number] = client
        self._bell.set()

    def _hear(self, hint: ChangeNotification) -> None:
        if hint.trips or hint.messages or hint.everything:
            with self._lock:
                self._due |= hint
            self._bell.set()

    # The thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        failing = False
        while True:
            self._bell.wait(max(0.0, self._compare_at - time.monotonic()) if self._changed else None)
            self._bell.clear()
            if self._stopping.is_set():
                return
            with self._lock:
                stirred, self._stirred = self._stirred, {}
                gone, self._gone = self._gone, []
                due, self._due = self._due, ChangeNotification()
            try:
                self._look(list(stirred.values()), gone, due)
                failing = False
            except (Refusal, Fault) as error:
                log.log(logging.DEBUG if failing else logging.WARNING, "nobody can be told: %s", error)
                failing = True
                with self._lock:
                    self._stirred = stirred | self._stirred
                    self._gone = gone + self._gone
                    self._due |= due
                self._bell.set()
                self._stopping.wait(_RETRY_SECONDS)
            except Exception:  # what is to blame would only fail again
                log.exception("somebody could not be told")
                self._changed = ChangeNotification()

    def _here(self) -> list[Client]:
        """Who is connected. Asked after whatever they are to be told was read: those who came before miss
        none of it."""
        with self._lock:
            return list(self._clients.values())

    def _look(self, stirred: list[Client], gone: list[Client], due: ChangeNotification) -> None:
        """Read again what is due; where that fails half-way, it is done again. Raises Refusal or Fault."""
        self._presence.introduce(self._here() if self._presence.is_lost else stirred, gone)
        self._show_missed(stirred)
        if due.messages or due.everything:
            self._deliver()
        self._changed |= ChangeNotification(trips=due.trips, everything=due.everything)
        began = time.monotonic()
        if self._changed and began >= self._compare_at:
            self._compare(self._here(), self._changed)
            self._presence.introduce(self._here(), [])  # with the bookings that they have made since
            self._changed = ChangeNotification()
            ended = time.monotonic()
            self._compare_at = ended + min(_REST * (ended - began), _LONGEST_REST_SECONDS)

    # Messages ----------------------------------------------------------------------------------

    def _show_missed(self, clients: list[Client]) -> None:
        """Show those who have just become known what was said while they were away."""
        back = [(client, reader) for client in clients for reader in client.watch.take_opened()]
        if not back:
            return
        try:
            last = self._messages.last()
            missed = self._messages.missed({reader for _, reader in back})
        except (Refusal, Fault):
            for client, reader in back:
                client.watch.put_back(reader)
            raise
        for client, reader in back:
            for one in missed:
                if one.reader == reader:
                    self._tell(client, one.message)
            client.watch.caught_up(reader, last)
        read_to = {one.reader: one.message.message_id for one in missed}
        for reader, message_id in read_to.items():
            self._messages.mark_read([reader], message_id)

    def _deliver(self) -> None:
        """Tell the messages since the last ones."""
        while messages := self._messages.after(self._read_to):
            here = self._here()
            for message in messages:
                self._deliver_one(message, here)
                self._read_to = message.message_id

    def _deliver_one(self, message: Message, clients: list[Client]) -> None:
        readers: set[str] = set()
        for client in clients:
            as_whom = self._audience(message, client)
            if as_whom is not None:
                self._tell(client, message)
                readers |= as_whom
        if readers:
            self._messages.mark_read(readers, message.message_id)

    def _audience(self, message: Message, client: Client) -> set[str] | None:
        """As whom a client is to be told a message, if it is; None when not."""
        if message.audience == "operators":
            return None
        watch, account = client.watch, f"account:{client.account}"
        known = {reader for reader in (*watch.bookings, account) if watch.lacks(reader, message.message_id)}
        if message.audience == "all":
            return known - {"account:None"}
        if message.audience == "trip":
            trip = (message.bus_id, message.travel_date)
            return {one.reference for one in watch.bookings.values() if one.rides(trip)} & known or None
        is_it = message.audience == "client" and message.client_no == self._presence.client_no(client)
        as_whom = {str(message.reference), f"account:{message.account}"} & known - {"account:None"}
        return as_whom if as_whom or is_it else None

    @staticmethod
    def _tell(client: Client, message: Message) -> None:
        if client.watch.first_time(message.message_id):
            client.tell_message(message)

    # Bookings ----------------------------------------------------------------------------------

    def _compare(self, clients: list[Client], changed: ChangeNotification) -> None:
        """Tell those whose bookings are not what they know of them."""
        watched = [
            (client, known)
            for client in clients
            for known in client.watch.at_rest()
            if changed.everything or (known.bus_id, known.travel_date) in changed.trips
        ]
        if not watched:
            return
        states = self._messages.booking_states(_buses(known for _, known in watched))
        news = [(one, known) for one, known in watched if states.get(known.reference) != known.state]
        if not news:
            return
        now = {}
        for raw in self._messages.bookings(_buses(known for _, known in news)):
            booking = msgspec.json.decode(raw, type=Booking)
            now[booking.reference] = booking, raw
        for client, known in news:
            if found := now.get(known.reference):  # or somebody has deleted it by hand
                booking, raw = found
                if client.watch.replace(known, Known.of(booking)):
                    client.tell_booking(booking, raw)


def _buses(known: Iterable[Known]) -> dict[str, int]:
    """The references, each once, with their buses."""
    return {one.reference: one.bus_id for one in known}
