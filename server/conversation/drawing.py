"""What the pictures of a seat map have in common: where the driver sits, what the legend has to explain."""

from collections.abc import Collection, Iterator

from busware.server.protocol import Seats


def drivers(layout: str) -> Iterator[tuple[str, int, int]]:
    """Where a drawing has the driver: deck, row, column. How one is read: sql/22_layout_seats.sql."""
    deck, row = "main", 0
    for line in (line.strip() for line in layout.splitlines()):
        if line.endswith(":"):
            deck, row = line.rstrip(":").lower(), 0
        elif line:
            row += 1
            yield from ((deck, row, column) for column, symbol in enumerate(line, 1) if symbol == "D")


def states(seat_map: Seats, yours: Collection[int]) -> set[str]:
    """The states in a map: free, held, taken; and yours, of the seats that are the reader's."""
    others = {seat.state for seat in seat_map.seats if seat.seat_no not in yours}
    return others | {"yours"} if yours else {*others}
