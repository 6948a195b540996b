"""Drawing of a seat map: rows from the driver's end, decks side by side.

`draw` returns lines of pieces, each a state and its text. `as_text` styles them for rich, `as_prompt` for
prompt_toolkit. The traveller's seats have brackets and the taken seats a cross, so that the map is readable
without colours.
"""

from collections.abc import Collection, Iterator
from itertools import zip_longest

from rich.text import Text

from busware.server.conversation.drawing import drivers, states
from busware.server.conversation.words import money
from busware.server.protocol import Seat, Seats

Piece = tuple[str, str]  # a state, or "" for the frame, and a text
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


def draw(seat_map: Seats, yours: Collection[int] = (), columns: int = 80) -> list[Line]:
    """The map and its legend. yours: the traveller's seats. columns: the width of the screen."""
    names = list(dict.fromkeys(seat.deck for seat in seat_map.seats))
    decks = [_deck(name, seat_map, yours) for name in names]
    total_width = sum(_width(deck[0]) + _DECK_GAP for deck in decks) - _DECK_GAP
    stacked = [line for deck in decks for line in deck]
    lines = list(_side_by_side(decks)) if total_width <= columns else stacked
    return [*lines, *_legend(seat_map, yours, columns)]


def as_text(lines: list[Line]) -> Text:
    """The lines for rich."""
    styled = (Text.assemble(*((piece, _RICH_STYLES[state]) for state, piece in line)) for line in lines)
    return Text("\n", no_wrap=True).join(styled)


def as_prompt(lines: list[Line]) -> list[tuple[str, str]]:
    """The lines for prompt_toolkit."""
    return [(_PROMPT_TOOLKIT_STYLES[state], piece) for line in lines for state, piece in [*line, ("", "\n")]]


def _deck(name: str, seat_map: Seats, yours: Collection[int]) -> list[Line]:
    """The rows of one deck in a frame with its name. All lines have the same width."""
    seats_at = {(seat.row, seat.column): seat for seat in seat_map.seats if seat.deck == name}
    drivers_at = {(row, column) for deck, row, column in drivers(seat_map.layout) if deck == name}
    occupied_cells = {*seats_at, *drivers_at}
    digits = max(2, len(str(max(seat.seat_no for seat in seat_map.seats))))
    cell_width = digits + 2 + any(seat.kind in _MARKS for seat in seats_at.values())
    seat_columns = range(1, max(column for _, column in occupied_cells) + 1)
    inner_width = cell_width * len(seat_columns)
    title = "" if name == "main" else name.capitalize()
    lines: list[Line] = [[("", f"╭{f' {title} ' if title else ''}".ljust(inner_width + 1, "─") + "╮")]]
    for row in range(min(row for row, _ in occupied_cells), max(row for row, _ in occupied_cells) + 1):
        row_cells = [(row, column) for column in seat_columns]
        cells = [_cell(seats_at.get(at), at in drivers_at, cell_width, yours) for at in row_cells]
        lines.append([("", "│"), *cells, ("", "│")])
    return [*lines, [("", f"╰{'─' * inner_width}╯")]]


def _cell(seat: Seat | None, is_driver: bool, width: int, yours: Collection[int]) -> Piece:
    if seat is None:
        return "", (_DRIVER if is_driver else "").center(width)
    mark = _MARKS.get(seat.kind, "")
    if seat.seat_no in yours:
        return "yours", f"[{f'{seat.seat_no}{mark}':>{width - 2}}]"
    glyph = seat.seat_no if seat.state == "free" else _LEGEND[seat.state][0]
    return seat.state, f" {f'{glyph}{mark}':>{width - 2}} "


def _side_by_side(decks: list[list[Line]]) -> Iterator[Line]:
    widths = [_width(deck[0]) for deck in decks]
    for row in zip_longest(*decks):
        line: Line = []
        for part, width in zip(row, widths, strict=True):
            line += [("", " " * _DECK_GAP)] * bool(line)
            line += part or [("", " " * width)]
        yield line


def _legend(seat_map: Seats, yours: Collection[int], columns: int) -> list[Line]:
    """The meaning of the glyphs in this map, the number of free seats and the fare."""
    present = states(seat_map, yours)
    kinds = {seat.kind for seat in seat_map.seats}
    entries = [(state, glyph, meaning) for state, (glyph, meaning) in _LEGEND.items() if state in present]
    entries += [("", mark, kind) for kind, mark in _MARKS.items() if kind in kinds]
    if any(drivers(seat_map.layout)):
        entries.append(("", _DRIVER, "driver"))
    lines: list[Line] = [[]]
    for state, glyph, meaning in entries:
        entry = [(state, glyph), ("", f" {meaning}   ")]
        if _width(lines[-1] + entry) > columns:
            lines.append([])
        lines[-1] += entry
    total = f"{len(seat_map.free)} of {len(seat_map.seats)} free, {money(seat_map.fare)} each"
    return [*lines, [("", total)]]


def _width(line: Line) -> int:
    return sum(len(piece) for _, piece in line)
