"""Messages between clients and operators, and the connected clients: one method for each SQL statement.

Messages and clients are rows, so they are shared by all processes and servers. Change notifications
(server/db/listener.py) say when to read them again.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec import Raw, Struct

from busware.server.addresses import network_of
from busware.server.db.pool import Pool
from busware.server.protocol import (
    Answer,
    Caller,
    CancelledTrip,
    ClientConnection,
    Notice,
    OperatedTrip,
    Say,
    SentNotice,
    TripManifest,
    TripOccupancy,
)
from busware.server.settings import Settings

_PAGE_MESSAGES = 1000  # read in one statement
_PAGE_BOOKINGS = 1000  # read in one statement
_KEYS = uuid.UUID("5f8f2a36-3f0b-4c1e-9a43-6d8b8e0c7a15")  # the namespace of the keys of messages

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


class Message(Struct, frozen=True, kw_only=True):
    """A message or notice. audience: operators, all, trip, booking or client.

    boarding_date: of the recipient's booking on the trip. The other fields are None if they are unknown or
    do not apply.
    """

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
    boarding_date: str | None = None


class MissedMessage(Struct, frozen=True):
    """A message that a recipient has missed. reader: a reference, or account:name."""

    reader: str
    message: Message


class Process(Struct, frozen=True, kw_only=True):
    """A registered process. role: server or console."""

    process_no: int
    role: str
    name: str
    since: datetime


class Client(ClientConnection, frozen=True, kw_only=True):
    """A client as operators see it. since: when it connected. left_at: when it disconnected."""

    client_no: int
    since: datetime
    left_at: datetime | None


class PausedWebhook(Struct, frozen=True, kw_only=True):
    """A webhook of an operator that the server has paused. problem: why."""

    webhook_no: int
    operator: str
    webhook: str
    problem: str


class TripQuote(Struct, frozen=True, kw_only=True):
    """What ends with a trip that is cancelled: bookings, tickets, and the sum of their refunds."""

    trip: OperatedTrip
    bookings: int
    tickets: int
    currency: str
    refund: str


class TripsInUse(Struct, frozen=True):
    """The trips of a date that have tickets or a waitlist. others: the number of its other open trips."""

    trips: list[OperatedTrip]
    others: int


class Presence(Struct, frozen=True):
    """The registered processes and their clients."""

    processes: list[Process]
    clients: list[Client]


class Messages:
    """Messages, clients and booking states. Every method can raise Refusal or InternalError."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    # Write -------------------------------------------------------------------------------------

    def say(self, request: Say, caller: Caller) -> Answer:
        """Send the operators a message of a caller; with a key, send it once."""
        sender = caller.connection or ClientConnection()
        limit = None if self._settings.is_exempt(caller.address) else self._settings.says_per_minute
        return _answer(
            self._value(
                "SELECT api.send_message(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                request.text, _stored_key(request.key, caller.account, request.text),
                network_of(caller.address), limit,
                sender.process_no, sender.connection_no, sender.address or caller.address, sender.protocol,
                sender.reference, caller.account,
            )
        )  # fmt: skip

    def notice_to_trip(self, request: Notice, caller: Caller) -> Answer:
        """Send all passengers of a trip a notice, as the caller's account; with a key, send it once."""
        fields = (caller.account, request.bus_id, request.travel_date, request.text)
        key = _stored_key(request.key, *fields)
        ((answer,),) = self._pool.write("SELECT api.notice_by(%s, %s, %s, %s, %s)", (*fields, key))
        return _answer(answer)

    def notice(self, text: str, **to: Any) -> SentNotice | None:
        """Send a notice, as the operator at a console.

        to: client_no, or reference, or bus_id and travel_date; without any of them, to everyone.
        Returns what a notice to a booking or trip reaches, and None for other recipients. Raises Refusal if
        there is no such client, booking or trip.
        """
        recipient = {"client_no": None, "reference": None, "bus_id": None, "travel_date": None} | to
        reply = self._reply(
            "SELECT api.notice(%s, %s, %s, %s, %s, %s)", text, *recipient.values(), uuid.uuid4()
        )
        return _decode(reply, type=SentNotice) if {"reference", "bus_id"} & set(to) else None

    # Read --------------------------------------------------------------------------------------

    def last_message_id(self) -> int:
        """The number of the last message."""
        return int(self._value("SELECT api.last_message()"))

    def after(self, message_id: int) -> Iterator[Message]:
        """The messages after that one, in order, read page by page."""
        page = "SELECT api.messages_after(%s, %s)"
        while found := _decode(self._value(page, message_id, _PAGE_MESSAGES), type=list[Message]):
            yield from found
            message_id = found[-1].message_id

    def recent(self, at_most: int) -> list[Message]:
        """The last `at_most` messages, in order."""
        return _decode(self._value("SELECT api.recent_messages(%s)", at_most), type=list[Message])

    def unanswered(self) -> list[Message]:
        """Of the last 1,000 messages, those of clients that have no reply and can get one, in order."""
        return _decode(self._value("SELECT api.unanswered_messages()"), type=list[Message])

    def missed(self, recipients: Collection[str]) -> list[MissedMessage]:
        """The messages that these recipients have missed, in order."""
        found = self._value("SELECT api.missed_messages(%s)", list(recipients))
        return _decode(found, type=list[MissedMessage])

    def mark_read(self, recipients: Iterable[str], message_id: int) -> None:
        """Record that these recipients have received everything up to that message."""
        self._value("SELECT api.mark_read(%s, %s)", list(recipients), message_id)

    # Presence ----------------------------------------------------------------------------------

    def publish_clients(
        self, process_no: int, changed: list[ClientConnection], left: list[int]
    ) -> dict[int, int]:
        """Publish clients that are new or have changed, and the connection_no of those that left.

        Returns the client_no of each changed connection_no.
        """
        statement = "SELECT connection_no, client_no FROM api.presence(%s, %s, %s)"
        return dict(self._pool.execute(statement, (process_no, Raw(_encode(changed)), left)))

    def has_console(self) -> bool:
        """Whether an operator's console is alive, on this server or another."""
        return bool(self._value("SELECT api.has_console()"))

    def presence(self) -> Presence:
        """The registered processes, and their clients that are connected or left in the last minute."""
        return _decode(self._value("SELECT api.present()"), type=Presence)

    # Webhooks ----------------------------------------------------------------------------------

    def paused_webhooks(self) -> list[PausedWebhook]:
        """The webhooks that the server has paused."""
        return _decode(self._value("SELECT api.paused_webhooks()"), type=list[PausedWebhook])

    # Bookings ----------------------------------------------------------------------------------

    def bookings(self, references: Iterable[str]) -> Iterator[Raw]:
        """The bookings that exist, as their passengers see them."""
        statement = "SELECT b FROM unnest(api.followed_bookings(%s)) AS b WHERE b IS NOT NULL"
        remaining = iter(references)
        while page := list(islice(remaining, _PAGE_BOOKINGS)):
            yield from (raw for (raw,) in self._pool.execute(statement, (page,)))

    # For operators -----------------------------------------------------------------------------

    def trips(self, day: date) -> TripsInUse:
        """The trips of a date, or under way on it, that have tickets or a waitlist."""
        return _decode(self._value("SELECT api.trips_in_use(%s)", day), type=TripsInUse)

    def manifest(self, bus_id: int, travel_date: date) -> TripManifest:
        """The manifest of a trip of any service. Raises Refusal if there is no such trip."""
        found = self._reply("SELECT api.console_manifest(%s, %s)", bus_id, travel_date)
        return _decode(found, type=TripManifest)

    def occupancy(self, bus_id: int, travel_date: date) -> TripOccupancy:
        """The occupancy of a trip of any service. Raises Refusal if there is no such trip."""
        found = self._reply("SELECT api.console_occupancy(%s, %s)", bus_id, travel_date)
        return _decode(found, type=TripOccupancy)

    def cancel_quote(self, bus_id: int, travel_date: date) -> TripQuote:
        """What would end with a trip that is cancelled now. Raises Refusal if it cannot be cancelled."""
        found = self._reply("SELECT api.console_cancel_quote(%s, %s)", bus_id, travel_date)
        return _decode(found, type=TripQuote)

    def cancel_trip(self, bus_id: int, travel_date: date, reason: str) -> CancelledTrip:
        """Cancel a trip of any service. Raises Refusal if it cannot be cancelled."""
        done = self._reply("SELECT api.console_cancel_trip(%s, %s, %s)", bus_id, travel_date, reason)
        return _decode(done, type=CancelledTrip)

    def stats(self) -> dict[str, Any]:
        """Counts of services, trips, tickets and messages."""
        return _decode(self._value("SELECT api.stats()"), type=dict[str, Any])

    def _reply(self, statement: str, *parameters: Any) -> Raw:
        """The reply of a function. Raises Refusal if it is a refusal."""
        answer = _answer(self._value(statement, *parameters))
        if answer.refused:
            raise answer.refusal()
        return answer.body

    def _value(self, statement: str, *parameters: Any) -> Any:
        ((value,),) = self._pool.execute(statement, parameters)
        return value


def _stored_key(key: str | None, *fields: Any) -> uuid.UUID:
    """The key of the row of a message: the same one for the same idempotency key and fields."""
    return uuid.uuid5(_KEYS, repr((*fields, key))) if key else uuid.uuid4()


def _answer(body: Raw) -> Answer:
    """The answer of an api function that does not return `refused` as a column of its own."""
    return Answer(body, refused="reason" in _decode(body, type=dict[str, Raw]))
