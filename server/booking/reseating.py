"""Plans new seats for the passengers of a trip whose vehicle is exchanged, as one optimization.

Every ticket has a segment of the route and a seat of the old vehicle. The plan gives it a seat of the new
one. A seat has one ticket on a leg at most, a ticket only gets a seat that it may have, and a party is seated
whole or left over whole. Of two plans that follow these rules, the better one is better in the first
criterion in which they differ:

0. more passengers with priority are seated, such as those who have checked in;
1. more passengers are seated;
2. more of them have a seat of the class that they bought;
3. more parties that sat together sit together (`sit_together`);
4. fewer passengers have a seat of another number.

Parties that sat apart do not count: otherwise passengers would be moved for their sake even if the vehicle
stays the same.

No database, no clock, no socket. The same input gives the same plan on every machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat of a vehicle. A seat that is blocked on the trip is left out of the vehicle's seats."""

    seat_no: int
    deck: str
    row_no: int
    seat_class: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A live ticket. Its segment is [from_stop, to_stop).

    seat_no: in the old vehicle. seat_class: the class that was sold. allowed: the seats of the new vehicle
    that the passenger may have; None: all of them.
    """

    ticket_no: int
    seat_no: int
    from_stop: int
    to_stop: int
    seat_class: str | None = None
    allowed: frozenset[int] | None = None
    priority: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """All live tickets of a booking."""

    reference: str
    tickets: tuple[Ticket, ...]


@dataclass(frozen=True, slots=True, order=True)
class Criteria:
    """The values of the five criteria, in their order. `together` counts parties, the others passengers."""

    priority: int
    seated: int
    same_class: int
    together: int
    moved: int  # the only one that is better if it is lower


TicketKey = tuple[str, int]  # reference and ticket number


@dataclass(frozen=True, slots=True)
class Plan:
    """The new seat of each ticket that has one, and the references of the parties that are left over."""

    seats: Mapping[TicketKey, int]
    left_over: tuple[str, ...]
    criteria: Criteria


def plan_seats(old_seats: Sequence[Seat], new_seats: Sequence[Seat], parties: Sequence[Party]) -> Plan:
    """Plan the seats of all parties of a trip in its new vehicle.

    old_seats: all seats of the vehicle in which the tickets have their seats.
    """
    occupied: dict[int, list[Ticket]] = {seat.seat_no: [] for seat in new_seats}

    def is_free(seat_no: int, ticket: Ticket) -> bool:
        return all(
            ticket.to_stop <= other.from_stop or other.to_stop <= ticket.from_stop
            for other in occupied[seat_no]
        )

    def choose(ticket: Ticket) -> int | None:
        allowed = [n for n in occupied if ticket.allowed is None or n in ticket.allowed]
        return next(
            (n for n in sorted(allowed, key=lambda n: n != ticket.seat_no) if is_free(n, ticket)), None
        )

    seats: dict[TicketKey, int] = {}
    left_over: list[str] = []
    for party in sorted(parties, key=lambda party: -sum(ticket.priority for ticket in party.tickets)):
        chosen: list[int] = []
        for ticket in party.tickets:
            seat_no = choose(ticket)
            if seat_no is not None:
                chosen.append(seat_no)
                occupied[seat_no].append(ticket)
        if len(chosen) == len(party.tickets):
            seats |= {(party.reference, t.ticket_no): n for t, n in zip(party.tickets, chosen, strict=True)}
        else:
            left_over.append(party.reference)
            for seat_no in chosen:
                occupied[seat_no] = [other for other in occupied[seat_no] if other not in party.tickets]
    return Plan(seats, tuple(sorted(left_over)), measure(old_seats, new_seats, parties, seats))


def measure(
    old_seats: Sequence[Seat],
    new_seats: Sequence[Seat],
    parties: Iterable[Party],
    seats: Mapping[TicketKey, int],
) -> Criteria:
    """The criteria of a plan. seats: the new seats of all tickets that have one."""
    classes = {seat.seat_no: seat.seat_class for seat in new_seats}
    old_rows, new_rows = Rows(old_seats), Rows(new_seats)
    priority = seated = same_class = together = moved = 0
    for party in parties:
        if any((party.reference, ticket.ticket_no) not in seats for ticket in party.tickets):
            continue
        chosen = [seats[party.reference, ticket.ticket_no] for ticket in party.tickets]
        priority += sum(ticket.priority for ticket in party.tickets)
        seated += len(chosen)
        for ticket, seat_no in zip(party.tickets, chosen, strict=True):
            same_class += classes[seat_no] == ticket.seat_class
            moved += seat_no != ticket.seat_no
        if old_rows.sit_together([ticket.seat_no for ticket in party.tickets]):
            together += new_rows.sit_together(chosen)
    return Criteria(priority, seated, same_class, together, moved)


class Rows:
    """The rows of a vehicle, and which seats are together.

    A party of n sits together if its seats are in consecutive rows of one deck, and these are no more rows
    than hold n seats, counted from the first of them. In a bus with rows of four, that is one row for up to
    four passengers, and two rows for up to eight. The choice of seats for a sale (sql/23_choose_seats.sql)
    prefers such seats, too: a line in one row, then a block of adjacent rows.
    """

    def __init__(self, seats: Iterable[Seat]) -> None:
        self._row: dict[int, int] = {}  # of a seat
        self._decks: list[str] = []  # of each row
        self._seats: list[int] = []  # of each row: their number
        places: list[tuple[str, int]] = []
        for seat in sorted(seats, key=attrgetter("deck", "row_no", "seat_no")):
            if not places or places[-1] != (seat.deck, seat.row_no):
                places.append((seat.deck, seat.row_no))
                self._decks.append(seat.deck)
                self._seats.append(0)
            self._row[seat.seat_no] = len(places) - 1
            self._seats[-1] += 1

    def last_row(self, row: int, party: int) -> int:
        """The last of the fewest rows from `row` on that hold a party; -1 if the deck has too few seats."""
        deck = self._decks[row]
        while row < len(self._decks) and self._decks[row] == deck:
            party -= self._seats[row]
            if party <= 0:
                return row
            row += 1
        return -1

    def sit_together(self, seat_nos: Sequence[int]) -> bool:
        """Whether a party of two or more sits together in these seats of the vehicle."""
        if len(seat_nos) < 2:
            return False
        rows = [self._row[seat_no] for seat_no in seat_nos]
        return max(rows) <= self.last_row(min(rows), len(rows))
