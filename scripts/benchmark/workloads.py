"""The workloads: each as the lines that a client sends, and as the script that pgbench runs.

Both send the same operations, in a different order. Each booking has a seat and a segment of its own, so that
none is refused, except in the workload of one trip. Each passenger has a phone number of its own.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import repeat
from typing import Any

from scripts.benchmark.datasets import FIRST_DATE, Connection, Dataset, stop_name
from scripts.benchmark.load import REFERENCE

Operation = list[bytes]  # lines; each is sent after the reply to the one before it


@dataclass(frozen=True)
class Workload:
    """What the clients of a run do.

    operations: those of our clients, in the order in which they are sent. script: one operation of pgbench.
    count_query: counts the operations that the database holds; None for reads. variables: of the script.
    """

    dataset: Dataset
    operations: Callable[[Dataset, Connection], Iterator[Operation]]
    script: str
    count_query: str | None = None
    variables: dict[str, int] = field(default_factory=dict)


def line(method: str, **params: Any) -> bytes:
    """A request as a line of JSON-RPC."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.dumps(request, separators=(",", ":")).encode() + b"\n"


def shuffled(n: int) -> list[int]:
    """The numbers from 0 to n - 1, in a random order that is always the same."""
    numbers = list(range(n))
    random.Random(n).shuffle(numbers)
    return numbers


def phone(n: int) -> str:
    """The phone number of the n-th passenger."""
    return f"+9198{n:08}"


# The trip, seat and segment of the n-th booking: first for pgbench, then for Python. `space` is the number of
# possible bookings, and `units` that of the seats or rows of a trip.

_NEXT = r"""
\set i :i + 1
\set n permute((:i - 1) * :clients + :client_id, :space, 7)
"""
_SEGMENT = r"""
\set bus 1 + :n % :services
\set day :n / :services % :days
\set seat 1 + :n / :trips % :units
\set stop 1 + :n / :trips / :units
"""
_TRIP = (
    "bus_id => :bus, travel_date => DATE '2090-01-02' + :day::int, from_stop => :stop, to_stop => :stop + 1"
)
_PHONE = "phone => '+9198' || lpad(:n::text, 8, '0')"
_SEAT = "seats => ARRAY[:seat::int]"
_FOUR = "seats => ARRAY[4 * :seat::int - 3, 4 * :seat::int - 2, 4 * :seat::int - 1, 4 * :seat::int]"


def _segment(dataset: Dataset, n: int, units: int) -> tuple[dict[str, Any], int]:
    """The trip and one-leg segment of the n-th booking, and its seat or row (a unit), from 1."""
    stop = 1 + n // dataset.trips // units
    trip = {
        "bus_id": 1 + n % dataset.services,
        "travel_date": str(FIRST_DATE + timedelta(days=n // dataset.services % dataset.days)),
        "from_stop": stop,
        "to_stop": stop + 1,
        "phone": phone(n),
    }
    return trip, 1 + n // dataset.trips % units


def _book(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    for n in shuffled(dataset.capacity):
        trip, seat = _segment(dataset, n, dataset.seats)
        yield [line("book", **trip, seats=[seat])]


def _book_at_random(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    generator = random.Random(dataset.capacity)
    while True:
        trip, seat = _segment(dataset, generator.randrange(dataset.capacity), dataset.seats)
        yield [line("book", **trip, seats=[seat])]


def _book_four(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    for n in shuffled(dataset.capacity // 4):
        trip, row = _segment(dataset, n, dataset.rows)
        yield [line("book", **trip, seats=[4 * row - 3, 4 * row - 2, 4 * row - 1, 4 * row])]


def _book_any_four(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    for n in shuffled(dataset.capacity // 4):
        trip, _ = _segment(dataset, n, dataset.rows)
        yield [line("book", **trip, count=4)]


def _hold_and_confirm(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    for n in shuffled(dataset.capacity):
        trip, seat = _segment(dataset, n, dataset.seats)
        confirm = line("confirm", reference=REFERENCE.decode(), phone=trip["phone"])
        yield [line("hold", **trip, seats=[seat]), confirm]


def _existing_bookings(dataset: Dataset, conn: Connection) -> Iterator[tuple[str, str, int]]:
    """The existing bookings, in a random order: reference, phone, seat."""
    rows = conn.execute("SELECT reference, phone, seat_no FROM bench_bookings ORDER BY n").fetchall()
    return (rows[n] for n in shuffled(dataset.sold))


def _cancel(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    for reference, phone, _ in _existing_bookings(dataset, conn):
        yield [line("cancel", reference=reference, phone=phone)]


def _change_seat(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    for reference, phone, seat in _existing_bookings(dataset, conn):
        yield [line("change_seat", reference=reference, phone=phone, ticket_no=1, seat_no=seat + 1)]


def _seat_map(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
    while True:
        for n in shuffled(dataset.capacity):
            trip, _ = _segment(dataset, n, dataset.seats)
            del trip["phone"]
            yield [line("seat_map", **trip)]


# The workloads -----------------------------------------------------------------------------------

BUSES = Dataset("buses")
ONE_TRIP = Dataset("one_trip", services=1, days=1, rows=1000)  # not sold out within a run
SOLD = Dataset("sold", sold=70_000)
SEARCH_DATASETS = {  # by number of services
    n: Dataset(f"services_{n}", services=n, days=60, stops=11, districts=(1,) * 10 + (10,) * 4 + (50,))
    for n in (100, 1_000, 10_000)
}
# The districts of the first hundred services, by their number of services.
DISTRICTS_BY_SIZE = {1: range(1, 11), 10: range(11, 15), 50: range(15, 16)}

_BOOKED = "SELECT count(DISTINCT (bus_id, reference)) FROM passengers WHERE status = 'booked'"


def _booking_workload(dataset: Dataset, operations: Any, seats: str, units: int, **other: Any) -> Workload:
    return Workload(
        dataset,
        operations,
        f"{_NEXT}{_SEGMENT}SELECT api.book({_TRIP}, {seats}, {_PHONE});",
        _BOOKED,
        {"space": dataset.trips * units * (dataset.stops - 1), "units": units} | other,
    )


BOOK = _booking_workload(BUSES, _book, _SEAT, BUSES.seats)
BOOK_FOUR = _booking_workload(BUSES, _book_four, _FOUR, BUSES.rows)
BOOK_ANY_FOUR = _booking_workload(BUSES, _book_any_four, "count => 4", BUSES.rows)
BOOK_ONE_TRIP = Workload(
    ONE_TRIP,
    _book_at_random,
    rf"\set n random(0, :space - 1){_SEGMENT}SELECT api.book({_TRIP}, {_SEAT}, {_PHONE});",
    _BOOKED,
    {"space": ONE_TRIP.capacity, "units": ONE_TRIP.seats},
)
HOLD_AND_CONFIRM = Workload(
    BUSES,
    _hold_and_confirm,
    rf"{_NEXT}{_SEGMENT}SELECT api.hold({_TRIP}, {_SEAT}, {_PHONE}) ->> 'reference' AS reference \gset"
    f"\nSELECT api.confirm(reference => :reference, {_PHONE});",
    _BOOKED,
    {"space": BUSES.capacity, "units": BUSES.seats},
)
CANCEL = Workload(
    SOLD,
    _cancel,
    f"{_NEXT}SELECT api.cancel(reference => b.reference, phone => b.phone) "
    "FROM bench_bookings b WHERE b.n = :n;",
    "SELECT count(*) FROM passengers WHERE status = 'cancelled'",
    {"space": SOLD.sold},
)
CHANGE_SEAT = Workload(
    SOLD,
    _change_seat,
    f"{_NEXT}SELECT api.change_seat(reference => b.reference, phone => b.phone, ticket_no => 1, "
    "seat_no => b.seat_no + 1) FROM bench_bookings b WHERE b.n = :n;",
    "SELECT count(*) FROM passengers WHERE seat_no % 2 = 0",
    {"space": SOLD.sold},
)
SEAT_MAP = Workload(
    SOLD,
    _seat_map,
    rf"\set n random(0, :space - 1){_SEGMENT}"
    "SELECT refused, answer FROM api.read('seat_map', jsonb_build_object('bus_id', :bus::int, "
    "'travel_date', DATE '2090-01-02' + :day::int, 'from_stop', :stop::int, 'to_stop', :stop::int + 1));",
    None,
    {"space": SOLD.capacity, "units": SOLD.seats},
)


def search(services: int, found: int) -> Workload:
    """Searches in a dataset with a number of services; each finds `found` trips."""
    dataset = SEARCH_DATASETS[services]
    districts = DISTRICTS_BY_SIZE[found]
    first, count, districts_per_hundred = districts[0], len(districts), len(dataset.districts)

    def operations(dataset: Dataset, conn: Connection) -> Iterator[Operation]:
        generator = random.Random(found)
        while True:
            district = (
                districts_per_hundred * generator.randrange(services // 100)
                + first
                + generator.randrange(count)
            )
            stop = generator.randint(1, dataset.stops - 1)
            day = FIRST_DATE + timedelta(days=generator.randrange(dataset.days))
            origin, destination = stop_name(district, stop), stop_name(district, stop + 1)
            yield [line("search", origin=origin, destination=destination, date=str(day))]

    script = rf"""
\set district {districts_per_hundred} * random(0, {services // 100 - 1}) + {first} + random(0, {count - 1})
\set stop random(1, {dataset.stops - 1})
\set day random(0, {dataset.days - 1})
SELECT refused, answer FROM api.read('search', jsonb_build_object(
    'origin', 'Stop ' || :district::text || '-' || :stop::text,
    'destination', 'Stop ' || :district::text || '-' || (:stop::int + 1)::text,
    'date', DATE '2090-01-02' + :day::int));
"""
    return Workload(dataset, operations, script)


def repeat_first(workload: Workload) -> Workload:
    """The first operation of a workload, repeated: many clients send the same search at the same time."""
    return replace(
        workload, operations=lambda dataset, conn: repeat(next(workload.operations(dataset, conn)))
    )
