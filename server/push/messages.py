"""Messages between travellers and operators, and who is connected where: the statements, typed.

All of it is kept in the database, so that it crosses processes and servers. Whoever wants to hear of
news at once subscribes to the hints of server/db/listener.py and reads here.
"""

import uuid
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from busware.server.db.pool import Storage
from busware.server.protocol import Answer, Caller
from busware.server.settings import Settings

MOST_AT_ONCE = 1000  # messages in one reading; the rest are read next

_NOWHERE = (None, None, None, "", None)  # where those are connected who keep no line open

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


class Message(Struct, frozen=True, kw_only=True):
    """A message. audience: operators, all, trip, booking or client; the traveller's side, as far as known."""

    message_id: int
    at: datetime
    sender: str
    audience: str
    body: str
    client_no: int | None
    bus_id: int | None
    travel_date: str | None
    reference: str | None
    account: str | None


class Missed(Struct, frozen=True):
    """A message that a reader has not seen. reader: a reference, or account:name."""

    reader: str
    message: Message


class Process(Struct, frozen=True, kw_only=True):
    """A process that serves, or that an operator sits at."""

    process_no: int
    role: str
    name: str
    since: datetime


class Visitor(Struct, frozen=True, kw_only=True):
    """A client, as operators see it."""

    client_no: int
    process_no: int
    address: str
    face: str
    reference: str | None
    account: str | None
    since: datetime
    left_at: datetime | None


class Present(Struct, frozen=True):
    """Who is there."""

    processes: list[Process]
    clients: list[Visitor]


class Introduced(Struct, frozen=True, kw_only=True):
    """A client, as its process introduces it. client_no: the one it had before, if it had one."""

    connection_no: int
    client_no: int | None
    address: str
    face: str
    reference: str | None
    account: str | None


class Messages:
    """What is said and who is there. Every method raises Refusal or Fault, as Storage.ask does."""

    def __init__(self, storage: Storage, settings: Settings) -> None:
        self._storage = storage
        self._settings = settings

    # Said --------------------------------------------------------------------------------------

    def say(self, text: str, caller: Caller) -> Answer:
        """A traveller says something to the operators."""
        on = caller.connected
        where = (on.process_no, on.connection_no, on.line, on.face, on.reference) if on else _NOWHERE
        return _answer(
            self._value(
                "SELECT api.say(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                text, uuid.uuid4(), caller.address, self._settings.says_per_minute, *where, caller.account,
            )
        )  # fmt: skip

    def notice_by(self, account: str | None, bus_id: int, travel_date: date, text: str) -> Answer:
        """An operator's account says something to all passengers of a trip."""
        return _answer(
            self._value(
                "SELECT api.notice_by(%s, %s, %s, %s, %s)", account, bus_id, travel_date, text, uuid.uuid4()
            )
        )

    def notice(self, text: str, **to: Any) -> None:
        """The operator at a console says something.

        to: client_no, or reference, or bus_id and travel_date; without any of them, it is for everybody.
        Raises Refusal where there is nobody such.
        """
        named = {"client_no": None, "reference": None, "bus_id": None, "travel_date": None} | to
        answer = _answer(
            self._value("SELECT api.notice(%s, %s, %s, %s, %s, %s)", text, *named.values(), uuid.uuid4())
        )
        if answer.refused:
            raise answer.refusal()

    # Read --------------------------------------------------------------------------------------

    def last(self) -> int:
        """The number of the last message."""
        return int(self._value("SELECT api.last_message()"))

    def after(self, message_id: int) -> list[Message]:
        """The messages after that one, in order, at most MOST_AT_ONCE."""
        found = self._value("SELECT api.messages_after(%s, %s)", message_id, MOST_AT_ONCE)
        return _decode(found, type=list[Message])

    def recent(self, at_most: int) -> list[Message]:
        """The last messages, in order."""
        return _decode(self._value("SELECT api.recent_messages(%s)", at_most), type=list[Message])

    def missed(self, readers: Collection[str]) -> list[Missed]:
        """What these readers have not seen yet, in order."""
        return _decode(self._value("SELECT api.missed_messages(%s)", list(readers)), type=list[Missed])

    def mark_read(self, readers: Iterable[str], message_id: int) -> None:
        """These readers have seen everything up to that message."""
        self._value("SELECT api.mark_read(%s, %s)", list(readers), message_id)

    # Who is there ------------------------------------------------------------------------------

    def introduce(self, process_no: int, came: list[Introduced], gone: list[int]) -> dict[int, int]:
        """Clients have come, changed or left. Answers the client_no of each connection_no that came."""
        statement = "SELECT connection_no, client_no FROM api.presence(%s, %s, %s)"
        return dict(self._storage.ask(statement, (process_no, Raw(_encode(came)), gone)))

    def present(self) -> Present:
        """Who is there, and who left within the last minute."""
        return _decode(self._value("SELECT api.present()"), type=Present)

    # Bookings that changed ---------------------------------------------------------------------

    def booking_states(self, references: dict[str, int]) -> dict[str, str]:
        """What some bookings have come to, in short. references: with the bus of each."""
        statement = "SELECT reference, state FROM api.booking_states(%s, %s)"
        return dict(self._storage.ask(statement, (list(references.values()), list(references))))

    def bookings(self, references: dict[str, int]) -> list[Raw]:
        """The bookings that there are, as their passengers see them. references: with the bus of each."""
        statement = "SELECT b FROM unnest(api.show_bookings(%s, %s)) AS b WHERE b IS NOT NULL"
        return [row[0] for row in self._storage.ask(statement, (list(references.values()), list(references)))]

    # For operators -----------------------------------------------------------------------------

    def trips(self, day: date) -> dict[str, Any]:
        """The trips of a date with anybody on them (`trips`), and how many others run (`others`)."""
        return _decode(self._value("SELECT api.trips_in_use(%s)", day), type=dict[str, Any])

    def stats(self) -> dict[str, Any]:
        """What is sold, and how much was said."""
        return _decode(self._value("SELECT api.stats()"), type=dict[str, Any])

    def _value(self, statement: str, *parameters: Any) -> Any:
        ((value,),) = self._storage.ask(statement, parameters)
        return value


def _answer(body: Raw) -> Answer:
    """What an api function answered that does not say beside it whether it refuses."""
    told = _decode(body, type=dict[str, Raw])
    if "reason" in told:
        return Answer(body, refused=True)
    return Answer(Raw(b"{}"), refused=False)
