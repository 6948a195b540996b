"""Group commit: every write to a trip goes through `submit`, and many share one commit.

There is one connection that writes, and one pen: nobody locks a trip without it. A thread takes the pen and
every call that waits, sends them as one statement (api.batch), and when that has committed hands each caller
its own answer. A lone call is a batch of one: nobody waits for it to fill, and whoever finds the pen lying
there and nobody before them writes themselves, which saves two changes of thread. A database sharded by bus
would have a pen for each shard.

A call comes to one of these ends:
    answered    by the database, after the commit
    deferred    somebody else holds its trip: it joins the next batch, until its time is up
    busy        its time was up, there was no room to wait, or somebody holds its row: nothing was done
    a fault     its statement failed when it ran alone; a batch that fails is rolled back whole,
                and its members then run alone, so that one of them harms no other. A call that an
                upgrade has made fail (SchemaChanged) is sent again, up to upgrade_retries times
    unknown     the connection broke once it was sent; it is sent again on a new one, which its key
                makes safe, and only when that cannot be done is the caller told outcome_unknown
"""

import logging
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise

import msgspec
import psycopg
from msgspec import Raw, Struct

from busware.server.db.pool import DatabaseUnavailable, InternalError, SchemaChanged, classify_error, connect
from busware.server.db.schema import SchemaError, hold_off_breaking_migrations
from busware.server.protocol import Answer, Refusal
from busware.server.settings import Settings

log = logging.getLogger("busware.writer")

BATCH = "SELECT n, refused, answer FROM api.batch(%s)"
_RECOUNT = "SELECT api.recount_for(%s)"
_UNIQUE_VIOLATION = (
    "23505"  # one key for two trips at once, on two servers: each was decided without seeing the other
)
_LOCK_NOT_AVAILABLE = "55P03"  # somebody holds a row for longer than lock_wait_ms
_EXCLUSION_VIOLATION = "23P01"  # the exclusion constraint spoke: seats.taken is not what the tickets say
NO_ANSWER = "the writer failed before there was an answer"
_FIRST_PAUSE = 0.05  # seconds between two attempts to connect, doubled each time …
_LONGEST_PAUSE = 1.0  # … up to this


class Call(Struct, frozen=True):
    """One write. args: its JSON. caller, key: whose idempotency key; an empty key is replaced."""

    method: str
    args: Raw
    caller: str = ""
    key: str = ""


class QueuedCall:
    """A call and the caller who waits for it: `done` is a lock that is let go when there is an outcome.

    next: whom the caller lets go in turn (`release_callers`).
    """

    __slots__ = ("call", "deadline", "done", "mended", "next", "outcome", "retries", "sent")

    def __init__(self, call: Call, deadline: float) -> None:
        self.call = call
        self.deadline = deadline
        self.sent = False  # on a connection that broke: it may have been done
        self.mended = False
        self.retries = 0  # after an upgrade made it fail
        self.outcome: Answer | Exception | None = None
        self.next: QueuedCall | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def wait(self) -> Answer:
        """The answer; blocks until there is one, or raises why there is none."""
        self.done.acquire()
        if self.next is not None:
            self.next.done.release()
        if isinstance(self.outcome, Answer):
            return self.outcome
        raise self.outcome or InternalError(NO_ANSWER)

    def fail(self, why: Exception) -> None:
        """Let the caller go without an answer; why is not the whole truth if an earlier try was lost."""
        if self.sent:
            log.warning("the outcome of a %s is unknown: %s", self.call.method, why)
            message = "The database went away before it answered: ask again with the same key."
            why = Refusal("outcome_unknown", message)
        self.outcome = why
        self.done.release()


def release_callers(answered: list[QueuedCall]) -> None:
    """Let the callers go who have an answer, each by the one before."""
    for one, after in pairwise(answered):
        one.next = after
    if answered:
        answered[0].done.release()


class Writer:
    """The one who writes. `submit` may be called from any thread.

    on_batch: is told the size of each batch. on_commit: is given what was done, each call's args and
    answer, once it is committed; by whoever has the pen, so it has to be quick, and may not submit.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self._settings = settings
        self._door = threading.Lock()  # held to go in, and to close
        self._calls: queue.SimpleQueue[QueuedCall | None] = queue.SimpleQueue()  # None: look at the rest
        self._next: QueuedCall | None = None  # out of the queue, and first of the next batch
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.on_batch: Callable[[int], None] = lambda size: None
        self.on_commit: Callable[[list[tuple[Raw, Raw]]], None] = lambda done: None

        self._pen = threading.Lock()
        self._pen.acquire()  # until the start

        # From here on for whoever has the pen; others may see how many are deferred.
        self._deferred: deque[QueuedCall] = deque()
        self._connection = WriterConnection(url, settings, self._stopping)

    def start(self) -> None:
        """Connect, and begin to write. Raises DatabaseUnavailable."""
        self._connection.open()
        self._thread.start()
        self._pen.release()

    def stop(self) -> None:
        """Refuse what comes from now on, answer what is waiting, and disconnect."""
        with self._door:
            self._stopping.set()
            self._calls.put(None)
        self._thread.join()

    def submit(self, call: Call) -> Answer:
        """Have a call carried out; returns when that is committed.

        Raises Refusal (busy, draining, outcome_unknown), or InternalError.
        """
        if not call.key:
            call = msgspec.structs.replace(call, key=str(uuid.uuid4()))
        waiting = QueuedCall(call, time.monotonic() + self._settings.write_wait_seconds)
        with self._door:
            if self._stopping.is_set():
                raise Refusal("draining", "The server is going down: nothing was done, try again.")
            if self.waiting >= self._settings.write_queue:
                raise Refusal("busy", "Too many writes are waiting: nothing was done, try again.")
            alone = not self.waiting and self._pen.acquire(blocking=False)
            if not alone:
                self._calls.put(waiting)
        if alone:
            self._write_alone(waiting)
        return waiting.wait()

    @property
    def waiting(self) -> int:
        """How many calls wait for the next batch."""
        return self._calls.qsize() + (self._next is not None) + len(self._deferred)

    @property
    def works(self) -> bool:
        """Whether there is somebody to write."""
        return self._thread.is_alive()

    # Who has the pen ---------------------------------------------------------------------------

    def _run(self) -> None:
        """The thread's: batch after batch, until it is told to stop and nothing is left."""
        while True:
            self._wait()
            with self._pen:
                batch = self._take()
                if batch:
                    self._write(batch)
                elif self._stopping.is_set():
                    break
        self._connection.close()

    def _write_alone(self, waiting: QueuedCall) -> None:
        """The caller's, who has the pen already."""
        try:
            self._write([waiting])
        finally:
            self._pen.release()
        if self._deferred:  # for the thread, which may be waiting for a call and nothing else
            self._calls.put(None)

    def _wait(self) -> None:
        """Wait for a call, or to be told to look; for deferred_retry_ms at most while any is deferred."""
        if self._deferred:
            pause: float | None = self._settings.deferred_retry_ms / 1000
        else:
            pause = 0 if self._stopping.is_set() else None
        with suppress(queue.Empty):
            self._next = self._calls.get(timeout=pause)

    def _take(self) -> list[QueuedCall]:
        """The next batch: what has come, up to write_batch, and as many of the deferred."""
        limit = self._settings.write_batch
        batch = [self._next] if self._next else []
        self._next = None
        with suppress(queue.Empty):
            while len(batch) < limit:
                if waiting := self._calls.get_nowait():
                    batch.append(waiting)
        batch.extend(self._deferred.popleft() for _ in range(min(limit, len(self._deferred))))
        return batch

    def _write(self, batch: list[QueuedCall]) -> None:
        """Carry a batch out; whatever happens, nobody waits for ever."""
        try:
            self._carry_out(batch)
        except Exception:
            log.exception("the writer failed on a batch of %d", len(batch))
        forgotten = [waiting for waiting in batch if waiting.outcome is None]
        if forgotten:
            deferred = {id(waiting) for waiting in self._deferred}
            for waiting in forgotten:
                if id(waiting) not in deferred:
                    waiting.fail(InternalError(NO_ANSWER))

    def _carry_out(self, batch: Iterable[QueuedCall]) -> None:
        now = time.monotonic()
        in_time = []
        for waiting in batch:
            if waiting.deadline > now:
                in_time.append(waiting)
            else:
                waiting.fail(Refusal("busy", "It could not be done in time: nothing was done, try again."))
        if in_time:
            self._send(in_time)

    def _send(self, batch: list[QueuedCall]) -> None:
        """Send a batch, again while connections break; then each has an outcome or is deferred."""
        why: Exception
        while True:
            try:
                connection = self._connection.connection()
            except DatabaseUnavailable:
                why = Refusal("busy", "The database is away: nothing was done, try again.")
                break
            try:
                self._ask(connection, batch)
                return
            except psycopg.Error as error:
                why = classify_error(error, connection)
                if not isinstance(why, DatabaseUnavailable):
                    self._connection.answered()
                    self._part(batch, error, why)
                    return
                self._connection.lost(why)
                for waiting in batch:
                    waiting.sent = True
                if self._connection.given_up:
                    break
        for waiting in batch:
            waiting.fail(why)

    def _ask(self, connection: psycopg.Connection, batch: list[QueuedCall]) -> None:
        self.on_batch(len(batch))
        calls = Raw(msgspec.json.encode([waiting.call for waiting in batch]))
        answered, done = [], []
        rows = connection.execute(BATCH, (calls,), prepare=True).fetchall()
        self._connection.answered()
        try:
            for n, refused, answer in rows:
                if answer is None:
                    self._deferred.append(batch[n])
                    continue
                batch[n].outcome = Answer(answer, refused)
                answered.append(batch[n])
                if not refused:
                    done.append((batch[n].call.args, answer))
        finally:
            release_callers(answered)
        if done:
            self.on_commit(done)

    def _part(self, batch: list[QueuedCall], error: psycopg.Error, trouble: Exception) -> None:
        """After a batch was rolled back: run its members alone. One that was alone is to blame itself."""
        if len(batch) > 1:
            log.warning("a batch of %d failed, its members run alone: %s", len(batch), error)
            if error.sqlstate == _LOCK_NOT_AVAILABLE:  # together they wait no longer than the batch has
                self._connection.wait_for_locks(max(1, self._settings.lock_wait_ms // len(batch)))
            for waiting in batch:
                self._write([waiting])
            self._connection.wait_for_locks(self._settings.lock_wait_ms)
        elif error.sqlstate == _EXCLUSION_VIOLATION and not batch[0].mended:
            self._recount(batch[0])
        elif error.sqlstate == _UNIQUE_VIOLATION and not batch[0].mended:
            batch[0].mended = True  # what it collided with is there to be seen now
            self._carry_out(batch)
        elif isinstance(trouble, SchemaChanged) and batch[0].retries < self._settings.upgrade_retries:
            batch[0].retries += 1
            self._carry_out(batch)
        else:
            trouble.__cause__ = error
            batch[0].fail(trouble)

    def _recount(self, waiting: QueuedCall) -> None:
        """Somebody wrote to the trip by hand: count anew what is taken of it, then try once more."""
        waiting.mended = True
        args = msgspec.json.decode(waiting.call.args)
        trip = args.get("reference") or f"{args.get('bus_id')} of {args.get('travel_date')}"
        try:
            ((seats,),) = self._connection.connection().execute(_RECOUNT, (waiting.call.args,))
        except (psycopg.Error, DatabaseUnavailable) as error:
            log.warning("tickets of %s were changed by hand, and could not be counted anew: %s", trip, error)
        else:
            log.warning("tickets of %s were changed by hand: %d seats corrected", trip, seats)
        self._carry_out([waiting])


class WriterConnection:
    """A connection as long as there can be one. stopping: set when the time for new attempts is over."""

    def __init__(self, url: str, settings: Settings, stopping: threading.Event) -> None:
        self._url, self._settings, self._stopping = url, settings, stopping
        self._connection: psycopg.Connection | None = None
        self._broken_at: float | None = None  # when it broke, until something succeeds again

    def open(self) -> None:
        """Connect, once. Raises DatabaseUnavailable."""
        try:
            self._connection = self._connect()
        except psycopg.Error as error:
            raise classify_error(error) from error

    def close(self) -> None:
        """Disconnect."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def connection(self) -> psycopg.Connection:
        """The connection, which nobody has hung up on; a new one where need be.

        After a break it tries for connect_seconds, and from then on once. Raises DatabaseUnavailable.
        """
        if self._connection and not _is_dead(self._connection):
            return self._connection
        if self._connection:
            self.lost(DatabaseUnavailable("the database closed the connection"))
        pause = _FIRST_PAUSE
        while True:
            try:
                self._connection = self._connect()
            except psycopg.Error as error:
                if time.monotonic() + pause >= self._give_up_at or self._stopping.wait(pause):
                    level = logging.WARNING if pause > _FIRST_PAUSE else logging.DEBUG  # still away: no news
                    log.log(level, "the database is away: %s", error)
                    raise classify_error(error) from error
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                log.info("connected to the database again")
                return self._connection

    def answered(self) -> None:
        """Something was answered: the next break is a new one."""
        self._broken_at = None

    def lost(self, why: DatabaseUnavailable) -> None:
        """It broke."""
        log.warning("lost the connection to the database: %s", why)
        if self._broken_at is None:
            self._broken_at = time.monotonic()
        self.close()

    @property
    def given_up(self) -> bool:
        """Whether it has been broken for too long to send anything again."""
        return self._stopping.is_set() or time.monotonic() >= self._give_up_at

    def wait_for_locks(self, milliseconds: int) -> None:
        """For a row, from now on; a connection that breaks over it is replaced by one that waits as told."""
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.execute(f"SET lock_timeout = {milliseconds:d}")

    def _connect(self) -> psycopg.Connection:
        """Connect and prevent breaking migrations. Raises psycopg.Error or DatabaseUnavailable."""
        connection = connect(self._url, self._settings, "writer", lock_timeout=self._settings.lock_wait_ms)
        try:
            hold_off_breaking_migrations(connection)
        except SchemaError as error:
            connection.close()
            raise DatabaseUnavailable(str(error)) from error
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def _give_up_at(self) -> float:
        return (self._broken_at or 0.0) + self._settings.connect_seconds


def _is_dead(connection: psycopg.Connection) -> bool:
    """Whether the other side has hung up on an idle connection: its last word, then the end."""
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return connection.closed
