"""Publishes events, and carries out what has to happen outside of the database because of them.

One thread publishes: after this process has written, at most once every publish_ms, and every outbox_seconds
for events that other processes wrote. Several threads carry out the rows of table outbox. Each claims one
row, calls the carrier of its kind, and finishes the row; no transaction is open and no lock is held
meanwhile. A row is carried out at least once: if the process dies after the call and before the row is
finished, another attempt follows when the lease of the claim ends. So each attempt has the same key, by which
the receiver recognizes it.

Refunds and the fees of payments have threads of their own, so they wait for no mail. Deliveries to webhooks
have others, so a receiver that does not answer delays no mail and no refund. Settings limit how many of them
one webhook may use, and all webhooks of one operator; all webhooks whose last delivery was slow share a few.
So receivers that do not answer delay each other, and no other receivers for long.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from uuid import UUID

from msgspec import Raw, Struct

from busware.server.db.pool import InternalError, Pool, SchemaChanged
from busware.server.protocol import Refusal, clean_text
from busware.server.settings import Settings
from busware.server.worker_thread import WorkerThread

log = logging.getLogger("busware.outbox")

_PUBLISH = "SELECT api.publish_events(%s)"
_ROW = (
    "outbox_no, key, kind, payload, bus_id, reference, attempts, created_at, age, event, webhook_no, operator"
)
_CLAIM = f"SELECT {_ROW} FROM api.claim_outbox(%s, 1, make_interval(secs => %s))"  # noqa: S608 - a constant
_CLAIM_DELIVERY = f"SELECT {_ROW} FROM api.claim_delivery(%s, %s, make_interval(secs => %s))"  # noqa: S608
_FINISH = "SELECT api.finish_outbox(%s, %s, %s, make_interval(secs => %s))"
_ERROR_CHARACTERS = 500  # of the reason that is stored
_WEBHOOK = "webhook"  # the kind of deliveries to webhooks
_PAYMENT_KINDS = frozenset(("refund", "fee"))  # the kinds that ask a provider of payments


class OutboxRow(Struct, frozen=True):
    """A row of the outbox that this process has claimed.

    key: the idempotency key, the same at each attempt. payload: JSON of the code that added the row.
    attempts: their number, with this one. age: since the row was added. event: the event that caused the row,
    as a row of table events in JSON; None if there is none, or if it was deleted. webhook_no, operator: of a
    delivery to a webhook.
    """

    outbox_no: int
    key: UUID
    kind: str
    payload: Raw
    bus_id: int | None
    reference: str | None
    attempts: int
    created_at: datetime
    age: timedelta
    event: Raw | None
    webhook_no: int | None
    operator: str | None


class Retry(Exception):
    """A row could not be carried out now.

    after_seconds: the pause, at most outbox_retry_max_seconds; None: longer after each attempt.
    """

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class GiveUp(Exception):
    """A row can never be carried out, for the reason in the message. The row is dead."""


Carrier = Callable[[OutboxRow], None]


class Outbox:
    """The threads that publish events and carry out rows.

    stopping: set once they stop. on_published: called after events were published.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool, self._settings = pool, settings
        self._carriers: dict[str, Carrier] = {}
        self.stopping = threading.Event()
        self.on_published: Callable[[], None] = lambda: None
        self._publish_count = settings.publish_batch
        self._publisher = WorkerThread("events", self._publish, settings.outbox_seconds)
        self._groups: list[list[WorkerThread]] = []  # the threads of each group claim the same rows
        self._claiming = threading.Lock()  # guards the next attributes
        self._deliveries: list[OutboxRow] = []  # those that this process carries out now
        self._slow: set[int | None] = set()  # the webhooks whose last delivery was slow

    def register(self, kind: str, carrier: Carrier) -> None:
        """Set what carries out the rows of a kind. Call it before `start`.

        The carrier is called by several threads at once. It ends within outbox_lease_seconds, and raises
        Retry or GiveUp if it has not carried out the row. Another exception counts as Retry, and is logged.
        """
        self._carriers[kind] = carrier

    def start(self) -> None:
        """Start the threads."""
        settings = self._settings
        payment_kinds = self._carriers.keys() & _PAYMENT_KINDS
        other_kinds = self._carriers.keys() - _PAYMENT_KINDS - {_WEBHOOK}
        if other_kinds:
            self._add_threads("outbox", settings.outbox_threads, partial(self._claim, sorted(other_kinds)))
        if payment_kinds:
            claim = partial(self._claim, sorted(payment_kinds))
            self._add_threads("outbox of payments", settings.outbox_payment_threads, claim)
        if _WEBHOOK in self._carriers:
            self._add_threads("webhooks", settings.webhook_threads, self._claim_delivery)
        for thread in self._threads:
            thread.schedule()
            thread.start()

    @property
    def _threads(self) -> list[WorkerThread]:
        return [self._publisher, *chain(*self._groups)]

    def _add_threads(self, name: str, count: int, claim: Callable[[], list[OutboxRow]]) -> None:
        group: list[WorkerThread] = []
        work = partial(self._carry_out, claim, group)
        group += [WorkerThread(f"{name} {n}", work, self._settings.outbox_seconds) for n in range(count)]
        self._groups.append(group)

    def stop(self, seconds: float = threading.TIMEOUT_MAX) -> None:
        """Stop, after the rows that are being carried out, for which it waits these seconds at most.

        A row that takes longer is carried out again when its lease has ended.
        """
        self.stopping.set()
        end_at = time.monotonic() + seconds
        for thread in self._threads:
            thread.begin_stop()
        ended = [thread.stop(max(0.0, end_at - time.monotonic())) for thread in self._threads]
        if not all(ended):
            log.warning("the outbox stops before its calls have ended; their rows are tried again")

    def schedule(self) -> None:
        """Publish new events, and carry out new rows, as soon as possible. From any thread; does not wait."""
        self._publisher.schedule()

    def _publish(self) -> float:
        """Publish the events that are committed. Returns the seconds until the next time.

        After a failure it publishes half as many at once: the statement may have exceeded its time limit.
        """
        more = True
        while more and not self.stopping.is_set():
            count = self._publish_count
            try:
                ((published,),) = self._pool.execute(_PUBLISH, (count,))
            except (Refusal, InternalError):
                self._publish_count = max(1, count // 2)
                raise
            self._publish_count = min(count * 2, self._settings.publish_batch)
            more = published == count
            if published:
                self.on_published()
            for group in self._groups:
                _wake_one(group)
        self.stopping.wait(self._settings.publish_ms / 1000)  # events of this time are published together
        return 0.0 if published is None else self._settings.outbox_seconds  # None: another process publishes

    def _carry_out(self, claim: Callable[[], list[OutboxRow]], group: list[WorkerThread]) -> float:
        """Carry out the rows that are due. Returns the seconds until the next time.

        group: the threads that claim the same rows. The next one looks for a row if this one has found one.
        """
        while not self.stopping.is_set():
            lease_ends_at = time.monotonic() + self._settings.outbox_lease_seconds
            rows = claim()
            if not rows:
                break
            (row,) = rows
            _wake_one(group)
            began_at = time.monotonic()
            outcome = self._carry(row)
            if row.webhook_no is not None:
                self._end_delivery(row, time.monotonic() - began_at)
            self._finish(row, *outcome, lease_ends_at)
        return self._settings.outbox_seconds

    def _claim(self, kinds: list[str]) -> list[OutboxRow]:
        """Claim a row of these kinds, if one is due. kinds: without _WEBHOOK."""
        rows = self._pool.execute(_CLAIM, (kinds, self._settings.outbox_lease_seconds))
        return [OutboxRow(*row) for row in rows]

    def _claim_delivery(self) -> list[OutboxRow]:
        """Claim a delivery, if one is due to a webhook that has fewer running deliveries than it may have."""
        settings = self._settings
        with self._claiming:
            webhooks = Counter(row.webhook_no for row in self._deliveries)
            operators = Counter(row.operator for row in self._deliveries)
            full = {no for no, count in webhooks.items() if count >= settings.webhook_threads_per_receiver}
            if sum(webhooks[no] for no in self._slow) >= settings.webhook_slow_threads:
                full |= self._slow
            full_operators = [
                name for name, count in operators.items() if count >= settings.webhook_threads_per_operator
            ]
            parameters = (list(full), full_operators, settings.outbox_lease_seconds)
            claimed = [OutboxRow(*row) for row in self._pool.execute(_CLAIM_DELIVERY, parameters)]
            self._deliveries += claimed
        return claimed

    def _end_delivery(self, row: OutboxRow, seconds: float) -> None:
        """Remove a delivery from the running ones, and note whether it was slow. seconds: what it took."""
        with self._claiming:
            self._deliveries.remove(row)
            if seconds >= self._settings.webhook_slow_seconds:
                self._slow.add(row.webhook_no)
            else:
                self._slow.discard(row.webhook_no)

    def _carry(self, row: OutboxRow) -> tuple[str | None, float | None]:
        """Call the carrier. Returns the error or None, and the seconds until the next attempt."""
        try:
            self._carriers[row.kind](row)
        except GiveUp as error:
            reason = storable(str(error))
            log.warning("%s %s is given up: %s", row.kind, row.outbox_no, reason)
            return reason, None
        except Retry as error:
            reason, pause = storable(str(error)), error.after_seconds
        except Exception as error:
            log.exception("%s %s failed", row.kind, row.outbox_no)
            reason, pause = storable(f"{type(error).__name__}: {error}"), None
        else:
            return None, None
        if row.age >= timedelta(hours=self._settings.outbox_hours):
            log.warning(
                "%s %s is given up after %d attempts: %s", row.kind, row.outbox_no, row.attempts, reason
            )
            return reason, None
        log.info("%s %s failed, attempt %d: %s", row.kind, row.outbox_no, row.attempts, reason)
        return reason, self._pause(row.attempts, pause)

    def _pause(self, attempts: int, asked: float | None = None) -> float:
        """Seconds until the next attempt: as asked, or twice as long each time, and random to spread rows."""
        settings = self._settings
        if asked is not None:
            return min(settings.outbox_retry_max_seconds, max(0.0, asked))  # 0.0 for NaN
        longest = settings.outbox_retry_seconds * 2.0 ** min(attempts - 1, 60)
        return min(longest, settings.outbox_retry_max_seconds) * random.uniform(0.5, 1.0)  # noqa: S311 - keeps no secret

    def _finish(self, row: OutboxRow, error: str | None, pause: float | None, lease_ends_at: float) -> None:
        """Record the end of an attempt. While the database is unavailable, try again until the lease ends.

        Raises Refusal or InternalError.
        """
        parameters = (row.outbox_no, row.attempts, error, pause)
        while True:
            try:
                ((is_finished,),) = self._pool.execute(_FINISH, parameters)
            except (Refusal, SchemaChanged):
                if time.monotonic() >= lease_ends_at or self.stopping.wait(self._settings.outbox_seconds):
                    raise
                continue
            if not is_finished:
                log.warning(
                    "%s %s took longer than its lease; another attempt follows", row.kind, row.outbox_no
                )
            return


def storable(reason: str) -> str:
    """A reason, shortened, without the characters that PostgreSQL or a terminal cannot take.

    reason: may have the text of a receiver.
    """
    decodable = reason[:_ERROR_CHARACTERS].encode(errors="replace").decode()
    return clean_text(decodable) or "no reason"


def _wake_one(group: list[WorkerThread]) -> None:
    """Let one thread look for rows; if none is idle, each of them, after what it does now."""
    idle = [thread for thread in group if thread.is_idle]
    for thread in idle[:1] or group:
        thread.schedule()
