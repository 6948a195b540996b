"""The engine of a conversation: hands out what is to be done next, and takes what came of it.

A script is a generator. It yields steps: `Ask` the traveller, `Call` the server, `Show` a reply,
`Tell` a sentence; it receives the parsed answer, or the reply, or the `Refusal`. A face carries the
steps out and knows nothing of their order; a script knows neither sockets nor clocks.

A generator cannot step back. So a Dialogue records every answer and every reply; `back` begins the
script anew and feeds it the record up to the question before. What was called between that question
and this one is forgotten, since it may have changed, and undone where it can be (a hold is given up).
"""

import re
import uuid
from collections import deque
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar

import msgspec

from busware.server.conversation.cleaning import clean_text, cleaned
from busware.server.protocol import Refusal, Request, Say

T = TypeVar("T")

BACK, QUIT, HELP = "back", "quit", "help"
ALSO_QUIT = ("exit", "bye")
GUIDE = "Or type: back (the question before), quit (leave this; nothing is changed)."
MAX_STEPS = 400  # answers and replies of one conversation; a booking takes about 15
TOO_LONG = "This has gone on for too long; nothing is booked. Begin again."
LEFT = "Left; nothing was changed."
UNSURE = "No answer came: what you asked for last may have been done."
GIVEN_UP = "What was held for you is given up."
NOT_GIVEN_UP = "What was held for you could not be given up now; it comes free by itself when its time is up."
TRY_AGAIN = "Press Enter to try again; what you typed is kept. Or back, or quit."
# Refusals that say: ask the same again.
_PASSING = ("busy", "draining", "outcome_unknown")


class Problem(Exception):
    """An answer that the question does not take; the message tells the traveller what it takes."""


@dataclass(frozen=True)
class Choice:
    """One of the answers that a question takes; about: what a person wants to know of it."""

    text: str
    about: str = ""


@dataclass(frozen=True)
class Ask:
    """A question. parse turns a line into the answer or raises Problem.

    field: what is asked for (date, origin, seats …), by which a face chooses how to ask. hint: what
    `help` says about it. choices: what may be typed, for completion.
    """

    prompt: str
    parse: Callable[[str], Any]
    field: str = ""
    hint: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Call:
    """A request to the server. undo: the request that takes a reply of it back."""

    request: Request
    undo: Callable[[Any], Request] | None = None


@dataclass(frozen=True)
class Show:
    """A reply to be shown.

    yours: the traveller's own seats in it. brief: the words for it of a face that draws no pictures.
    """

    reply: msgspec.Struct
    yours: tuple[int, ...] = ()
    brief: str = ""


@dataclass(frozen=True)
class Tell:
    """A sentence to be told.

    problem: it tells what is wrong. last: with it, a plain connection ends, and nothing more of the script
    is seen there. aside: it is not told in plain text, where people's scripts know which lines come.
    """

    text: str
    problem: bool = False
    last: bool = False
    aside: bool = False


@dataclass(frozen=True)
class Failed:
    """What came of a call that got no answer; the message says why."""

    message: str


Step = Ask | Call | Show | Tell
Steps = Generator[Step, Any, T]


class Dialogue:
    """One conversation under way. `step` is what the face has to do now; None when it is over.

    begin: the script. commands: words that begin another one, and are no answers. new_key: makes an
    idempotency key; a call that is tried again keeps its own.
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
        self._first = deque[Step]()  # what is to be done before the script's own step
        self._unsure = False  # whether the call that failed may have been done all the same
        self._steps = begin()
        self._own: Step | None = self._resume(None)

    @property
    def step(self) -> Step | None:
        """What the face has to do now."""
        return self._first[0] if self._first else self._own

    @property
    def doubt(self) -> Tell | None:
        """What to tell whoever leaves while it is not known whether their last write was done."""
        asked = self._own
        if self._unsure and isinstance(asked, Call) and asked.request.writes:
            return Tell(UNSURE, problem=True)
        return None

    def shown(self) -> None:
        """The step was a Show or a Tell, and the traveller has seen it."""
        if self._first:
            self._first.popleft()
        else:
            self._own = self._resume(None)

    def replied(self, reply: msgspec.Struct | Refusal | Failed) -> None:
        """The step was a Call, and this came of it."""
        reply = clean(reply)
        if self._first:
            done = self._first.popleft()
            if isinstance(done, Call) and done.undo:
                self._settled(done.undo, reply)
            elif isinstance(done, Call) and isinstance(done.request, Say):
                self._first.appendleft(said(reply))
            else:
                self._first.appendleft(given_up(reply))
        elif _is_passing(reply):
            self._unsure |= not isinstance(reply, Refusal) or reply.reason == "outcome_unknown"
            self._first += (Tell(reply.message, problem=True), Ask(TRY_AGAIN, lambda _: None, "retry"))
        else:
            self._take(reply)

    def answer(self, line: str) -> None:
        """The step was an Ask, and the traveller typed this."""
        asked = self.step
        if not isinstance(asked, Ask):
            raise TypeError("nothing was asked")
        typed = line.strip()
        match typed.lower():
            case "back":
                self._back()
            case word if word == QUIT or word in ALSO_QUIT:
                self._leave()
            case "help" | "?":
                self._first.extendleft(Tell(line) for line in (GUIDE, asked.hint) if line)
            case _ if asked.field != "name" and (message := _SAY.fullmatch(typed)):
                self._first.appendleft(Call(Say(text=message[1])))
            case _ if self._first:  # try again: the script's own call is the step now
                self._first.popleft()
            case _:
                self._judge(asked, typed)

    def abandon(self) -> list[Request]:
        """End it, because the traveller has gone: what is to be asked of the server to undo its calls."""
        undone = self._forget(0) if self._own is not None else []
        self._first.clear()
        self._own = None
        return [call.request for call in undone]

    def _judge(self, asked: Ask, typed: str) -> None:
        try:
            self._take(asked.parse(typed))
        except Problem as problem:
            word = typed.lower().partition(" ")[0]
            way = f" To begin {word}, quit this first." if word in self._commands else ""
            self._first.append(Tell(clean_text(f"{problem}{way}"), problem=True))

    def _take(self, value: Any) -> None:
        """Record what came of the script's own step, and go on with it."""
        self._record.append((self._own, value))
        self._unsure = False
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
            return Call(msgspec.structs.replace(step.request, key=self._new_key()), step.undo)
        return step

    def _back(self) -> None:
        way = self._way()
        if not way:
            self._leave()
            return
        before = [n for n in range(way[-1]) if isinstance(self._record[n][0], Ask)]
        kept = before[-1] + 1 if before else 0
        self._first = deque[Step]([*self._forget(kept), *self._settling()])
        self._unsure = False
        self._steps = self._begin()
        self._own = self._resume(None)
        for _, value in self._record:
            while isinstance(self._own, Show | Tell):
                self._own = self._resume(None)
            self._own = self._resume(value)

    def _way(self) -> list[int]:
        """The answers that led to this question, by their number in the record.

        Without the ways round that led back to a question: from the seats to a fare that was declined.
        """
        way: list[tuple[tuple[str, str], int]] = []
        for n, (step, _) in enumerate([*self._record, (self._own, None)]):
            if isinstance(step, Ask):
                asked = (step.field, _BEGINNING.split(step.prompt, 1)[0])
                been = [question for question, _ in way]
                way = [*way[: been.index(asked) if asked in been else None], (asked, n)]
        return [n for _, n in way if n < len(self._record)]

    def _leave(self, told: str = LEFT) -> None:
        settling = self._settling()
        last = [] if self.doubt in settling else [Tell(told)]
        self._first = deque[Step]([*self._forget(0), *settling, *last])
        self._own = None

    def _settling(self) -> list[Step]:
        """Where the last write may have been done: the same once more, to be undone; or the doubt."""
        if self.doubt is None:
            return []
        asked = self._own
        return [asked] if isinstance(asked, Call) and asked.undo else [self.doubt]

    def _settled(self, undo: Callable[[Any], Request], reply: msgspec.Struct | Refusal | Failed) -> None:
        """What came of it when it was asked again."""
        if _is_passing(reply):
            self._first = deque[Step]([Tell(UNSURE, problem=True)])
        elif not isinstance(reply, Refusal):
            self._first.appendleft(Call(msgspec.structs.replace(undo(reply), key=self._new_key())))

    def _forget(self, kept: int) -> list[Call]:
        """Drop the record from there on; the calls that undo what was done in it, the last one first."""
        dropped = [(step, value) for step, value in self._record[kept:] if isinstance(step, Call)]
        del self._record[kept:]
        undone = [msgspec.structs.replace(s.request, key=None) for s, _ in dropped if s.request.writes]
        undoing = [
            step.undo(value)
            for step, value in reversed(dropped)
            if step.undo is not None and not isinstance(value, Refusal)
        ]
        return [
            Call(msgspec.structs.replace(request, key=self._new_key()))
            for request in undoing
            if request not in undone  # by the script itself
        ]


_BEGINNING = re.compile("[,(]")  # up to there a question has the same words whenever it is asked
_SAY = re.compile(r"say\s+(\S.*)", re.IGNORECASE)  # a line for the operator, at any question


def said(reply: msgspec.Struct | Refusal | Failed) -> Tell:
    """What to tell whoever has said something to the operator."""
    if isinstance(reply, Refusal | Failed):
        return Tell(reply.message, problem=True)
    return Tell("Sent to the operator.")


def given_up(reply: msgspec.Struct | Refusal | Failed) -> Tell:
    """What to tell of a call that was to be undone, such as a hold that is to be given up."""
    if isinstance(reply, Refusal) and reply.reason == "already_booked":
        return Tell(reply.message, problem=True)
    return Tell(NOT_GIVEN_UP, problem=True) if _is_passing(reply) else Tell(GIVEN_UP)


def _is_passing(reply: msgspec.Struct | Refusal | Failed) -> TypeGuard[Refusal | Failed]:
    """Whether there was no answer, or one that says: ask the same again."""
    return isinstance(reply, Failed) or (isinstance(reply, Refusal) and reply.reason in _PASSING)


def clean(reply: T) -> T:
    """The same reply, or refusal, with every text in it cleaned."""
    if isinstance(reply, Refusal):
        return Refusal(reply.reason, clean_text(reply.message), **cleaned(reply.data))  # type: ignore[return-value]
    if isinstance(reply, Failed):
        return Failed(clean_text(reply.message))  # type: ignore[return-value]
    return msgspec.convert(cleaned(msgspec.to_builtins(reply)), type(reply))
