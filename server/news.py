"""What an operator sees without asking: who comes and goes, and what is said.

News comes by hints and is read from the database (server/messages.py), so it does not matter to which
process or server a client is connected. What clients say is shown without what could move the cursor.
"""

import threading
from collections.abc import Callable
from datetime import datetime

from server.conversation import clean_text
from server.messages import Message, Messages, Present, Visitor
from server.notices import Hint, Notices
from server.storage import Fault
from server.wire import Refusal


class News:
    """Tells an operator. out: prints a line. last_speaker: the last traveller's message since the start."""

    def __init__(self, messages: Messages, notices: Notices, out: Callable[[str], None]) -> None:
        self.last_speaker: Message | None = None
        self._messages = messages
        self._notices = notices
        self._out = out
        self._bell = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="news", daemon=True)

        # From here on the thread's own.
        self._read_to: int | None = None  # the last message that was shown
        self._clients: dict[int, Visitor] | None = None  # who was there, once that was looked at
        self._processes: dict[int, str] = {}
        self._away = False  # the database is, and the operator knows

    def start(self) -> None:
        """Begin to tell of what is new from now on."""
        self._unsubscribe = self._notices.subscribe(self._hear)
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Tell nothing any more."""
        self._unsubscribe()
        self._ended.set()
        self._bell.set()
        self._thread.join()

    def _hear(self, hint: Hint) -> None:
        if hint.messages or hint.clients or hint.everything:
            self._bell.set()

    def _run(self) -> None:
        while True:
            self._bell.wait()
            self._bell.clear()
            if self._ended.is_set():
                return
            self._look()

    def _look(self) -> None:
        try:
            self._show_messages()
            self._show_present(self._messages.present())
            if self._away:
                self._out("It is back.")
            self._away = False
        except (Refusal, Fault) as error:
            if not self._away:
                self._out(f"The service, or its database, has gone away. {error}")
            self._away = True

    def _show_present(self, present: Present) -> None:
        processes = {one.process_no: f"{one.role} {one.name}" for one in present.processes}
        clients = {one.client_no: one for one in present.clients}
        if self._clients is not None:  # else there is no before
            self._compare(processes, self._clients, clients)
        self._processes, self._clients = processes, clients

    def _compare(
        self, processes: dict[int, str], before: dict[int, Visitor], now: dict[int, Visitor]
    ) -> None:
        for number in processes.keys() - self._processes.keys():
            self._say(f"{processes[number]} has come")
        for number in self._processes.keys() - processes.keys():
            self._say(f"{self._processes[number]} has gone")
        for number in now.keys() - before.keys():
            self._say(f"client {number} connected from {now[number].address}", now[number].since)
        for number in sorted(before.keys() | now.keys()):
            was, left_at = before.get(number), now[number].left_at if number in now else None
            if (was is None or was.left_at is None) and (number not in now or left_at):
                self._say(f"client {number} left", left_at)

    def _show_messages(self) -> None:
        if self._read_to is None:
            self._read_to = self._messages.last()
        while messages := self._messages.after(self._read_to):
            for message in messages:
                if message.audience == "operators":
                    self.last_speaker = message
                self._say(f"{heading(message)}: {message.body}", message.at)
                self._read_to = message.message_id

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
