"""Subscriptions: what a connection follows, and what was pushed to it.

A connection follows its account and the bookings that it made or opened last. The connection's thread records
each reply without decoding it, which is cheap. The pusher's thread (server/push/pusher.py) decodes it when
needed. While a request of the client is about a booking, changes of that booking are not pushed.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from msgspec import Raw

from busware.server.protocol import (
    Answer,
    Booking,
    BookingRequest,
    ClientConnection,
    PartyRequest,
    Request,
    Say,
    normalize_text,
)
from busware.server.push.messages import Message, MissedMessage

_MAX_PUSHED = 1000  # how many message_ids are remembered, so that no message is pushed twice
_MAX_KEPT = 20  # messages that are kept for a client that has not sent a line yet


class Subscriber(Protocol):
    """A connection that receives pushes."""

    number: int  # unique in this process
    address: str
    protocol: str  # text or json; empty before the first line

    @property
    def account(self) -> str | None:
        """The account that is signed in."""

    def push_message(self, message: Message) -> None:
        """Send the client a message of an operator, without waiting."""

    def push_booking(self, booking: Booking, raw: Raw) -> None:
        """Send the client a booking that has changed, without waiting."""


@dataclass(frozen=True, eq=False)
class BookingState:
    """A booking as the client last received it. version: a hash of the fields whose changes are pushed."""

    reference: str
    bus_id: int
    travel_date: str
    boarding_date: str
    status: str
    version: int

    @classmethod
    def of(cls, booking: Booking) -> "BookingState":
        """The state of a booking."""
        tickets = tuple((t.ticket_no, t.status, t.seat_no, t.refund, t.to_stop) for t in booking.tickets)
        trip = booking.bus_id, booking.travel_date, booking.from_stop, booking.to_stop
        offers = tuple(offer.offer_no for offer in booking.offers or ())
        version = hash((trip, tickets, offers))
        dates = str(booking.travel_date), str(booking.boarding_date)
        return cls(booking.reference, booking.bus_id, *dates, booking.status, version)

    def travels_on(self, trip: tuple[int | None, str | None]) -> bool:
        """Whether a passenger has or waits for a seat on a trip (bus_id, travel_date)."""
        return (self.bus_id, self.travel_date) == trip and self.status in ("held", "booked", "pending")


class Subscription:
    """The subscription of one connection, from connect to disconnect.

    published: the client as it was last published to operators. The pusher's thread changes it.
    has_sent_message: whether it has sent the operators a message, so that they may reply.
    """

    def __init__(self, subscriber: Subscriber, max_bookings: int) -> None:
        self.published: ClientConnection | None = None
        self.has_sent_message = False
        self._subscriber = subscriber
        self._max_bookings = max_bookings
        self._since = datetime.now(UTC)
        self._lock = threading.Lock()  # for _bookings and _new_recipients
        # Each reply, and whether its request opened a booking (True) or made one (False).
        self._replies = deque[tuple[Raw, bool]](maxlen=max_bookings)
        # By reference, in the order in which the client made or opened the bookings.
        self._bookings: OrderedDict[str, BookingState] = OrderedDict()
        self._requested = ""  # the reference in the request that is being executed
        self._new_recipients: list[str] = []  # may have missed messages; see MissedMessage.reader
        self._pushed = deque[int](maxlen=_MAX_PUSHED)  # message_ids
        self._kept = deque[Message](maxlen=_MAX_KEPT)
        # By recipient: the message_id of the last message when the messages that it missed were read.
        self._read_up_to: dict[str, int] = {}

    # For the connection's thread ---------------------------------------------------------------

    def begin_request(self, request: Request) -> None:
        """Record that a request of the client is being executed.

        A message counts as sent from now on, because a reply can come before the request has ended.
        """
        self._requested = normalize_text(getattr(request, "reference", None) or "").upper()
        self.has_sent_message |= isinstance(request, Say)

    def end_request(self, request: Request, answer: Answer | None) -> bool:
        """Record the answer, if there is one. Returns whether the pusher has to check the subscription.

        A check-in does not open the booking: its messages are for the passengers, not for the conductor.
        """
        check_due = False
        if answer is not None and not answer.refused:
            if request.reply is Booking and isinstance(request, BookingRequest | PartyRequest):
                self._replies.append((answer.body, bool(self._requested)))
                check_due = not self._bookings or bool(
                    self._requested and self._requested not in self._bookings
                )
            elif isinstance(request, Say):
                check_due = self.published is None
        self._requested = ""
        return check_due

    def sign_in(self, account: str) -> None:
        """Follow an account."""
        with self._lock:
            self._new_recipients.append(f"account:{account}")

    # For the pusher's thread -------------------------------------------------------------------

    @property
    def bookings(self) -> dict[str, BookingState]:
        """The bookings that are followed, by reference."""
        with self._lock:
            self._decode_replies()
            return dict(self._bookings)

    @property
    def reference(self) -> str | None:
        """The reference of the booking that was made or opened last."""
        return next(reversed(self.bookings), None)

    def client(self, process_no: int | None) -> ClientConnection:
        """The client as operators should see it now."""
        return ClientConnection(
            process_no=process_no,
            connection_no=self._subscriber.number,
            client_no=self.published.client_no if self.published else None,
            address=self._subscriber.address,
            protocol=self._subscriber.protocol,
            reference=self.reference,
            account=self._subscriber.account,
            since=self._since,
        )

    def take_new_recipients(self) -> list[str]:
        """The recipients since the last call: bookings that were opened and accounts that signed in."""
        with self._lock:
            self._decode_replies()
            recipients, self._new_recipients = self._new_recipients, []
            return recipients

    def push_missed(self, recipients: Collection[str], missed: list[MissedMessage], last: int) -> None:
        """Push the messages that these recipients have missed.

        last: the message_id of the last message of all when the missed ones were read.
        """
        for entry in missed:
            if entry.reader in recipients:
                self.push_message(entry.message)
        self._read_up_to |= dict.fromkeys(recipients, last)

    def push_message(self, message: Message) -> None:
        """Push a message, unless it was pushed before."""
        if message.message_id not in self._pushed:
            self._pushed.append(message.message_id)
            self._kept.append(self._with_boarding_date(message))
            self.push_kept()

    def _with_boarding_date(self, message: Message) -> Message:
        """The message with the boarding date of the followed booking on its trip, unless it has one."""
        trip = (message.bus_id, message.travel_date)
        dates = [state.boarding_date for state in self.bookings.values() if state.travels_on(trip)]
        if message.boarding_date or not dates:
            return message
        return msgspec.structs.replace(message, boarding_date=min(dates))

    def push_kept(self) -> None:
        """Push the kept messages, if the client has sent a line, which tells its protocol."""
        while self._kept and self._subscriber.protocol:
            self._subscriber.push_message(self._kept.popleft())

    def recipients_of(self, message: Message) -> set[str] | None:
        """The recipients for which this connection receives a new message; None if it does not receive it."""
        if message.audience == "operators":
            return None
        account, bookings = self._subscriber.account, self.bookings
        followed = [*bookings, f"account:{account}"] if account else bookings
        recipients = {name for name in followed if message.message_id > self._read_up_to.get(name, 0)}
        if message.audience == "all":
            return recipients
        if message.audience == "trip":
            trip = (message.bus_id, message.travel_date)
            return {
                state.reference for state in bookings.values() if state.travels_on(trip)
            } & recipients or None
        addressed = {str(message.reference), f"account:{message.account}"} & recipients
        is_client = self.published is not None and message.client_no == self.published.client_no
        return addressed if addressed or (message.audience == "client" and is_client) else None

    def unrequested_bookings(self) -> list[BookingState]:
        """The followed bookings, without the one in the client's current request."""
        requested = self._requested
        return [state for state in self.bookings.values() if state.reference != requested]

    def push_booking(self, before: BookingState, booking: Booking, raw: Raw) -> None:
        """Push a booking whose state has changed.

        before: the state before the change. Nothing is pushed if the client is requesting the booking, or
        has received it in a reply since `before` was read.
        """
        now = BookingState.of(booking)
        with self._lock:
            # Before the replies, because end_request records the reply, and then clears _requested.
            requested = self._requested
            self._decode_replies()
            if requested == before.reference or self._bookings.get(before.reference) is not before:
                return
            self._bookings[before.reference] = now
        if now.version != before.version:
            self._subscriber.push_booking(booking, raw)

    def _decode_replies(self) -> None:
        """Decode the replies that were recorded. The lock is held."""
        while self._replies:
            body, opened = self._replies.popleft()
            state = BookingState.of(msgspec.json.decode(body, type=Booking))
            if opened and state.reference not in self._bookings:
                self._new_recipients.append(state.reference)
            self._bookings[state.reference] = state
            self._bookings.move_to_end(state.reference)
            if len(self._bookings) > self._max_bookings:
                self._read_up_to.pop(self._bookings.popitem(last=False)[0], None)
