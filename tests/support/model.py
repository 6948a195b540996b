"""Busware in a hundred lines: one trip of one small bus, as plain sets and lists, to judge the real one by.

Seats are numbers, a leg is the number of the stop it begins at, and what is taken is a set of (seat, leg).
The model decides everything but which free seats "any seats" are: that it is told, and checks that they
are free. Each request answers the reason of its refusal, or None.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

Choice = Callable[[], Sequence[int]]  # asks the real one which seats it chose

LIVE = ("held", "booked")
OPEN = ("held", "booked", "pending")


@dataclass
class Service:
    """What the timetable says of the bus."""

    seats: int
    departs: dict[int, datetime]  # of each stop but the last
    fares: dict[int, Decimal]  # from the origin
    max_seats: int
    queue_limit: int
    refund_percent: Decimal
    alight_refund_percent: Decimal


@dataclass
class Ticket:
    """One passenger's."""

    seat: int | None
    start: int
    end: int
    fare: Decimal
    status: str
    refund: Decimal = Decimal("0.00")

    def takes(self) -> set[tuple[int, int]]:
        """What it takes of the bus while it is live."""
        return {(self.seat, leg) for leg in range(self.start, self.end)} if self.seat else set()


@dataclass
class Party:
    """A booking. until: when its hold, or its waiting, runs out."""

    tickets: list[Ticket]
    until: datetime | None = None

    def numbered(self, numbers: Iterable[int] | None) -> list[Ticket]:
        """The tickets of these numbers, or all."""
        return self.tickets if numbers is None else [self.tickets[n - 1] for n in numbers]

    def having(self, *statuses: str) -> list[Ticket]:
        """The tickets in these states."""
        return [ticket for ticket in self.tickets if ticket.status in statuses]


@dataclass
class Trip:
    """The trip: its parties in order of arrival, and the time."""

    service: Service
    now: datetime
    parties: dict[str, Party] = field(default_factory=dict)

    # What is so ------------------------------------------------------------------------------------

    def runs_out(self, party: Party, ticket: Ticket) -> bool:
        """Whether a ticket is held or waits no longer, though nobody has settled that yet."""
        return ticket.status in ("held", "pending") and party.until is not None and party.until <= self.now

    def status(self, party: Party, ticket: Ticket) -> str:
        """The status as it is now."""
        return "expired" if self.runs_out(party, ticket) else ticket.status

    def taken(self) -> set[tuple[int, int]]:
        """What is taken now, whether or not anybody has settled."""
        return {
            part
            for party in self.parties.values()
            for ticket in party.tickets
            if self.status(party, ticket) in LIVE
            for part in ticket.takes()
        }

    def free(self, start: int, end: int) -> set[int]:
        """The seats that are free over a stretch."""
        taken = self.taken()
        legs = range(start, end)
        return {
            seat for seat in range(1, self.service.seats + 1) if not any((seat, leg) in taken for leg in legs)
        }

    def queue(self) -> list[str]:
        """The references of those who wait, in order."""
        return [
            reference
            for reference, party in self.parties.items()
            if any(self.status(party, ticket) == "pending" for ticket in party.tickets)
        ]

    def has_left(self, stop: int) -> bool:
        """Whether a stop no longer sells."""
        return self.service.departs[stop] <= self.now

    # Settling --------------------------------------------------------------------------------------

    def settle(self, chosen: Callable[[str], Sequence[int]]) -> None:
        """What every request does first."""
        for party in self.parties.values():
            for ticket in party.tickets:
                if self.runs_out(party, ticket):
                    ticket.status = "expired"
        self.promote(chosen)

    def promote(self, chosen: Callable[[str], Sequence[int]]) -> None:
        """Serve the queue. chosen: the seats that a party got, which the model could not know."""
        for reference in self.queue():
            waiting = self.parties[reference].having("pending")
            if len(waiting) <= len(self.free(waiting[0].start, waiting[0].end)):
                self.seat(waiting, chosen(reference), "booked")

    def seat(self, tickets: Sequence[Ticket], seats: Sequence[int], status: str) -> None:
        """Give free seats to tickets."""
        assert len(seats) == len(tickets) == len(set(seats))
        assert set(seats) <= self.free(tickets[0].start, tickets[0].end)
        for ticket, seat in zip(tickets, seats, strict=True):
            ticket.seat, ticket.status = seat, status

    # Requests --------------------------------------------------------------------------------------

    def sell(
        self, reference: Callable[[], str], choice: Choice, start: int, end: int, seats: Sequence[int] | None,
        count: int, waitlist: bool, hold: timedelta | None,
    ) -> str | None:  # fmt: skip
        """Book (hold is None) or hold these seats, or any `count` of them."""
        free = self.free(start, end)
        if self.has_left(start):
            return "departed"
        if count > self.service.max_seats:
            return "too_many_seats"
        if seats and not set(seats) <= free:
            return "seat_taken"
        fits = count <= len(free)
        if not fits and (not waitlist or count > self.service.seats):
            return "sold_out"
        if not fits and len(self.queue()) >= self.service.queue_limit:
            return "queue_full"
        fare = self.service.fares[end] - self.service.fares[start]
        party = Party([Ticket(None, start, end, fare, "pending") for _ in range(count)])
        if not fits:
            party.until = self.service.departs[start]
        else:
            self.seat(party.tickets, seats or choice(), "booked" if hold is None else "held")
            party.until = hold and min(self.now + hold, self.service.departs[start])
        self.parties[reference()] = party
        return None

    def confirm(self, party: Party) -> str | None:
        """Make a hold a booking."""
        if reason := self.is_no_hold(party):
            return reason
        lost = {part for ticket in party.having("expired") for part in ticket.takes()}
        if lost & self.taken():
            return "hold_expired"
        for ticket in party.having("held", "expired"):
            ticket.status = "booked"
        return None

    def release(self, party: Party) -> str | None:
        """Give a hold up."""
        if reason := self.is_no_hold(party):
            return reason
        for ticket in (held := party.having("held")):
            ticket.status = "cancelled"
        return None if held else "hold_expired"

    def is_no_hold(self, party: Party) -> str | None:
        """Why a booking is neither confirmed nor released."""
        if self.has_left(party.tickets[0].start):
            return "departed"
        if party.having("booked"):
            return "already_booked"
        if party.having("held") or any(ticket.seat for ticket in party.having("expired")):
            return None
        return "not_held" if party.having("pending", "expired") else "already_cancelled"

    def cancel(self, party: Party, numbers: Sequence[int] | None) -> str | None:
        """Cancel tickets, or all that are still open."""
        if self.has_left(party.tickets[0].start):
            return "departed"
        ended = [ticket for ticket in party.numbered(numbers) if ticket.status not in OPEN]
        if not party.having(*OPEN) or (numbers and ended):
            return self.ended(ended)
        for ticket in party.numbered(numbers):
            if ticket.status == "booked":
                ticket.refund += share(ticket.fare - ticket.refund, self.service.refund_percent)
            if ticket.status in OPEN:
                ticket.status = "cancelled"
        return None

    def change_seat(self, party: Party, number: int, seat: int) -> str | None:
        """Move a ticket."""
        ticket = party.tickets[number - 1]
        if self.has_left(ticket.start):
            return "departed"
        if ticket.status not in LIVE:
            return "not_held" if ticket.status == "pending" else self.ended([ticket])
        if seat > self.service.seats:
            return "unknown_seat"
        if seat != ticket.seat and seat not in self.free(ticket.start, ticket.end):
            return "seat_taken"
        ticket.seat = seat
        return None

    def alight(self, party: Party, numbers: Sequence[int] | None, stop: int) -> str | None:
        """End a ride early."""
        tickets = party.having("booked") if numbers is None else party.numbered(numbers)
        if not tickets or any(ticket.status != "booked" for ticket in tickets):
            ended = [t for t in party.numbered(numbers) if t.status in ("cancelled", "expired")]
            return self.ended(ended) if ended else "not_held"
        if not all(ticket.start < stop < ticket.end for ticket in tickets):
            return "not_on_route"
        if self.has_left(stop):
            return "departed"
        for ticket in tickets:
            unridden = self.service.fares[ticket.end] - self.service.fares[stop]
            ticket.refund += share(unridden, self.service.alight_refund_percent)
            ticket.end = stop
        return None

    @staticmethod
    def ended(tickets: Iterable[Ticket]) -> str:
        """What is said of tickets that are no more."""
        return "already_cancelled" if any(t.status == "cancelled" for t in tickets) else "hold_expired"


def share(amount: Decimal, percent: Decimal) -> Decimal:
    """A percentage of an amount, to the paisa."""
    return (amount * percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
