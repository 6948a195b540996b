"""The keys on a seat map: arrows move a cursor from seat to seat, Space marks the seat under it.

The marks are the seat numbers in the typed line, so keys and typing change the same text.
"""

import re
from collections.abc import Callable

from prompt_toolkit.application import get_app
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.utils import is_dumb_terminal

from busware import seatmap
from busware.server.protocol import Seats

ARROWS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}  # rows and columns
_MAX_RANGE_SEATS = 100
_SEAT_RANGE = re.compile(r"(\d{1,5})(?:\s*[-–]\s*(\d{1,5}))?", re.ASCII)  # 7, or 7-9
_STATES = {"free": "is free. Space marks it.", "held": "is held by another traveller.", "taken": "is taken."}


def noun_of(seat_map: Seats) -> str:
    """What the map shows: berth, room, or seat."""
    kinds = {seat.kind for seat in seat_map.seats}
    return kinds.pop() if len(kinds) == 1 else "seat"


def help_text(seat_map: Seats) -> str:
    """The keys on a map."""
    noun = noun_of(seat_map)
    return (
        f"The arrow keys move from {noun} to {noun} on the map, Space marks or unmarks the {noun}, and Enter "
        "answers. Home, End and Backspace edit the line."
    )


class SeatKeys:
    """The cursor and the marks on one map.

    The cursor is on the map from an arrow key until another key changes the line. own_seats: the seats that
    the traveller has already. only_one: a mark replaces the previous one.
    """

    def __init__(self, seat_map: Seats, own_seats: tuple[int, ...], *, only_one: bool) -> None:
        self.seat_map = seat_map
        self.own_seats = own_seats
        self._only_one = only_one
        self._seats = {seat.seat_no: seat for seat in seat_map.seats}
        self.noun = noun_of(seat_map)
        self._seat_no: int | None = None  # where the cursor is
        self._line = ""  # the line at the last key of the cursor

    def cursor(self, line: str) -> int | None:
        """The seat under the cursor; None if the cursor is not on the map. line: the typed line.

        A line that another key has changed takes the cursor off the map, also if it is changed back later.
        """
        if line != self._line:
            self._seat_no = None
        return self._seat_no

    def draw(self, line: str, columns: int) -> list[seatmap.Line]:
        """The map, with the cursor and the marks."""
        marked = {number for number in typed_seats(line) if self._is_free(number)}
        yours = {*self.own_seats, *marked}
        with_fare = not self.own_seats  # another seat costs what the ticket has cost
        return seatmap.draw(self.seat_map, yours, columns, self.cursor(line), with_fare=with_fare)

    def move(self, line: str, arrow: str, columns: int) -> None:
        """Move the cursor to the next seat in a direction. The first arrow key puts it on the map.

        columns: the width of the screen, on which the order of the decks depends.
        """
        at = self.cursor(line)
        if at is None:
            marked = [number for number in typed_seats(line) if number in self._seats]
            self._seat_no = [*self.seat_map.free[:1], *marked][-1]
        else:
            drawing = seatmap.draw(self.seat_map, (), columns)
            self._seat_no = next_seat(seatmap.positions(drawing), at, arrow)
        self._line = line

    def toggle(self, line: str) -> str | None:
        """The line after Space: the seat under the cursor is added or removed. None if it is not free."""
        number = self.cursor(line)
        if number is None or not self._is_free(number):
            return None
        marked = typed_seats(line)
        if number in marked:
            marked.remove(number)
        else:
            marked = [*(() if self._only_one else marked), number]
        self._line = "".join(f"{one} " for one in marked)
        return self._line

    def describe(self, line: str) -> str:
        """The seat under the cursor in words; "" if the cursor is not on the map."""
        number = self.cursor(line)
        if number is None:
            return ""
        seat = self._seats[number]
        state = _STATES[seat.state]
        if number in self.own_seats:
            state = "is yours already."
        elif number in typed_seats(line) and self._is_free(number):
            state = "is marked. Space unmarks it."
        return f"{seat.kind.capitalize()} {number} {state}"

    def _is_free(self, number: int) -> bool:
        return number in self._seats and self._seats[number].state == "free"


def bindings(open_map: Callable[[], SeatKeys | None]) -> KeyBindings:
    """The key bindings of a prompt. open_map: the map of the open question, if it draws one."""
    keys = KeyBindings()

    def cursor() -> int | None:
        on_map = open_map()
        return on_map.cursor(get_app().current_buffer.text) if on_map else None

    has_cursor = Condition(lambda: cursor() is not None)

    def mover(arrow: str) -> Callable[[KeyPressEvent], None]:
        def move(event: KeyPressEvent) -> None:
            if on_map := open_map():
                on_map.move(event.current_buffer.text, arrow, event.app.output.get_size().columns)

        return move

    # A dumb terminal, such as a shell in Emacs, draws the map only once.
    can_move = Condition(lambda: open_map() is not None and not is_dumb_terminal())
    for arrow in ARROWS:
        keys.add(arrow, filter=can_move)(mover(arrow))

    @keys.add("space", filter=has_cursor)
    def _mark(event: KeyPressEvent) -> None:
        """Mark or unmark the seat under the cursor, if it is free; otherwise beep."""
        on_map = open_map()
        line = on_map.toggle(event.current_buffer.text) if on_map else None
        if line is None:
            event.app.output.write_raw("\a")
        else:
            event.current_buffer.document = Document(line)

    @keys.add("enter", filter=has_cursor & Condition(lambda: not get_app().current_buffer.text))
    def _take(event: KeyPressEvent) -> None:
        """Answer with the seat under the cursor, because no seat is marked. It may be taken."""
        event.current_buffer.document = Document(str(cursor()))
        event.current_buffer.validate_and_handle()

    return keys


def next_seat(positions: dict[int, tuple[int, float]], at: int, arrow: str) -> int:
    """The nearest seat in a direction, on the same line or column if possible; without one, the seat itself.

    positions: where the seats are, as seatmap.positions returns it.
    """
    down, right = ARROWS[arrow]
    row, column = positions[at]
    found: list[tuple[float, float, int]] = []
    for number, (other_row, other_column) in positions.items():
        rows, columns = other_row - row, other_column - column
        along = rows * down + columns * right
        aside = abs(rows * right) + abs(columns * down)
        if along > 0 and aside <= along:
            found.append((aside, along, number))
    return min(found)[2] if found else at


def typed_seats(line: str) -> list[int]:
    """The seat numbers in a partly typed answer, each once. "best 2" has none."""
    if line.lstrip()[:1].isalpha():
        return []
    ranges = [(int(low), int(high or low)) for low, high in _SEAT_RANGE.findall(line)]
    numbers = (n for low, high in ranges for n in range(low, min(high, low + _MAX_RANGE_SEATS) + 1))
    return list(dict.fromkeys(numbers))
