"""How a question is put: with prompt_toolkit on a terminal, a line at a time off one.

On a terminal there are completion, a toolbar with the keys and the ways out, and, for seats, the map
itself, drawn anew with every key so that the seats being typed stand out. What is printed meanwhile
(patch_stdout) appears above the question.
"""

import re
import sys
import termios
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, has_completions
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style

from busware import seatmap
from busware.server.conversation import BACK, Ask, Choice
from busware.server.conversation.words import day_of
from busware.server.protocol import Booking, Seats
from busware.server.terminal import end_prompt, read_line

DAYS_AHEAD = 21  # offered as dates of a journey
ESC_SECONDS = 0.05  # how long after Esc a key would make an Alt-key of it
REFRESH_SECONDS = 1.0  # how often the time left of a hold is told
MENU_ROWS = 12  # at most, kept free below a question for what completes it
_MAPPED = ("seats", "seat")  # the fields that are answered on the map
_LISTED = ("date", "bus_type", "ac", "origin", "destination", "bus_id", "purpose", "tickets")
_STYLE = Style.from_dict(
    {
        "question": "bold",
        "bottom-toolbar": "noreverse fg:ansibrightblack",
        "bottom-toolbar.left": "fg:ansiyellow bold",
    }
)
_NUMBER = re.compile(r"(\d{1,5})(?:\s*[-–]\s*(\d{1,5}))?", re.ASCII)  # 7, or 7-9
_MAX_RANGE_SEATS = 100  # seats of one such range


class Asker:
    """Puts questions.

    seat_map, yours: what was shown last; held: the hold under way. printing: to be held by whoever
    prints, so that nothing is printed to a question that is just coming or being taken away: one of the two
    would be lost.
    """

    def __init__(self) -> None:
        self.seat_map: Seats | None = None
        self.yours: tuple[int, ...] = ()
        self.held: Booking | None = None
        self.printing = threading.RLock()

    def ask(self, question: Ask) -> str:
        """The answer. Raises EOFError when there are no more, KeyboardInterrupt on Ctrl-C."""
        raise NotImplementedError

    def end(self) -> bool:
        """End the question that stands as the end of the input does; whether one stands. For signals."""
        return False


class Lines(Asker):
    """Questions off a terminal: a line out, a line in."""

    def __init__(self, out: Callable[[str], None]) -> None:
        super().__init__()
        self._out = out

    def ask(self, question: Ask) -> str:
        """The next line of the standard input."""
        self._out(question.prompt)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")


class Prompts(Asker):
    """Questions on a terminal."""

    def __init__(self, *, coloured: bool, today: Callable[[], date]) -> None:
        super().__init__()
        self._today = today
        self._asked = False  # anything yet: what may be said first is listed
        self._ended = False  # no question is to stand any more
        depth = None if coloured else ColorDepth.DEPTH_1_BIT
        self._session = PromptSession[str](
            style=_STYLE, key_bindings=_keys(), color_depth=depth, enable_suspend=True
        )
        self._session.app.ttimeoutlen = self._session.app.timeoutlen = ESC_SECONDS

    def ask(self, question: Ask) -> str:
        """The line that is typed."""
        if self._ended:  # when the last question had just been answered
            raise EOFError
        mapped = question.field in _MAPPED and self.seat_map is not None
        listed = question.field in _LISTED or not self._asked
        self._asked = True
        if question.field == "confirm":
            self._forget_typed()
        choices = self._dates() if question.field == "date" else () if mapped else question.choices
        return read_line(
            self._session,
            lambda: self._message(question, mapped=mapped),
            printing=self.printing,
            above=patch_stdout(raw=True),
            on_display=lambda: get_app().current_buffer.start_completion() if listed else None,
            completer=Choices(choices),
            bottom_toolbar=lambda: self._toolbar(question),
            refresh_interval=REFRESH_SECONDS if self.held else 0,
            # room is made when the menu opens, so that until then what was shown stays on the screen
            complete_while_typing=Condition(lambda: listed or bool(get_app().current_buffer.text)),
            reserve_space_for_menu=min(len(choices) + 1, self._menu_rows()) if choices else 0,
        )

    def end(self) -> bool:
        """As above."""
        self._ended = True
        return end_prompt(self._session)

    def _forget_typed(self) -> None:
        """What was typed before a question was seen does not answer it."""
        clear_typeahead(self._session.input)
        termios.tcflush(self._session.input.fileno(), termios.TCIFLUSH)

    def _menu_rows(self) -> int:
        """How many rows there are for a menu, beside the question, which may need two, and the keys."""
        return max(1, min(MENU_ROWS, self._session.output.get_size().rows - 4))

    def _message(self, question: Ask, *, mapped: bool) -> StyleAndTextTuples:
        message: StyleAndTextTuples = []
        if mapped and self.seat_map is not None:
            app = get_app()
            yours = {*self.yours, *named_in(app.current_buffer.text).intersection(self.seat_map.free)}
            message += seatmap.as_prompt(seatmap.draw(self.seat_map, yours, app.output.get_size().columns))
        message += [("class:question", f"{question.prompt} ")]
        return message

    def _toolbar(self, question: Ask) -> StyleAndTextTuples:
        keys = ["Enter answers", "Esc back", "? help", "Ctrl-C leave", "Ctrl-D end"]
        if question.field == "command":
            keys = ["Tab or arrows choose", "Enter takes", "Ctrl-C or Ctrl-D end"]
        elif question.field in _LISTED:
            keys[0] = "Tab or arrows choose"
        held = time_left(self.held.expires_at) if self.held and question.field == "confirm" else ""
        room = get_app().output.get_size().columns - len(held)
        return [("class:bottom-toolbar.left", held), ("", fitted(keys, room))]

    def _dates(self) -> tuple[Choice, ...]:
        days = [self._today() + timedelta(days=n) for n in range(DAYS_AHEAD)]
        names = ["today", "tomorrow", *(f"{day.day} {day:%b}" for day in days[2:])]
        return tuple(Choice(name, day_of(day)) for name, day in zip(names, days, strict=True))


def time_left(until: datetime | None) -> str:
    """How long a hold goes on; nothing where there is none."""
    if until is None:
        return ""
    left = int((until - datetime.now(until.tzinfo)).total_seconds())
    return f" held for {left // 60}:{left % 60:02d} " if left > 0 else " the hold has run out "


def fitted(keys: Sequence[str], columns: int) -> str:
    """As many of the keys as there is room for; the last, which are the ways out, stay the longest."""
    bar = f" {' · '.join(keys)}"
    return bar if len(bar) <= columns or len(keys) == 1 else fitted(keys[1:], columns)


def named_in(typed: str) -> set[int]:
    """The seats that an answer names, as far as it is typed; "best 2" names none."""
    if typed.lstrip()[:1].isalpha():
        return set()
    return {
        number
        for low, high in _NUMBER.findall(typed)
        for number in range(int(low), min(int(high or low), int(low) + _MAX_RANGE_SEATS) + 1)
    }


class Choices(Completer):
    """Completes an answer to one of the choices, by its beginning, or by a word of what is said about it."""

    def __init__(self, choices: tuple[Choice, ...]) -> None:
        self._choices = choices

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What may be meant by what was typed so far."""
        typed = document.text_before_cursor.lstrip().lower()
        named = [one for one in self._choices if one.text.lower().startswith(typed)]
        described = [
            one
            for one in self._choices
            if one not in named
            and any(word.lower().startswith(typed) for word in re.split(r"[\s,]+", one.about))
        ]
        for choice in named + described:
            back = -len(document.text_before_cursor)
            yield Completion(choice.text, start_position=back, display_meta=choice.about)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("escape")
    def _back(event: KeyPressEvent) -> None:
        """Back; or, where something is typed already, only that is taken back."""
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(result=BACK)

    @keys.add("tab")
    @keys.add("down", filter=~has_completions)
    def _choose(event: KeyPressEvent) -> None:
        """Open the menu with its first choice taken; go on to the next one where it is open."""
        if event.current_buffer.complete_state:
            event.current_buffer.complete_next()
        else:
            event.current_buffer.start_completion(select_first=True)

    return keys
