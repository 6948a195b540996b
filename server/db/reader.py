"""The reads: one statement at a time on each connection, and what comes meanwhile goes together.

Whoever asks while a connection is free sends the question there and then, in their own thread. While all
connections are at work, questions wait, and what several ask alike is one question. As soon as a connection
is free, one of those who wait sends its share of the questions that wait, up to read_batch, in one statement.
As with the writes, that costs less than a statement for each; and on the day of a sale, when thousands want
to know the same, it costs next to nothing. Nobody joins a question that was sent already, so that no answer
is older than the request for it.
"""

import threading
import time
from itertools import islice
from typing import Any

import msgspec
from msgspec import Raw

from busware.server.db.pool import InternalError, Overloaded, Pool
from busware.server.protocol import Answer, Refusal
from busware.server.settings import Settings

_ONE = "SELECT 0, refused, answer FROM api.read(%s, %s)"
_SEVERAL = """
SELECT n - 1, r.refused, r.answer
FROM ROWS FROM (jsonb_to_recordset(%s) AS (method text, args jsonb)) WITH ORDINALITY AS c (method, args, n),
     LATERAL api.read(c.method, c.args) AS r
"""


class _Question:
    """A question, and those who ask it. turn: whoever gets it before the question is sent sends it.

    asking: how many they are. called: whether it is to be sent next, and its turn there to be taken.
    """

    __slots__ = ("args", "asking", "called", "method", "outcome", "sent", "turn")

    def __init__(self, method: str, args: bytes) -> None:
        self.method = method
        self.args = args
        self.asking = 0
        self.called = False
        self.sent = False
        self.outcome: Answer | Exception = InternalError("the read failed before there was an answer")
        self.turn = threading.Lock()


class Reader:
    """The way of every read to the database. `read` may be called from any thread."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool, self._settings = pool, settings
        self._door = threading.Lock()  # to the two that follow, and to `asking`, `called` and `sent`
        self._unsent: dict[tuple[str, bytes], _Question] = {}
        self._free = settings.read_connections  # how many more may send at once

    @property
    def waiting(self) -> int:
        """How many wait for their question to be sent."""
        with self._door:
            return sum(question.asking for question in self._unsent.values())

    def read(self, method: str, args: bytes) -> Answer:
        """What api.read answers. Raises Refusal (busy, draining) or InternalError."""
        question = self._join(method, args)
        if not question.turn.acquire(timeout=self._settings.read_wait_seconds):
            self._leave(question)
            question.turn.acquire()
        try:
            if not question.sent:
                self._send(question)
        finally:
            question.turn.release()  # to the others who ask it
        if isinstance(question.outcome, Answer):
            return question.outcome
        raise _again(question.outcome)

    def _join(self, method: str, args: bytes) -> _Question:
        """The question as it waits already, or a new one, which is called when a connection is free."""
        with self._door:
            question = self._unsent.get((method, args))
            if question is None:
                question = self._unsent[method, args] = _Question(method, args)
                if self._free:
                    self._free -= 1
                    question.called = True
                else:
                    question.turn.acquire()
            question.asking += 1
            return question

    def _leave(self, question: _Question) -> None:
        """Ask no longer; raises Refusal, unless the question is about to be sent, or was."""
        with self._door:
            if question.called or question.sent:
                return
            question.asking -= 1
            if not question.asking:
                del self._unsent[question.method, question.args]
        raise Refusal("busy", "Too many are asking: nothing was done, try again.")

    def _send(self, called: _Question) -> None:
        """Fetch the outcome of a question, and of others that wait; then pass the turn on."""
        with self._door:
            share = len(self._unsent) // self._settings.read_connections
            batch = [called, *self._uncalled(min(share, self._settings.read_batch - 1))]
            for question in batch:
                question.sent = True
                del self._unsent[question.method, question.args]
        try:
            self._fetch(batch)
        finally:
            for question in batch[1:]:
                question.turn.release()
            self._pass_on()

    def _pass_on(self) -> None:
        """Call the next question; where none waits, one more may send at once."""
        with self._door:
            following = self._uncalled(1)
            for question in following:
                question.called = True
            self._free += not following
        for question in following:
            question.turn.release()

    def _uncalled(self, most: int) -> list[_Question]:
        """The oldest of the questions that wait, as many as there are up to so many."""
        return list(islice((one for one in self._unsent.values() if not one.called), most))

    def _fetch(self, batch: list[_Question]) -> None:
        """Give each question of a batch its outcome."""
        try:
            for n, refused, answer in self._pool.ask(*_asked(batch)):
                batch[n].outcome = Answer(answer, refused)
        except (Refusal, InternalError) as error:
            for question in batch:
                question.outcome = error
            if len(batch) > 1 and isinstance(error, InternalError | Overloaded):
                self._part(batch)

    def _part(self, batch: list[_Question]) -> None:
        """After a statement failed: its questions alone, while there is time, so that none harms another."""
        give_up_at = time.monotonic() + self._settings.read_wait_seconds
        for question in batch:
            if time.monotonic() < give_up_at:
                self._fetch([question])


def _asked(batch: list[_Question]) -> tuple[str, tuple[Any, ...]]:
    """The statement and its parameters; a question alone is asked the short way, which its caller notices."""
    if len(batch) == 1:
        return _ONE, (batch[0].method, Raw(batch[0].args))
    calls = [{"method": question.method, "args": Raw(question.args)} for question in batch]
    return _SEVERAL, (Raw(msgspec.json.encode(calls)),)


def _again(outcome: Exception) -> Exception:
    """The same for one who asks: an exception that many raise collects the frames of all."""
    mine: Refusal | InternalError = InternalError(str(outcome))
    if isinstance(outcome, Refusal):
        mine = Refusal(outcome.reason, outcome.message, **outcome.data)
    mine.__cause__ = outcome
    return mine
