"""The state of the search of `reseating`: which parties are seated, and in which seats."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from math import inf

from busware.server.booking.reseating_problem import NOWHERE, Problem, Weights


class Selection:
    """The chosen parties: on each leg, they have no more tickets than there are seats.

    Without this condition there is no seating. If all passengers may have all seats, the condition is also
    sufficient. The condition holds for each set of allowed seats too: on each leg, the tickets that may have
    only seats of the set are no more than these seats.

    The numbers of free seats for all sets and legs are fields of one int. The highest bit of a field is 1
    unless the number is negative, so one operation compares all of them.
    """

    def __init__(self, problem: Problem) -> None:
        sets = {frozenset(range(len(problem.seats))): None} | dict.fromkeys(problem.allowed)
        self._width = max(len(problem.tickets), len(problem.seats)).bit_length() + 1
        shifts = range(0, self._width * problem.leg_count, self._width)
        block = self._width * problem.leg_count
        self._signs = sum(
            1 << (n * block + shift + self._width - 1) for n in range(len(sets)) for shift in shifts
        )
        self.free = self._signs + sum(
            len(seats) << (n * block + shift) for n, seats in enumerate(sets) for shift in shifts
        )
        self.demand = [
            sum(
                1 << (n * block + leg * self._width)
                for ticket in tickets
                for n, seats in enumerate(sets)
                if problem.allowed[ticket] <= seats
                for leg in range(problem.first[ticket], problem.end[ticket])
            )
            for tickets in problem.tickets_of
        ]
        self.is_chosen = [False] * len(problem.tickets_of)
        self._possible = [n for n, demand in enumerate(self.demand) if self._fits(self.free - demand)]
        self.others = self._possible  # the parties that are not chosen and would fit alone

    def add(self, party: int) -> bool:
        """Choose one more party. Returns whether there is room."""
        if not self._fits(self.free - self.demand[party]):
            return False
        self.change([], [party])
        return True

    def propose(
        self, party: int, blocking: Sequence[int], random: Callable[[], float]
    ) -> tuple[list[int], list[int]]:
        """An exchange in which a party comes: the parties that leave, and those that come.

        blocking: parties that leave in any case. If more must leave, they are chosen at random.
        """
        demand, signs = self.demand, self._signs
        leaving = list(blocking)
        free = self.free - demand[party] + sum(map(demand.__getitem__, leaving))
        while free & signs != signs:
            leaving.append(self._any_on(signs & ~free, leaving, random))
            free += demand[leaving[-1]]
        coming = [party]
        start = int(random() * len(self.others))
        for other in self.others[start:] + self.others[:start] + leaving:
            left = free - demand[other]
            if left & signs == signs and other != party:
                free = left
                coming.append(other)
        return leaving, coming

    def _any_on(self, signs: int, leaving: Sequence[int], random: Callable[[], float]) -> int:
        """A chosen party that has a ticket in one of the fields with these signs, and is not yet leaving."""
        fields = (signs >> (self._width - 1)) * ((1 << self._width) - 1)
        start, count = int(random() * len(self.demand)), len(self.demand)
        return next(
            party
            for party in chain(range(start, count), range(start))
            if self.demand[party] & fields and self.is_chosen[party] and party not in leaving
        )

    def change(self, leaving: Iterable[int], coming: Iterable[int]) -> None:
        """Apply an exchange."""
        for party in leaving:
            self.free += self.demand[party]
            self.is_chosen[party] = False
        for party in coming:
            self.free -= self.demand[party]
            self.is_chosen[party] = True
        self.others = [n for n in self._possible if not self.is_chosen[n]]

    def _fits(self, free: int) -> bool:
        return free & self._signs == self._signs


class Seating:
    """The seat of each ticket, and the score. Changes are collected, then accepted or undone together."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.where = [NOWHERE] * len(problem.tickets)
        self.on: list[list[int]] = [[] for _ in problem.seats]  # the tickets of each seat
        self.busy = [0] * len(problem.seats)  # legs
        self.inner_stops = [0] * len(problem.seats)  # of the tickets of each seat
        self.together = [False] * len(problem.tickets_of)
        self.score = 0
        self._before: dict[int, tuple[list[int], int, int]] = {}  # the changed seats
        self.changed: set[int] = set()  # parties

    def weigh(self, weights: Weights) -> None:
        """Score with other weights from now on."""
        self.values = self._problem.values(weights)
        self.weight_of_kept = weights.kept
        self.weight_of_together = weights.together
        self.score = weights.together * sum(self.together) + sum(
            self.values[seat][ticket] for ticket, seat in enumerate(self.where) if seat != NOWHERE
        )

    def score_of(self, party: int) -> int:
        """What a seated party adds to the score."""
        seats = ((ticket, self.where[ticket]) for ticket in self._problem.tickets_of[party])
        return (
            sum(self.values[seat][ticket] for ticket, seat in seats)
            + self.weight_of_together * self.together[party]
        )

    def parties_in(self, seats: Iterable[tuple[int, int]]) -> list[int]:
        """The parties that would have to leave, so that each of the tickets can have its seat."""
        legs, party = self._problem.legs, self._problem.party
        return list(
            dict.fromkeys(
                party[other]
                for ticket, seat in seats
                for other in self.on[seat]
                if legs[other] & legs[ticket]
            )
        )

    def put(self, ticket: int, seat: int) -> None:
        """Give a free seat to a ticket that has none."""
        self._save(seat)
        self.on[seat] = [*self.on[seat], ticket]
        self.busy[seat] |= self._problem.legs[ticket]
        self.inner_stops[seat] |= self._problem.inner_stops[ticket]
        self.where[ticket] = seat
        self.changed.add(self._problem.party[ticket])

    def unseat(self, ticket: int) -> None:
        """Free the seat of a ticket."""
        seat = self.where[ticket]
        self._save(seat)
        self.on[seat] = [other for other in self.on[seat] if other != ticket]
        self.busy[seat] &= ~self._problem.legs[ticket]
        self.inner_stops[seat] &= ~self._problem.inner_stops[ticket]
        self.where[ticket] = NOWHERE
        self.changed.add(self._problem.party[ticket])

    def swap(self, one: int, other: int, first: int, end: int) -> None:
        """Swap the tickets of two seats on the legs [first, end).

        No ticket of the two seats may have legs both before and after first, or before and after end.
        """
        self._save(one)
        self._save(other)
        legs, on, where, party = self._problem.legs, self.on, self.where, self._problem.party
        window = (1 << end) - (1 << first)
        going = [ticket for ticket in on[one] if legs[ticket] & window]
        coming = [ticket for ticket in on[other] if legs[ticket] & window]
        on[one] = [ticket for ticket in on[one] if not legs[ticket] & window] + coming
        on[other] = [ticket for ticket in on[other] if not legs[ticket] & window] + going
        for ticket in going:
            where[ticket] = other
            self.changed.add(party[ticket])
        for ticket in coming:
            where[ticket] = one
            self.changed.add(party[ticket])
        difference = (self.busy[one] ^ self.busy[other]) & window
        self.busy[one] ^= difference
        self.busy[other] ^= difference
        difference = (self.inner_stops[one] ^ self.inner_stops[other]) & window
        self.inner_stops[one] ^= difference
        self.inner_stops[other] ^= difference

    def move(self, ticket: int, seat: int) -> None:
        """Give a seated ticket another seat. The tickets that are in its way move to its old seat.

        The two seats swap their tickets on the smallest range of legs on which this is possible (_ends). In
        the graph whose edges join overlapping tickets, these tickets are a Kempe chain.
        """
        self.swap(self.where[ticket], seat, *self._ends(ticket, seat))

    def can_gain(self, ticket: int, seat: int, limit: float) -> bool:
        """Whether the score could change by at least limit if a ticket moved to a seat."""
        old = self.where[ticket]
        first, end = self._ends(ticket, seat)
        window = (1 << end) - (1 << first)
        legs, party, sat_together = self._problem.legs, self._problem.party, self._problem.sat_together
        change = 0
        for one, other in ((old, seat), (seat, old)):
            here, there = self.values[one], self.values[other]
            for moved in self.on[one]:
                if legs[moved] & window:
                    change += there[moved] - here[moved]
                    if sat_together[party[moved]] and not self.together[party[moved]]:
                        change += self.weight_of_together
        return change >= limit

    def _ends(self, ticket: int, seat: int) -> tuple[int, int]:
        """The smallest range [first, end) of legs around a ticket on which its seat and this one can swap."""
        cuts = ~(self.inner_stops[self.where[ticket]] | self.inner_stops[seat])
        first = (cuts & ((2 << self._problem.first[ticket]) - 1)).bit_length() - 1
        return first, _lowest(cuts, self._problem.end[ticket])

    def insert(self, ticket: int) -> bool:
        """Seat a ticket. Returns whether it is seated.

        If no seat is free on its whole segment, the ticket gets a seat that is free on its first leg. From
        the leg on which this seat is taken, it swaps its later tickets with another seat that is free on that
        leg. If every passenger may have every seat, this succeeds if every leg has a free seat.
        """
        problem, values = self._problem, self.values
        legs = problem.legs[ticket]
        free = [seat for seat in problem.allowed[ticket] if not self.busy[seat] & legs]
        if free:
            self.put(ticket, max(free, key=lambda seat: (values[seat][ticket], -problem.demand[seat], -seat)))
            return True
        leg, end = problem.first[ticket], problem.end[ticket]
        for seat in self._free_longest(leg):
            if seat in problem.allowed[ticket] and self._extend(seat, leg, end):
                self.put(ticket, seat)
                return True
        return False

    def _extend(self, seat: int, leg: int, end: int) -> bool:
        """Extend the free range of a seat from a leg up to end, by swaps. Returns whether this succeeds."""
        leg = self._free_until(seat, leg)
        while leg < end:
            for other in self._free_longest(leg):
                until = min(self._free_until(other, leg), end)
                cut = _lowest(~(self.inner_stops[seat] | self.inner_stops[other]), until)
                window = (1 << cut) - (1 << leg)
                if self._may_swap(seat, other, window):
                    self.swap(seat, other, leg, cut)
                    break
            else:
                return False
            leg = self._free_until(seat, leg)
        return True

    def _may_swap(self, one: int, other: int, window: int) -> bool:
        legs, allowed = self._problem.legs, self._problem.allowed
        return all(
            to in allowed[ticket]
            for seat, to in ((one, other), (other, one))
            for ticket in self.on[seat]
            if legs[ticket] & window
        )

    def _free_longest(self, leg: int) -> list[int]:
        """The seats that are free at a leg, those that are free for longest first."""
        free = [seat for seat, busy in enumerate(self.busy) if not busy >> leg & 1]
        return sorted(free, key=lambda seat: -self._free_until(seat, leg))

    def _free_until(self, seat: int, leg: int) -> int:
        return _lowest(self.busy[seat] | 1 << self._problem.leg_count, leg)

    def accept(self, limit: float) -> bool:
        """End a change: undo it if the score changes by less than limit. Returns whether it is kept."""
        change = 0
        for seat, (tickets, _, _) in self._before.items():
            values = self.values[seat]
            for ticket in self.on[seat]:
                change += values[ticket]
            for ticket in tickets:
                change -= values[ticket]
        flipped: list[int] = []
        if change + self.weight_of_together * len(self.changed) >= limit:
            for party in self.changed:
                if self._problem.sat_together[party] and self._sits_together(party) != self.together[party]:
                    flipped.append(party)
                    change += -self.weight_of_together if self.together[party] else self.weight_of_together
        if change < limit:
            self.undo()
            return False
        for party in flipped:
            self.together[party] = not self.together[party]
        self.score += change
        self._before = {}
        self.changed = set()
        return True

    def undo(self) -> None:
        """End a change by undoing it."""
        for seat in self._before:
            for ticket in self.on[seat]:
                self.where[ticket] = NOWHERE
        for seat, before in self._before.items():
            self.on[seat], self.busy[seat], self.inner_stops[seat] = before
            for ticket in self.on[seat]:
                self.where[ticket] = seat
        self._before = {}
        self.changed = set()

    def restore(self, where: Sequence[int]) -> None:
        """Return to an earlier seating."""
        for ticket, seat in enumerate(self.where):
            if seat != NOWHERE:
                self.unseat(ticket)
        for ticket, seat in enumerate(where):
            if seat != NOWHERE:
                self.put(ticket, seat)
        self.accept(-inf)

    def _sits_together(self, party: int) -> bool:
        tickets, row = self._problem.tickets_of[party], self._problem.row
        if self.where[tickets[0]] == NOWHERE:
            return False
        rows = [row[self.where[ticket]] for ticket in tickets]
        return max(rows) <= self._problem.last_row[len(rows)][min(rows)]

    def _save(self, seat: int) -> None:
        if seat not in self._before:
            self._before[seat] = (self.on[seat], self.busy[seat], self.inner_stops[seat])


def _lowest(bits: int, start: int) -> int:
    """The number of the lowest bit that is 1, from start on."""
    bits >>= start
    return (bits & -bits).bit_length() - 1 + start
