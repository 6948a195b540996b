"""The commands that begin a dialogue: what a line means while no question is open.

Each connection has one Conversation and at most one Dialogue. `Conversation.begin` returns the dialogue that
a line begins, or the text to show if it begins none.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from busware.server.conversation import answers, bookings, flights, nights, reservation, shows
from busware.server.conversation.dialogue import (
    ALSO_QUIT,
    BACK,
    HELP,
    QUIT,
    Ask,
    Call,
    Dialogue,
    Problem,
    Steps,
    Tell,
    said,
)
from busware.server.conversation.words import BUS
from busware.server.protocol import Say

END = ("stop", "terminate")
WELCOME = "Busware. Type bus, flight, show or hotel to book; help lists all there is."
NOTHING = "No question stands. STOP ends the connection; help lists all there is."
_MOST_SHOWN = 200  # characters of a line that are looked through for a command
_MOST_OF_A_NAME = 40  # characters of a line that may be the name of a country


@dataclass(frozen=True)
class Command:
    """A word that begins a script. takes: what may follow it."""

    about: str
    begin: Callable[["Conversation", list[str]], Steps[None]]
    takes: str = ""


@dataclass(frozen=True)
class Conversation:
    """Begins conversations. today: of the traveller. with_names: the face asks for passengers' names."""

    today: Callable[[], date]
    with_names: bool = False

    def begin(self, line: str) -> Dialogue | str:
        """The dialogue that a line asks for, or what to tell when it asks for none."""
        begun = self._steps(line)
        return begun if isinstance(begun, str) else Dialogue(begun, _COMMANDS_ALONE)

    def _steps(self, line: str) -> Callable[[], Steps[None]] | str:
        word, *rest = line.split() or [""]
        command = COMMANDS.get(_ALSO.get(word.lower(), word.lower()))
        if command is not None:
            return lambda: _to_its_end(_begun(command, self, rest))
        if word.lower() in (HELP, "?"):
            return help_text()
        if word.lower() in (BACK, QUIT, *ALSO_QUIT):
            return NOTHING
        if line.count(",") > 1:  # as the flight desk takes it
            return lambda: _to_its_end(flights.flight(self.today(), line.strip(), with_names=self.with_names))
        if not 2 <= len(line.strip()) <= _MOST_OF_A_NAME:
            return unknown(line)
        return lambda: flights.welcome(line, otherwise=unknown(line))


def _begun(command: Command, conversation: Conversation, rest: list[str]) -> Steps[None]:
    """The script of a command, which says so where it takes nothing of what was typed behind it."""
    if rest and not command.takes:
        yield Tell(f"{answers.shown(' '.join(rest))} is left out: all that is needed is asked for.")
        rest = []
    yield from command.begin(conversation, rest)


def _to_its_end(script: Steps[None]) -> Steps[None]:
    """The script; a Problem that it does not go on after is told, and ends it."""
    try:
        yield from script
    except Problem as problem:
        yield Tell(str(problem), problem=True)


def _bus(conversation: Conversation, rest: list[str]) -> Steps[None]:
    """Reservation or cancellation, of a bus."""
    cancels = yield Ask(
        "Reservation or cancellation:",
        answers.one_of({"reservation": False, "cancellation": True}, {"book": False, "reserve": False}),
        "purpose",
        "reservation: book seats. cancellation: give them back, for a part of the fare.",
        answers.choices("reservation", "cancellation"),
    )  # fmt: skip
    if cancels:
        yield from bookings.cancellation(BUS)
    else:
        yield from reservation.reservation(BUS, conversation.today(), with_names=conversation.with_names)


def _flight(conversation: Conversation, rest: list[str]) -> Steps[None]:
    return flights.flight(conversation.today(), " ".join(rest) or None, with_names=conversation.with_names)


def _show(conversation: Conversation, rest: list[str]) -> Steps[None]:
    return shows.show(conversation.today(), rest)


def _hotel(conversation: Conversation, rest: list[str]) -> Steps[None]:
    return nights.stay(conversation.today(), with_names=conversation.with_names)


def _say(conversation: Conversation, rest: list[str]) -> Steps[None]:
    text = " ".join(rest) or (yield Ask("Message to the operator:", answers.message, "message"))
    yield said((yield Call(Say(text=text))))


def _find(conversation: Conversation, rest: list[str]) -> Steps[None]:
    return bookings.find(BUS, conversation.today(), " ".join(rest) or None)


def _opened(script: Callable[..., Steps[None]]) -> Callable[[Conversation, list[str]], Steps[None]]:
    """A script that may be told the reference, and the phone after it, which people write in groups."""

    def begin(conversation: Conversation, rest: list[str]) -> Steps[None]:
        return script(BUS, rest[0] if rest else None, " ".join(rest[1:]) or None)

    return begin


COMMANDS: dict[str, Command] = {
    "bus": Command("book a bus, or cancel", _bus),
    "flight": Command("book a flight by a line, or step by step", _flight, "[choose]"),
    "show": Command("book seats at the theatre", _show, "[HH:MM] [DATE]"),
    "hotel": Command("book rooms for some nights", _hotel),
    "status": Command("show a booking", _opened(bookings.status), "REFERENCE [PHONE]"),
    "cancel": Command(
        "cancel a booking, or tickets of it", _opened(bookings.cancellation), "[REFERENCE [PHONE]]"
    ),
    "change": Command("change a seat of a booking", _opened(bookings.change), "[REFERENCE [PHONE]]"),
    "find": Command("find a lost reference", _find, "[PHONE]"),
    "say": Command("send the operator a line", _say, "[TEXT]"),
}


_COMMANDS_ALONE = COMMANDS.keys() - {"say"}  # which goes with any question

# As the commands of scripts/client are called.
_ALSO = {
    "book": "bus", "search": "bus", "booking": "status", "quote": "cancel", "change-seat": "change",
    "theatre": "show", "theater": "show", "room": "hotel",
}  # fmt: skip


def help_text() -> str:
    """Every command, a line each."""
    lines = [(f"{word} {command.takes}".strip(), command.about) for word, command in COMMANDS.items()]
    lines += [
        ("help", "this; at a question, what it takes"),
        ("back, quit", "at a question: the one before; leave"),
    ]
    lines += [("STOP", "end the connection (terminate does too)")]
    width = max(len(word) for word, _ in lines)
    return "\n".join(["Type one of these:", *(f"  {word:{width}}  {about}" for word, about in lines)])


def unknown(line: str) -> str:
    """What to tell about a line that is no command."""
    if not line.strip():
        return WELCOME
    words = [_ALSO.get(word, word) for word in line.lower()[:_MOST_SHOWN].split()]
    meant = [word for word in words if word in COMMANDS]  # I want to book a bus
    near = meant or difflib.get_close_matches(words[0], [*COMMANDS, HELP], 1)
    hint = f"Did you mean {near[0]}?" if near else "Type help for what there is."
    return f"{answers.shown(line.strip())} is not understood. {hint}"
