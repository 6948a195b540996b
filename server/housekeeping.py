"""Periodic work on the database: settle due trips, open sales, delete old records, revoke surplus rights.

To settle a trip is to expire its holds and waitlist entries that are due, and to promote its waitlist.
Correctness does not depend on this module: every write to a trip settles the trip first, and reads leave out
what has expired. But without it, a waitlisted party would get the seats of an expired hold only at the next
write to the trip. If several servers share a database, each does all of this work; the second one finds
nothing to do.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from busware.server.accounts.rate_limits import RateLimiter
from busware.server.db.pool import InternalError, Pool
from busware.server.protocol import Refusal
from busware.server.settings import Settings
from busware.server.worker_thread import WorkerThread

log = logging.getLogger("busware.housekeeping")

_DUE_TRIPS = "SELECT bus_id, travel_date FROM api.due_trips()"
_SETTLE = "SELECT api.settle_due(%s, %s)"
_SERVICES = "SELECT bus_id FROM bus_info ORDER BY bus_id"
_REVOKE_RIGHTS = "SELECT api.revoke_surplus_rights()"
_OPEN_SALES = "SELECT api.open_sales(bus_id => %s)"


class Housekeeper:
    """The worker threads, one for each kind of periodic work.

    rate_limiter: its known addresses are stored; None: in the database of a shard, which has none.
    services: the pool through which services are written, that of the proxy; None: `pool`.
    """

    def __init__(
        self, pool: Pool, settings: Settings, rate_limiter: RateLimiter | None, services: Pool | None = None
    ) -> None:
        self._pool, self._settings, self._services = pool, settings, services or pool
        self._stopping = False
        home_workers = (
            [WorkerThread("known addresses", partial(self._note, rate_limiter), settings.settle_seconds)]
            if rate_limiter
            else []
        )
        self._workers = [
            *home_workers,
            WorkerThread("settle", self.settle, settings.settle_seconds),
            WorkerThread("open sales", self._open_sales, settings.housekeeping_seconds),
            WorkerThread("purge", self.purge, settings.housekeeping_seconds),
            WorkerThread("rights", self._revoke_rights, settings.housekeeping_seconds),
        ]

    def start(self) -> None:
        """Do all the work now, and then again at each interval."""
        for worker in self._workers:
            worker.schedule()
            worker.start()

    def stop(self) -> None:
        """Stop, after the statements that are running."""
        self._stopping = True
        for worker in self._workers:
            worker.stop()

    def settle(self) -> float:
        """Settle the trips that are due and not locked, a transaction for each trip."""
        self._for_each(self._pool.execute(_DUE_TRIPS), lambda *trip: self._services.write(_SETTLE, trip))
        return self._settings.settle_seconds

    def _note(self, rate_limiter: RateLimiter) -> float:
        """Store from which addresses bookings were opened."""
        rate_limiter.note_known_addresses()
        return self._settings.settle_seconds

    def _open_sales(self) -> float:
        """Put the trips of each service on sale as far ahead as it sells, a transaction for each service."""
        opened: list[int] = []
        try:
            self._for_each(
                self._pool.execute(_SERVICES),
                lambda bus_id: opened.append(self._services.write(_OPEN_SALES, (bus_id,))[0][0]),
            )
        finally:
            if any(opened):
                log.info("put %d trips on sale", sum(opened))
        return self._settings.housekeeping_seconds

    def purge(self) -> float:
        """Delete records that are older than the settings allow, a transaction for each kind of record."""
        settings = self._settings
        self._for_each(
            (
                ("idempotency keys", "purge_idempotency_keys", settings.idempotency_hours * 3600),
                # tokens are deleted when they have expired, so the age applies to attempts only
                ("tokens", "purge_tokens_and_attempts", settings.attempt_minutes * 60),
                ("known addresses", "purge_known_addresses", settings.known_address_days * 86400),
                ("events", "purge_events", settings.event_days * 86400),
                ("rows of the outbox", "purge_outbox", settings.outbox_days * 86400),
                ("messages", "purge_messages", settings.message_days * 86400),
            ),
            self._purge_records,
        )
        return settings.housekeeping_seconds

    def _purge_records(self, records: str, function: str, max_age_seconds: float) -> None:
        purge = f"SELECT api.{function}(make_interval(secs => %s))"
        ((count,),) = self._pool.execute(purge, (max_age_seconds,))
        if count:
            log.info("deleted %d old %s", count, records)

    def _revoke_rights(self) -> float:
        """Revoke the rights of the database role that only servers of 0.1.0 need, if none is alive."""
        ((count,),) = self._pool.execute(_REVOKE_RIGHTS)
        if count:
            log.info("revoked %d rights of the database role that no server needs", count)
        return self._settings.housekeeping_seconds

    def _for_each(self, rows: Iterable[tuple[Any, ...]], work: Callable[..., object]) -> None:
        """Call a function with the values of each row, until `stop`. A failure does not end it.

        Raises the last Refusal or InternalError.
        """
        last_error: Refusal | InternalError | None = None
        for row in rows:
            if self._stopping:
                return
            try:
                work(*row)
            except (Refusal, InternalError) as error:
                last_error = error
        if last_error:
            raise last_error
