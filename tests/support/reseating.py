"""Random trips whose vehicle is exchanged, and their exact optimum, computed by HiGHS."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from busware.server.booking.reseating import Criteria, Party, Seat, Ticket
from busware.server.booking.reseating_problem import Rows


def bus(
    rows: int,
    columns: int = 4,
    decks: Sequence[str] = ("main",),
    classes: Sequence[str | None] = (None,),
    accessible: frozenset[int] = frozenset(),
) -> list[Seat]:
    """A bus with rows of equal length on each deck.

    classes: of its parts from front to back. accessible: its accessible seats.
    """
    places = [(deck, row, column) for deck in decks for row in range(rows) for column in range(columns)]
    return [
        Seat(n, deck, row + 1, classes[row * len(classes) // rows], n in accessible)
        for n, (deck, row, _) in enumerate(places, 1)
    ]


@dataclass(frozen=True)
class Shape:
    """What the random trips of a shape have in common.

    load: the seat-legs that parties ask for, as a multiple of those of the old vehicle. A party asks for a
    random segment, and is refused if too few seats are free.
    """

    old: Sequence[Seat]
    new: Sequence[Seat]
    stops: int
    load: float
    parties: int = 1000  # the largest number of parties
    sizes: Sequence[int] = (1, 1, 2, 2, 3, 4)
    legs: int = 100  # the longest segment
    priority: float = 0.1  # share of the parties that have checked in
    reserved: frozenset[int] = frozenset()  # seats of the new vehicle that few passengers may have
    entitled: float = 0.2  # share of the parties that may have them
    asking: float = 0  # share of the parties in which one passenger asked for an accessible seat


def trip(shape: Shape, number: int) -> list[Party]:
    """The parties of a random trip."""
    numbers = random.Random(number)
    taken: dict[int, list[range]] = {seat.seat_no: [] for seat in shape.old}
    classes = {seat.seat_no: seat.seat_class for seat in shape.old}
    rows, parties, wanted = Rows(shape.old), [], shape.load * len(shape.old) * (shape.stops - 1)
    others = frozenset(seat.seat_no for seat in shape.new) - shape.reserved
    while wanted > 0 and len(parties) < shape.parties:
        first, last = sorted(numbers.sample(range(1, shape.stops + 1), 2))
        last = min(last, first + shape.legs)
        size = numbers.choice(shape.sizes)
        wanted -= size * (last - first)
        free = [
            n for n, used in taken.items() if all(last <= legs.start or legs.stop <= first for legs in used)
        ]
        if len(free) < size:
            continue
        choices = [free[n : n + size] for n in range(len(free) - size + 1)]
        near = [choice for choice in choices if rows.sit_together(choice)]
        # most parties choose seats that are close together, and a seat that is used before and after
        chosen = max(
            numbers.sample(near or choices, min(3, len(near or choices))),
            key=lambda choice: sum(len(taken[n]) for n in choice),
        )
        for n in chosen:
            taken[n].append(range(first, last))
        priority = numbers.random() < shape.priority
        allowed = None if not shape.reserved or numbers.random() < shape.entitled else others
        asks = bool(shape.asking) and numbers.random() < shape.asking
        tickets = (
            Ticket(k, n, first, last, classes[n], allowed, priority, accessible=asks and k == 1)
            for k, n in enumerate(chosen, 1)
        )
        parties.append(Party(f"P{len(parties):03}", tuple(tickets)))
    return parties


_OLD, _NEW = bus(10), bus(8)
SHAPES = {
    "20 seats to 16, some left over": Shape(bus(5), bus(4), stops=8, load=1.0),
    "20 seats to 16, many left over": Shape(bus(5), bus(4), stops=8, load=2.0),
    "20 seats to 16, seats for women": Shape(
        bus(5), bus(4), stops=8, load=1.2, reserved=frozenset({1, 2, 5, 6}), entitled=0.4
    ),
    "20 seats to 16, accessible seats": Shape(
        bus(5, accessible=frozenset({1, 2})),
        bus(4, accessible=frozenset({1, 2, 5})),
        stops=8,
        load=1.2,
        asking=0.3,
    ),
    "24 seats to 20, two classes": Shape(
        bus(6, classes=("gold", None)), bus(5, classes=("gold", None)), stops=8, load=1.2
    ),
    "30 berths to 24, two decks": Shape(
        bus(5, 3, ("lower", "upper")), bus(4, 3, ("lower", "upper")), stops=8, load=1.0
    ),
    "40 seats to 32, room for all": Shape(_OLD, _NEW, stops=10, load=0.6),
    "40 seats to 32, long segments": Shape(_OLD, _NEW, stops=10, load=1.0),
    "40 seats to 32, two classes": Shape(
        bus(10, classes=("gold", None)), bus(8, classes=("gold", None, None, None)), stops=10, load=0.8
    ),
    "40 seats to 32, 200 parties": Shape(
        _OLD, _NEW, stops=14, load=6.0, parties=200, sizes=(1, 1, 1, 2), legs=2
    ),
    "45 seats to 40, one leg": Shape(bus(9, 5), bus(10), stops=2, load=1.1),
}


class Model:
    """The plans of a trip as an integer program: a variable is 1 if

    - a party is seated,
    - a ticket has a seat,
    - a party has all its seats in a group of rows, for parties that sat together.
    """

    def __init__(self, old: Sequence[Seat], new: Sequence[Seat], parties: Sequence[Party]) -> None:
        self._rows: list[dict[int, float]] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self._size = 0
        seated = [self._variable() for _ in parties]
        criteria: dict[str, dict[int, float]] = {field.name: {} for field in fields(Criteria)}
        old_rows, new_rows = Rows(old), Rows(new)
        on_leg: dict[tuple[int, int], list[int]] = {}
        for party, is_seated in zip(parties, seated, strict=True):
            criteria["seated"][is_seated] = len(party.tickets)
            criteria["priority"][is_seated] = sum(ticket.priority for ticket in party.tickets)
            has = [
                {
                    seat.seat_no: self._variable()
                    for seat in new
                    if ticket.allowed is None or seat.seat_no in ticket.allowed
                }
                for ticket in party.tickets
            ]
            for ticket, seats in zip(party.tickets, has, strict=True):
                self._constrain(dict.fromkeys(seats.values(), 1.0) | {is_seated: -1.0}, 0, 0)
                for seat in new:
                    if seat.seat_no in seats:
                        criteria["same_class"][seats[seat.seat_no]] = ticket.suits(seat)
                        criteria["moved"][seats[seat.seat_no]] = -(seat.seat_no != ticket.seat_no)
                        for leg in range(ticket.from_stop, ticket.to_stop):
                            on_leg.setdefault((seat.seat_no, leg), []).append(seats[seat.seat_no])
            if old_rows.sit_together([ticket.seat_no for ticket in party.tickets]):
                groups = self._groups(new_rows, new, len(party.tickets))
                inside = [self._variable() for _ in groups]
                self._constrain(dict.fromkeys(inside, 1.0) | {is_seated: -1.0}, -np.inf, 0)
                criteria["together"] |= dict.fromkeys(inside, 1.0)
                for group, is_inside in zip(groups, inside, strict=True):
                    for seats in has:
                        row = {seats[n]: 1.0 for n in group if n in seats}
                        self._constrain(row | {is_inside: -1.0}, 0, np.inf)
        for variables in on_leg.values():
            self._constrain(dict.fromkeys(variables, 1.0), -np.inf, 1)
        self._criteria = criteria

    def optimum(self, seconds: float = 600) -> Iterator[int]:
        """The best value of each criterion, with the best values of all earlier ones."""
        for name, coefficients in self._criteria.items():
            value = self.best(name, seconds)
            self._constrain(coefficients, value, np.inf)
            yield -value if name == "moved" else value

    def best(self, name: str, seconds: float) -> int:
        objective = np.zeros(self._size)
        for variable, coefficient in self._criteria[name].items():
            objective[variable] = -coefficient
        found = milp(
            objective,
            integrality=np.ones(self._size),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(self._matrix(), self._low, self._high),
            options={"time_limit": seconds, "mip_rel_gap": 0},
        )
        assert found.status == 0, found.message
        return round(-found.fun)

    def require(self, name: str, value: int) -> None:
        """From now on, only plans with this value of a criterion or a better one count."""
        self._constrain(self._criteria[name], -value if name == "moved" else value, np.inf)

    @staticmethod
    def _groups(rows: Rows, seats: Sequence[Seat], size: int) -> list[list[int]]:
        """The groups of seats in which a party of a size sits together."""
        groups = []
        for first in range(rows.count):
            last = rows.last_row(first, size)
            if last >= 0:
                groups.append([seat.seat_no for seat in seats if first <= rows.of(seat.seat_no) <= last])
        return groups

    def _variable(self) -> int:
        self._size += 1
        return self._size - 1

    def _constrain(self, row: dict[int, float], low: float, high: float) -> None:
        self._rows.append(row)
        self._low.append(low)
        self._high.append(high)

    def _matrix(self) -> coo_array:
        entries = [
            (n, variable, value) for n, row in enumerate(self._rows) for variable, value in row.items()
        ]
        n, variables, values = zip(*entries, strict=True)
        return coo_array((values, (n, variables)), shape=(len(self._rows), self._size)).tocsr()
