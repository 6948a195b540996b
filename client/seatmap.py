"""Drawing of a seat map: rows from the driver's end, decks side by side.

`draw` returns lines of pieces, and `crop` as many of them as a screen has rows for. `as_text` styles them for
rich, `as_prompt` for prompt_toolkit. The traveller's seats have brackets, the taken seats a cross and the
cursor angle brackets, so that the map is readable without colours.
"""

import textwrap
from collections.abc import Collection, Iterator
from itertools import zip_longest
from typing import NamedTuple

from rich.text import Text

from busware.server.conversation.drawing import drivers, mark, marks, states
from busware.server.conversation.fares import seat_fares
from busware.server.protocol import Seat, Seats


class Piece(NamedTuple):
    """A part of a line. state: of a seat, or "" for the frame. seat_no: 0 if it is not a seat."""

    state: str
    text: str
    seat_no: int = 0
    has_cursor: bool = False


Line = list[Piece]

_RICH_STYLES = {"free": "green", "held": "yellow", "taken": "red", "yours": "bold black on green", "": "dim"}
_PROMPT_TOOLKIT_STYLES = {
    "free": "fg:ansigreen",
    "held": "fg:ansiyellow",
    "taken": "fg:ansired",
    "yours": "bold fg:ansiblack bg:ansigreen",
    "": "fg:ansibrightblack",
}
_MARKS = {"berth": "═"}  # by kind of seat: the character after its number
_DRIVER = "◎"
_LEGEND = {
    "free": ("nn", "free"),
    "held": ("~~", "held"),
    "taken": ("××", "taken"),
    "yours": ("[nn]", "yours"),
}
_DECK_GAP = 4  # columns
_MIN_ROWS_WITH_COUNTS = 3  # on fewer rows, crop() does not say how many lines are left out


def draw(
    seat_map: Seats,
    yours: Collection[int] = (),
    columns: int = 80,
    cursor: int | None = None,
    *,
    with_fare: bool = True,
) -> list[Line]:
    """The map and its legend.

    yours: the traveller's seats. columns: the width of the screen. cursor: the seat that has the cursor.
    """
    names = list(dict.fromkeys(seat.deck for seat in seat_map.seats))
    decks = [_deck(name, seat_map, yours, cursor) for name in names]
    total_width = sum(_width(deck[0]) + _DECK_GAP for deck in decks) - _DECK_GAP
    stacked = [line for deck in decks for line in deck]
    lines = list(_side_by_side(decks)) if total_width <= columns else stacked
    return [*lines, *_legend(seat_map, yours, columns, with_fare=with_fare)]


def positions(lines: list[Line]) -> dict[int, tuple[int, float]]:
    """The row and the column of each seat in a drawing, by seat number. A column is as wide as a seat."""
    found: dict[int, tuple[int, float]] = {}
    for row, line in enumerate(lines):
        before = 0
        for piece in line:
            if piece.seat_no:
                found[piece.seat_no] = row, before / len(piece.text)
            before += len(piece.text)
    return found


def crop(lines: list[Line], rows: int, shown: int) -> list[Line]:
    """At most `rows` of the lines, among them the line with the index `shown`."""
    start = max(0, min(shown - rows // 2, len(lines) - rows))
    part, below = lines[start : start + max(0, rows)], len(lines) - start - rows
    if rows >= _MIN_ROWS_WITH_COUNTS:
        if start:
            part[0] = [Piece("", f"… {start + 1} more lines above")]
        if below > 0:
            part[-1] = [Piece("", f"… {below + 1} more lines below")]
    return part


def as_text(lines: list[Line]) -> Text:
    """The lines for rich."""
    styled = (Text.assemble(*((one.text, _RICH_STYLES[one.state]) for one in line)) for line in lines)
    return Text("\n", no_wrap=True).join(styled)


def as_prompt(lines: list[Line]) -> list[tuple[str, str]]:
    """The lines for prompt_toolkit."""
    return [
        (_PROMPT_TOOLKIT_STYLES[piece.state] + (" reverse" if piece.has_cursor else ""), piece.text)
        for line in lines
        for piece in [*line, Piece("", "\n")]
    ]


def _deck(name: str, seat_map: Seats, yours: Collection[int], cursor: int | None) -> list[Line]:
    """The rows of one deck in a frame with its name. All lines have the same width."""
    seats_at = {(seat.row, seat.column): seat for seat in seat_map.seats if seat.deck == name}
    drivers_at = {(row, column) for deck, row, column in drivers(seat_map.layout) if deck == name}
    occupied_cells = {*seats_at, *drivers_at}
    digits = max(2, len(str(max(seat.seat_no for seat in seat_map.seats))))
    cell_width = digits + 2 + max(len(_marks(seat)) for seat in seat_map.seats)
    seat_columns = range(1, max(column for _, column in occupied_cells) + 1)
    inner_width = cell_width * len(seat_columns)
    title = "" if name == "main" else name.capitalize()
    lines: list[Line] = [[Piece("", f"╭{f' {title} ' if title else ''}".ljust(inner_width + 1, "─") + "╮")]]
    for row in range(min(row for row, _ in occupied_cells), max(row for row, _ in occupied_cells) + 1):
        row_cells = [(row, column) for column in seat_columns]
        cells = [_cell(seats_at.get(at), at in drivers_at, cell_width, yours, cursor) for at in row_cells]
        lines.append([Piece("", "│"), *cells, Piece("", "│")])
    return [*lines, [Piece("", f"╰{'─' * inner_width}╯")]]


def _cell(
    seat: Seat | None, is_driver: bool, width: int, yours: Collection[int], cursor: int | None
) -> Piece:
    """A cell: "  7 " for a free seat, "[ 7]" for the traveller's; under the cursor "> 7<" and "> 7]"."""
    if seat is None:
        return Piece("", (_DRIVER if is_driver else "").center(width))
    state = "yours" if seat.seat_no in yours else seat.state
    glyph = seat.seat_no if state in ("free", "yours") else _LEGEND[state][0]
    text = f"{glyph}{_marks(seat)}".rjust(width - 2)
    left, right = "[]" if state == "yours" else "  "
    if seat.seat_no == cursor:
        left, right = ">", right.replace(" ", "<")
    return Piece(state, f"{left}{text}{right}", seat.seat_no, seat.seat_no == cursor)


def _marks(seat: Seat) -> str:
    """What follows the number of a seat: the mark of its kind, and that of a reserved seat."""
    return _MARKS.get(seat.kind, "") + mark(seat)


def _side_by_side(decks: list[list[Line]]) -> Iterator[Line]:
    widths = [_width(deck[0]) for deck in decks]
    for row in zip_longest(*decks):
        line: Line = []
        for part, width in zip(row, widths, strict=True):
            line += [Piece("", " " * _DECK_GAP)] * bool(line)
            line += part or [Piece("", " " * width)]
        yield line


def _legend(seat_map: Seats, yours: Collection[int], columns: int, *, with_fare: bool) -> list[Line]:
    """The meaning of the glyphs in this map, the number of free seats and the fare."""
    present = states(seat_map, yours)
    kinds = {seat.kind for seat in seat_map.seats}
    entries = [(state, glyph, meaning) for state, (glyph, meaning) in _LEGEND.items() if state in present]
    entries += [("", glyph, kind) for kind, glyph in _MARKS.items() if kind in kinds]
    entries += [("", letter, meaning) for letter, meaning in marks(seat_map).items()]
    if any(drivers(seat_map.layout)):
        entries.append(("", _DRIVER, "driver"))
    lines: list[Line] = [[]]
    for state, glyph, meaning in entries:
        entry = [Piece(state, glyph), Piece("", f" {meaning}   ")]
        if _width(lines[-1] + entry) > columns:
            lines.append([])
        lines[-1] += entry
    total = f"{len(seat_map.free)} of {len(seat_map.seats)} free"
    fares = seat_fares(seat_map) if with_fare or seat_map.classes else []
    if not seat_map.classes:
        return [*lines, [Piece("", ", ".join([total, *fares]))]]
    wrapped = [part for fare in fares for part in textwrap.wrap(fare, columns)]
    return [*lines, *([Piece("", text)] for text in [total, *wrapped])]


def _width(line: Line) -> int:
    return sum(len(piece.text) for piece in line)
