"""Measures the processor time of a plan of seats, when a vehicle of 40 seats is exchanged for one of 32.

A trip has 200 parties of one to two passengers with segments of one or two of 13 legs, in rows of four. They
are seated in the old vehicle one after the other in the first free seats.
"""

import random
import statistics
import time

from busware.server.booking.reseating import Criteria, Party, Seat, Ticket, plan_seats

TRIPS = 10
OLD, NEW = ([Seat(n + 1, "main", n // 4 + 1) for n in range(seats)] for seats in (40, 32))
STOPS = 14
PARTIES = 200
SIZES = (1, 1, 1, 2)
LONGEST = 2  # legs


def measure() -> None:
    """Print the processor time and the criteria of the plan of each trip, and the median of the times."""
    seconds = []
    criteria = ("priority", "seated", "same_class", "together", "moved")
    print("trip  passengers" + "".join(f"{name:>12}" for name in criteria) + "  processor time")
    for number in range(1, TRIPS + 1):
        parties = _trip(number)
        begin = time.process_time()
        plan = plan_seats(OLD, NEW, parties)
        seconds.append(time.process_time() - begin)
        _print(number, sum(len(party.tickets) for party in parties), plan.criteria, seconds[-1])
    print(f"median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")


def _print(number: int, passengers: int, found: Criteria, seconds: float) -> None:
    values = (found.priority, found.seated, found.same_class, found.together, found.moved)
    print(
        f"{number:4}  {passengers:10}" + "".join(f"{value:12}" for value in values) + f"  {seconds:12.2f} s"
    )


def _trip(number: int) -> list[Party]:
    numbers = random.Random(number)
    busy = {seat.seat_no: set[int]() for seat in OLD}
    parties: list[Party] = []
    while len(parties) < PARTIES:
        first = numbers.randint(1, STOPS - 1)
        end = min(first + numbers.randint(1, LONGEST), STOPS)
        free = [seat_no for seat_no, legs in busy.items() if legs.isdisjoint(range(first, end))]
        size = numbers.choice(SIZES)
        if len(free) >= size:
            for seat_no in free[:size]:
                busy[seat_no].update(range(first, end))
            tickets = (Ticket(n, seat_no, first, end) for n, seat_no in enumerate(free[:size], 1))
            parties.append(Party(str(len(parties)), tuple(tickets)))
    return parties
