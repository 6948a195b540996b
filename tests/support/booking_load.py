"""Clients that book single seats through several servers while the database fails."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from busware import Client, ConnectionLost, Refusal, connect

_STOPS = 5  # of each service
_THINK_SECONDS = 0.02  # the pause of a client after a booking
_RETRY_SECONDS = 0.05  # the pause before a request is repeated
_GIVE_UP_SECONDS = 180  # for one booking with its repetitions; reached only if something is broken
_ANSWER_SECONDS = 60.0  # longer than the longest wait of docs/architecture.md for a write
_FULL = ("sold_out", "seat_taken")
_REPEAT = ("busy", "outcome_unknown", "draining")


class BookingLoad:
    """Clients, each in a thread, inside a `with`. At its end each finishes its booking.

    A client sends its booking with one idempotency key until it is acknowledged, and then reads the booking.
    After an error, it continues at the next server.

    acknowledged: the references, with the time of each acknowledgement, in seconds.
    errors: the number of refusals that clients saw, by reason, and of lost connections to servers.
    """

    def __init__(self, ports: Sequence[int], trips: Sequence[tuple[int, date]], clients: int = 8) -> None:
        self.acknowledged: dict[str, float] = {}
        self.errors: Counter[str] = Counter()
        self._failures: list[str] = []
        self._ports, self._trips = ports, trips
        self._change = threading.Condition()  # guards the attributes above
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]

    def __enter__(self) -> "BookingLoad":
        for thread in self._threads:
            thread.start()
        self.wait_for(len(self._threads))
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert self._failures == []

    def wait_for(self, bookings: int) -> None:
        """Wait until a number of further bookings are acknowledged."""
        with self._change:
            goal = len(self.acknowledged) + bookings
            done = self._change.wait_for(
                lambda: len(self.acknowledged) >= goal or self._failures, _GIVE_UP_SECONDS
            )
            assert done and not self._failures, self._failures

    def longest_pause(self, since: float) -> float:
        """The longest time without an acknowledgement, of those that end after `since`. In seconds."""
        times = sorted(self.acknowledged.values())
        return max(later - earlier for earlier, later in pairwise(times) if later > since)

    def _run(self, n: int) -> None:
        client, phone = _Client(self._ports, n), f"+9197{n:08}"
        try:
            while not self._stopping.wait(_THINK_SECONDS):
                reference = self._book(client, phone)
                with self._change:
                    assert reference not in self.acknowledged, f"{reference} was acknowledged twice"
                    self.acknowledged[reference] = time.monotonic()
                    self._change.notify_all()
                self._repeat(client, "booking", reference, phone)
        except Exception as error:  # noqa: BLE001 - every exception is a failure
            with self._change:
                self._failures.append(repr(error))
                self._change.notify_all()
        finally:
            client.close()

    def _book(self, client: "_Client", phone: str) -> str:
        """Book a seat of any trip, and return the reference."""
        while True:
            (bus_id, day), origin = random.choice(self._trips), random.randrange(1, _STOPS)
            key = str(uuid.uuid4())
            try:
                booking = self._repeat(
                    client, "book", bus_id, day, origin, origin + 1, count=1, phone=phone, key=key
                )
            except Refusal as refusal:
                if refusal.reason not in _FULL:
                    raise
            else:
                return str(booking.reference)

    def _repeat(self, client: "_Client", method: str, *args: Any, **named: Any) -> Any:
        """Send a request until it is answered."""
        give_up_at = time.monotonic() + _GIVE_UP_SECONDS
        while True:
            try:
                return client.request(method, *args, **named)
            except (ConnectionLost, Refusal) as error:
                reason = error.reason if isinstance(error, Refusal) else "connection lost"
                if time.monotonic() > give_up_at or reason not in (*_REPEAT, "connection lost"):
                    raise
            with self._change:
                self.errors[reason] += 1
            client.change_server()
            time.sleep(_RETRY_SECONDS)


class _Client:
    """A client of one server after the other, which sends each request once."""

    def __init__(self, ports: Sequence[int], n: int) -> None:
        self._ports, self._n = ports, n
        self._client: Client | None = None

    def request(self, method: str, *args: Any, **named: Any) -> Any:
        if self._client is None:
            port = self._ports[self._n % len(self._ports)]
            self._client = connect("127.0.0.1", port, _ANSWER_SECONDS, tries=1)
        return getattr(self._client, method)(*args, **named)

    def change_server(self) -> None:
        self.close()
        self._n += 1

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
