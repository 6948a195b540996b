"""How much of the demand each way to choose seats sells, through a real server.

A day is one trip with 40 seats and 10 legs of equal length. Parties of 1 to 4 book a random segment one after
the other, all seats or none, until the demand is the load times the capacity. All ways get the same demand.
`any` lets the server choose, `first` takes the first free seats, `random` random ones. The bound refuses a
party only if some leg of its segment is full; no way to choose seats can sell more.
"""

import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from scripts.benchmark.sides import serving
from scripts.benchmark.workloads import line
from scripts.benchmark.world import FIRST_DATE, Unsound, World, Worlds

DAYS = 40  # for each load and way
LOADS = (0.8, 1.0, 1.2, 1.5, 2.0)  # demand in seat-legs, as a multiple of the capacity
LARGEST_PARTY = 4

Booked = list[set[int]]  # the booked legs of each seat


@dataclass(frozen=True)
class Party:
    """A party: its number of seats, and the legs of its segment."""

    size: int
    legs: range

    @property
    def seat_legs(self) -> int:
        """The seat-legs that the party books."""
        return self.size * len(self.legs)


def measure(worlds: Worlds) -> dict[str, dict[str, float]]:
    """Print and return the share of the bound that each way sells, by load. Raises Unsound."""
    days = {load: [_demand(world_of_a_day(), load, n) for n in range(DAYS)] for load in LOADS}
    bounds = {load: sum(_bound(world_of_a_day(), day) for day in days[load]) for load in LOADS}
    shares: dict[str, dict[str, float]] = {}
    print(f"{'load':10}" + "".join(f"{load:>9}" for load in LOADS))
    for name, choose in WAYS.items():
        sold = _sell(worlds, choose, days)
        shares[name] = {str(load): sold[load] / bounds[load] for load in LOADS}
        print(f"{name:10}" + "".join(f"{share:9.3f}" for share in shares[name].values()), flush=True)
    return shares


def world_of_a_day() -> World:
    """A world with a trip for each day of demand."""
    return World("days", services=1, days=DAYS * len(LOADS), rows=10, stops=11, districts=(1,))


def _demand(world: World, load: float, n: int) -> list[Party]:
    numbers = random.Random(f"{load} {n}")
    legs, parties, wanted = world.stops - 1, [], load * world.seats * (world.stops - 1)
    while wanted > 0:
        first, last = sorted(numbers.sample(range(legs + 1), 2))
        parties.append(Party(numbers.randint(1, LARGEST_PARTY), range(first, last)))
        wanted -= parties[-1].seat_legs
    return parties


def _bound(world: World, parties: list[Party]) -> int:
    free = [world.seats] * (world.stops - 1)
    sold = 0
    for party in parties:
        if all(free[leg] >= party.size for leg in party.legs):
            sold += party.seat_legs
            for leg in party.legs:
                free[leg] -= party.size
    return sold


# Ways to choose seats: a function that names them, or None if the server chooses ------------------


def _first(free: list[int], size: int, numbers: random.Random) -> list[int]:
    return free[:size]


def _random(free: list[int], size: int, numbers: random.Random) -> list[int]:
    return numbers.sample(free, size)


Choose = Callable[[list[int], int, random.Random], list[int]]
WAYS: dict[str, Choose | None] = {"any": None, "first": _first, "random": _random}


def _sell(worlds: Worlds, choose: Choose | None, days: dict[float, list[list[Party]]]) -> dict[float, int]:
    """Sell all days in one way through a server: the seat-legs sold, by load."""
    world, sold = world_of_a_day(), dict.fromkeys(days, 0)
    with worlds.clone(world) as database:
        with serving(worlds.urls(database)) as server, socket.create_connection(server.address) as connection:
            replies = connection.makefile("rb")
            dates = (str(FIRST_DATE + timedelta(days=n)) for n in range(world.days))
            for load, parties_of_days in days.items():
                for parties in parties_of_days:
                    for request, party in _requests(world, next(dates), parties, choose):
                        connection.sendall(request)
                        if "result" in msgspec.json.decode(replies.readline()):
                            sold[load] += party.seat_legs
                        elif choose:
                            raise Unsound("a booking of a free seat was refused")
        worlds.audit(database)
    return sold


def _requests(
    world: World, date: str, parties: list[Party], choose: Choose | None
) -> Iterator[tuple[bytes, Party]]:
    """The requests of a day, party by party. A way that names seats skips a party that it has none for."""
    booked: Booked = [set() for _ in range(world.seats)]
    numbers = random.Random(date)
    for party in parties:
        trip = {
            "bus_id": 1, "travel_date": date, "from_stop": party.legs.start + 1,
            "to_stop": party.legs.stop + 1, "phone": "+919845012345",
        }  # fmt: skip
        if choose is None:
            yield line("book", **trip, count=party.size), party
            continue
        free = [n for n, legs in enumerate(booked, 1) if legs.isdisjoint(party.legs)]
        if len(free) >= party.size:
            chosen = choose(free, party.size, numbers)
            for seat in chosen:
                booked[seat - 1].update(party.legs)
            yield line("book", **trip, seats=chosen), party
