"""A write, and the caller who waits for it, as the writer has them in its queue.

A caller waits on a lock of its own, which is cheaper than any event. Those of a batch are not woken all at
once, since each would ask for the interpreter while the writer still has it: each lets the next one go.
"""

import logging
import threading
from itertools import pairwise

from msgspec import Raw, Struct

from server.storage import Fault
from server.wire import Answer, Refusal

log = logging.getLogger("busware.writer")

NO_ANSWER = "the writer failed before there was an answer"


class Call(Struct, frozen=True):
    """One write. args: its JSON. caller, key: whose idempotency key; an empty key is replaced."""

    method: str
    args: Raw
    caller: str = ""
    key: str = ""


class Waiting:
    """A call and the caller who waits for it: `done` is a lock that is let go when there is an outcome.

    next: whom the caller lets go in turn (`let_go`).
    """

    __slots__ = ("call", "deadline", "done", "mended", "next", "outcome", "sent")

    def __init__(self, call: Call, deadline: float) -> None:
        self.call = call
        self.deadline = deadline
        self.sent = False  # on a connection that broke: it may have been done
        self.mended = False
        self.outcome: Answer | Exception | None = None
        self.next: Waiting | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def wait(self) -> Answer:
        """The answer; blocks until there is one, or raises why there is none."""
        self.done.acquire()
        if self.next is not None:
            self.next.done.release()
        if isinstance(self.outcome, Answer):
            return self.outcome
        raise self.outcome or Fault(NO_ANSWER)

    def fail(self, why: Exception) -> None:
        """Let the caller go without an answer; why is not the whole truth if an earlier try was lost."""
        if self.sent:
            log.warning("the outcome of a %s is unknown: %s", self.call.method, why)
            message = "The database went away before it answered: ask again with the same key."
            why = Refusal("outcome_unknown", message)
        self.outcome = why
        self.done.release()


def let_go(answered: list[Waiting]) -> None:
    """Let the callers go who have an answer, each by the one before."""
    for one, after in pairwise(answered):
        one.next = after
    if answered:
        answered[0].done.release()
