"""Measures the share of the demand that each strategy for choosing seats sells, through a real server.

A day is one trip with 40 seats and 10 legs of equal length. Parties of 1 to 4 book a random segment one after
the other, all seats or none, until they have requested `load` times the capacity. All strategies get the same
demand. `any` lets the server choose the seats, `first` takes the first free seats, and `random` takes random
free seats. Each result is a share of the bound: the sales if passengers could change seats at every stop, so
that a party is refused only if a leg of its segment is full.
"""

import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from scripts.benchmark.datasets import FIRST_DATE, Dataset, Datasets, InvalidRun
from scripts.benchmark.sides import run_server
from scripts.benchmark.workloads import line

DAYS = 40  # for each load and strategy
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


def measure(datasets: Datasets) -> dict[str, dict[str, float]]:
    """Print and return the share of the bound that each strategy sells, by load. Raises InvalidRun."""
    days = {load: [_demand(dataset_of_all_days(), load, n) for n in range(DAYS)] for load in LOADS}
    bounds = {load: sum(_bound(dataset_of_all_days(), day) for day in days[load]) for load in LOADS}
    shares: dict[str, dict[str, float]] = {}
    print(f"{'load':10}" + "".join(f"{load:>9}" for load in LOADS))
    for name, choose in STRATEGIES.items():
        sold = _sell(datasets, choose, days)
        shares[name] = {str(load): sold[load] / bounds[load] for load in LOADS}
        print(f"{name:10}" + "".join(f"{share:9.3f}" for share in shares[name].values()), flush=True)
    return shares


def dataset_of_all_days() -> Dataset:
    """A dataset with one trip on each date; every day of demand uses another date."""
    return Dataset("days", services=1, days=DAYS * len(LOADS), rows=10, stops=11, districts=(1,))


def _demand(dataset: Dataset, load: float, n: int) -> list[Party]:
    numbers = random.Random(f"{load} {n}")
    legs, parties, wanted = dataset.stops - 1, [], load * dataset.seats * (dataset.stops - 1)
    while wanted > 0:
        first, last = sorted(numbers.sample(range(legs + 1), 2))
        parties.append(Party(numbers.randint(1, LARGEST_PARTY), range(first, last)))
        wanted -= parties[-1].seat_legs
    return parties


def _bound(dataset: Dataset, parties: list[Party]) -> int:
    free = [dataset.seats] * (dataset.stops - 1)
    sold = 0
    for party in parties:
        if all(free[leg] >= party.size for leg in party.legs):
            sold += party.seat_legs
            for leg in party.legs:
                free[leg] -= party.size
    return sold


# Strategies: a function that chooses seats, or None if the server chooses them --------------------


def _first(free: list[int], size: int, numbers: random.Random) -> list[int]:
    return free[:size]


def _random(free: list[int], size: int, numbers: random.Random) -> list[int]:
    return numbers.sample(free, size)


Choose = Callable[[list[int], int, random.Random], list[int]]
STRATEGIES: dict[str, Choose | None] = {"any": None, "first": _first, "random": _random}


def _sell(
    datasets: Datasets, choose: Choose | None, days: dict[float, list[list[Party]]]
) -> dict[float, int]:
    """Sell all days with one strategy through a server. Returns the seat-legs sold, by load."""
    dataset, sold = dataset_of_all_days(), dict.fromkeys(days, 0)
    with datasets.clone(dataset) as database:
        with (
            run_server(datasets.urls(database)) as server,
            socket.create_connection(server.address) as connection,
        ):
            replies = connection.makefile("rb")
            dates = (str(FIRST_DATE + timedelta(days=n)) for n in range(dataset.days))
            for load, parties_of_days in days.items():
                for parties in parties_of_days:
                    for request, party in _requests(dataset, next(dates), parties, choose):
                        connection.sendall(request)
                        if "result" in msgspec.json.decode(replies.readline()):
                            sold[load] += party.seat_legs
                        elif choose:
                            raise InvalidRun("a booking of a free seat was refused")
        datasets.audit(database)
    return sold


def _requests(
    dataset: Dataset, date: str, parties: list[Party], choose: Choose | None
) -> Iterator[tuple[bytes, Party]]:
    """The requests of a day. If choose is a function, a party without enough free seats makes no request."""
    booked: Booked = [set() for _ in range(dataset.seats)]
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
