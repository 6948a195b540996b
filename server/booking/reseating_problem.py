"""The input of a plan of seats (`reseating`), and the same with everything numbered from 0."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

NOWHERE = -1  # number of the seat of a ticket that has none
FORBIDDEN = -(10**18)  # value of a seat that a ticket may not have


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat of a vehicle. A seat that is blocked on the trip is left out of the vehicle's seats."""

    seat_no: int
    deck: str
    row_no: int
    seat_class: str | None = None
    accessible: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """A live ticket. Its segment is [from_stop, to_stop).

    seat_no: in the old vehicle. seat_class: the class that was sold. allowed: the seats of the new vehicle
    that the passenger may have; None: all of them. accessible: the passenger asked for an accessible seat.
    """

    ticket_no: int
    seat_no: int
    from_stop: int
    to_stop: int
    seat_class: str | None = None
    allowed: frozenset[int] | None = None
    priority: bool = False
    accessible: bool = False

    def suits(self, seat: Seat) -> bool:
        """Whether a seat is of the class that was sold, and accessible if the passenger asked for that."""
        return self.seat_class == seat.seat_class and self.accessible <= seat.accessible


@dataclass(frozen=True, slots=True)
class Party:
    """All live tickets of a booking."""

    reference: str
    tickets: tuple[Ticket, ...]


class Rows:
    """The rows of a vehicle, and which seats are together.

    A party of n sits together if all its seats are in these rows of one deck: its first row, and as many of
    the next rows as are needed for n seats. In a bus with rows of four, that is one row for up to four
    passengers, and two rows for up to eight. The choice of seats for a sale (sql/23_choose_seats.sql) prefers
    such seats, too: a line in one row, then a block of adjacent rows.
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

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self._seats)

    def of(self, seat_no: int) -> int:
        """The row of a seat."""
        return self._row[seat_no]

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


@dataclass(frozen=True, slots=True)
class Weights:
    """What a seated passenger, or a party that sits together, adds to the score."""

    priority: int
    seated: int
    same_class: int
    together: int
    kept: int


class Problem:
    """The input with seats, tickets and parties numbered from 0, and legs as bits of an int.

    A leg here is what lies between adjacent stops at which a ticket begins or ends.
    """

    def __init__(
        self, old_seats: Sequence[Seat], new_seats: Sequence[Seat], parties: Sequence[Party]
    ) -> None:
        self.seats = sorted(new_seats, key=attrgetter("seat_no"))
        self.tickets = [ticket for party in parties for ticket in party.tickets]
        self.party = [n for n, party in enumerate(parties) for _ in party.tickets]  # of each ticket
        self.tickets_of: list[list[int]] = [[] for _ in parties]
        for ticket, party in enumerate(self.party):
            self.tickets_of[party].append(ticket)
        stops = sorted({stop for t in self.tickets for stop in (t.from_stop, t.to_stop)})
        position = {stop: n for n, stop in enumerate(stops)}
        self.leg_count = max(len(stops) - 1, 0)
        self.first = [position[t.from_stop] for t in self.tickets]  # leg of each ticket
        self.end = [position[t.to_stop] for t in self.tickets]  # the leg after its last one
        segments = list(zip(self.first, self.end, strict=True))
        self.legs = [(1 << end) - (1 << first) for first, end in segments]
        self.inner_stops = [(1 << end) - (2 << first) for first, end in segments]  # stop n: before leg n
        index = {seat.seat_no: n for n, seat in enumerate(self.seats)}
        everywhere = frozenset(index.values())
        self.allowed = [
            everywhere if t.allowed is None else frozenset(index[n] for n in t.allowed if n in index)
            for t in self.tickets
        ]
        self.demand = [
            sum(n in a for a in self.allowed) for n in everywhere
        ]  # the tickets that may have a seat
        homes = [index.get(t.seat_no, NOWHERE) for t in self.tickets]
        self.home = [h if h in a else NOWHERE for h, a in zip(homes, self.allowed, strict=True)]
        old_rows, rows = Rows(old_seats), Rows(new_seats)
        self.sat_together = [old_rows.sit_together([t.seat_no for t in p.tickets]) for p in parties]
        self.row = [rows.of(seat.seat_no) for seat in self.seats]
        self.last_row = {
            size: [rows.last_row(row, size) for row in range(rows.count)]
            for size in {len(tickets) for tickets in self.tickets_of}
        }
        self.groups = {  # for each size of a party, the groups of seats in which it sits together
            size: [
                [seat for seat, row in enumerate(self.row) if first <= row <= last]
                for first, last in enumerate(lasts)
                if last >= 0
            ]
            for size, lasts in self.last_row.items()
        }
        self.singles_from = [  # the tickets of parties of one that had each seat
            [
                t
                for t, home in enumerate(self.home)
                if home == seat and len(self.tickets_of[self.party[t]]) == 1
            ]
            for seat in everywhere
        ]

    def values(self, weights: Weights) -> list[list[int]]:
        """For each seat and each ticket, what the ticket adds to the score there."""
        return [
            [
                weights.seated
                + weights.priority * ticket.priority
                + weights.same_class * ticket.suits(seat)
                + weights.kept * (ticket.seat_no == seat.seat_no)
                if n in allowed
                else FORBIDDEN
                for ticket, allowed in zip(self.tickets, self.allowed, strict=True)
            ]
            for n, seat in enumerate(self.seats)
        ]

    def weights_in_order(self) -> Weights:
        """Weights with which one unit of a criterion outweighs all later criteria."""
        kept = 1
        together = kept * len(self.tickets) + 1
        same_class = together * (len(self.tickets_of) + 1)
        seated = same_class * (len(self.tickets) + 1)
        return Weights(seated * (len(self.tickets) + 1), seated, same_class, together, kept)
