"""The commands: the lines that begin a dialogue while no question is open."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from busware.server.conversation import (
    answers,
    bookings,
    contacts,
    exchanges,
    flights,
    nights,
    offers,
    reservation,
    shows,
)
from busware.server.conversation.dialogue import (
    BACK,
    CHOOSE,
    HELP,
    QUIT,
    QUIT_SYNONYMS,
    Ask,
    Context,
    Dialogue,
    InvalidInput,
    Steps,
    Tell,
    answered,
    send_to_operator,
)
from busware.server.conversation.words import quoted
from busware.server.protocol import Refusal, normalize_text

END = ("stop", "terminate")
_LEAVE = (QUIT, *QUIT_SYNONYMS)
_HELP = (HELP, "?", "menu", "commands", "options")
_MORE = "more"  # after a word for help
WELCOME = "Busware. Type bus, flight, show or hotel to book, or help for all commands."
NO_QUESTION = "No question is open. Type help for all commands, or quit to disconnect."
_MIN_SIMILARITY = 0.65  # of a suggested command to the unknown word, from 0 to 1, which is the same text
_MAX_SEARCHED = 200  # characters of an unknown line that are searched for a command


@dataclass(frozen=True)
class Command:
    """A word that begins a dialogue. takes: what may follow it.

    chooses: in plain text it books at once, unless `choose` follows it.
    """

    about: str
    begin: Callable[[Context, str], Steps[None]]
    takes: str
    chooses: bool = False


def say(context: Context, typed: str) -> Steps[None]:
    """The command `say [TEXT]`: send a message to the operator."""
    hint = "One line of text, such as: Where is my bus?"
    text = yield from answered(Ask("Message to the operator:", answers.message, "message", hint), typed)
    yield from send_to_operator(text)
    if context.extended:
        yield Tell("An answer appears here. About your booking, messages shows it again later.")


COMMANDS: dict[str, Command] = {
    "bus": Command("book seats on a bus, or cancel them", reservation.bus, "[FROM TO [DATE]]"),
    "flight": Command("book a seat on a flight", flights.flight, "[FROM TO [DATE]]", chooses=True),
    "show": Command("book seats at the theatre", shows.show, "[HH:MM] [DATE]", chooses=True),
    "hotel": Command("book rooms for some nights", nights.stay, "[DATE [NIGHTS]]"),
    "status": Command("show a booking", bookings.status, "[REFERENCE [PHONE]]"),
    "cancel": Command(
        "cancel a booking, or some of its tickets", bookings.cancellation, "[REFERENCE [PHONE]]"
    ),
    "pay": Command("pay a hold, or ask whether it is paid", bookings.payment, "[REFERENCE [PHONE]]"),
    "change": Command("change a seat of a booking", bookings.change, "[REFERENCE [PHONE]]"),
    "transfer": Command("give a ticket to another name", bookings.transfer, "[REFERENCE [PHONE]]"),
    "alight": Command("get off at an earlier stop", bookings.alighting, "[REFERENCE [PHONE]]"),
    "exchange": Command(
        "take another date, destination, trip or class", exchanges.exchange, "[REFERENCE [PHONE]]"
    ),
    "offer": Command("accept or decline an offer of the operator", offers.offer, "[REFERENCE [PHONE]]"),
    "email": Command("send the ticket and messages by mail", contacts.email, "[ADDRESS [REFERENCE …]]"),
    "find": Command("find a lost reference", bookings.find, "[DATE PLACE [PHONE]]"),
    "messages": Command("show the messages about a booking", contacts.messages, "[REFERENCE [PHONE]]"),
    "say": Command("send a message to the operator", say, "[TEXT]"),
}

# `help` only names these commands; `help more` explains them. The menu of the terminal offers them once their
# beginning is typed. So the list and the menu fit a terminal of 24 rows.
MORE_COMMANDS = ("pay", "transfer", "alight", "exchange", "email", "messages")

# `say` is accepted at every question. The other commands require `quit` first.
_COMMANDS_AFTER_QUIT = COMMANDS.keys() - {"say"}

# Other words for these commands: names of commands of scripts/client, and words that travellers may use.
_SYNONYMS = {
    "book": "bus", "search": "bus", "waitlist": "bus", "booking": "status", "quote": "cancel",
    "change-seat": "change",
    "name": "transfer", "names": "transfer", "rename": "transfer",
    "alight-quote": "alight", "exchange-quote": "exchange",
    "offers": "offer", "accept": "offer", "decline": "offer",
    "theatre": "show", "theater": "show", "room": "hotel",
}  # fmt: skip


def find_help(line: str, *, extended: bool = False) -> str:
    """The list of commands that a line asks for; empty if the line does not ask for one."""
    word, _, rest = " ".join(normalize_text(line).lower().split()).partition(" ")
    if word not in _HELP or rest not in ("", _MORE):
        return ""
    return more_help_text() if rest else help_text(extended=extended)


def ends_connection(line: str, *, question_open: bool) -> bool:
    """Whether a line ends the connection: STOP at any time; quit while no question is open."""
    word = normalize_text(line).lower()
    return word in END or (word in _LEAVE and not question_open)


def command_named_by(line: str) -> str:
    """The command with which a line begins; a synonym counts. Empty if the line is not a command."""
    word = normalize_text(line).partition(" ")[0].lower()
    name = _SYNONYMS.get(word, word)
    return name if name in COMMANDS else ""


def begin(line: str, context: Context) -> Dialogue:
    """The dialogue that a line begins. If it is not a command, the dialogue only says so."""
    typed = " ".join(normalize_text(line).split())
    return Dialogue(lambda: _steps(typed, context), _COMMANDS_AFTER_QUIT)


def _steps(typed: str, context: Context) -> Steps[None]:
    """The steps of a line. An error is shown, and ends the dialogue."""
    word, _, rest = typed.partition(" ")
    name = word.lower()
    begun = command_named_by(word)
    try:
        if command := COMMANDS.get(begun):
            yield from command.begin(context, rest)
        elif name in _HELP and (about := command_named_by(rest)):
            yield Tell(f"{about} {COMMANDS[about].takes}: {COMMANDS[about].about}.")
        elif name in _HELP:
            yield Tell(find_help(typed, extended=context.extended) or help_text(extended=context.extended))
        elif name in (BACK, *_LEAVE):
            yield Tell(NO_QUESTION)
        elif not typed:
            yield Tell(WELCOME)
        elif typed.count(",") > 1:
            begun = "flight"
            yield from flights.flight(context, typed)
        elif country := (yield from flights.find_country(typed)):
            yield Tell(f"Welcome to {country}")
        else:
            raise InvalidInput(_unknown(typed))
    except (InvalidInput, Refusal) as error:
        yield Tell(str(error), problem=True)
        if begun and not (context.extended or context.repeats):
            other = f", or: {begun} {CHOOSE}." if COMMANDS[begun].chooses else ". To disconnect, type quit."
            yield Tell(f"The dialogue has ended. To begin again, type {begun}{other}")


def help_text(*, extended: bool = False) -> str:
    """A line for each command but MORE_COMMANDS, which have one line together."""
    at_once = "" if extended else ", at once"
    lines = [
        (f"{word} {command.takes}", f"{command.about}{at_once if command.chooses else ''}")
        for word, command in COMMANDS.items()
        if word not in MORE_COMMANDS
    ]
    if not extended:
        words = ", ".join(f"{word} {CHOOSE}" for word, command in COMMANDS.items() if command.chooses)
        lines.append((words, "by questions, with the fare before you book"))
    lines += [
        (f"{HELP} {_MORE}", ", ".join(MORE_COMMANDS)),
        ("help", "show this list; at a question, explain it"),
        ("back", "go to the previous question"),
        ("quit", "leave the dialogue; without one, disconnect"),
        ("STOP, terminate", "end the connection"),
    ]
    return _table("Commands:", lines)


def more_help_text() -> str:
    """A line for each of MORE_COMMANDS."""
    lines = [(f"{word} {COMMANDS[word].takes}", COMMANDS[word].about) for word in MORE_COMMANDS]
    return _table("More commands:", lines)


def _table(heading: str, lines: list[tuple[str, str]]) -> str:
    width = max(len(words) for words, _ in lines)
    return "\n".join([heading, *(f"  {words:{width}}  {about}" for words, about in lines)])


def _unknown(typed: str) -> str:
    """The text for a line that is not a command."""
    words = [_SYNONYMS.get(word, word) for word in typed.lower()[:_MAX_SEARCHED].split()]
    named = [word for word in words if word in COMMANDS]
    likely = named or difflib.get_close_matches(words[0], [*COMMANDS, HELP], 1, _MIN_SIMILARITY)
    hint = f"Did you mean {likely[0]}?" if likely else "Type help for all commands."
    return f"{quoted(typed)} is not a command. {hint}"
