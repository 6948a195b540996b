"""Plans new seats for the passengers of a trip whose vehicle is exchanged, as one optimization.

Every ticket has a segment of the route and a seat of the old vehicle. The plan gives it a seat of the new
one. A seat has one ticket on a leg at most, a ticket only gets a seat that it may have, and a party is seated
whole or left over whole. Of two plans that follow these rules, the better one is better in the first
criterion in which they differ:

0. more passengers with priority are seated, such as those who have checked in;
1. more passengers are seated;
2. more of them have a seat of the class that they bought, and an accessible one if they asked for it;
3. more parties that sat together sit together (`sit_together`);
4. fewer passengers have a seat of another number.

Parties that sat apart do not count: otherwise passengers would be moved for their sake even if the vehicle
stays the same.

No database, no clock, no socket. The same input gives the same plan on every machine.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from operator import add
from random import Random

from busware.server.booking.reseating_problem import (
    FORBIDDEN,
    NOWHERE,
    Party,
    Problem,
    Rows,
    Seat,
    Ticket,
    Weights,
)
from busware.server.booking.reseating_state import Seating, Selection

__all__ = ["Criteria", "Party", "Plan", "Seat", "Ticket", "TicketKey", "measure", "plan_seats"]


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
    problem = Problem(old_seats, new_seats, parties)
    where = _best_seating(problem)
    keys = [(party.reference, ticket.ticket_no) for party in parties for ticket in party.tickets]
    seats = {
        key: problem.seats[seat].seat_no for key, seat in zip(keys, where, strict=True) if seat != NOWHERE
    }
    left_over = tuple(p.reference for p in parties if (p.reference, p.tickets[0].ticket_no) not in seats)
    return Plan(seats, left_over, measure(old_seats, new_seats, parties, seats))


def measure(
    old_seats: Sequence[Seat],
    new_seats: Sequence[Seat],
    parties: Iterable[Party],
    seats: Mapping[TicketKey, int],
) -> Criteria:
    """The criteria of a plan. seats: the new seats of all tickets that have one."""
    seat_of = {seat.seat_no: seat for seat in new_seats}
    old_rows, new_rows = Rows(old_seats), Rows(new_seats)
    priority = seated = same_class = together = moved = 0
    for party in parties:
        if any((party.reference, ticket.ticket_no) not in seats for ticket in party.tickets):
            continue
        chosen = [seats[party.reference, ticket.ticket_no] for ticket in party.tickets]
        priority += sum(ticket.priority for ticket in party.tickets)
        seated += len(chosen)
        for ticket, seat_no in zip(party.tickets, chosen, strict=True):
            same_class += ticket.suits(seat_of[seat_no])
            moved += seat_no != ticket.seat_no
        if old_rows.sit_together([ticket.seat_no for ticket in party.tickets]):
            together += new_rows.sit_together(chosen)
    return Criteria(priority, seated, same_class, together, moved)


# The search --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Phase:
    """Simulated annealing: the temperature falls from `hot` to `cold`, in units of the score."""

    max_steps: int
    max_steps_per_ticket: int
    hot: float
    cold: float
    share_of_chains: float = 0  # of the steps

    def steps_for(self, problem: Problem) -> int:
        """The number of steps."""
        return min(self.max_steps, self.max_steps_per_ticket * len(problem.tickets))


# The search uses weights of similar size, because a worse seating can be on the way to a better one. Then one
# unit of a criterion outweighs all later criteria.
_SEARCH_WEIGHTS = Weights(priority=300, seated=60, same_class=36, together=10, kept=1)
_SELECTION = _Phase(max_steps=10_000, max_steps_per_ticket=100, hot=60, cold=0.15)
_SEARCH = _Phase(max_steps=20_000, max_steps_per_ticket=300, hot=8, cold=0.6)
_POLISH = _Phase(max_steps=30_000, max_steps_per_ticket=300, hot=0.8, cold=0.15, share_of_chains=0.1)
_PHASES = (_SELECTION, _SEARCH, _POLISH)
_MAX_STEPS = 100_000  # of all searches for a plan together; one search is completed even if it takes more
_MAX_SEARCHES = 3  # for a plan
_SEED = 1
_MAX_TRIES = 5  # for each ticket that lacks something
_MAX_CHAIN = 6  # parties that get seats in a chain
_RANDOMNESS = 1.0  # of the choice of seats in a chain, as a multiple of the least change that is accepted
# What it costs to displace a ticket in a chain, in units of the weight of a kept seat.
_DISPLACED = 0.3
_DISPLACED_PRIORITY = 1.0  # is added: the passenger cannot be left over
_DISPLACED_PARTY = 0.5  # is added: a party of two or more needs more seats
_RESEATED = 3  # parties that get new seats after a party that is left over
# Shares of the steps that are of one kind.
_SHARE_OF_COMING = 0.7  # of the chains: those that begin with a party that is left over
_SHARE_OF_ENDS = 0.8  # of the parties in the way that may be left over: those that are
_SHARE_OF_EXCHANGES = 0.3  # of all other steps, if parties are left over
_SHARE_OF_CHOSEN_SEATS = 0.5  # of the exchanges: those that choose the seats of the coming party first
_SHARE_OF_OLD_SEATS = 0.5  # of these: those that choose its old seats, if the new vehicle has them
_SHARE_OF_PARTY_MOVES = 0.7  # of the steps that move a ticket of a party of two or more


def _best_seating(problem: Problem) -> Sequence[int]:
    """The seat of each ticket, or NOWHERE, in the best result of some searches with other random numbers."""
    random = Random(_SEED).random  # noqa: S311 - chooses moves, keeps no secret
    steps = sum(phase.steps_for(problem) for phase in _PHASES)
    count = max(1, min(_MAX_SEARCHES, _MAX_STEPS // max(steps, 1)))
    searches = [_Search(problem, random) for _ in range(count)]
    for search in searches:
        search.run()
        if search.is_ideal:
            return search.where
    return max(searches, key=lambda search: search.score).where


class _Search:
    """The search: a selection of the parties that are seated, then simulated annealing of their seats."""

    def __init__(self, problem: Problem, random: Callable[[], float]) -> None:
        self._problem = problem
        self._random = random
        self._selection = Selection(problem)
        self._seating = Seating(problem)
        self._seats_in_row: dict[int, list[int]] = {}
        for seat, row in enumerate(problem.row):
            self._seats_in_row.setdefault(row, []).append(seat)

    @property
    def where(self) -> Sequence[int]:
        """The seat of each ticket, or NOWHERE."""
        return self._seating.where

    @property
    def score(self) -> int:
        """The score of the seating."""
        return self._seating.score

    @property
    def is_ideal(self) -> bool:
        """Whether all parties have all that they can have."""
        return self.score == self._ideal

    def run(self) -> None:
        """Search."""
        self._weigh(_SEARCH_WEIGHTS)
        self._select()
        self._seat_selected()
        self._anneal(_SEARCH)
        self._weigh(self._problem.weights_in_order())
        self._anneal(_POLISH)

    def _limits(self, phase: _Phase) -> Iterator[float]:
        """For each step of a phase, the least change of the score that is accepted."""
        steps = phase.steps_for(self._problem)
        for step in range(steps):
            temperature = phase.hot * (phase.cold / phase.hot) ** (step / steps)
            yield temperature * log(1 - self._random())

    def _weigh(self, weights: Weights) -> None:
        """Score with other weights from now on."""
        self._seating.weigh(weights)
        problem, seating = self._problem, self._seating
        best = [max(ticket_values, default=FORBIDDEN) for ticket_values in zip(*seating.values, strict=True)]
        self._worth = [  # the most that each party can add to the score
            sum(best[ticket] for ticket in tickets) + seating.weight_of_together * problem.sat_together[party]
            for party, tickets in enumerate(problem.tickets_of)
        ]
        self._ideal = sum(self._worth)
        self._missing = [  # what each ticket lacks in each seat
            [most - value for value in ticket_values]
            for most, ticket_values in zip(best, zip(*seating.values, strict=True), strict=True)
        ]
        self._worth_moved = [  # the same as _worth, without the kept seats
            worth - weights.kept * sum(problem.home[t] != NOWHERE for t in problem.tickets_of[party])
            for party, worth in enumerate(self._worth)
        ]
        self._displaced = [
            weights.kept
            * (
                _DISPLACED
                + _DISPLACED_PRIORITY * ticket.priority
                + _DISPLACED_PARTY * (len(problem.tickets_of[party]) > 1)
            )
            for ticket, party in zip(problem.tickets, problem.party, strict=True)
        ]

    def _select(self) -> None:
        """Choose the parties that are seated, by the room on each leg and what they can add to the score."""
        problem, selection, worth = self._problem, self._selection, self._worth

        def order(party: int) -> tuple[bool, float]:
            tickets = problem.tickets_of[party]
            legs = sum(problem.legs[ticket].bit_count() for ticket in tickets)
            return not any(problem.tickets[ticket].priority for ticket in tickets), legs / len(tickets)

        for party in sorted(selection.others, key=order):
            selection.add(party)
        score = best = 0
        chosen = selection.is_chosen.copy()
        for limit in self._limits(_SELECTION):
            if not selection.others:
                break
            party = self._any(selection.others)
            leaving, coming = selection.propose(party, [], self._random)
            change = sum(worth[party] for party in coming) - sum(worth[party] for party in leaving)
            if change >= limit:
                selection.change(leaving, coming)
                score += change
                if score > best:
                    best, chosen = score, selection.is_chosen.copy()
        self._choose(chosen)

    def _choose(self, chosen: Sequence[bool]) -> None:
        """Choose these parties."""
        before = self._selection.is_chosen
        leaving = [party for party, was in enumerate(before) if was and not chosen[party]]
        coming = [party for party, was in enumerate(before) if chosen[party] and not was]
        self._selection.change(leaving, coming)

    def _seat_selected(self) -> None:
        """Seat the selected parties: first all tickets that can keep their seats, then the others."""
        problem, seating = self._problem, self._seating
        chosen = [party for party, is_chosen in enumerate(self._selection.is_chosen) if is_chosen]
        for party in chosen:
            for ticket in problem.tickets_of[party]:
                seat = problem.home[ticket]
                if seat != NOWHERE and not seating.busy[seat] & problem.legs[ticket]:
                    seating.put(ticket, seat)
        seating.accept(-inf)
        for party in chosen:
            tickets = problem.tickets_of[party]
            if all(seating.where[ticket] != NOWHERE or seating.insert(ticket) for ticket in tickets):
                seating.accept(-inf)
            else:
                seating.undo()
                for ticket in tickets:
                    if seating.where[ticket] != NOWHERE:
                        seating.unseat(ticket)
                seating.accept(-inf)
                self._selection.change([party], [])

    def _anneal(self, phase: _Phase) -> None:
        """Change seats at random, accept ever fewer changes for the worse, and keep the best seating."""
        seating, problem, random = self._seating, self._problem, self._random
        best, where = seating.score, seating.where.copy()
        for limit in self._limits(phase):
            if self.is_ideal:
                break
            if random() < phase.share_of_chains:
                self._chain(limit)
            elif self._selection.others and random() < _SHARE_OF_EXCHANGES:
                self._exchange(limit)
            else:
                ticket = self._any_ticket()
                if seating.where[ticket] != NOWHERE:
                    self._move(ticket, limit)
            if seating.score > best:
                best, where = seating.score, seating.where.copy()
        seating.restore(where)
        self._choose([where[tickets[0]] != NOWHERE for tickets in problem.tickets_of])

    def _exchange(self, limit: float) -> None:
        """Try to seat a party that is left over, in place of others: in chosen seats, or in any.

        If every leg has room for it, some parties get new seats after it, because a party that has room on
        every leg lacks seats only because of reserved seats.
        """
        problem, seating, random = self._problem, self._seating, self._random
        party = self._any(self._selection.others)
        chosen = self._chosen_seats(party) if random() < _SHARE_OF_CHOSEN_SEATS else []
        if any(seat not in problem.allowed[ticket] for ticket, seat in chosen):
            return
        leaving, coming = self._selection.propose(party, seating.parties_in(chosen), random)
        if sum(map(self._worth.__getitem__, coming)) - sum(map(seating.score_of, leaving)) < limit:
            return
        reseated = [] if leaving else self._neighbours(party)
        for other in leaving + reseated:
            for ticket in problem.tickets_of[other]:
                seating.unseat(ticket)
        for ticket, seat in chosen:
            seating.put(ticket, seat)
        if not all(
            seating.where[ticket] != NOWHERE or seating.insert(ticket)
            for other in coming + reseated
            for ticket in problem.tickets_of[other]
        ):
            seating.undo()
        elif seating.accept(limit):
            self._selection.change(leaving, coming)

    def _chain(self, limit: float) -> None:
        """Seat a party that is left over, or a seated one anew. The parties in its way get other seats.

        If the first party was left over, others of the same value in all criteria but the last may be left
        over in its place. The chain ends when no party waits for seats. Then the seats that the chain has
        freed go to tickets that had them in the old vehicle.
        """
        problem, seating, random = self._problem, self._seating, self._random
        party = problem.party[self._any_ticket()]
        if self._selection.others and random() < _SHARE_OF_COMING:
            party = self._any(self._selection.others)
        spare = 0  # what the parties that are left over may be worth
        if seating.where[problem.tickets_of[party][0]] == NOWHERE:
            if party not in self._selection.others:  # not even an empty vehicle has room for it
                return
            spare = self._worth_moved[party]
        self._unseat(party)
        homes = [problem.home[ticket] for ticket in problem.tickets_of[party]]
        taken = [0] * len(problem.seats)  # the legs that the chain has taken on each seat
        seats = self._seats_for(party, taken, limit) if NOWHERE in homes else homes
        touched: list[int] = []
        waiting: list[int] = []
        for _ in range(_MAX_CHAIN):
            if not seats:
                break
            touched += self._displace(party, seats, waiting)
            for ticket, seat in zip(problem.tickets_of[party], seats, strict=True):
                taken[seat] |= problem.legs[ticket]
            for other in waiting.copy():
                if self._worth_moved[other] <= spare and random() < _SHARE_OF_ENDS:
                    spare -= self._worth_moved[other]
                    waiting.remove(other)
            if not waiting:
                self._fill(touched)
                self._accept(limit)
                return
            party = waiting.pop(int(random() * len(waiting)))
            seats = self._seats_for(party, taken, limit)
        seating.undo()

    def _displace(self, party: int, seats: Sequence[int], waiting: list[int]) -> list[int]:
        """Seat a party. Those in its way lose their seats and are added to waiting. Returns these seats."""
        chosen = list(zip(self._problem.tickets_of[party], seats, strict=True))
        others = self._seating.parties_in(chosen)
        freed = [seat for other in others for seat in self._unseat(other)]
        waiting += others
        for ticket, seat in chosen:
            self._seating.put(ticket, seat)
        return freed

    def _accept(self, limit: float) -> None:
        """End a change of the seating, and choose the parties that it seats."""
        changed, where, tickets_of = self._seating.changed, self._seating.where, self._problem.tickets_of
        seated = {party: where[tickets_of[party][0]] != NOWHERE for party in changed}
        if self._seating.accept(limit):
            was = self._selection.is_chosen
            leaving = [party for party, is_seated in seated.items() if was[party] and not is_seated]
            coming = [party for party, is_seated in seated.items() if is_seated and not was[party]]
            if leaving or coming:
                self._selection.change(leaving, coming)

    def _unseat(self, party: int) -> list[int]:
        """Free the seats of a party. Returns them."""
        seats = [self._seating.where[ticket] for ticket in self._problem.tickets_of[party]]
        for ticket, seat in zip(self._problem.tickets_of[party], seats, strict=True):
            if seat != NOWHERE:
                self._seating.unseat(ticket)
        return seats

    def _fill(self, seats: Iterable[int]) -> None:
        """Give free seats to parties of one that had them in the old vehicle and have no seat."""
        problem, seating = self._problem, self._seating
        for seat in seats:
            for ticket in problem.singles_from[seat]:
                if seating.where[ticket] == NOWHERE and not seating.busy[seat] & problem.legs[ticket]:
                    seating.put(ticket, seat)

    def _seats_for(self, party: int, taken: Sequence[int], limit: float) -> list[int]:
        """Seats for a party, together if it sat together, in which few passengers lose what they have.

        Empty if there are none. taken: legs of each seat that it may not have. The larger -limit is, the more
        random is the choice.
        """
        problem = self._problem
        tickets = problem.tickets_of[party]
        losses = {window: self._losses(window, taken, limit) for window in {problem.legs[t] for t in tickets}}
        costs = [list(map(add, losses[problem.legs[t]], self._missing[t])) for t in tickets]
        together = problem.sat_together[party]
        least = inf
        chosen: list[int] = []
        for group in problem.groups[len(tickets)] if together else [list(range(len(problem.seats)))]:
            total = 0.0
            seats: list[int] = []
            free = group
            for cost in costs:
                seat = min(free, key=cost.__getitem__)
                total += cost[seat]
                if total >= least:
                    break
                seats.append(seat)
                free = [other for other in free if other != seat]
            else:
                least, chosen = total, seats
        return chosen

    def _losses(self, window: int, taken: Sequence[int], limit: float) -> list[float]:
        """For each seat, what it costs to displace its tickets on these legs, plus a random number."""
        problem, seating, random = self._problem, self._seating, self._random
        legs, home, on, busy = problem.legs, problem.home, seating.on, seating.busy
        displaced, kept = self._displaced, seating.weight_of_kept
        noise = -limit * _RANDOMNESS
        losses = []
        for seat, taken_legs in enumerate(taken):
            if taken_legs & window:
                losses.append(inf)
            else:
                loss = noise * random()
                if busy[seat] & window:
                    for other in on[seat]:
                        if legs[other] & window:
                            loss += displaced[other]
                            if home[other] == seat:
                                loss += kept
                losses.append(loss)
        return losses

    def _chosen_seats(self, party: int) -> list[tuple[int, int]]:
        """Seats for a party that is left over: its old ones, or some together."""
        problem, tickets = self._problem, self._problem.tickets_of[party]
        homes = [problem.home[ticket] for ticket in tickets]
        if NOWHERE not in homes and self._random() < _SHARE_OF_OLD_SEATS:
            return list(zip(tickets, homes, strict=True))
        return self._seats_near(tickets, self._any(problem.row))

    def _neighbours(self, party: int) -> list[int]:
        """Some seated parties whose segments overlap that of a party."""
        problem = self._problem
        legs = problem.legs[problem.tickets_of[party][0]]
        overlapping = [
            other
            for other, tickets in enumerate(problem.tickets_of)
            if self._selection.is_chosen[other] and problem.legs[tickets[0]] & legs
        ]
        return sorted(overlapping, key=lambda _: self._random())[:_RESEATED]

    def _move(self, ticket: int, limit: float) -> None:
        """Try another seat for a ticket, or other seats for its party."""
        problem, seating, random = self._problem, self._seating, self._random
        party = problem.party[ticket]
        tickets = problem.tickets_of[party]
        seat, home = seating.where[ticket], problem.home[ticket]
        if home not in (seat, NOWHERE) and random() < 0.5:
            target = home
        elif problem.sat_together[party] and not seating.together[party] and random() < 0.6:
            row = problem.row[seating.where[tickets[int(random() * len(tickets))]]]
            target = self._any(self._seats_in_row[row])
        else:
            target = int(random() * len(problem.row))
        if len(tickets) > 1 and random() < _SHARE_OF_PARTY_MOVES:
            for member, member_seat in self._seats_near(tickets, problem.row[target]):
                if member_seat != seating.where[member]:
                    seating.move(member, member_seat)
        elif target != seat and seating.can_gain(ticket, target, limit):
            seating.move(ticket, target)
        seating.accept(limit)

    def _seats_near(self, tickets: Sequence[int], row: int) -> list[tuple[int, int]]:
        """Seats together for a party, from a row on: the old seats of the tickets if they are there."""
        problem, where = self._problem, self._seating.where
        last = problem.last_row[len(tickets)][row]
        free = {seat: None for n in range(row, last + 1) for seat in self._seats_in_row[n]}
        chosen: dict[int, int] = {}
        for wanted in (problem.home, where):
            for ticket in tickets:
                if ticket not in chosen and wanted[ticket] in free:
                    chosen[ticket] = wanted[ticket]
                    del free[wanted[ticket]]
        for ticket in tickets:
            if ticket not in chosen and free:
                chosen[ticket] = self._any(list(free))
                del free[chosen[ticket]]
        return list(chosen.items())

    def _any_ticket(self) -> int:
        """A random ticket, seldom one that is left over or has all that it can have."""
        problem, seating = self._problem, self._seating
        for _ in range(_MAX_TRIES):
            ticket = int(self._random() * len(problem.tickets))
            seat = seating.where[ticket]
            party = problem.party[ticket]
            if seat != NOWHERE and (
                seat != problem.home[ticket] or (problem.sat_together[party] and not seating.together[party])
            ):
                break
        return ticket

    def _any(self, seats: Sequence[int]) -> int:
        return seats[int(self._random() * len(seats))]
