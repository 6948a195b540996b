"""The dialogue engine: it returns the next step, and receives the result of that step.

A dialogue is a generator of steps: `Ask` the traveller, `Call` the server, `Show` a reply, `Tell` a text.
It receives the parsed answer of an Ask, and the reply or the `Refusal` of a Call. The TCP server and the
terminal client execute the steps; a dialogue uses no socket and no clock.

A generator cannot step back. So a Dialogue records all answers and replies; `back` starts the generator
again and feeds it the record up to the previous question. The calls after that question are dropped from the
record, because their replies may be out of date, and undone where possible: a hold is released.
"""

import re
import uuid
from collections.abc import Callable, Collection, Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeGuard, TypeVar

import msgspec

from busware.server.protocol import (
    Booking,
    GetBooking,
    Hold,
    Refusal,
    Release,
    Request,
    Say,
    clean_text,
    fold_name,
    normalize_text,
)

T = TypeVar("T")

BACK, QUIT, HELP = "back", "quit", "help"
CHOOSE = "choose"  # after a command that would book at once: the dialogue asks, and shows the fare, first
QUIT_SYNONYMS = ("exit", "bye")
GUIDE = "Or type: back (previous question), quit (leave), say TEXT (ask the operator)."
NOT_GIVEN = object()
MAX_OPENED_BOOKINGS = 20  # of a connection; an earlier one is opened by its phone number again
MAX_STEPS = 400  # answers and replies in one dialogue; a booking takes about 15
TOO_LONG = "This dialogue is too long. Nothing was booked. Start again."
LEFT_DIALOGUE = "You left the dialogue."
NOTHING_CHANGED = f"{LEFT_DIALOGUE} Nothing was changed."
OUTCOME_UNKNOWN = "The server did not answer. Your last request may have been carried out."
RELEASED = "Your hold is released."
NOT_RELEASED = "Your hold could not be released. It expires by itself."
RETRY_QUESTION = "Press Enter to try again. Your answers are kept. Or type: back, quit."
SAY_WITHOUT_TEXT = "Type say and the message on one line, such as: say Where is my bus?"
_RETRY = "retry"  # the field of RETRY_QUESTION
NO_ANSWER = "no_answer"  # the reason of a refusal that stands for a missing reply; the server never sends it
_RETRYABLE_REASONS = ("busy", "draining", "outcome_unknown", NO_ANSWER)
_UNKNOWN_OUTCOME_REASONS = ("outcome_unknown", NO_ANSWER)
_END_OF_QUESTION_STEM = re.compile("[,(]")  # numbers and prices after it differ each time it is asked
_ANSWER_FOR_ENTER = re.compile(r"\((?:Enter: |such as ).*?(?=; |\):?$)")  # in the text of a question
_SAY_COMMAND = re.compile(r"say\s+(\S.*)", re.IGNORECASE)  # accepted at every question


class InvalidInput(Exception):
    """An answer or argument that is not valid; the message says what is."""


class OpenedBookings:
    """The requests that open the bookings which were made or opened over a connection."""

    def __init__(self) -> None:
        self._requests: dict[str, GetBooking] = {}  # by reference, in the order of their last use
        self._ended: set[str] = set()  # the references of those that were cancelled or had expired then

    def record(self, request: Request, reply: object) -> None:
        """Record the booking that a request has made or opened.

        A hold is not recorded: the dialogue that makes it confirms or releases it.
        """
        if not isinstance(reply, Booking) or isinstance(request, Hold | Release):
            return
        self._requests.pop(reply.reference, None)
        self._requests[reply.reference] = GetBooking(
            reference=reply.reference, phone=getattr(request, "phone", None)
        )
        while len(self._requests) > MAX_OPENED_BOOKINGS:
            del self._requests[next(iter(self._requests))]
        if reply.status in ("cancelled", "expired"):
            self._ended.add(reply.reference)
        self._ended &= self._requests.keys()

    @property
    def last(self) -> str:
        """The reference of the booking that was made or opened last; of one that has not ended, if possible.

        Empty if there is none.
        """
        last = next(reversed(self._requests), "")
        return next((one for one in reversed(self._requests) if one not in self._ended), last)

    def request(self, reference: str) -> GetBooking | None:
        """The request that opens a booking, if it was made or opened."""
        return self._requests.get(reference)


@dataclass(frozen=True)
class Context:
    """What a dialogue knows of its connection.

    extended: differ from the published dialogues of plain text, on whose lines programs rely: ask for both
    places first, have an answer for Enter, take the names of passengers, ask for the performance, and ask
    whether to book a flight or the seats of a show.
    opened: the bookings that were made or opened. last_phone: the phone number that was given last. repeats:
    the dialogue begins again when it has ended.
    """

    today: Callable[[], date]
    extended: bool = False
    opened: OpenedBookings = field(default_factory=OpenedBookings)
    last_phone: str | None = None
    repeats: bool = False


@dataclass(frozen=True)
class Choice:
    """A possible answer to a question, with a description. if_typed: offered once its beginning is typed."""

    text: str
    about: str = ""
    if_typed: bool = False


@dataclass(frozen=True)
class Ask:
    """A question. parse turns a line into the answer or raises InvalidInput.

    field: what the answer is (date, origin, seats …); a client may display a field in its own way.
    hint: the text of `help`. choices: possible answers, for completion.
    numbered: the number of a choice, from 1, is an answer too.
    enter: what an empty line has answered, as a sentence to display. echo: the same for a typed line, made
    from that line and its answer; empty if there is nothing to say.
    given: the answer, if it was typed with the command. The question is only asked after `back`.
    again: turns an answer into a line that means it. With it, an empty line repeats the last answer when the
    question is asked again.
    """

    prompt: str
    parse: Callable[[str], Any]
    field: str = ""
    hint: str = ""
    choices: tuple[Choice, ...] = ()
    numbered: bool = False
    enter: str = ""
    echo: Callable[[str, Any], str] = lambda typed, answer: ""
    given: Any = NOT_GIVEN
    again: Callable[[Any], str] | None = None

    def repeating(self, line: str) -> "Ask":
        """The question, in which an empty line means `line`; unchanged if `line` is no valid answer."""
        try:
            self.parse(line)
        except InvalidInput:
            return self
        enter = f"(Enter: {line}"
        prompt, replaced = _ANSWER_FOR_ENTER.subn(lambda _: enter, self.prompt, count=1)
        if not replaced:
            prompt = f"{self.prompt.rstrip(':')} {enter}):"
        stem = self.identity[1].rstrip("?")
        return replace(
            self, prompt=prompt, parse=lambda typed: self.parse(typed or line), enter=f"{stem}: {line}."
        )

    def known(self, answer: Any) -> "Ask":
        """The same question, with its answer given; unchanged if the answer is None."""
        return self if answer is None else replace(self, given=answer)

    def explained(self, beginning: str) -> list[str]:
        """The texts after `?`: the hint; if a beginning follows `?`, the choices that begin with it."""
        if not (beginning and self.choices):
            return [text for text in (self.hint, GUIDE) if text]
        folded = fold_name(beginning)
        if found := [choice.text for choice in self.choices if fold_name(choice.text).startswith(folded)]:
            return [f"{', '.join(found)}."]
        return [f'No answer in the list begins with "{beginning}".', *self.explained("")]

    @property
    def identity(self) -> tuple[str, str]:
        """The field and the part of the prompt that are the same each time the question is asked."""
        return self.field, _END_OF_QUESTION_STEM.split(self.prompt, 1)[0].rstrip(" :")

    @property
    def text(self) -> str:
        """The question as text: numbered choices have a line of their own above the prompt."""
        options = ", ".join(f"{n} {choice.text}" for n, choice in enumerate(self.choices, 1))
        return f"{options}\n{self.prompt}" if self.numbered else self.prompt


@dataclass(frozen=True)
class Call:
    """A request to the server. undo: makes, from its reply, the request that reverses it."""

    request: Request
    undo: Callable[[Any], Request] | None = None


@dataclass(frozen=True)
class Show:
    """A reply to display. own_seats: the traveller's seats in it. brief: its text for plain text, if set."""

    reply: msgspec.Struct
    own_seats: tuple[int, ...] = ()
    brief: str = ""


@dataclass(frozen=True)
class Tell:
    """A text to display. problem: it reports an error. last: in plain text, the connection ends after it."""

    text: str
    problem: bool = False
    last: bool = False


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
            question = question.known(question.parse(typed))
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
        # A stack of steps to execute before the dialogue continues, each with its current step.
        self._interludes: list[tuple[Steps[None], Step]] = []
        self._reopened: tuple[str, str] | None = None  # the question to which `back` has returned
        self._lines: dict[tuple[str, str], str] = {}  # by question: the line that repeats its last answer
        self._shown_problems: list[Tell] = []  # the problems shown; `back` does not show them again
        self._outcome_unknown = False  # whether a call that failed may have been carried out
        self._steps = begin()
        self._main_step: Step | None = None  # of the dialogue itself, not of an interlude
        self._continue(None)

    @property
    def step(self) -> Step | None:
        """The step to execute now."""
        return self._interludes[-1][1] if self._interludes else self._main_step

    @property
    def unresolved(self) -> Call | None:
        """The last write, if it may have been carried out although no reply came."""
        call = self._main_step
        return call if self._outcome_unknown and isinstance(call, Call) and call.request.writes else None

    @property
    def at_first_question(self) -> bool:
        """Whether the open question is the first one of the dialogue itself."""
        return isinstance(self._main_step, Ask) and not self._path()

    def shown(self) -> None:
        """Report that a Show or Tell was displayed."""
        if self._interludes:
            self._continue_interlude(None)
        else:
            if isinstance(self._main_step, Tell) and self._main_step.problem:
                self._shown_problems.append(self._main_step)
            self._continue(None)

    def replied(self, reply: msgspec.Struct | Refusal) -> None:
        """Report the result of a Call."""
        reply = clean(reply)
        if _is_retryable(reply) and not self._interludes:
            self._outcome_unknown |= reply.reason in _UNKNOWN_OUTCOME_REASONS
            retry = Ask(RETRY_QUESTION, lambda _: None, _RETRY)
            self._interrupt(_sequence(Tell(reply.message, problem=True), retry))
        else:
            self._accept(reply)

    def answer(self, line: str) -> None:
        """Report the line typed at an Ask."""
        question = self.step
        if not isinstance(question, Ask):
            raise TypeError("there is no open question")
        typed = normalize_text(line)
        match typed.lower():
            case "back":
                self._back()
            case word if word == QUIT or word in QUIT_SYNONYMS:
                self._leave()
            case word if word.partition(" ")[0] == HELP or word.startswith("?"):
                texts = question.explained(word.removeprefix(HELP).strip("? "))
                self._interrupt(_sequence(*map(Tell, texts)))
            case _ if message := _SAY_COMMAND.fullmatch(typed):
                self._interrupt(send_to_operator(message[1]))
            case "say" if question.field != "message":
                self._interrupt(_sequence(Tell(SAY_WITHOUT_TEXT, problem=True)))
            case word if word in self._commands and question.field in ("reference", _RETRY):
                # Some commands, such as `cancel`, have the form of a reference.
                self._interrupt(_sequence(Tell(_quit_first(word), problem=True)))
            case word:
                try:
                    answer = question.parse(typed)
                    self._accept(answer)
                    if shown := question.echo(typed, answer) if typed else question.enter:
                        self._interrupt(_sequence(Tell(shown)))
                except InvalidInput as error:
                    command, _, rest = word.partition(" ")
                    meant = command in self._commands and not rest.isdigit()  # "bus 101" is an answer
                    problem = _quit_first(command) if meant else clean_text(str(error))
                    self._interrupt(_sequence(Tell(problem, problem=True)))

    def ask_again(self, problem: str) -> None:
        """Report a line that is no answer to the open question."""
        self._interrupt(_sequence(Tell(problem, problem=True)))

    def abandon(self) -> list[Request]:
        """End the dialogue, if there is one; return the requests that undo its calls."""
        undoing = self._drop_record(0) if self._main_step is not None else []
        self._interludes.clear()
        self._main_step = None
        return [call.request for call in undoing]

    def _accept(self, value: Any) -> None:
        """Continue with the result of the current step. Records it, except in an interlude."""
        if self._interludes:
            self._continue_interlude(value)
            return
        self._add_to_record(self._main_step, value)
        self._outcome_unknown = False
        if isinstance(self._main_step, Ask):
            self._reopened = None
        if len(self._record) > MAX_STEPS:
            self._leave(TOO_LONG)
        else:
            self._continue(value)

    def _continue(self, value: Any) -> None:
        """Go to the next step that must be executed: a question whose answer is given is passed over."""
        self._main_step = self._resume(value)
        while isinstance(question := self._main_step, Ask) and question.given is not NOT_GIVEN:
            if question.identity == self._reopened:
                return
            self._add_to_record(question, question.given)
            self._main_step = self._resume(question.given)

    def _add_to_record(self, step: Step | None, value: Any) -> None:
        self._record.append((step, value))
        if isinstance(step, Ask) and step.again:
            self._lines[step.identity] = step.again(value)

    def _resume(self, value: Any) -> Step | None:
        try:
            step = self._steps.send(value)
            while self._reopened and step in self._shown_problems:
                step = self._steps.send(None)
        except StopIteration:
            return None
        if isinstance(step, Call) and step.request.writes:
            return Call(self._with_new_key(step.request), step.undo)
        if isinstance(step, Ask) and step.again and step.identity in self._lines:
            return step.repeating(self._lines[step.identity])
        return step

    def _interrupt(self, interlude: Steps[None], value: Any = None) -> None:
        """Execute these steps before the current step."""
        with suppress(StopIteration):
            self._interludes.append((interlude, interlude.send(value)))

    def _continue_interlude(self, value: Any) -> None:
        interlude, _ = self._interludes.pop()
        self._interrupt(interlude, value)

    def _with_new_key(self, request: Request) -> Request:
        return msgspec.structs.replace(request, key=self._new_key())

    def _back(self) -> None:
        path = self._path()
        if not path:
            self._leave()
            return
        question, _ = self._record[path[-1]]
        self._reopened = question.identity if isinstance(question, Ask) else None
        kept = 1 + max((n for n in range(path[-1]) if isinstance(self._record[n][0], Ask)), default=-1)
        self._interludes.clear()
        self._interrupt(self._undo(self._drop_record(kept), self.unresolved))
        self._outcome_unknown = False
        self._steps = self._begin()
        self._main_step = self._resume(None)
        for _, value in self._record:
            while isinstance(self._main_step, Show | Tell):
                self._main_step = self._resume(None)
            self._main_step = self._resume(value)

    def _path(self) -> list[int]:
        """The indexes in the record of the answers that led to the current question.

        A question that was asked again, such as for seats after the fare was declined, counts once, and the
        answers between the two times do not count.
        """
        path: dict[tuple[str, str], int] = {}
        for n, (step, _) in enumerate([*self._record, (self._main_step, None)]):
            if isinstance(step, Ask):
                while step.identity in path:
                    path.popitem()
                path[step.identity] = n
        return [n for n in path.values() if n < len(self._record)]

    def _leave(self, message: str = "") -> None:
        self._interludes.clear()
        undoing, unresolved = self._drop_record(0), self.unresolved
        message = message or (LEFT_DIALOGUE if undoing or unresolved else NOTHING_CHANGED)
        self._interrupt(self._undo(undoing, unresolved, Tell(message)))
        self._main_step = None

    def _undo(self, calls: list[Call], unresolved: Call | None, *last: Tell) -> Steps[None]:
        """Execute the calls that undo others. Then send the unresolved write again, and undo it.

        The write has the same idempotency key as before, so it is carried out once.
        """
        for call in calls:
            yield undo_outcome((yield call))
        if unresolved is not None:
            reply = (yield unresolved) if unresolved.undo else None
            if unresolved.undo is None or _is_retryable(reply):
                yield Tell(OUTCOME_UNKNOWN, problem=True)
                return
            if not isinstance(reply, Refusal):
                yield undo_outcome((yield Call(self._with_new_key(unresolved.undo(reply)))))
        yield from last

    def _drop_record(self, kept: int) -> list[Call]:
        """Drop the record from an index on. Return the calls that undo its writes, the last write first.

        A write that the dialogue has undone itself is left out.
        """
        dropped = [(step, value) for step, value in self._record[kept:] if isinstance(step, Call)]
        del self._record[kept:]
        sent = [msgspec.structs.replace(s.request, key=None) for s, _ in dropped if s.request.writes]
        undoing = [
            step.undo(value)
            for step, value in reversed(dropped)
            if step.undo is not None and not isinstance(value, Refusal)
        ]
        return [Call(self._with_new_key(request)) for request in undoing if request not in sent]


def send_to_operator(text: str) -> Steps[None]:
    """Send a message to the operator, and tell the outcome."""
    reply = yield Call(Say(text=text))
    if isinstance(reply, Refusal):
        yield Tell(reply.message, problem=True)
    else:
        yield Tell("Sent to the operator.")


def _quit_first(command: str) -> str:
    return f"{command} is no answer to this question. To use {command}, type quit first."


def _sequence(*steps: Step) -> Steps[None]:
    yield from steps


def undo_outcome(reply: msgspec.Struct | Refusal) -> Tell:
    """The text after a hold was released because the traveller left or went back."""
    if isinstance(reply, Refusal) and reply.reason == "already_booked":
        return Tell(reply.message, problem=True)
    return Tell(NOT_RELEASED, problem=True) if _is_retryable(reply) else Tell(f"{RELEASED}{unpaid(reply)}")


def unpaid(reply: object) -> str:
    """The end of a text about released seats: that nothing was paid, unless a provider takes the payment."""
    return " Nothing was paid." if isinstance(reply, Booking) and reply.payment is None else ""


def _is_retryable(reply: object) -> TypeGuard[Refusal]:
    """Whether the same request may succeed if it is sent again."""
    return isinstance(reply, Refusal) and reply.reason in _RETRYABLE_REASONS


def clean(reply: T) -> T:
    """The same reply or refusal without control characters in its texts."""
    if isinstance(reply, Refusal):
        return Refusal(reply.reason, clean_text(reply.message), **_cleaned(reply.data))  # type: ignore[return-value]
    return msgspec.convert(_cleaned(msgspec.to_builtins(reply)), type(reply))


def _cleaned(value: Any) -> Any:
    """A JSON value with every text in it cleaned."""
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_cleaned(member) for member in value]
        case dict():
            return {name: _cleaned(member) for name, member in value.items()}
    return value
