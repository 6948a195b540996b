"""The console feed: shows an operator when clients and processes connect and disconnect, and their messages.

It reads the database (server/push/messages.py) after change notifications, so it does not matter to which
process or server a client is connected. Control characters in a client's text are not printed.
"""

from collections.abc import Callable
from datetime import datetime

from busware.server.conversation import clean_text
from busware.server.db.listener import ChangeNotification, Listener
from busware.server.db.pool import InternalError
from busware.server.protocol import Refusal
from busware.server.push.messages import Message, Messages, Present, Process
from busware.server.worker_thread import WorkerThread


class ConsoleFeed:
    """The feed of one console. out: prints a line. last_message: the last message from a client."""

    def __init__(self, messages: Messages, listener: Listener, out: Callable[[str], None]) -> None:
        self.last_message: Message | None = None
        self._messages = messages
        self._listener = listener
        self._out = out
        self._worker = WorkerThread("console feed", self._show_changes)

        # After the start, only the worker thread uses these.
        self._own: set[int | None] = set()  # each process_no of this process; it changes with the connection
        self._read_to: int | None = None  # the id of the last message that was shown
        self._present: Present | None = None  # processes and clients, as last read
        self._disconnected = False  # the operator has seen that the database is not reachable

    def start(self) -> None:
        """Start to show events."""
        self._unsubscribe = self._listener.subscribe(self._receive)
        self._show_changes()
        self._worker.start()

    def stop(self) -> None:
        """Stop."""
        self._unsubscribe()
        self._worker.stop()

    def _receive(self, change: ChangeNotification) -> None:
        if change.messages or change.clients or change.everything:
            self._worker.schedule()

    def _show_changes(self) -> None:
        try:
            if self._read_to is None:
                self._read_to = self._messages.last()
            messages = list(self._messages.after(self._read_to))
            present = self._messages.present()  # read last, so it includes the senders of the messages
        except (Refusal, InternalError) as error:
            if not self._disconnected:
                self._out(f"The database is not reachable. {error}")
            self._disconnected = True
            return
        if self._disconnected:
            self._out("The database is reachable again.")
        self._disconnected = False
        self._own.add(self._listener.process_no)
        before, self._present = self._present or present, present
        self._show_arrivals(before, present)
        for message in messages:
            if message.audience == "operators":
                self.last_message = message
            self._show(f"{heading(message)}: {message.body}", message.at)
            self._read_to = message.message_id
        self._show_departures(before, present)

    def _show_arrivals(self, before: Present, now: Present) -> None:
        for process in self._others(now.processes, than=before.processes):
            self._show(f"{process.role} {process.name} connected")
        known = {client.client_no for client in before.clients}
        for client in now.clients:
            if client.client_no not in known:
                self._show(f"client {client.client_no} connected from {client.address}", client.since)

    def _show_departures(self, before: Present, now: Present) -> None:
        for process in self._others(before.processes, than=now.processes):
            self._show(f"{process.role} {process.name} disconnected")
        shown = {client.client_no for client in before.clients if client.left_at}
        connected = {client.client_no for client in now.clients if not client.left_at}
        left_at = {client.client_no: client.left_at for client in (*before.clients, *now.clients)}
        for number in sorted(left_at.keys() - shown - connected):
            self._show(f"client {number} disconnected", left_at[number])

    def _others(self, processes: list[Process], than: list[Process]) -> list[Process]:
        """The processes that are not in another list, except this one."""
        known = {process.process_no for process in than} | self._own
        return [process for process in processes if process.process_no not in known]

    def _show(self, text: str, at: datetime | None = None) -> None:
        when = (at or datetime.now().astimezone()).astimezone()
        self._out(clean_text(f"{when:%H:%M:%S}  {text}"))


def heading(message: Message) -> str:
    """The sender of a message and its recipient, for operators."""
    match message.audience:
        case "operators":
            known = " ".join(filter(None, (message.account, message.reference)))
            return f"{message.sender} [{known}]" if known else message.sender
        case "client":
            return f"{message.sender} to client {message.client_no}"
        case "booking":
            return f"{message.sender} to {message.reference}"
        case "trip":
            return f"{message.sender} to {message.bus_id} of {message.travel_date}"
    return f"{message.sender} to all"
