"""The reader: executes the reads of the protocol (api.read); reads that wait share a statement.

While a connection is free, a caller sends its read at once, in its own thread. While all connections are in
use, reads wait; callers with equal reads (same method, same args) share one. When a connection becomes free,
it executes the oldest waiting read together with the next ones, up to read_batch in one statement, and leaves
an equal share to the other connections. This costs less than a statement for each read. Thousands of callers
with the same read cost little more than one. A caller never joins a read that was already sent, so no answer
is older than its request.
"""

import threading
import time
from itertools import islice

import msgspec
from msgspec import Raw

from busware.server.db.pool import InternalError, Overloaded, Pool
from busware.server.db.standby import StandbyReads
from busware.server.protocol import Answer, Refusal
from busware.server.settings import Settings

_READ = "SELECT 0, refused, answer FROM api.read(%s, %s)"
_READ_BATCH = """
SELECT n - 1, r.refused, r.answer
FROM ROWS FROM (jsonb_to_recordset(%s) AS (method text, args jsonb)) WITH ORDINALITY AS c (method, args, n),
     LATERAL api.read(c.method, c.args) AS r
"""


class _Read:
    """A read, shared by all callers that sent the same one while it waited.

    turn: a lock, held while the read waits for a connection. The first caller to acquire it sends the read.
    outcome: None until the read is sent.
    """

    __slots__ = ("args", "callers", "method", "outcome", "turn")

    def __init__(self, method: str, args: bytes) -> None:
        self.method = method
        self.args = args
        self.callers = 1
        self.outcome: Answer | Exception | None = None
        self.turn = threading.Lock()


class Reader:
    """Sends reads to the database. `read` may be called from any thread."""

    def __init__(self, pool: Pool | StandbyReads, settings: Settings) -> None:
        self._pool, self._settings = pool, settings
        self._lock = threading.Lock()  # guards the next two attributes
        self._waiting: dict[tuple[str, bytes], _Read] = {}  # oldest first; empty while a connection is free
        self._free = settings.read_connections  # the number of connections that execute no read

    @property
    def waiting(self) -> int:
        """The number of callers whose read waits for a connection."""
        with self._lock:
            return sum(read.callers for read in self._waiting.values())

    def read(self, method: str, args: bytes) -> Answer:
        """Return the answer of api.read. Raises Refusal (busy, draining) or InternalError."""
        read = self._join(method, args)
        if not read.turn.acquire(timeout=self._settings.read_wait_seconds):
            self._leave(read)
            read.turn.acquire()
        try:
            if read.outcome is None:
                self._send(read)
        finally:
            read.turn.release()  # to the next caller of the same read
        if isinstance(read.outcome, Answer):
            return read.outcome
        # a copy for each caller: an exception that several threads raise collects the frames of all of them
        if isinstance(read.outcome, Refusal):
            raise Refusal(read.outcome.reason, read.outcome.message, **read.outcome.data) from read.outcome
        raise InternalError(str(read.outcome)) from read.outcome

    def _join(self, method: str, args: bytes) -> _Read:
        """The waiting read with this content, or a new one, which is sent at once if a connection is free."""
        with self._lock:
            if read := self._waiting.get((method, args)):
                read.callers += 1
                return read
            read = _Read(method, args)
            if self._free:
                self._free -= 1
            else:
                self._waiting[method, args] = read
                read.turn.acquire()
            return read

    def _leave(self, read: _Read) -> None:
        """Remove a caller whose time is up, and raise Refusal, unless the read has just got a connection."""
        with self._lock:
            if self._waiting.get((read.method, read.args)) is not read:
                return
            read.callers -= 1
            if not read.callers:
                del self._waiting[read.method, read.args]
        raise Refusal("busy", "Too many reads are waiting: nothing was done, try again.")

    def _send(self, first: _Read) -> None:
        """Execute a read with a share of the waiting ones, then pass the connection to the next one."""
        with self._lock:
            share = len(self._waiting) // self._settings.read_connections
            batch = [first, *self._pop(min(share, self._settings.read_batch - 1))]
        for read in batch:
            read.outcome = InternalError("the read failed before there was an answer")
        try:
            self._execute(batch)
        finally:
            with self._lock:
                next_reads = self._pop(1)
                self._free += not next_reads
            for read in (*batch[1:], *next_reads):
                read.turn.release()

    def _pop(self, count: int) -> list[_Read]:
        """Remove up to `count` of the oldest waiting reads."""
        return [self._waiting.pop(key) for key in [*islice(self._waiting, count)]]

    def _execute(self, batch: list[_Read]) -> None:
        """Set the outcome of each read. If a batch fails, execute its reads one by one until the deadline."""
        statement, parameters = _READ, [batch[0].method, Raw(batch[0].args)]
        if len(batch) > 1:
            calls = [{"method": read.method, "args": Raw(read.args)} for read in batch]
            statement, parameters = _READ_BATCH, [Raw(msgspec.json.encode(calls))]
        try:
            for n, refused, answer in self._pool.execute(statement, parameters):
                batch[n].outcome = Answer(answer, refused)
        except (Refusal, InternalError) as error:
            for read in batch:
                read.outcome = error
            if len(batch) > 1 and isinstance(error, InternalError | Overloaded):
                deadline = time.monotonic() + self._settings.read_wait_seconds
                for read in batch:
                    if time.monotonic() < deadline:
                        self._execute([read])
