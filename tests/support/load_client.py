"""One process of clients that fight over the seats of a few trips, for tests/server/test_fight.py.

Each client is a thread with a connection of its own. It books, holds, confirms, cancels, changes and
waits, at random, and keeps what the server last acknowledged of each booking of its own. At the end the
process prints that, and how often it was refused and why, as one line of JSON.
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

Booking = dict[int, Any]  # by the number of the ticket


class LoadClient(threading.Thread):
    """A client. `acknowledged`: by reference, of each ticket the status and the seat it was last told."""

    def __init__(self, host: str, port: int, trips: list[tuple[int, date]], seed: int, until: float) -> None:
        super().__init__(name=f"client {seed}")
        self.server = host, port
        self.trips = trips
        self.dice = random.Random(seed)
        self.phone = f"+9198{seed:08}"
        self.until = until
        self.acknowledged: dict[str, Booking] = {}
        self.refused: Counter[str] = Counter()
        self.fault: str | None = None

    def run(self) -> None:
        try:
            with connect(*self.server) as client:
                while time.monotonic() < self.until:
                    try:
                        self.note(self.dice.choice(self.moves())(client))
                    except Refusal as refusal:
                        self.refused[refusal.reason] += 1
        except BaseException as error:
            self.fault = repr(error)
            raise

    def note(self, booking: Any) -> None:
        self.acknowledged[booking.reference] = {t.ticket_no: [t.status, t.seat_no] for t in booking.tickets}

    def moves(self) -> list[Any]:
        mine = list(self.acknowledged)
        if not mine or self.dice.random() < 0.5:
            return [self.book_named, self.book_any, self.wait, self.hold]
        reference = self.dice.choice(mine[-4:])
        return [
            lambda client: client.confirm(reference, phone=self.phone),
            lambda client: client.release(reference, phone=self.phone),
            lambda client: client.cancel(reference, phone=self.phone),
            lambda client: client.cancel(reference, phone=self.phone, tickets=[1]),
            lambda client: client.change_seat(
                reference, self.phone, ticket_no=1, seat_no=self.dice.randint(1, 8)
            ),
        ]

    def stretch(self) -> dict[str, Any]:
        bus_id, travel_date = self.dice.choice(self.trips)
        from_stop = self.dice.randint(1, 4)
        return {
            "bus_id": bus_id,
            "travel_date": travel_date,
            "origin": from_stop,
            "destination": self.dice.randint(from_stop + 1, 5),
            "phone": self.phone,
        }

    def book_named(self, client: Client) -> Any:
        seats = self.dice.sample(range(1, 9), self.dice.randint(1, 3))
        return client.book(**self.stretch(), seats=seats)

    def book_any(self, client: Client) -> Any:
        return client.book(**self.stretch(), count=self.dice.randint(1, 4))

    def wait(self, client: Client) -> Any:
        return client.book(**self.stretch(), count=self.dice.randint(1, 4), waitlist=True)

    def hold(self, client: Client) -> Any:
        return client.hold(**self.stretch(), count=self.dice.randint(1, 2), seconds=10)


def main() -> None:
    host, port, trips, first, count, seconds = sys.argv[1:]
    until = time.monotonic() + float(seconds)
    on_sale = [(bus, date.fromisoformat(day)) for bus, day in json.loads(trips)]
    clients = [
        LoadClient(host, int(port), on_sale, seed, until)
        for seed in range(int(first), int(first) + int(count))
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    refused: Counter[str] = Counter()
    acknowledged: dict[str, Booking] = {}
    for client in clients:
        refused += client.refused
        acknowledged |= client.acknowledged
    faults = [client.fault for client in clients if client.fault]
    print(json.dumps({"acknowledged": acknowledged, "refused": refused, "faults": faults}))


if __name__ == "__main__":
    main()
