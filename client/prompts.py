"""How the terminal client asks a question: with prompt_toolkit on a terminal, line by line in a pipe.

On a terminal, an answer is completed, and a toolbar shows the keys. A question for seats draws the map again
at each key, with the typed seats marked. An answer removes the map, so that the screen shows one map at a
time. Other output (patch_stdout) appears above the question.
"""

import re
import sys
import termios
import textwrap
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, has_completions
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from busware import seatkeys, seatmap
from busware.seatkeys import SeatKeys
from busware.server.conversation import BACK, Ask, Choice, InvalidInput, Tell
from busware.server.conversation.words import day_of
from busware.server.protocol import Booking, Seats, fold_name
from busware.server.terminal import end_prompt, read_line

DAYS_AHEAD = 21  # dates in the menu
ESC_SECONDS = 0.05  # Esc and a key within this time are read as Alt and the key
REFRESH_SECONDS = 1.0  # between two updates of the time left of a hold, in the toolbar
MAX_MENU_ROWS = 16
_MAP_FIELDS = ("seats", "seat")  # questions that show the seat map
# Questions whose menu is open from the start.
_MENU_FIELDS = (
    "journey", "date", "bus_type", "ac", "origin", "destination", "bus_id", "purpose", "tickets",
    "performance",
)  # fmt: skip
_STYLE = Style.from_dict(
    {
        "question": "bold",
        "problem": "fg:ansiyellow",
        "bottom-toolbar": "noreverse fg:ansibrightblack",
        "bottom-toolbar.left": "fg:ansiyellow bold",
    }
)
_SEPARATORS = re.compile(r"[\s,;]+")


class LineAsker:
    """Asks on a stream: prints the question and reads a line.

    print_lock: the lock that a thread holds while it prints. seat_map: the map that was shown last.
    own_seats: the traveller's seats in it. texts: to display between the map and the question. held: the
    hold that waits for confirmation.
    """

    def __init__(self, out: Callable[[str], None]) -> None:
        self._out = out
        self.seat_map: Seats | None = None
        self.own_seats: tuple[int, ...] = ()
        self.texts: list[Tell] = []
        self.held: Booking | None = None
        self.print_lock = threading.RLock()

    def draws_map(self, question: Ask) -> bool:
        """Whether the question draws the seat map, and displays `texts` below it."""
        return False

    def ask(self, question: Ask) -> str:
        """The answer. Raises EOFError at the end of the input, KeyboardInterrupt on Ctrl-C."""
        self._out(question.text)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")

    def end(self) -> bool:
        """End the open question with EOFError; return whether there was one. For signal handlers."""
        return False


class PromptAsker(LineAsker):
    """Asks on a terminal.

    `print_lock` is held while a prompt appears or disappears. Otherwise the output of another thread could
    erase the prompt, or the prompt could erase the output.
    """

    def __init__(self, *, coloured: bool, today: Callable[[], date]) -> None:
        super().__init__(print)
        self._today = today
        self._is_first = True  # the first question opens its menu
        self._ended = False
        self._seat_keys: SeatKeys | None = None  # of the open question, if it draws the map
        self._histories = defaultdict[str, InMemoryHistory](InMemoryHistory)  # of the answers, by field
        depth = None if coloured else ColorDepth.DEPTH_1_BIT
        self._session = PromptSession[str](
            style=_STYLE,
            key_bindings=merge_key_bindings([_keys(), seatkeys.bindings(lambda: self._seat_keys)]),
            color_depth=depth,
            enable_suspend=True,
        )
        self._session.default_buffer.on_text_changed += self._move_cursor_off_map
        self._session.app.ttimeoutlen = self._session.app.timeoutlen = ESC_SECONDS

    def ask(self, question: Ask) -> str:
        """The typed line."""
        if self._ended:  # between two questions
            raise EOFError
        menu_open = question.field in _MENU_FIELDS or self._is_first
        self._is_first = False
        if question.field == "confirm":  # discard what was typed before the question was visible
            clear_typeahead(self._session.input)
            termios.tcflush(self._session.input.fileno(), termios.TCIFLUSH)
        self._seat_keys = None
        if self.draws_map(question) and self.seat_map:
            only_one = question.field == "seat"
            self._seat_keys = SeatKeys(self.seat_map, self.own_seats, only_one=only_one)
        choices = self._dates() if question.field == "date" else () if self._seat_keys else question.choices
        self._session.default_buffer.history = self._histories[question.field]
        rows_left = self._session.output.get_size().rows - 4  # without the question and the toolbar
        rows = max(1, min(MAX_MENU_ROWS, rows_left))
        return read_line(
            self._session,
            lambda: self._message(question),
            print_lock=self.print_lock,
            redirection=patch_stdout(raw=True),
            on_display=lambda: get_app().current_buffer.start_completion() if menu_open else None,
            completer=Choices(choices, numbered=question.numbered, several=question.field == "journey"),
            bottom_toolbar=lambda: self._toolbar(question),
            refresh_interval=REFRESH_SECONDS if self.held else 0,
            # The menu takes rows only once it opens, so the text above stays visible until then.
            complete_while_typing=Condition(lambda: menu_open or bool(get_app().current_buffer.text)),
            reserve_space_for_menu=min(len(choices) + 1, rows) if choices else 0,
        )

    def end(self) -> bool:
        """End the open question, and every later one."""
        self._ended = True
        return end_prompt(self._session)

    def draws_map(self, question: Ask) -> bool:
        """Whether the question draws the seat map, and displays `texts` below it."""
        return question.field in _MAP_FIELDS and self.seat_map is not None

    def _move_cursor_off_map(self, typed: Buffer) -> None:
        """Check the line at each key: of several keys that arrive at once, only the last one is drawn."""
        if self._seat_keys:
            self._seat_keys.cursor(typed.text)

    def _message(self, question: Ask) -> StyleAndTextTuples:
        app = get_app()
        line, size = app.current_buffer.text, app.output.get_size()
        prompt = _wrapped(question.prompt, size.columns)
        text: StyleAndTextTuples = [("class:question", "\n".join(prompt) + " ")]
        if self._seat_keys is None:
            return text
        below = self._below_map("" if app.is_done else self._seat_keys.describe(line), size.columns)
        text = [*((style, f"{one}\n") for style, one in below), *text]
        if app.is_done:
            return text
        question_rows = len(prompt) + get_cwidth(f"{prompt[-1]} {line}") // size.columns
        drawing, cursor = self._seat_keys.draw(line, size.columns), self._seat_keys.cursor(line)
        shown = seatmap.positions(drawing)[cursor][0] if cursor else 0
        rows = size.rows - len(below) - question_rows - 1  # 1: the toolbar
        return [*seatmap.as_prompt(seatmap.crop(drawing, rows, shown)), *text]

    def _below_map(self, described: str, columns: int) -> list[tuple[str, str]]:
        """The lines between map and question: the seat under the cursor; without a cursor, the texts."""
        texts = [(tell.text, "class:problem" if tell.problem else "") for tell in self.texts]
        return [
            (style, line)
            for text, style in ([(described, "")] if described else texts)
            for line in _wrapped(text, columns)
        ]

    def _toolbar(self, question: Ask) -> StyleAndTextTuples:
        keys = keys_of(question, f"{self._seat_keys.noun}s" if self._seat_keys else "")
        held = time_left(self.held.expires_at) if self.held and question.field == "confirm" else ""
        columns = get_app().output.get_size().columns - len(held)
        return [("class:bottom-toolbar.left", held), ("", fit_keys(keys, columns))]

    def _dates(self) -> tuple[Choice, ...]:
        days = [self._today() + timedelta(days=n) for n in range(DAYS_AHEAD)]
        names = ["today", "tomorrow", *(f"{day.day} {day:%b}" for day in days[2:])]
        return tuple(Choice(name, day_of(day)) for name, day in zip(names, days, strict=True))


def keys_of(question: Ask, seats: str) -> list[str]:
    """The keys in the toolbar. seats: what the keys on the map mark, such as berths; empty without a map."""
    if question.field == "command":
        return ["Tab or arrows choose", "Enter selects", "Ctrl-C or Ctrl-D end"]
    keys = ["Esc back", "? help", "Ctrl-C leave", "Ctrl-D end"]
    if seats:
        keys[-2:] = [f"Arrows and Space mark {seats}", "Ctrl-C leave"]
    elif question.field in _MENU_FIELDS:
        return ["Tab or arrows choose", *keys]
    return ["Enter answers", *keys] if _has_answer_for_enter(question) else keys


def _has_answer_for_enter(question: Ask) -> bool:
    """Whether an empty line is an answer."""
    try:
        question.parse("")
    except InvalidInput:
        return False
    return True


def _wrapped(text: str, columns: int) -> list[str]:
    """The lines of a text, broken between words."""
    width = max(1, columns - 1)  # the last column stays free for the cursor
    return [line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, width)] or [""]


def time_left(expires_at: datetime | None) -> str:
    """The time left of a hold, for the toolbar."""
    if expires_at is None:
        return ""
    seconds = int((expires_at - datetime.now(expires_at.tzinfo)).total_seconds())
    return f" held for {seconds // 60}:{seconds % 60:02d} " if seconds > 0 else " the hold has expired "


def fit_keys(keys: Sequence[str], columns: int) -> str:
    """The toolbar with as many keys as fit. The last keys leave the dialogue, so they are dropped last."""
    bar = f" {' · '.join(keys)}"
    return bar if len(bar) <= columns or len(keys) == 1 else fit_keys(keys[1:], columns)


class Choices(Completer):
    """Offers each choice if its text, or a word of its description, begins with the typed text.

    numbered: the number of a choice is shown before its text. several: the text may be several choices, of
    which the last one is completed.
    """

    def __init__(self, choices: tuple[Choice, ...], *, numbered: bool = False, several: bool = False) -> None:
        self._choices = choices
        self._several = several
        self._numbers = {c: f"{n} " if numbered else "" for n, c in enumerate(choices, 1)}

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The choices for the text before the cursor: first those whose own text matches."""
        before = document.text_before_cursor
        starts = [0, *(found.end() for found in _SEPARATORS.finditer(before))] if self._several else [0]
        for start in starts:
            if completions := list(self._completions(before[start:])):
                yield from completions
                return

    def _completions(self, before: str) -> Iterator[Completion]:
        typed = fold_name(before) + (" " if before[-1:].isspace() and self._several else "")
        offered = [choice for choice in self._choices if typed or not choice.if_typed]
        by_text = [choice for choice in offered if fold_name(choice.text).startswith(typed)]
        by_word = [
            choice
            for choice in offered
            if any(fold_name(word).startswith(typed) for word in re.split(r"[\s,]+", choice.about))
        ]
        for choice in dict.fromkeys(by_text + by_word):
            yield Completion(
                choice.text, start_position=-len(before),
                display=f"{self._numbers[choice]}{choice.text}", display_meta=choice.about,
            )  # fmt: skip


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("escape")
    def _back(event: KeyPressEvent) -> None:
        """Clear the typed text. If there is none, go back to the previous question."""
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(result=BACK)

    @keys.add("tab")
    @keys.add("down", filter=~has_completions)
    def _choose(event: KeyPressEvent) -> None:
        """Open the menu at its first choice; in an open menu, go to the next choice."""
        if event.current_buffer.complete_state:
            event.current_buffer.complete_next()
        else:
            event.current_buffer.start_completion(select_first=True)

    return keys
