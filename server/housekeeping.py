"""Periodic work on the database: settle trips that are due, open sales, delete old records.

Correctness does not depend on it: every write to a trip settles the trip first, and reads leave out what
has expired. It makes changes prompt (a waitlisted party gets the seats of an expired hold), opens new travel
dates for sale, and deletes old idempotency records. With several servers on one database each of them does
all of it; the second finds nothing to do.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from busware.server.db.pool import InternalError, Pool
from busware.server.db.writer import Call, Writer
from busware.server.protocol import Refusal
from busware.server.settings import Settings
from busware.server.worker_thread import WorkerThread

T = TypeVar("T")

log = logging.getLogger("busware.housekeeping")


class Housekeeper:
    """Three worker threads, one for each kind of periodic work."""

    def __init__(self, pool: Pool, writer: Writer, settings: Settings) -> None:
        self._pool = pool
        self._writer = writer
        self._stopping = False
        self._workers = [
            _timer("settle", settings.settle_seconds, self._settle),
            _timer("open sales", settings.housekeeping_seconds, self._open_sales),
            _timer("forget", settings.housekeeping_seconds, self._forget),
        ]

    def start(self) -> None:
        """Do everything once now, and then again at each interval."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Stop, after the statements that are running."""
        self._stopping = True
        for worker in self._workers:
            worker.stop()

    def _settle(self) -> None:
        """Settle the trips that are due: each under its lock, by the writer, as every write to a trip."""
        self._each(self._pool.due_trips(), lambda args: self._writer.submit(Call("settle", args)))

    def _open_sales(self) -> None:
        """Open the trips that go on sale by now: each service in a transaction of its own."""
        opened: list[int] = []
        try:
            self._each(self._pool.services(), lambda bus_id: opened.append(self._pool.open_sales(bus_id)))
        finally:
            if any(opened):
                log.info("opened %d trips for sale", sum(opened))

    def _each(self, things: Iterable[T], work: Callable[[T], object]) -> None:
        """Do the work for each thing, until `stop`. A failure does not keep the others from being done.

        Raises the last Refusal or InternalError.
        """
        last_error: Refusal | InternalError | None = None
        for thing in things:
            if self._stopping:
                return
            try:
                work(thing)
            except (Refusal, InternalError) as error:
                last_error = error
        if last_error:
            raise last_error

    def _forget(self) -> None:
        """Delete records that are older than their settings allow."""
        if purged := self._pool.purge_requests():
            log.info("forgot %d old idempotency keys", purged)
        if expired := self._pool.purge_accounts():
            log.info("forgot %d tokens that had expired", expired)
        if forgotten := self._pool.purge_messages():
            log.info("forgot %d old messages", forgotten)


def _timer(name: str, seconds: float, work: Callable[[], None]) -> WorkerThread:
    """A worker that does its work when it starts, and again after so many seconds."""

    def run() -> float:
        work()
        return seconds

    worker = WorkerThread(name, run, retry_seconds=seconds)
    worker.schedule()
    return worker
