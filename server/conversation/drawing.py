"""What all drawings of a seat map need: where the driver sits, and which states the legend explains."""

from collections.abc import Collection, Iterator

from busware.server.protocol import Seat, Seats, fold_name

# By `reserved_for`: the letter after the number of the seat, and its meaning in the legend.
RESERVED_MARKS = {"women": ("w", "for women"), "accessible": ("a", "accessible")}


def drivers(layout: str) -> Iterator[tuple[str, int, int]]:
    """The deck, row and column of each driver in a layout. Its format: sql/22_layout_seats.sql."""
    deck, row = "main", 0
    for line in (line.strip() for line in layout.splitlines()):
        if line.endswith(":"):
            deck, row = fold_name(line.rstrip(":")), 0
        elif line:
            row += 1
            yield from ((deck, row, column) for column, symbol in enumerate(line, 1) if symbol == "D")


def mark(seat: Seat) -> str:
    """The letter of a reserved seat, which follows its number; else an empty text."""
    return RESERVED_MARKS[seat.reserved_for][0] if seat.reserved_for else ""


def marks(seat_map: Seats) -> dict[str, str]:
    """The letters of the reserved seats in a map, with their meaning."""
    present = {seat.reserved_for for seat in seat_map.seats}
    return {letter: meaning for kind, (letter, meaning) in RESERVED_MARKS.items() if kind in present}


def states(seat_map: Seats, yours: Collection[int]) -> set[str]:
    """The states in a map: free, held, taken; and yours, for the traveller's own seats."""
    others = {seat.state for seat in seat_map.seats if seat.seat_no not in yours}
    return others | {"yours"} if yours else {*others}
