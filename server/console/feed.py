"""What an operator sees without asking: who comes and goes, and what is said.

News comes by hints and is read from the database (server/push/messages.py), so it does not matter to which
process or server a client is connected. What clients say is shown without what could move the cursor.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from busware.server.conversation import clean_text
from busware.server.db.listener import ChangeNotification, Listener
from busware.server.db.pool import Fault
from busware.server.protocol import Refusal
from busware.server.push.messages import Message, Messages, Present

log = logging.getLogger("busware.news")


class News:
    """Tells an operator. out: prints a line. last_speaker: the last traveller's message since the start."""

    def __init__(self, messages: Messages, listener: Listener, out: Callable[[str], None]) -> None:
        self.last_speaker: Message | None = None
        self._messages = messages
        self._listener = listener
        self._out = out
        self._bell = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="news", daemon=True)

        # From here on the thread's own.
        self._own: set[int | None] = set()  # the numbers of this process, which a new connection changes
        self._read_to: int | None = None  # the last message that was shown
        self._present: Present | None = None  # who was there, once that was looked at
        self._away = False  # the database is, and the operator knows

    def start(self) -> None:
        """Begin to tell of what is new from now on."""
        self._unsubscribe = self._listener.subscribe(self._hear)
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Tell nothing any more."""
        self._unsubscribe()
        self._ended.set()
        self._bell.set()
        self._thread.join()

    def _hear(self, change: ChangeNotification) -> None:
        if change.messages or change.clients or change.everything:
            self._bell.set()

    def _run(self) -> None:
        while True:
            self._bell.wait()
            self._bell.clear()
            if self._ended.is_set():
                return
            try:
                self._look()
            except Exception:
                log.exception("the operator could not be told")

    def _look(self) -> None:
        try:
            messages = self._unread()
            present = self._messages.present()  # read last, so that whoever has said something is in it
        except (Refusal, Fault) as error:
            if not self._away:
                self._out(f"The service, or its database, has gone away. {error}")
            self._away = True
            return
        if self._away:
            self._out("It is back.")
        self._away = False
        self._own.add(self._listener.process_no)
        before, self._present = self._present or present, present
        self._show_who_came(before, present)
        self._show_messages(messages)
        self._show_who_left(before, present)

    def _unread(self) -> list[Message]:
        if self._read_to is None:
            self._read_to = self._messages.last()
        unread: list[Message] = []
        while more := self._messages.after(unread[-1].message_id if unread else self._read_to):
            unread += more
        return unread

    def _show_messages(self, messages: list[Message]) -> None:
        for message in messages:
            if message.audience == "operators":
                self.last_speaker = message
            self._say(f"{heading(message)}: {message.body}", message.at)
            self._read_to = message.message_id

    def _show_who_came(self, before: Present, now: Present) -> None:
        processes = {one.process_no for one in before.processes}
        for process in now.processes:
            if process.process_no not in processes | self._own:
                self._say(f"{process.role} {process.name} has come")
        clients = {one.client_no for one in before.clients}
        for client in now.clients:
            if client.client_no not in clients:
                self._say(f"client {client.client_no} connected from {client.address}", client.since)

    def _show_who_left(self, before: Present, now: Present) -> None:
        processes = {one.process_no for one in now.processes}
        for process in before.processes:
            if process.process_no not in processes | self._own:
                self._say(f"{process.role} {process.name} has gone")
        had_left = {one.client_no for one in before.clients if one.left_at}
        left_at = {one.client_no: one.left_at for one in now.clients}
        here = {number for number, left in left_at.items() if left is None}
        known = {one.client_no for one in (*before.clients, *now.clients)}
        for number in sorted(known - had_left - here):
            self._say(f"client {number} left", left_at.get(number))

    def _say(self, text: str, at: datetime | None = None) -> None:
        when = (at or datetime.now().astimezone()).astimezone()
        self._out(clean_text(f"{when:%H:%M:%S}  {text}"))


def heading(message: Message) -> str:
    """Who says it, to whom."""
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
