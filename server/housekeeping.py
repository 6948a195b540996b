"""The timers: what the database needs done without being asked.

Nothing is wrong while they do not run: every write to a trip settles it first, and reads leave out
what has run out. They are for promptness (a party that waits gets the seats of a hold that ran out)
and to keep the house in order (new dates go on sale, old idempotency records go). With several
servers on one database each runs them; whoever comes second finds nothing to do.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from busware.server.db.pool import Fault, Storage
from busware.server.db.writer import Call, Writer
from busware.server.protocol import Refusal
from busware.server.settings import Settings

T = TypeVar("T")

log = logging.getLogger("busware.housekeeping")


class Housekeeper:
    """Three threads, one for each timer."""

    def __init__(self, storage: Storage, writer: Writer, settings: Settings) -> None:
        self._storage = storage
        self._writer = writer
        self._stopping = threading.Event()
        self._threads = [
            self._timer("settle", settings.settle_seconds, self._settle),
            self._timer("open sales", settings.housekeeping_seconds, self._open_sales),
            self._timer("forget", settings.housekeeping_seconds, self._forget),
        ]

    def start(self) -> None:
        """Do everything once now, and then again and again."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop, after what is being done."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _timer(self, name: str, seconds: float, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            failing = False  # a database that is away for long is told of once
            while not self._stopping.is_set():
                try:
                    work()
                    failing = False
                except (Refusal, Fault) as error:
                    log.log(logging.DEBUG if failing else logging.WARNING, "%s: %s", name, error)
                    failing = True
                except Exception:
                    log.exception("%s failed", name)
                self._stopping.wait(seconds)

        return threading.Thread(target=run, name=name, daemon=True)

    def _settle(self) -> None:
        """Settle the trips that are due: each under its lock, by the writer like every write to one."""
        self._each(self._storage.due_trips(), lambda args: self._writer.submit(Call("settle", args)))

    def _open_sales(self) -> None:
        """Open what is to be sold by now: of each service in a transaction of its own."""
        opened: list[int] = []
        try:
            self._each(
                self._storage.services(), lambda bus_id: opened.append(self._storage.open_sales(bus_id))
            )
        finally:
            if any(opened):
                log.info("opened %d trips for sale", sum(opened))

    def _each(self, things: Iterable[T], work: Callable[[T], object]) -> None:
        """Do the work for each, until told to stop. One that fails is in nobody's way.

        Raises the last Refusal or Fault.
        """
        trouble: Refusal | Fault | None = None
        for thing in things:
            if self._stopping.is_set():
                return
            try:
                work(thing)
            except (Refusal, Fault) as error:
                trouble = error
        if trouble:
            raise trouble

    def _forget(self) -> None:
        """Forget what is too old to be asked for."""
        if purged := self._storage.purge_requests():
            log.info("forgot %d old idempotency keys", purged)
        if expired := self._storage.purge_accounts():
            log.info("forgot %d tokens that had expired", expired)
        if forgotten := self._storage.purge_messages():
            log.info("forgot %d old messages", forgotten)
