"""The clients of this process, as the operators know them: introduced in the database, by number.

When the process has lost its place among the others (its listening connection broke, see
server/db/listener.py), it has another one afterwards, and introduces everybody anew, under the same numbers.
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec
from msgspec import Raw

from busware.server.db.listener import Listener
from busware.server.protocol import Booking
from busware.server.push.messages import Introduced, Message, Messages
from busware.server.push.watch import Watch


class Client(Protocol):
    """A connection that can be told something."""

    number: int  # the process's own
    address: str
    face: str  # text or json; "" until it has said something
    watch: Watch

    @property
    def account(self) -> str | None:
        """Who is signed in."""

    def tell_message(self, message: Message) -> None:
        """An operator says something."""

    def tell_booking(self, booking: Booking, raw: Raw) -> None:
        """A booking that the client watches has changed."""


class Presence:
    """Who has been introduced. Not for two threads at once."""

    def __init__(self, messages: Messages, listener: Listener) -> None:
        self._messages = messages
        self._listener = listener
        self._introduced: dict[int, Introduced] = {}
        self._as_process: int | None = None

    @property
    def is_lost(self) -> bool:
        """Whether everybody is to be introduced, because the process has another number now."""
        return self._listener.process_no != self._as_process

    def client_no(self, client: Client) -> int | None:
        """By which number the operators know a client."""
        introduced = self._introduced.get(client.number)
        return introduced.client_no if introduced else None

    def introduce(self, came: Iterable[Client], gone: Iterable[Client]) -> None:
        """Tell the operators of clients that have come, changed or left. Raises Refusal or Fault."""
        process_no = self._listener.process_no
        if process_no is None:  # the database is away; they are introduced when it is back
            return
        everybody = {client.number: client for client in (*came, *gone)}.values()
        news = [one for client in everybody if (one := self._news(client)) is not None]
        left = [client.number for client in gone]
        if news or left:
            numbers = self._messages.introduce(process_no, news, left)
            for one in news:
                number = numbers[one.connection_no]
                self._introduced[one.connection_no] = msgspec.structs.replace(one, client_no=number)
        for number in left:
            self._introduced.pop(number, None)
        self._as_process = process_no

    def _news(self, client: Client) -> Introduced | None:
        """The client as it is now, unless the operators know that already."""
        before = self._introduced.get(client.number)
        now = Introduced(
            connection_no=client.number,
            client_no=before.client_no if before else None,
            address=client.address,
            face=client.face,
            reference=client.watch.reference,
            account=client.account,
        )
        return None if now == before and not self.is_lost else now
