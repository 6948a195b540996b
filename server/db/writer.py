"""The writer: every requested write to a trip, by group commit.

All calls of a process go through one connection, guarded by the write lock. A thread takes the write lock
and every queued call, sends them to api.batch as one statement, and after the commit gives each caller its
own answer. A batch never waits to fill up. If no call is queued and the write lock is free, the caller sends
its own call as a batch of one, which saves two thread switches.

A call ends in one of these ways:
    answered           by the database, after the commit
    busy               the queue is full, its deadline has passed, or another session locks one of its rows
    internal error     its statement failed when it ran alone
    outcome_unknown    the connection broke after it was sent, and it could not be sent again in time

A call whose trip is locked by another session is deferred to a later batch. A batch that fails is rolled
back; its calls then run alone, so that one failing call does not affect the others. After a lost connection
the batch is sent again, which is safe because every call has an idempotency key.
"""

import logging
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import msgspec
import psycopg
from msgspec import UNSET, Raw, Struct, UnsetType

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import (
    DatabaseUnavailable,
    InternalError,
    Overloaded,
    SchemaChanged,
    ShardAway,
    classify_error,
    connect,
)
from busware.server.db.schema import SchemaError, prevent_breaking_migrations
from busware.server.protocol import Answer, Refusal
from busware.server.settings import Settings

log = logging.getLogger("busware.writer")

BATCH = "SELECT n, refused, answer FROM api.batch(%s)"
_RECOUNT = "SELECT api.recount_for(%s)"
_RECONNECT_SECONDS = 0.1  # the pause between two attempts to connect

_LOCK_NOT_AVAILABLE = "55P03"  # another session holds a row for longer than lock_wait_ms
_UNIQUE_VIOLATION = "23505"  # another server used the same idempotency key at the same time, for another trip
_EXCLUSION_VIOLATION = "23P01"  # tickets were written by hand, and seats.taken does not include them


class HoldLimit(Struct, frozen=True):
    """What a subject may have at once without payment: sql/25_hold_limits.sql."""

    subject: str
    holds: int
    seats: int
    percent: int


class Call(Struct, frozen=True):
    """A write. args: as JSON, with the account of the caller. key: an idempotency key; '' asks for a new one.

    limits: those for a call that may hold or wait. They are not in args, because a repeated request is
    compared by its args.
    """

    method: str
    args: Raw
    key: str = ""
    limits: tuple[HoldLimit, ...] | UnsetType = UNSET


class QueuedCall:
    """A call, and the caller that waits for its outcome.

    done: a lock, released when there is an outcome.
    next: the following call of the batch, whose caller this caller releases.
    maybe_committed: the call was sent on a connection that broke.
    """

    __slots__ = ("call", "deadline", "done", "maybe_committed", "next", "outcome", "retries")

    def __init__(self, call: Call, deadline: float) -> None:
        self.call = call
        self.deadline = deadline
        self.maybe_committed = False
        self.retries = 0
        self.outcome: Answer | Exception | None = None
        self.next: QueuedCall | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def wait(self, withdraw: Callable[["QueuedCall"], None]) -> Answer:
        """Wait for the outcome; return the answer, or raise the reason why there is none.

        withdraw: called at the deadline. A call that is being sent then has an outcome soon, because each
        statement and each attempt to connect has a limit.
        """
        if not self.done.acquire(timeout=max(0.0, self.deadline - time.monotonic())):
            withdraw(self)
            self.done.acquire()
        if self.next is not None:
            self.next.done.release()
        if isinstance(self.outcome, Answer):
            return self.outcome
        raise self.outcome or InternalError("the call has no outcome")

    def fail(self, reason: Exception) -> None:
        """Release the caller without an answer; with outcome_unknown, if the call may be committed."""
        if self.maybe_committed:
            log.warning("the outcome of a %s is unknown: %s", self.call.method, reason)
            reason = Refusal(
                "outcome_unknown",
                "The connection to the database was lost during the commit: repeat with the same key.",
            )
        self.outcome = reason
        self.done.release()


class Writer:
    """Commits calls in batches. `submit` may be called from any thread.

    on_batch: called with the size of each batch.
    on_commit: called with the args and the answer of each call, after the commit and under the write lock. It
    must be quick, and must not call `submit`.
    stopping: set once new calls are refused.
    """

    def __init__(self, url: str, settings: Settings, deadlines: Deadlines) -> None:
        self.on_batch: Callable[[int], None] = lambda size: None
        self.on_commit: Callable[[list[tuple[Raw, Raw]]], None] = lambda done: None
        self.stopping = threading.Event()
        self._settings = settings
        # Held while the limit is checked and a call is queued, and while calls are taken from the two queues.
        self._submit_lock = threading.Lock()
        self._calls = deque[QueuedCall]()
        self._work_signals = queue.SimpleQueue[None]()  # not empty if there may be work for the thread
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._write_lock = threading.Lock()  # guards the attributes below
        self._write_lock.acquire()  # until `start`
        self._deferred = deque[QueuedCall]()
        self._connection = WriterConnection(url, settings, deadlines, self.stopping)

    def start(self) -> None:
        """Connect, and begin to write. Raises DatabaseUnavailable."""
        self._connection.open()
        self._thread.start()
        self._write_lock.release()

    def stop(self) -> None:
        """Refuse new calls, complete those that wait, and disconnect."""
        with self._submit_lock:
            self.stopping.set()
        self._work_signals.put(None)
        self._thread.join()

    def submit(self, call: Call) -> Answer:
        """Execute a call; returns after the commit.

        Raises Refusal (busy, draining, outcome_unknown) or InternalError.
        """
        if not call.key:
            call = msgspec.structs.replace(call, key=str(uuid.uuid4()))
        queued = QueuedCall(call, time.monotonic() + self._settings.write_wait_seconds)
        with self._submit_lock:
            if self.stopping.is_set():
                raise Refusal("draining", "The server is shutting down: nothing was done, try again.")
            if self.waiting >= self._settings.write_queue:
                raise Refusal("busy", "Too many writes are waiting: nothing was done, try again.")
            alone = not self.waiting and self._write_lock.acquire(blocking=False)
            if not alone:
                self._calls.append(queued)
        if alone:
            try:
                self._write([queued])
            finally:
                self._write_lock.release()
        if (not alone or self._deferred) and self._work_signals.empty():
            self._work_signals.put(None)
        return queued.wait(self._withdraw)

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a batch."""
        return len(self._calls) + len(self._deferred)

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def _run(self) -> None:
        """Write batch after batch, until the writer is stopping and no call is left."""
        while True:
            self._wait_for_work()
            with self._write_lock:
                with self._submit_lock:
                    batch = [
                        calls.popleft()
                        for calls in (self._calls, self._deferred)
                        for _ in range(min(self._settings.write_batch, len(calls)))
                    ]
                if batch:
                    self._write(batch)
                elif self.stopping.is_set():
                    break
        self._connection.close()

    def _withdraw(self, queued: QueuedCall) -> None:
        """Fail a call whose deadline has passed, if it waits for a batch."""
        with self._submit_lock:
            for calls in (self._calls, self._deferred):
                if queued in calls:
                    calls.remove(queued)
                    queued.fail(_waited_too_long())

    def _wait_for_work(self) -> None:
        if self._calls:
            return
        pause = self._settings.deferred_retry_ms / 1000 if self._deferred else None
        if pause or not self.stopping.is_set():
            with suppress(queue.Empty):
                self._work_signals.get(timeout=pause)

    # Under the write lock ----------------------------------------------------------------------

    def _write(self, batch: list[QueuedCall]) -> None:
        """Execute a batch. Afterwards each call has an outcome or is deferred, whatever happened."""
        now = time.monotonic()
        for call in batch:
            if call.deadline <= now:
                call.fail(_waited_too_long())
        try:
            self._send([call for call in batch if call.outcome is None])
        except Exception:
            log.exception("the writer failed on a batch of %d", len(batch))
        with self._submit_lock:  # without it, a deferred call could be withdrawn now, and released twice
            lost = {call for call in batch if call.outcome is None}.difference(self._deferred)
        for call in lost:
            call.fail(InternalError("the writer failed before there was an answer"))

    def _send(self, batch: list[QueuedCall]) -> None:
        """Send a batch, and send it again after a lost connection, until reconnecting is given up."""
        try:
            while batch:
                connection = self._connection.get()
                try:
                    self._execute(connection, batch)
                    return
                except psycopg.Error as error:
                    reason = classify_error(error, connection)
                    if not isinstance(reason, DatabaseUnavailable):
                        self._connection.end_outage()
                        self._handle_failure(batch, error, reason)
                        return
                    self._connection.begin_outage(reason)
                    for queued in batch:
                        queued.maybe_committed |= not reason.rolled_back
                    if self._connection.is_given_up:
                        raise reason from error
        except DatabaseUnavailable:
            for queued in batch:
                queued.fail(Refusal("busy", "The database is unavailable: nothing was done, try again."))

    def _execute(self, connection: psycopg.Connection, batch: list[QueuedCall]) -> None:
        """Execute a batch as one statement, and release the callers after the commit. Raises psycopg.Error.

        Each caller releases the next. Released all at once, they would compete with this thread for the GIL.
        """
        self.on_batch(len(batch))
        calls = Raw(msgspec.json.encode([queued.call for queued in batch]))
        answered, committed = [], []
        rows = connection.execute(BATCH, (calls,), prepare=True).fetchall()
        self._connection.end_outage()
        try:
            for n, refused, answer in rows:
                if answer is None:
                    self._deferred.append(batch[n])
                else:
                    batch[n].outcome = Answer(answer, refused)
                    answered.append(batch[n])
                    if not refused:
                        committed.append((batch[n].call.args, answer))
        finally:
            for queued, following in pairwise(answered):
                queued.next = following
            if answered:
                answered[0].done.release()
        if committed:
            self.on_commit(committed)

    def _handle_failure(self, batch: list[QueuedCall], error: psycopg.Error, reason: Exception) -> None:
        """After a rollback, run the calls of the batch alone. Run a single call again, if that may help."""
        if isinstance(reason, ShardAway):
            for queued in batch:
                queued.fail(reason)
            return
        if len(batch) > 1:
            # classify_error has logged each Overloaded.
            level = logging.DEBUG if isinstance(reason, Overloaded) else logging.WARNING
            log.log(level, "a batch of %d failed, its calls run alone: %s", len(batch), error)
            if error.sqlstate == _LOCK_NOT_AVAILABLE:  # together, they wait for at most lock_wait_ms
                self._connection.set_lock_timeout(max(1, self._settings.lock_wait_ms // len(batch)))
            for queued in batch:
                self._write([queued])
            self._connection.set_lock_timeout(self._settings.lock_wait_ms)
            return
        (queued,) = batch
        may_succeed = isinstance(reason, SchemaChanged) or error.sqlstate in (
            _UNIQUE_VIOLATION,
            _EXCLUSION_VIOLATION,
        )
        if may_succeed and queued.retries < self._settings.upgrade_retries:
            queued.retries += 1
            if error.sqlstate == _EXCLUSION_VIOLATION:
                self._recount_taken(queued.call)
            self._write(batch)
        else:
            reason.__cause__ = error
            queued.fail(reason)

    def _recount_taken(self, call: Call) -> None:
        """Derive seats.taken of a trip from its tickets, some of which were written by hand."""
        args = msgspec.json.decode(call.args)
        day = args.get("travel_date") or args.get("boarding_date")
        trip = args.get("reference") or f"service {args.get('bus_id')} on {day}"
        try:
            ((seats,),) = self._connection.get().execute(_RECOUNT, (call.args,))
            log.warning("tickets of %s were changed by hand; seats corrected: %d", trip, seats)
        except (psycopg.Error, DatabaseUnavailable) as error:
            log.warning("tickets of %s were changed by hand; their seats were not corrected: %s", trip, error)


def _waited_too_long() -> Refusal:
    return Refusal("busy", "The write waited for too long: nothing was done, try again.")


class WriterConnection:
    """The connection of the writer; it is replaced after it broke.

    An outage begins when the connection breaks, and ends with the next result from the database. Reconnecting
    is given up connect_seconds after the outage began; from then on each `get` tries once.
    stopping: once it is set, `get` tries once.
    """

    def __init__(self, url: str, settings: Settings, deadlines: Deadlines, stopping: threading.Event) -> None:
        self._url, self._settings, self._deadlines, self._stopping = url, settings, deadlines, stopping
        self._connection: psycopg.Connection
        self._outage_deadline: float | None = None  # None: there is no outage

    def open(self) -> None:
        """Connect, and prevent breaking migrations from then on. Raises DatabaseUnavailable."""
        try:
            lock_timeout = self._settings.lock_wait_ms
            connection = connect(
                self._url, self._settings, "writer", self._deadlines, lock_timeout=lock_timeout
            )
            try:
                prevent_breaking_migrations(connection)
            except BaseException:
                connection.close()
                raise
        except (psycopg.Error, SchemaError) as error:
            raise DatabaseUnavailable(str(error)) from error
        self._connection = connection

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def get(self) -> psycopg.Connection:
        """The connection, or a new one if it is broken. Raises DatabaseUnavailable."""
        attempts = 0
        if self._is_closed_by_server():
            self.begin_outage(DatabaseUnavailable("the database closed the connection"))
        while self._connection.closed:
            try:
                self.open()
                log.info("connected to the database again")
            except DatabaseUnavailable as error:
                attempts += 1
                if self.is_given_up or self._stopping.wait(_RECONNECT_SECONDS):
                    level = logging.WARNING if attempts > 1 else logging.DEBUG  # once for each outage
                    log.log(level, "the database is unavailable: %s", error)
                    raise
        return self._connection

    def begin_outage(self, reason: DatabaseUnavailable) -> None:
        """Close the connection, which broke."""
        log.warning("lost the connection to the database: %s", reason)
        if self._outage_deadline is None:
            self._outage_deadline = time.monotonic() + self._settings.connect_seconds
        self.close()

    def end_outage(self) -> None:
        """Note that the database works."""
        self._outage_deadline = None

    @property
    def is_given_up(self) -> bool:
        """Whether an outage has lasted too long to send anything again."""
        return self._stopping.is_set() or (self._outage_deadline or 0.0) <= time.monotonic()

    def set_lock_timeout(self, milliseconds: int) -> None:
        """Set lock_timeout. If that fails, the connection broke, and the next one has the default again."""
        with suppress(psycopg.Error):
            self._connection.execute(f"SET lock_timeout = {milliseconds:d}")

    def _is_closed_by_server(self) -> bool:
        """Whether the server has closed an idle connection. Two reads: its last message, then the end."""
        if self._connection.closed:
            return False
        with suppress(psycopg.OperationalError):
            self._connection.pgconn.consume_input()
            self._connection.pgconn.consume_input()
        return self._connection.closed
