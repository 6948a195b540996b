"""A bus company of twelve services with its travellers, for tests of a whole day.

`write_timetable` writes the services into a file of `busware-server timetable`. A `Traveller` is a client of
the SDK with a connection of its own, which stays open: `received` has every notification. What a traveller
does depends on a random generator of its own, so a seed decides all of it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from busware import Booking, Client, Refusal, connect
from busware.server.protocol import Passenger

OPERATOR = "Malnad Lines"
DAY, NEXT_DAY = date(2026, 12, 5), date(2026, 12, 6)
PROMO_CODE = "MALNAD"
CHANGED = "booking_changed"  # the notification

# Each route: its stops with the minutes from the departure to the arrival, the kilometres and the fare.
SOUTH = [("Hubballi", 0, 0, 0), ("Haveri", 80, 75, 110), ("Davanagere", 180, 145, 220),
         ("Tumakuru", 330, 340, 480), ("Bengaluru", 420, 410, 600)]  # fmt: skip
NORTH = [(place, 420 - minutes, 410 - km, 600 - fare) for place, minutes, km, fare in reversed(SOUTH)]
HILLS = [("Bengaluru", 0, 0, 0), ("Tumakuru", 90, 70, 120), ("Shivamogga", 330, 300, 430)]
DEPARTURES = {  # of each service, in minutes after midnight
    101: (SOUTH, 360), 102: (SOUTH, 420), 103: (SOUTH, 480), 104: (SOUTH, 600), 105: (SOUTH, 720),
    106: (SOUTH, 840), 201: (NORTH, 390), 202: (NORTH, 540), 203: (NORTH, 750), 204: (NORTH, 960),
    301: (HILLS, 450), 302: (HILLS, 900),
}  # fmt: skip
FULL = {102, 106}  # the services for which more travellers come than they have seats
PREMIUM_SEATS = range(1, 9)

EXPECTED_REASONS = {
    "sold_out", "seat_taken", "reserved_seat", "other_fare",
}  # fmt: skip

_PLACES = {
    "HUBL": "Hubballi",
    "HAVR": "Haveri",
    "DAVN": "Davanagere",
    "TUMK": "Tumakuru",
    "SHIV": "Shivamogga",
}
_SERVICE = """\
- bus_id: {bus_id}
  name: Express {bus_id}
  operator: {operator}
  bus_type: SEATER
  layout: |
{layout}
  sales_days: 14
  max_seats: 4
  refund_tiers: [{{hours: 24, percent: 90}}, {{hours: 2, percent: 50}}]
  alight_refund_percent: 25
  seat_classes: [{{name: Premium, seats: [{premium}], percent: 20}}]
  women_seats: [9, 10]
  concessions: [{{name: child, percent: 50, max_age: 12}}]
  exchange_fee: 20
  no_show_sells: true
  offer_hours: 1
  alternative_hours: 6
  whole_refund_delay: 2 hours
  stops: |
{stops}
  segment_fares: [{{from_stop: 1, to_stop: 2, fare: 99.50}}]
"""


def write_timetable(folder: Path) -> Path:
    """Write the places and the services into a file."""
    file = folder / "malnad.yaml"
    places = "".join(f"- {{code: {code}, name: {name}}}\n" for code, name in _PLACES.items())
    services = "".join(
        _SERVICE.format(
            bus_id=bus_id,
            operator=OPERATOR,
            layout="    ss.ss\n" * 9 + "    ss.ss",
            premium=", ".join(map(str, PREMIUM_SEATS)),
            stops="\n".join(f"    {line}" for line in _stop_lines(*departure)),
        )
        for bus_id, departure in DEPARTURES.items()
    )
    file.write_text(f"places:\n{places}services:\n{services}")
    return file


def _stop_lines(route: list[tuple[str, int, int, int]], departs: int) -> list[str]:
    lines = []
    for n, (place, minutes, km, fare) in enumerate(route):
        arrival = departs + minutes
        arrives, leaves = "-" if n == 0 else _time(arrival), _time(arrival + 5 if n else arrival)
        lines.append(f"{place} | {arrives} | {leaves if n < len(route) - 1 else '-'} | {km} | {fare}")
    return lines


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def state_of(booking: Booking) -> tuple[Any, ...]:
    """What a change of a booking is pushed for."""
    tickets = [(t.ticket_no, t.status, t.seat_no, t.refund, t.to_stop) for t in booking.tickets]
    offers = [offer.offer_no for offer in booking.offers or ()]
    return booking.bus_id, booking.travel_date, booking.from_stop, booking.to_stop, tickets, offers


@dataclass
class Traveller:
    """A traveller of one service. booking: as the last reply had it; None: nothing was sold.

    refused: the reasons of the refusals. kept: what exchanges cost beside the fare. was_booked: whether the
    booking was ever paid.
    """

    name: str
    phone: str
    bus_id: int
    random: Random
    address: tuple[str, int]
    received: list[tuple[str, Any]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    booking: Booking | None = None
    kept: Decimal = Decimal(0)
    was_booked: bool = False
    client: Client | None = None
    follows_since: int | None = None  # len(received) when `follow` was called; None: it does not follow

    @property
    def reference(self) -> str:
        """The reference of the booking."""
        assert self.booking
        return self.booking.reference

    @property
    def status(self) -> str | None:
        """The status of the booking, as the last reply had it."""
        return self.booking and self.booking.status

    def arrive(self) -> None:
        """Connect; and open the booking, if there is one."""
        self.client = connect(*self.address, on_notification=lambda *sent: self.received.append(sent))
        if self.booking:
            self.look()

    @property
    def _client(self) -> Client:
        assert self.client
        return self.client

    def leave(self) -> None:
        """Disconnect."""
        self._client.close()
        self.client = None

    def look(self) -> Booking:
        """Read the booking again."""
        return self._now(self._client.booking(self.reference, self.phone))

    def follow(self) -> None:
        """Read the booking once more; from now on, `shown` follows from notifications."""
        self.look()
        self.follows_since = len(self.received)

    def shown(self) -> tuple[Any, ...]:
        """The state of the booking that the client has received last, as `state_of` has it."""
        assert self.booking
        pushed = [params for method, params in self.received[self.follows_since :] if method == CHANGED]
        return state_of(msgspec.convert(pushed[-1], Booking) if pushed else self.booking)

    def notifications(self, method: str) -> list[Any]:
        """The params of the received notifications of a method."""
        return [params for sent, params in self.received if sent == method]

    def buy(self) -> None:
        """Book, or hold and confirm, or hold only, or join the waitlist."""
        route, _ = DEPARTURES[self.bus_id]
        first, last = sorted(self.random.sample(range(len(route)), 2))
        if self.random.random() < 0.5:  # half of the travellers go the whole way
            first, last = 0, len(route) - 1
        trip = (self.bus_id, DAY, route[first][0], route[last][0])
        party: dict[str, Any] = {"phone": self.phone, "passengers": self._passengers()}
        party["count"] = len(party["passengers"])
        if self.random.random() < 0.1:
            party["promo_code"] = PROMO_CODE
        if self.random.random() < 0.2:
            party["seat_class"] = "Premium"
        choice = self.random.random()
        if choice < 0.3:
            held = self.attempt(self._client.hold, *trip, **party)
            if held and choice < 0.22:
                self.attempt(self._client.confirm, held.reference, self.phone)
        else:
            self.attempt(self._client.book, *trip, waitlist=self.bus_id in FULL, **party)

    def _passengers(self) -> list[Passenger]:
        return [
            Passenger(
                name=f"{self.name} {n}",
                gender=self.random.choice(["female", "male"]),
                concession="child" if n > 1 and self.random.random() < 0.4 else None,
            )
            for n in range(1, self.random.choices([1, 2, 3, 4], [5, 4, 2, 1])[0] + 1)
        ]

    def reconsider(self) -> None:
        """Cancel, change, exchange or shorten the booking, or leave it as it is."""
        if self.booking is None or self.look().status != "booked":
            return
        changes = (self._cancel, self._change_seat, self._exchange, self._transfer, self._end_early)
        choice = self.random.randrange(2 * len(changes))
        if choice < len(changes):
            changes[choice](self.booking)

    def _cancel(self, booking: Booking) -> None:
        tickets = self.random.choice([None, [len(booking.tickets)]])
        self.attempt(self._client.cancel, booking.reference, self.phone, tickets=tickets)

    def _change_seat(self, booking: Booking) -> None:
        free = self._client.seat_map(self.bus_id, DAY, booking.from_stop, booking.to_stop).free
        if free:
            seat_no = self.random.choice(free)
            self.attempt(
                self._client.change_seat, booking.reference, self.phone, ticket_no=1, seat_no=seat_no
            )

    def _exchange(self, booking: Booking) -> None:
        """For the next day, or for a destination one stop nearer."""
        what: dict[str, Any] = {"travel_date": NEXT_DAY}
        if booking.to_stop - booking.from_stop > 1 and self.random.random() < 0.5:
            what = {"origin": booking.from_stop, "destination": booking.to_stop - 1}
        quote = self.attempt(self._client.exchange_quote, booking.reference, self.phone, **what)
        if quote:
            accepted = {"due": quote.due, "refund": quote.refund}
            done = self.attempt(self._client.exchange, booking.reference, self.phone, **accepted, **what)
            self.kept += Decimal(done.exchange.fee) + Decimal(done.exchange.withheld)

    def _transfer(self, booking: Booking) -> None:
        request, name = self._client.transfer, f"{self.name} junior"
        self.attempt(request, booking.reference, 1, name, self.phone, gender="female")

    def _end_early(self, booking: Booking) -> None:
        stops = self._client.alight_quote(booking.reference, self.phone)
        if stops:
            at, tickets = stops[-1].stop_no, [len(booking.tickets)]
            self.attempt(self._client.alight, booking.reference, self.phone, at=at, tickets=tickets)

    def attempt(self, request: Callable[..., Any], *args: Any, **fields: Any) -> Any:
        """Send a request; a refusal is only counted. Returns its reply, or None."""
        try:
            reply = request(*args, **fields)
        except Refusal as refusal:
            self.refused[refusal.reason] += 1
            return None
        return self._now(reply) if isinstance(reply, Booking) else reply

    def _now(self, booking: Booking) -> Booking:
        self.booking = booking
        self.was_booked |= booking.status == "booked"
        return booking

    def paid(self) -> Decimal:
        """What the traveller has paid, less what was refunded, as the replies say."""
        if not self.was_booked or self.booking is None:
            return Decimal(0)
        return Decimal(self.booking.fare) - Decimal(self.booking.refund) + self.kept
