"""The console feed: shows messages of clients, processes that start and end, and paused webhooks.

It reads the database (server/push/messages.py) after change notifications, so it does not matter to which
process or server a client is connected. Clients that connect and disconnect are counted; they are shown on
request, because many of them would hide the messages. The servers publish their clients once a console is
registered; clients that connected before that are not shown as new.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol

from busware.server.conversation.words import day_of
from busware.server.db.listener import ChangeNotification, Listener
from busware.server.db.pool import InternalError
from busware.server.protocol import Refusal
from busware.server.push.messages import Message, Messages, PausedWebhook, Presence, Process
from busware.server.worker_thread import WorkerThread


class Out(Protocol):
    """Prints a text, without its control characters."""

    def __call__(self, text: str, *, highlighted: bool = False) -> None:
        """Print the text. highlighted: after an empty line, and in colour where that is possible."""


class ConsoleFeed:
    """The feed of one console.

    now: the time in the server's time zone, in which the feed shows times. on_counts: called when `counts`
    may have changed. last_message: the last message from a client that was shown. unanswered: the messages
    from clients without a reply. shows_connections: whether it shows each client that connects or
    disconnects.
    """

    def __init__(
        self,
        messages: Messages,
        listener: Listener,
        out: Out,
        now: Callable[[], datetime],
        on_counts: Callable[[], None] = lambda: None,
    ) -> None:
        self.last_message: Message | None = None
        self.unanswered: list[Message] = []
        self.shows_connections = False
        self._messages = messages
        self._listener = listener
        self._out = out
        self._now = now
        self._on_counts = on_counts
        self._worker = WorkerThread("console feed", self._show_changes)

        # After the start, only the worker thread uses these.
        self._own_numbers: set[int | None] = set()  # each process_no that this process has had
        self._last_shown_id: int | None = None  # of the messages
        self._presence: Presence | None = None  # as last read
        self._paused: list[PausedWebhook] | None = None  # as last read
        self._since: datetime | None = None  # when this console was first registered
        self._disconnected = False  # whether the console has printed that the database is not reachable

    def start(self) -> None:
        """Start showing events."""
        self._unsubscribe = self._listener.subscribe(self._receive)
        self._show_changes()
        self._worker.start()

    def stop(self) -> None:
        """Stop showing events."""
        self._unsubscribe()
        self._worker.stop()

    @property
    def counts(self) -> str:
        """The numbers of connected clients and of messages without a reply."""
        clients = self._presence.clients if self._presence else []
        connected = sum(client.left_at is None for client in clients)
        return f"clients: {connected}, unanswered: {len(self.unanswered)}"

    def _receive(self, change: ChangeNotification) -> None:
        if change.messages or change.clients or change.webhooks or change.everything:
            self._worker.schedule()

    def _show_changes(self) -> None:
        try:
            if self._last_shown_id is None:
                self._last_shown_id = self._messages.last_message_id()
            messages = list(self._messages.after(self._last_shown_id))
            self.unanswered = self._messages.unanswered()
            paused = self._messages.paused_webhooks()
            presence = self._messages.presence()  # read last, so it includes the senders of the messages
        except (Refusal, InternalError) as error:
            if not self._disconnected:
                self._out(f"The database is not reachable. {error}")
            self._disconnected = True
            return
        if self._disconnected:
            self._out("The database is reachable again.")
        self._disconnected = False
        self._own_numbers.add(self._listener.process_no)
        before, self._presence = self._presence or presence, presence
        own = (process.since for process in presence.processes if process.process_no in self._own_numbers)
        self._since = self._since or next(own, None)
        self._show_connected(before, presence)
        for message in messages:
            from_client = message.audience == "operators"
            if from_client:
                self.last_message = message
            self._show(f"{heading(message)}: {message.body}", message.at, highlighted=from_client)
            self._last_shown_id = message.message_id
        self._show_disconnected(before, presence)
        self._show_paused(paused)
        self._on_counts()

    def _show_connected(self, before: Presence, now: Presence) -> None:
        for process in self._missing_in(before.processes, now.processes):
            self._show(f"{process.role} {process.name} connected")
        if not self.shows_connections:
            return
        known = {client.client_no for client in before.clients}
        for client in now.clients:
            if client.client_no not in known and self._since and client.since > self._since:
                self._show(f"client {client.client_no} connected from {client.address}", client.since)

    def _show_disconnected(self, before: Presence, now: Presence) -> None:
        for process in self._missing_in(now.processes, before.processes):
            self._show(f"{process.role} {process.name} disconnected")
        if not self.shows_connections:
            return
        shown = {client.client_no for client in before.clients if client.left_at}
        connected = {client.client_no for client in now.clients if not client.left_at}
        left_at = {client.client_no: client.left_at for client in (*before.clients, *now.clients)}
        for number in sorted(left_at.keys() - shown - connected):
            self._show(f"client {number} disconnected", left_at[number])

    def _show_paused(self, paused: list[PausedWebhook]) -> None:
        before, self._paused = self._paused if self._paused is not None else paused, paused
        for webhook in paused:
            if webhook not in before:
                self._show(
                    f"webhook {webhook.webhook} of {webhook.operator} is paused: {webhook.problem}",
                    highlighted=True,
                )
        numbers = {webhook.webhook_no for webhook in paused}
        for webhook in before:
            if webhook.webhook_no not in numbers:
                self._show(f"webhook {webhook.webhook} of {webhook.operator} is no longer paused")

    def _missing_in(self, known: list[Process], processes: list[Process]) -> list[Process]:
        """The processes that are not among the known ones, except this process."""
        numbers = {process.process_no for process in known} | self._own_numbers
        return [process for process in processes if process.process_no not in numbers]

    def _show(self, text: str, at: datetime | None = None, *, highlighted: bool = False) -> None:
        now = self._now()
        when = at.astimezone(now.tzinfo) if at else now
        self._out(f"{when:%H:%M:%S}  {text}", highlighted=highlighted)


def heading(message: Message) -> str:
    """The sender and the recipient of a message; if it was sent to the operators, also its number."""
    match message.audience:
        case "operators":
            known = " ".join(filter(None, (message.account, message.reference)))
            sender = f"{message.sender} [{known}]" if known else message.sender
            return f"message {message.message_id} from {sender}"
        case "client":
            return f"{message.sender} to client {message.client_no}"
        case "booking":
            return f"{message.sender} to {message.reference}"
        case "trip":
            day = day_of(date.fromisoformat(message.travel_date)) if message.travel_date else ""
            return f"{message.sender} to trip {message.bus_id}, travel date {day}"
    return f"{message.sender} to all"
