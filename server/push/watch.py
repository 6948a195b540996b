"""What one client knows: of its bookings, as it made or opened them last, and of what was said to it.

The connection's thread notes each answer as it came, which costs next to nothing; the thread that
delivers (server/push/delivery.py) decodes it when it has a reason to. While the client itself is changing a
booking, what the database says of it is not news.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

import msgspec

from busware.server.protocol import OPEN, Answer, Booking, Request

_REMEMBERED = 1000  # messages that were told


@dataclass(frozen=True, eq=False)
class Known:
    """A booking as a client knows it. state: as api.booking_states writes it."""

    reference: str
    bus_id: int
    travel_date: str
    status: str
    state: str

    @classmethod
    def of(cls, booking: Booking) -> "Known":
        """What is to be known of a booking."""
        tickets = (f"{t.ticket_no} {t.status} {t.seat_no or ''} {t.refund}" for t in booking.tickets)
        state = f"{', '.join(tickets)} to {booking.to_stop}"
        return cls(booking.reference, booking.bus_id, str(booking.travel_date), booking.status, state)

    def rides(self, trip: tuple[int | None, str | None]) -> bool:
        """Whether somebody has, or waits for, a ride with it on that trip: bus_id, travel_date."""
        return (self.bus_id, self.travel_date) == trip and self.status in OPEN


class Watch:
    """The latest bookings of a client, and the messages it was told."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()
        self._answers = deque[tuple[msgspec.Raw, bool]](maxlen=at_most)  # undecoded; whether it was opened
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._under_way = ""  # the reference of a booking that the client is just asking about
        self._readers: list[str] = []  # who has come back, and was not shown yet what they missed
        self._told: OrderedDict[int, None] = OrderedDict()  # messages
        self._shown_to: dict[str, int] = {}  # up to which message each who came back was shown them

    # For the client's thread -------------------------------------------------------------------

    def begin(self, request: Request) -> None:
        """The client asks for something."""
        self._under_way = (getattr(request, "reference", None) or "").strip().upper()

    def end(self, request: Request, answer: Answer | None) -> bool:
        """It is answered, or not. True: with it, somebody has become known."""
        known = False
        if answer is not None and not answer.refused and request.reply is Booking:
            self._answers.append((answer.body, bool(self._under_way)))
            known = not self._known or bool(self._under_way and self._under_way not in self._known)
        self._under_way = ""
        return known

    def sign_in(self, account: str) -> None:
        """The client is known by its account from now on."""
        with self._lock:
            self._readers.append(f"account:{account}")

    # For the thread that delivers --------------------------------------------------------------

    @property
    def bookings(self) -> dict[str, Known]:
        """The bookings, by reference."""
        with self._lock:
            self._absorb()
            return dict(self._known)

    @property
    def reference(self) -> str | None:
        """The booking that was made or opened last."""
        with self._lock:
            self._absorb()
            return next(reversed(self._known), None)

    def at_rest(self) -> list[Known]:
        """The bookings that the client is not asking about just now."""
        with self._lock:
            self._absorb()
            return [known for known in self._known.values() if known.reference != self._under_way]

    def replace(self, before: Known, now: Known) -> bool:
        """Whether that is news to the client, who then knows it; not if it has heard of the booking since."""
        with self._lock:
            under_way = self._under_way  # looked at first: what it was about is noted before it is cleared
            self._absorb()
            if under_way == before.reference or self._known.get(before.reference) is not before:
                return False
            self._known[before.reference] = now
            return now.state != before.state

    def take_opened(self) -> list[str]:
        """Who has come back since the last time: references, account:name."""
        with self._lock:
            self._absorb()
            readers, self._readers = self._readers, []
            return readers

    def put_back(self, reader: str) -> None:
        """They could not be shown anything: take_opened gives them once more."""
        with self._lock:
            self._readers.append(reader)

    def caught_up(self, reader: str, message_id: int) -> None:
        """Who came back was shown whatever they had missed up to that message."""
        self._shown_to[reader] = message_id

    def lacks(self, reader: str, message_id: int) -> bool:
        """Whether that message is one of those that come after."""
        return message_id > self._shown_to.get(reader, 0)

    def first_time(self, message_id: int) -> bool:
        """Whether the client has not been told that message yet; it is now."""
        if message_id in self._told:
            return False
        self._told[message_id] = None
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return True

    def _absorb(self) -> None:
        """Decode the answers that were noted since. The lock is held."""
        while self._answers:
            body, opened = self._answers.popleft()
            known = Known.of(msgspec.json.decode(body, type=Booking))
            if opened and known.reference not in self._known:
                self._readers.append(known.reference)
            self._known[known.reference] = known
            self._known.move_to_end(known.reference)
            if len(self._known) > self._at_most:
                self._shown_to.pop(self._known.popitem(last=False)[0], None)
