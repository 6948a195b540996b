"""Clients that search, book and cancel, and change to another server when theirs stops."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from busware import Client, ConnectionLost, Refusal, connect

EXPECTED_REASONS = {"seat_taken", "sold_out"}  # refusals that are not failures
_REASONS_TO_REPEAT = {"draining", "outcome_unknown"}  # at the next server, with the same key
_MAX_TRIES = 50  # of a request, each at the next server
_STOPS = range(1, 6)  # of bus 1 in timetable.sql
_THINK_SECONDS = 0.2  # the pause of a client after a booking
_WAIT_SECONDS = 120  # reached only if something is broken


class Traffic:
    """Clients, each in a thread, which run inside a `with`. ports: of the servers; they may change.

    services: what they book; each has the stops of bus 1 in timetable.sql.
    answered: the number of answered requests. failures: the failed ones. refused: the number of refusals by
    reason. bookings: the last acknowledged status, by reference.
    """

    def __init__(
        self, clients: int, days: list[date], ports: list[int], services: Sequence[int] = (1,)
    ) -> None:
        self.ports, self._services = ports, services
        self.answered = 0
        self.failures: list[str] = []
        self.bookings: dict[str, str] = {}
        self.refused: Counter[str] = Counter()
        self._days = days
        self._change = threading.Condition()  # guards the counts
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop all clients after their current round."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, answers: int) -> None:
        """Wait until a number of further requests are answered."""
        with self._change:
            goal = self.answered + answers
            assert self._change.wait_for(lambda: self.answered >= goal or self.failures, _WAIT_SECONDS)

    def _run(self, n: int) -> None:
        chance, phone, client = random.Random(n), f"+9198{n:08}", _Client(self.ports, n)
        booked = None
        try:
            while not self._stopping.wait(_THINK_SECONDS):
                if booked is not None:
                    self._write(client, "cancel", booked, phone)
                day, (origin, destination) = chance.choice(self._days), sorted(chance.sample(_STOPS, 2))
                self._request(client, "search", "Bengaluru", "Mysuru", day)
                bus_id = chance.choice(self._services)
                booked = self._write(client, "book", bus_id, day, origin, destination, count=1, phone=phone)
                if booked is not None:
                    self._request(client, "booking", booked, phone)
        finally:
            client.close()

    def _write(self, client: "_Client", method: str, *args: Any, **named: Any) -> str | None:
        """Execute a write, and return the reference of its booking; None if it was refused."""
        booking = self._request(client, method, *args, **named, key=str(uuid.uuid4()))
        if booking is None:
            return None
        self.bookings[booking.reference] = booking.status
        return str(booking.reference)

    def _request(self, client: "_Client", method: str, *args: Any, **named: Any) -> Any:
        reply, failure, reason = None, None, None
        try:
            reply = client.request(method, *args, **named)
        except Refusal as refusal:
            reason = refusal.reason
            failure = None if reason in EXPECTED_REASONS else f"{method}: {reason}: {refusal}"
        except Exception as error:  # noqa: BLE001 - every exception is a failure
            failure = f"{method}: {error!r}"
        with self._change:
            if failure:
                self.failures.append(failure)
            else:
                self.answered += 1
            if reason:
                self.refused[reason] += 1
            self._change.notify_all()
        return reply


class _Client:
    """A client that repeats a request with the same key at the next server until it is answered."""

    def __init__(self, ports: list[int], n: int) -> None:
        self._ports = ports
        self._n = n
        self._client: Client | None = None

    def request(self, method: str, *args: Any, **named: Any) -> Any:
        for tries in range(_MAX_TRIES):
            try:
                if self._client is None:
                    self._client = connect("127.0.0.1", self._ports[self._n % len(self._ports)], tries=1)
                return getattr(self._client, method)(*args, **named)
            except (ConnectionLost, Refusal) as error:
                if tries == _MAX_TRIES - 1 or (
                    isinstance(error, Refusal) and error.reason not in _REASONS_TO_REPEAT
                ):
                    raise
                self.close()
                self._n += 1
        raise AssertionError

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
