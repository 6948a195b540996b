"""A model of one trip in plain Python; tests/sql/test_model.py compares the database with it.

Seats are numbers. A leg is the number of the stop at which it begins. `taken` is a set of (seat, leg).
A request returns the reason of its refusal, or None. If a request names no seats, the database chooses them;
the model uses the same seats, and checks that they are free.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

Choice = Callable[[], Sequence[int]]  # returns the seats that the database chose

LIVE = ("held", "booked")
OPEN = ("held", "booked", "pending")


@dataclass
class Service:
    """The service of the trip."""

    seats: int
    departs: dict[int, datetime]  # by stop number, without the last stop
    fares: dict[int, Decimal]  # by stop number, from the first stop; a ticket keeps those of its sale
    max_seats: int
    queue_limit: int
    refund_percent: Decimal
    alight_refund_percent: Decimal


@dataclass
class Ticket:
    """The ticket of one passenger, for the segment [start, end)."""

    seat: int | None
    start: int
    end: int
    fares: dict[int, Decimal]  # the service's, when the ticket was sold
    status: str
    refund: Decimal = Decimal("0.00")
    sold_to: int = 0  # `end`, when the ticket was sold

    def __post_init__(self) -> None:
        self.sold_to = self.end

    @property
    def fare(self) -> Decimal:
        """The fare of the segment that was sold."""
        return self.fares[self.sold_to] - self.fares[self.start]

    def taken(self) -> set[tuple[int, int]]:
        """The (seat, leg) pairs that the ticket takes while it is live."""
        return {(self.seat, leg) for leg in range(self.start, self.end)} if self.seat else set()


@dataclass
class Party:
    """All tickets of a booking. expires_at: the end of its hold or of its waitlist entry."""

    tickets: list[Ticket]
    expires_at: datetime | None = None

    def numbered(self, numbers: Iterable[int] | None) -> list[Ticket]:
        """The tickets with these numbers; without numbers, all."""
        return self.tickets if numbers is None else [self.tickets[n - 1] for n in numbers]

    def with_status(self, *statuses: str) -> list[Ticket]:
        """The tickets whose stored status is one of these."""
        return [ticket for ticket in self.tickets if ticket.status in statuses]


@dataclass
class Trip:
    """The trip: its parties in order of arrival, by reference, and the time."""

    service: Service
    now: datetime
    parties: dict[str, Party] = field(default_factory=dict)

    # State -----------------------------------------------------------------------------------------

    def has_expired(self, party: Party, ticket: Ticket) -> bool:
        """Whether a hold or a waitlist entry has expired, even if its trip is not settled yet."""
        return (
            ticket.status in ("held", "pending")
            and party.expires_at is not None
            and party.expires_at <= self.now
        )

    def status(self, party: Party, ticket: Ticket) -> str:
        """The status that a read returns."""
        return "expired" if self.has_expired(party, ticket) else ticket.status

    def taken(self) -> set[tuple[int, int]]:
        """The (seat, leg) pairs of all live tickets, without expired ones."""
        return {
            pair
            for party in self.parties.values()
            for ticket in party.tickets
            if self.status(party, ticket) in LIVE
            for pair in ticket.taken()
        }

    def free(self, start: int, end: int) -> set[int]:
        """The seats that are free on a segment."""
        taken = self.taken()
        legs = range(start, end)
        return {
            seat for seat in range(1, self.service.seats + 1) if not any((seat, leg) in taken for leg in legs)
        }

    def waitlist(self) -> list[str]:
        """The references of the waiting parties, in order of arrival."""
        return [
            reference
            for reference, party in self.parties.items()
            if any(self.status(party, ticket) == "pending" for ticket in party.tickets)
        ]

    def has_departed(self, stop: int) -> bool:
        """Whether the trip has departed from a stop."""
        return self.service.departs[stop] <= self.now

    # Settling --------------------------------------------------------------------------------------

    def settle(self, chosen: Callable[[str], Sequence[int]]) -> None:
        """Expire what is due, then promote the waitlist. Every write begins with this."""
        for party in self.parties.values():
            for ticket in party.tickets:
                if self.has_expired(party, ticket):
                    ticket.status = "expired"
        self.promote(chosen)

    def promote(self, chosen: Callable[[str], Sequence[int]]) -> None:
        """Give free seats to the waitlist. chosen: the seats that the database gave to a party."""
        for reference in self.waitlist():
            waiting = self.parties[reference].with_status("pending")
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
        """Book (hold is None) or hold these seats, or any `count` seats."""
        free = self.free(start, end)
        if self.has_departed(start):
            return "departed"
        if count > self.service.max_seats:
            return "too_many_seats"
        if seats and not set(seats) <= free:
            return "seat_taken"
        fits = count <= len(free)
        if not fits and (not waitlist or count > self.service.seats):
            return "sold_out"
        if not fits and len(self.waitlist()) >= self.service.queue_limit:
            return "queue_full"
        fares = self.service.fares
        party = Party([Ticket(None, start, end, fares, "pending") for _ in range(count)])
        if not fits:
            party.expires_at = self.service.departs[start]
        else:
            self.seat(party.tickets, seats or choice(), "booked" if hold is None else "held")
            party.expires_at = hold and min(self.now + hold, self.service.departs[start])
        self.parties[reference()] = party
        return None

    def confirm(self, party: Party, *, accepts_fare: bool) -> str | None:
        """Turn a hold into a booking. accepts_fare: at any fare, if the hold has expired."""
        if reason := self.check_hold(party):
            return reason
        expired = {pair for ticket in party.with_status("expired") for pair in ticket.taken()}
        if expired & self.taken():
            return "hold_expired"
        fares = self.service.fares
        for ticket in party.with_status("expired"):
            changes = {fares[stop] - ticket.fares[stop] for stop in range(ticket.start, ticket.end + 1)}
            if len(changes) > 1 and not accepts_fare:
                return "hold_expired"
            ticket.fares = fares
        for ticket in party.with_status("held", "expired"):
            ticket.status = "booked"
        return None

    def release(self, party: Party) -> str | None:
        """Release a hold."""
        if reason := self.check_hold(party):
            return reason
        for ticket in (held := party.with_status("held")):
            ticket.status = "cancelled"
        return None if held else "hold_expired"

    def check_hold(self, party: Party) -> str | None:
        """The reason why a booking cannot be confirmed or released, or None."""
        if self.has_departed(party.tickets[0].start):
            return "departed"
        if party.with_status("booked"):
            return "already_booked"
        if party.with_status("held") or any(ticket.seat for ticket in party.with_status("expired")):
            return None
        return "not_held" if party.with_status("pending", "expired") else "already_cancelled"

    def cancel(self, party: Party, numbers: Sequence[int] | None) -> str | None:
        """Cancel tickets; without numbers, all open ones."""
        if self.has_departed(party.tickets[0].start):
            return "departed"
        ended = [ticket for ticket in party.numbered(numbers) if ticket.status not in OPEN]
        if not party.with_status(*OPEN) or (numbers and ended):
            return self.reason_of_ended(ended)
        for ticket in party.numbered(numbers):
            if ticket.status == "booked":
                ticket.refund += percentage(ticket.fare - ticket.refund, self.service.refund_percent)
            if ticket.status in OPEN:
                ticket.status = "cancelled"
        return None

    def change_seat(self, party: Party, number: int, seat: int) -> str | None:
        """Move a ticket to another seat."""
        ticket = party.tickets[number - 1]
        if self.has_departed(ticket.start):
            return "departed"
        if ticket.status not in LIVE:
            return "not_held" if ticket.status == "pending" else self.reason_of_ended([ticket])
        if seat > self.service.seats:
            return "unknown_seat"
        if seat != ticket.seat and seat not in self.free(ticket.start, ticket.end):
            return "seat_taken"
        ticket.seat = seat
        return None

    def alight(self, party: Party, numbers: Sequence[int] | None, stop: int) -> str | None:
        """End the segment of tickets at an earlier stop; without numbers, of all booked tickets."""
        tickets = party.with_status("booked") if numbers is None else party.numbered(numbers)
        if not tickets or any(ticket.status != "booked" for ticket in tickets):
            ended = [t for t in party.numbered(numbers) if t.status in ("cancelled", "expired")]
            return self.reason_of_ended(ended) if ended else "not_held"
        if not all(ticket.start < stop < ticket.end for ticket in tickets):
            return "not_on_route"
        if self.has_departed(stop):
            return "departed"
        for ticket in tickets:
            unused = ticket.fares[ticket.sold_to] - ticket.fares[stop]
            ticket.refund = percentage(unused, self.service.alight_refund_percent)
            ticket.end = stop
        return None

    @staticmethod
    def reason_of_ended(tickets: Iterable[Ticket]) -> str:
        """The reason of a refusal for tickets that are cancelled or expired."""
        return "already_cancelled" if any(t.status == "cancelled" for t in tickets) else "hold_expired"


def percentage(amount: Decimal, percent: Decimal) -> Decimal:
    """A percentage of an amount, rounded to two decimals."""
    return (amount * percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
