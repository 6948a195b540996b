"""The console feed: clients and processes that come and go, and messages, shown to an operator as they occur.

It reads the database (server/push/messages.py) after change notifications, so it does not matter to which
process or server a client is connected. Control characters in a client's text are not printed.
"""

from collections.abc import Callable
from datetime import datetime

from busware.server.conversation import clean_text
from busware.server.db.listener import ChangeNotification, Listener
from busware.server.db.pool import InternalError
from busware.server.protocol import Refusal
from busware.server.push.messages import Message, Messages, Present
from busware.server.worker_thread import WorkerThread


class ConsoleFeed:
    """The feed of one console. out: prints a line. last_message: the last one of a client since the start."""

    def __init__(self, messages: Messages, listener: Listener, out: Callable[[str], None]) -> None:
        self.last_message: Message | None = None
        self._messages = messages
        self._listener = listener
        self._out = out
        self._worker = WorkerThread("console feed", self._show_changes)

        # After the start, only the worker thread uses these.
        self._own: set[int | None] = set()  # every process_no of this process; a new connection has a new one
        self._read_to: int | None = None  # the last message that was shown
        self._present: Present | None = None  # as last read
        self._disconnected = False  # and the operator knows

    def start(self) -> None:
        """Show what happens from now on."""
        self._unsubscribe = self._listener.subscribe(self._receive)
        self._show_changes()
        self._worker.start()

    def stop(self) -> None:
        """Show nothing more."""
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
                self._out(f"The service, or its database, has gone away. {error}")
            self._disconnected = True
            return
        if self._disconnected:
            self._out("It is back.")
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
        processes = {one.process_no for one in before.processes} | self._own
        for process in now.processes:
            if process.process_no not in processes:
                self._show(f"{process.role} {process.name} has come")
        clients = {one.client_no for one in before.clients}
        for client in now.clients:
            if client.client_no not in clients:
                self._show(f"client {client.client_no} connected from {client.address}", client.since)

    def _show_departures(self, before: Present, now: Present) -> None:
        processes = {one.process_no for one in now.processes} | self._own
        for process in before.processes:
            if process.process_no not in processes:
                self._show(f"{process.role} {process.name} has gone")
        had_left = {one.client_no for one in before.clients if one.left_at}
        left_at = {one.client_no: one.left_at for one in now.clients}
        here = {number for number, left in left_at.items() if left is None}
        known = {one.client_no for one in (*before.clients, *now.clients)}
        for number in sorted(known - had_left - here):
            self._show(f"client {number} left", left_at.get(number))

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
