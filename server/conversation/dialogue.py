"""The dialogue engine: it hands out the next step and takes its result.

A dialogue is a generator of steps: `Ask` the traveller, `Call` the server, `Show` a reply, `Tell` a text.
It receives the parsed answer of an Ask, and the reply or the `Refusal` of a Call. The TCP server and the
terminal client execute the steps; a dialogue uses no socket and no clock.

A generator cannot step back. So a Dialogue records all answers and replies; `back` starts the generator
again and feeds it the record up to the previous question. The calls after that question are dropped from the
record, because their replies may be out of date, and undone where possible: a hold is released.
"""

import re
import uuid
from collections import deque
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeGuard, TypeVar

import msgspec

from busware.server.conversation.cleaning import clean_text, cleaned
from busware.server.protocol import Refusal, Request, Say

T = TypeVar("T")

BACK, QUIT, HELP = "back", "quit", "help"
ALSO_QUIT = ("exit", "bye")
GUIDE = "Or type: back (previous question), quit (leave; nothing is changed)."
MAX_STEPS = 400  # answers and replies in one dialogue; a booking takes about 15
TOO_LONG = "This dialogue is too long. Nothing was booked. Start again."
LEFT = "You left the dialogue. Nothing was changed."
OUTCOME_UNKNOWN = "The server did not answer. Your last request may have been carried out."
RELEASED = "Your hold is released."
NOT_RELEASED = "Your hold could not be released. It expires by itself."
RETRY_QUESTION = "Press Enter to try again. Your answers are kept. Or type: back, quit."
NO_ANSWER = "no_answer"  # the reason of a refusal that stands for a missing reply; the server never sends it
_RETRYABLE_REASONS = ("busy", "draining", "outcome_unknown", NO_ANSWER)
_UNKNOWN_OUTCOME_REASONS = ("outcome_unknown", NO_ANSWER)
_END_OF_QUESTION_STEM = re.compile("[,(]")  # numbers and prices after it differ each time it is asked
_SAY_COMMAND = re.compile(r"say\s+(\S.*)", re.IGNORECASE)  # accepted at every question


class InvalidInput(Exception):
    """An answer or argument that is not valid; the message says what is."""


@dataclass(frozen=True)
class Context:
    """What a dialogue knows of its connection. with_names: ask for the names of passengers."""

    today: Callable[[], date]
    with_names: bool = False


@dataclass(frozen=True)
class Choice:
    """A possible answer to a question, with a description."""

    text: str
    about: str = ""


@dataclass(frozen=True)
class Ask:
    """A question. parse turns a line into the answer or raises InvalidInput.

    field: what the answer is (date, origin, seats …); a client may display a field in its own way.
    hint: the text of `help`. choices: possible answers, for completion.
    """

    prompt: str
    parse: Callable[[str], Any]
    field: str = ""
    hint: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Call:
    """A request to the server. undo: makes, from its reply, the request that reverses it."""

    request: Request
    undo: Callable[[Any], Request] | None = None


@dataclass(frozen=True)
class Show:
    """A reply to display. yours: the traveller's own seats in it. brief: its text for plain text, if set."""

    reply: msgspec.Struct
    yours: tuple[int, ...] = ()
    brief: str = ""


@dataclass(frozen=True)
class Tell:
    """A text to display.

    problem: it reports an error. last: in plain text, the connection ends after it. aside: it is left out in
    plain text, where programs rely on the lines of the published dialogues.
    """

    text: str
    problem: bool = False
    last: bool = False
    aside: bool = False


Step = Ask | Call | Show | Tell
Steps = Generator[Step, Any, T]


def no_answer(message: str) -> Refusal:
    """The result of a call that got no reply; the message says why."""
    return Refusal(NO_ANSWER, message)


def require(request: Request) -> Steps[Any]:
    """The reply to a request. Raises Refusal, which ends the dialogue unless it is caught."""
    reply = yield Call(request)
    if isinstance(reply, Refusal):
        raise reply
    return reply


def answered(question: Ask, typed: str) -> Steps[Any]:
    """The answer to a question: the text typed after the command, if it is valid. Otherwise asks."""
    if typed:
        try:
            return question.parse(typed)
        except InvalidInput as error:
            yield Tell(str(error), problem=True)
    return (yield question)


class Dialogue:
    """A dialogue in progress. `step` is the step to execute now; None at the end.

    begin: starts the generator. commands: words that begin another dialogue, and are no answers. new_key:
    makes an idempotency key; a call that is sent again keeps its key.
    """

    def __init__(
        self,
        begin: Callable[[], Steps[None]],
        commands: Collection[str] = (),
        new_key: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._begin = begin
        self._commands = commands
        self._new_key = new_key
        self._record: list[tuple[Step | None, Any]] = []
        self._inserted = deque[Step]()  # steps to execute before the generator's own step
        self._outcome_unknown = False  # whether a call that failed may have been carried out
        self._steps = begin()
        self._own: Step | None = self._resume(None)

    @property
    def step(self) -> Step | None:
        """The step to execute now."""
        return self._inserted[0] if self._inserted else self._own

    @property
    def doubt(self) -> Tell | None:
        """The warning for a traveller who leaves while the outcome of the last write is unknown."""
        call = self._own
        if self._outcome_unknown and isinstance(call, Call) and call.request.writes:
            return Tell(OUTCOME_UNKNOWN, problem=True)
        return None

    def shown(self) -> None:
        """Report that a Show or Tell was displayed."""
        if self._inserted:
            self._inserted.popleft()
        else:
            self._own = self._resume(None)

    def replied(self, reply: msgspec.Struct | Refusal) -> None:
        """Report the result of a Call."""
        call, reply = self.step, clean(reply)
        if not isinstance(call, Call):
            raise TypeError("there is no open call")
        if self._inserted:
            self._inserted.popleft()
            self._inserted.extendleft(self._after_inserted(call, reply))
        elif _is_retryable(reply):
            self._outcome_unknown |= reply.reason in _UNKNOWN_OUTCOME_REASONS
            self._inserted += (
                Tell(reply.message, problem=True),
                Ask(RETRY_QUESTION, lambda _: None, "retry"),
            )
        else:
            self._accept(reply)

    def answer(self, line: str) -> None:
        """Report the line typed at an Ask."""
        question = self.step
        if not isinstance(question, Ask):
            raise TypeError("there is no open question")
        typed = line.strip()
        match typed.lower():
            case "back":
                self._back()
            case word if word == QUIT or word in ALSO_QUIT:
                self._leave()
            case "help" | "?":
                self._inserted.extendleft(Tell(text) for text in (GUIDE, question.hint) if text)
            case _ if question.field != "name" and (message := _SAY_COMMAND.fullmatch(typed)):
                self._inserted.appendleft(Call(Say(text=message[1])))
            case _ if self._inserted:  # the retry question: the generator's own call is next
                self._inserted.popleft()
            case word:
                try:
                    self._accept(question.parse(typed))
                except InvalidInput as error:
                    command = word.partition(" ")[0]
                    hint = f" To use {command}, type quit first." if command in self._commands else ""
                    self._inserted.append(Tell(clean_text(f"{error}{hint}"), problem=True))

    def abandon(self) -> list[Request]:
        """End the dialogue of a traveller who is gone; return the requests that undo its calls."""
        undoing = self._forget(0) if self._own is not None else []
        self._inserted.clear()
        self._own = None
        return [call.request for call in undoing]

    def _accept(self, value: Any) -> None:
        """Record the result of the generator's own step, and continue."""
        self._record.append((self._own, value))
        self._outcome_unknown = False
        if len(self._record) > MAX_STEPS:
            self._leave(TOO_LONG)
        else:
            self._own = self._resume(value)

    def _resume(self, value: Any) -> Step | None:
        try:
            step = self._steps.send(value)
        except StopIteration:
            return None
        if isinstance(step, Call) and step.request.writes:
            return Call(self._with_new_key(step.request), step.undo)
        return step

    def _with_new_key(self, request: Request) -> Request:
        return msgspec.structs.replace(request, key=self._new_key())

    def _back(self) -> None:
        path = self._path()
        if not path:
            self._leave()
            return
        kept = 1 + max((n for n in range(path[-1]) if isinstance(self._record[n][0], Ask)), default=-1)
        self._inserted = deque[Step]([*self._forget(kept), *self._resolve_unknown_outcome()])
        self._outcome_unknown = False
        self._steps = self._begin()
        self._own = self._resume(None)
        for _, value in self._record:
            while isinstance(self._own, Show | Tell):
                self._own = self._resume(None)
            self._own = self._resume(value)

    def _path(self) -> list[int]:
        """The indexes in the record of the answers that led to the current question.

        A question that was asked again, such as for seats after the fare was declined, counts once, and the
        answers between the two times do not count.
        """
        path: dict[tuple[str, str], int] = {}
        for n, (step, _) in enumerate([*self._record, (self._own, None)]):
            if isinstance(step, Ask):
                question = (step.field, _END_OF_QUESTION_STEM.split(step.prompt, 1)[0])
                while question in path:
                    path.popitem()
                path[question] = n
        return [n for n in path.values() if n < len(self._record)]

    def _leave(self, message: str = LEFT) -> None:
        resolving = self._resolve_unknown_outcome()
        last = [] if self.doubt in resolving else [Tell(message)]
        self._inserted = deque[Step]([*self._forget(0), *resolving, *last])
        self._own = None

    def _resolve_unknown_outcome(self) -> list[Step]:
        """If the last write may have been carried out: send it again, to undo it; or else the warning."""
        if self.doubt is None:
            return []
        call = self._own
        return [call] if isinstance(call, Call) and call.undo else [self.doubt]

    def _after_inserted(self, call: Call, reply: msgspec.Struct | Refusal) -> list[Step]:
        """The step that follows an inserted call: a write that is sent again, a message, or an undo."""
        if isinstance(call.request, Say):
            return [say_outcome(reply)]
        if call.undo is None:
            return [undo_outcome(reply)]
        if _is_retryable(reply):
            self._inserted.clear()
            return [Tell(OUTCOME_UNKNOWN, problem=True)]
        return [] if isinstance(reply, Refusal) else [Call(self._with_new_key(call.undo(reply)))]

    def _forget(self, kept: int) -> list[Call]:
        """Drop the record from an index on; return the calls that undo what it wrote, the last one first."""
        dropped = [(step, value) for step, value in self._record[kept:] if isinstance(step, Call)]
        del self._record[kept:]
        sent = [msgspec.structs.replace(s.request, key=None) for s, _ in dropped if s.request.writes]
        undoing = [
            step.undo(value)
            for step, value in reversed(dropped)
            if step.undo is not None and not isinstance(value, Refusal)
        ]
        return [Call(self._with_new_key(request)) for request in undoing if request not in sent]


def say_outcome(reply: msgspec.Struct | Refusal) -> Tell:
    """The text after a message to the operator."""
    if isinstance(reply, Refusal):
        return Tell(reply.message, problem=True)
    return Tell("Sent to the operator.")


def undo_outcome(reply: msgspec.Struct | Refusal) -> Tell:
    """The text after a hold was released because the traveller left or went back."""
    if isinstance(reply, Refusal) and reply.reason == "already_booked":
        return Tell(reply.message, problem=True)
    return Tell(NOT_RELEASED, problem=True) if _is_retryable(reply) else Tell(RELEASED)


def _is_retryable(reply: msgspec.Struct | Refusal) -> TypeGuard[Refusal]:
    """Whether the same request may succeed if it is sent again."""
    return isinstance(reply, Refusal) and reply.reason in _RETRYABLE_REASONS


def clean(reply: T) -> T:
    """The same reply or refusal without control characters in its texts."""
    if isinstance(reply, Refusal):
        return Refusal(reply.reason, clean_text(reply.message), **cleaned(reply.data))  # type: ignore[return-value]
    return msgspec.convert(cleaned(msgspec.to_builtins(reply)), type(reply))
