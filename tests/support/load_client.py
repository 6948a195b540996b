"""A process of clients that book seats of a few trips at the same time, for tests/server/test_load.py.

Each client is a thread with its own connection. It books, holds, confirms, releases, cancels, changes seats
and joins waitlists at random, and records the state that the server last returned for each of its bookings.
At the end the process prints these states, the number of refusals by reason, and errors as one line of JSON.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from datetime import date
from typing import Any

from busware import Client, Refusal, connect

Booking = dict[int, Any]  # by ticket number: [status, seat]


class LoadClient(threading.Thread):
    """One client. `acknowledged`: its bookings by reference, as the server last returned them."""

    def __init__(self, host: str, port: int, trips: list[tuple[int, date]], seed: int, until: float) -> None:
        super().__init__(name=f"client {seed}")
        self.server = host, port
        self.trips = trips
        self.random = random.Random(seed)
        self.phone = f"+9198{seed:08}"
        self.until = until
        self.acknowledged: dict[str, Booking] = {}
        self.refused: Counter[str] = Counter()
        self.error: str | None = None

    def run(self) -> None:
        try:
            with connect(*self.server) as client:
                while time.monotonic() < self.until:
                    try:
                        self.record(self.random.choice(self.requests())(client))
                    except Refusal as refusal:
                        self.refused[refusal.reason] += 1
        except BaseException as error:
            self.error = repr(error)
            raise

    def record(self, booking: Any) -> None:
        self.acknowledged[booking.reference] = {t.ticket_no: [t.status, t.seat_no] for t in booking.tickets}

    def requests(self) -> list[Any]:
        """The requests of which `run` sends one, chosen at random."""
        references = list(self.acknowledged)
        if not references or self.random.random() < 0.5:
            return [self.book_seats, self.book_any, self.join_waitlist, self.hold]
        reference = self.random.choice(references[-4:])
        return [
            lambda client: client.confirm(reference, phone=self.phone),
            lambda client: client.release(reference, phone=self.phone),
            lambda client: client.cancel(reference, phone=self.phone),
            lambda client: client.cancel(reference, phone=self.phone, tickets=[1]),
            lambda client: client.change_seat(
                reference, self.phone, ticket_no=1, seat_no=self.random.randint(1, 8)
            ),
        ]

    def segment(self) -> dict[str, Any]:
        """A random segment of a random trip, as arguments of `book`."""
        bus_id, travel_date = self.random.choice(self.trips)
        from_stop = self.random.randint(1, 4)
        return {
            "bus_id": bus_id,
            "travel_date": travel_date,
            "origin": from_stop,
            "destination": self.random.randint(from_stop + 1, 5),
            "phone": self.phone,
        }

    def book_seats(self, client: Client) -> Any:
        seats = self.random.sample(range(1, 9), self.random.randint(1, 3))
        return client.book(**self.segment(), seats=seats)

    def book_any(self, client: Client) -> Any:
        return client.book(**self.segment(), count=self.random.randint(1, 4))

    def join_waitlist(self, client: Client) -> Any:
        return client.book(**self.segment(), count=self.random.randint(1, 4), waitlist=True)

    def hold(self, client: Client) -> Any:
        return client.hold(**self.segment(), count=self.random.randint(1, 2), seconds=10)


def main() -> None:
    host, port, trips, first, count, seconds = sys.argv[1:]
    until = time.monotonic() + float(seconds)
    on_sale = [(bus, date.fromisoformat(day)) for bus, day in json.loads(trips)]
    seeds = range(int(first), int(first) + int(count))
    clients = [LoadClient(host, int(port), on_sale, seed, until) for seed in seeds]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    refused: Counter[str] = Counter()
    acknowledged: dict[str, Booking] = {}
    for client in clients:
        refused += client.refused
        acknowledged |= client.acknowledged
    errors = [client.error for client in clients if client.error]
    print(json.dumps({"acknowledged": acknowledged, "refused": refused, "errors": errors}))


if __name__ == "__main__":
    main()
