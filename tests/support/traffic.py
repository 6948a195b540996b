"""Clients that search, book and cancel all the time, and go on at another server when theirs stops."""

import random
import threading
import uuid
from collections import Counter
from datetime import date
from typing import Any

from busware import Client, ConnectionLost, Refusal, connect

EXPLAINED = {"seat_taken", "sold_out"}  # refusals that are no failure
_MOVES_ON = {"draining", "outcome_unknown"}  # what the SDK repeats, with the same key
_MOST_MOVES = 50  # of one request, from server to server
_STOPS = range(1, 6)  # of bus 1 in timetable.sql
_THINK_SECONDS = 0.2  # between a booking and the next thing that its client does
_WAIT_SECONDS = 120  # reached only when something is broken


class Traffic:
    """The clients, at work as long as a `with` lasts. ports: of the servers to go to, which may change.

    answered: how many requests were. failures: the others. refused: how often, by reason.
    bookings: the status that was acknowledged last, by reference.
    """

    def __init__(self, clients: int, days: list[date], ports: list[int]) -> None:
        self.ports = ports
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
        """Finish what was begun, and stop."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, answers: int) -> None:
        """Wait until so many more requests were answered."""
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
                self._ask(client, "search", "Bengaluru", "Mysuru", day)
                booked = self._write(client, "book", 1, day, origin, destination, count=1, phone=phone)
                if booked is not None:
                    self._ask(client, "booking", booked, phone)
        finally:
            client.close()

    def _write(self, client: "_Client", method: str, *args: Any, **named: Any) -> str | None:
        """The reference of what was written; None where that was refused."""
        booking = self._ask(client, method, *args, **named, key=str(uuid.uuid4()))
        if booking is None:
            return None
        self.bookings[booking.reference] = booking.status
        return str(booking.reference)

    def _ask(self, client: "_Client", method: str, *args: Any, **named: Any) -> Any:
        reply, failure, reason = None, None, None
        try:
            reply = client.ask(method, *args, **named)
        except Refusal as refusal:
            reason = refusal.reason
            failure = None if reason in EXPLAINED else f"{method}: {reason}: {refusal}"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of the test
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
    """A client of one server after the other, which repeats a request, with its key, until it is answered."""

    def __init__(self, ports: list[int], n: int) -> None:
        self._ports = ports
        self._n = n
        self._client: Client | None = None

    def ask(self, method: str, *args: Any, **named: Any) -> Any:
        for moves in range(_MOST_MOVES):
            try:
                if self._client is None:
                    self._client = connect("127.0.0.1", self._ports[self._n % len(self._ports)], tries=1)
                return getattr(self._client, method)(*args, **named)
            except (ConnectionLost, Refusal) as error:
                if moves == _MOST_MOVES - 1 or (isinstance(error, Refusal) and error.reason not in _MOVES_ON):
                    raise
                self.close()
                self._n += 1
        raise AssertionError

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
