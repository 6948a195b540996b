"""Plain text on one connection: passes each typed line to a dialogue, and returns the lines of the reply.

A question is a line of its own, because programs read whole lines. The connection's thread calls
`handle_line` for each line that it reads, and executes requests. server/tcp/connection.py sends the reply.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

from busware.server.conversation import (
    Ask,
    Call,
    Context,
    Dialogue,
    OpenedBookings,
    Show,
    Tell,
    begin,
    ends_connection,
    no_answer,
    undo_outcome,
)
from busware.server.conversation.dialogue import OUTCOME_UNKNOWN
from busware.server.conversation.reservation import after_expiry
from busware.server.conversation.words import message_details, offer_advice
from busware.server.protocol import Answer, Booking, Refusal, Request, clean_text
from busware.server.push.messages import Message
from busware.server.tcp import plain_replies

STOPPED = "STOPPED"
CONNECTION_ENDS = "The connection ends. Connect again to ask for fewer."
_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z])")  # of arrow and function keys
ONLY_KEYS = "The line has only keys such as an arrow. Type an answer, or quit to leave."
_BACKSPACES = "\x08\x7f"


class RequestFailed(Exception):
    """An internal error. request_id: its id in the log."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Internal error of the server. Its log has the details: request {request_id}.")
        self.request_id = request_id


class PlainText:
    """The plain text of one connection.

    perform: executes a request; raises Refusal or RequestFailed. now: the time in the server's time zone.
    log_error: logs the exception that is being handled. ended: the connection is to be closed.
    """

    repeats = False  # whether a dialogue begins again when it has ended

    def __init__(
        self,
        perform: Callable[[Request], Answer],
        now: Callable[[], datetime],
        log_error: Callable[[str], RequestFailed],
    ) -> None:
        self.ended = False
        self._perform = perform
        self._now = now
        self._log_error = log_error
        self._opened = OpenedBookings()
        self._dialogue: Dialogue | None = None
        self._held = ""  # the reference of the hold that was shown last

    def open(self) -> bytes:
        """The lines to send to a client that waits for the server to send something first."""
        return self.handle_line(b"")

    def handle_line(self, line: bytes) -> bytes:
        """Execute a typed line; return the lines of the reply."""
        typed = typed_text(line).strip()
        dialogue = self._dialogue
        if dialogue is not None and not typed and has_only_keys(line):
            dialogue.ask_again(ONLY_KEYS)
            return self._reply(lambda texts: self._continue(dialogue, texts))
        if ends_connection(typed, question_open=not self._is_idle):
            self.close()
            self.ended = True
            return f"{STOPPED}\n".encode()
        return self._reply(lambda texts: self._converse(typed, texts))

    @property
    def question(self) -> str:
        """The open question, without its options; empty if there is none."""
        step = self._dialogue.step if self._dialogue else None
        return step.prompt if isinstance(step, Ask) else ""

    def message(self, message: Message) -> list[str]:
        """The lines of a message of an operator. Called by another thread."""
        day = message.boarding_date or message.travel_date
        details = message_details(
            message.at, self._now(), message.bus_id, date.fromisoformat(day) if day else None
        )
        return [f"Server: {clean_text(message.body)}", plain_replies.wrapped(details)]

    def about_change(self, booking: Booking) -> list[str]:
        """Lines that follow the line about a changed booking. Called by another thread."""
        expired = booking.reference == self._held and booking.status == "expired"
        advice = after_expiry(booking) if expired else offer_advice(booking)
        return [plain_replies.wrapped(advice)] if advice else []

    def _reply(self, converse: Callable[[list[str]], None]) -> bytes:
        """The lines of the texts that a function appends. If it fails, the dialogue ends."""
        texts: list[str] = []
        try:
            converse(texts)
        except Exception:  # noqa: BLE001 - it is logged
            texts += [str(self._log_error("plain text")), *self.close()]
        return "".join(f"{text}\n" for text in texts).encode()

    @property
    def _is_idle(self) -> bool:
        """Whether no dialogue is in progress, so that `quit` ends the connection."""
        return self._dialogue is None

    def close(self) -> list[str]:
        """End the dialogue, if there is one, and undo what it has not finished; return the outcomes."""
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is None:
            return []
        unknown = [OUTCOME_UNKNOWN] if dialogue.unresolved else []
        return [*unknown, *(undo_outcome(self._call(request)).text for request in dialogue.abandon())]

    def _converse(self, typed: str, texts: list[str]) -> None:
        """Begin or continue a dialogue; append the texts to send, up to the next question."""
        if self._dialogue is None:
            self._begin(typed, texts)
        else:
            self._dialogue.answer(typed)
            self._continue(self._dialogue, texts)

    def _begin(self, typed: str, texts: list[str]) -> None:
        """Begin a dialogue; append the texts to send, up to its first question."""
        context = Context(today=lambda: self._now().date(), repeats=self.repeats, opened=self._opened)
        self._dialogue = begin(typed, context)
        self._continue(self._dialogue, texts)

    def _continue(self, dialogue: Dialogue, texts: list[str]) -> None:
        """Execute the steps up to the next question; append the texts to send."""
        while (step := dialogue.step) is not None:
            match step:
                case Ask():
                    texts.append(step.text)
                    return
                case Call():
                    dialogue.replied(self._call(step.request))
                case Show():
                    reply = step.reply
                    self._held = (
                        reply.reference if isinstance(reply, Booking) and reply.status == "held" else ""
                    )
                    texts.append(step.brief or self._draw(step))
                    dialogue.shown()
                case Tell():  # a problem is not wrapped: programs read it as one line
                    texts.append(step.text if step.problem else plain_replies.wrapped(step.text))
                    dialogue.shown()
                    if step.last:
                        texts += [] if self.repeats else [CONNECTION_ENDS]
                        self.ended = True
                        break
        self.close()

    def _draw(self, step: Show) -> str:
        """A reply as text. If it cannot be drawn, the dialogue continues without it."""
        try:
            return plain_replies.reply(step.reply, self._now(), step.own_seats)
        except Exception:  # noqa: BLE001 - it is logged
            return str(self._log_error(f"drawing of {type(step.reply).__name__}"))

    def _call(self, request: Request) -> Any:
        """The reply to a request, or the Refusal."""
        try:
            answer = self._perform(request)
            if answer.refused:
                return answer.refusal()
            reply = msgspec.json.decode(answer.body, type=request.reply)
            self._opened.record(request, reply)
            return reply
        except Refusal as refusal:
            return refusal
        except RequestFailed as error:
            return no_answer(str(error))
        except Exception:  # noqa: BLE001 - it is logged
            return no_answer(str(self._log_error(f"reply to {request.method}")))


def has_only_keys(line: bytes) -> bool:
    """Whether a line has control characters or escape sequences, such as of an arrow key, and no text."""
    text = line.decode(errors="replace").strip()
    return bool(text) and not clean_text(_ESCAPE_SEQUENCES.sub("", text)).strip()


def typed_text(line: bytes) -> str:
    """The text of a typed line: backspaces are applied, escape sequences and control characters removed."""
    typed: list[str] = []
    for character in _ESCAPE_SEQUENCES.sub("", line.decode(errors="replace")):
        if character not in _BACKSPACES:
            typed.append(character)
        elif typed:
            typed.pop()
    return clean_text("".join(typed).replace("\t", " "))
