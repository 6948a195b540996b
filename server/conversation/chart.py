"""A trip's seat occupancy chart, for the operator's console and the command `chart`.

A row for each seat, a column for each leg. A ticket is a run from the stop where its passenger boards to the
stop where they alight: [Asha Rao     ] if it is booked, (Asha Rao~~~~~) if it is held, with < or > at an end
that is outside of the block; after the name, + says that the passenger is checked in, and ! that the ticket
is a no-show. A blocked leg is ###. So the chart is readable without colours. A route with more legs than the
screen has room for is drawn in blocks, one below the other; blocks without tickets and blocked seats are left
out.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from prompt_toolkit.utils import get_cwidth

from busware.server.conversation.manifest import trip_lines
from busware.server.conversation.words import clock, day_of
from busware.server.protocol import SeatTicket, TripOccupancy

_LABEL_COLUMNS = 7  # before the first leg: the number of the seat
_MIN_LEG_COLUMNS = 3
_MAX_LEG_COLUMNS = 30
_NAME_COLUMNS = 9  # if a leg has fewer, the chart shows the numbers of the stops, and lists their names below
_TIME_COLUMNS = 6
_ELLIPSIS_COLUMNS = 4  # a text that is cut to fewer columns ends without "…"
_FREE, _BLOCKED, _CHECKED_IN, _NO_SHOW = "·", "#", "+", "!"


class Piece(NamedTuple):
    """A part of a line. party: the number of a booking in this chart, from 0; None if it is no ticket."""

    text: str
    party: int | None = None
    is_bold: bool = False


Line = list[Piece]


class _Stop(NamedTuple):
    number: int
    place: str
    at: datetime  # the departure; at the last stop the arrival


def chart_lines(trip: TripOccupancy, columns: int) -> Iterator[Line]:
    """The lines of the chart. columns: the width of the screen."""
    stops = [_Stop(leg.from_stop, leg.origin, leg.departs_at) for leg in trip.legs]
    stops.append(_Stop(trip.legs[-1].to_stop, trip.legs[-1].destination, trip.legs[-1].arrives_at))
    room = columns - _LABEL_COLUMNS
    fewest = max(len(str(trip.seats)) + 1, _MIN_LEG_COLUMNS)
    blocks = math.ceil(len(trip.legs) / max(1, room // fewest - 1))  # the last stop needs a column too
    size = math.ceil(len(trip.legs) / blocks)
    width = max(fewest, min(_MAX_LEG_COLUMNS, room // (size + 1)))
    chart = _Chart(trip, width, at_one_place=len({stop.place for stop in stops}) == 1)
    for line, is_heading in trip_lines(trip):
        yield [Piece(line, is_bold=is_heading)]
    for start in range(0, len(trip.legs), size):
        shown = stops[start : start + size + 1]
        yield [Piece("")]
        if blocks > 1:
            yield [Piece(f"{chart.name(shown[0])} to {chart.name(shown[-1])}", is_bold=True)]
        yield from chart.block(shown)
    yield [Piece("")]
    if width < _NAME_COLUMNS and not chart.at_one_place:
        entries = (f"{stop.number} {stop.place} {clock(stop.at)}" for stop in stops)
        yield from ([Piece(line)] for line in _listed(entries, columns))
    yield from ([Piece(line)] for line in _listed(_legend(trip), columns))


def _legend(trip: TripOccupancy) -> Iterator[str]:
    tickets = [ticket for seat in trip.occupancy for ticket in seat.tickets]
    yield "[name] booked"
    if any(ticket.checked_in_at for ticket in tickets):
        yield f"[name{_CHECKED_IN}] checked in"
    if any(ticket.no_show_at for ticket in tickets):
        yield f"[name{_NO_SHOW}] no-show"
    yield "(name~) held"
    if trip.blocked:
        yield f"{_BLOCKED * 3} blocked"
    yield f"{_FREE * 3} free"


class _Chart:
    """A chart. width: the columns of each leg."""

    def __init__(self, trip: TripOccupancy, width: int, *, at_one_place: bool) -> None:
        self._trip = trip
        self._width = width
        self.at_one_place = at_one_place  # as the nights of a hotel are
        references = (ticket.reference for seat in trip.occupancy for ticket in seat.tickets)
        self._blocked = {
            (block.seat_no, leg.from_stop)
            for block in trip.blocked
            for leg in trip.legs
            if block.from_stop <= leg.from_stop < (block.to_stop or math.inf)
        }
        self._parties = {reference: n for n, reference in enumerate(dict.fromkeys(references))}

    def name(self, stop: _Stop) -> str:
        """The stop in the heading of a block."""
        return day_of(stop.at.date()) if self.at_one_place else f"{stop.place} {clock(stop.at)}"

    def block(self, stops: Sequence[_Stop]) -> Iterator[Line]:
        """The legs between some stops: headings, the seats of each deck, and the number of taken seats."""
        first, last = stops[0].number, stops[-1].number
        runs = {
            seat.seat_no: [t for t in seat.tickets if t.from_stop < last and t.to_stop > first]
            for seat in self._trip.occupancy
        }
        if not any(runs.values()) and not any(first <= leg < last for _, leg in self._blocked):
            yield [Piece("no tickets")]
            return
        for labels in self._headings(stops):
            cells = "".join(f"{_fitted(label, self._width - 1)} " for label in labels)
            yield [Piece(" " * _LABEL_COLUMNS + cells.rstrip())]
        decks = list(dict.fromkeys(seat.deck for seat in self._trip.occupancy))
        for deck in decks:
            if len(decks) > 1:
                yield [Piece(f"{deck} deck", is_bold=True)]
            for seat in self._trip.occupancy:
                if seat.deck == deck:
                    yield [
                        Piece(f"{seat.seat_no:>5}  "),
                        *self._row(seat.seat_no, runs[seat.seat_no], first, last),
                    ]
        taken = (leg.booked + leg.held for leg in self._trip.legs if first <= leg.from_stop < last)
        cells = "".join(f"{seats:<{self._width}}" for seats in taken)
        yield [Piece("taken".ljust(_LABEL_COLUMNS) + cells.rstrip())]

    def _headings(self, stops: Sequence[_Stop]) -> Iterator[list[str]]:
        """The lines above the seats: where and when each leg begins, and the last one ends."""
        is_wide = self._width >= _NAME_COLUMNS
        if self.at_one_place:
            yield [f"{stop.at.day} {stop.at:%b}" if is_wide else str(stop.at.day) for stop in stops]
            return
        yield [stop.place if is_wide else str(stop.number) for stop in stops]
        if self._width >= _TIME_COLUMNS:
            yield [clock(stop.at) for stop in stops]

    def _row(self, seat_no: int, tickets: Sequence[SeatTicket], first: int, last: int) -> Iterator[Piece]:
        """The runs of a seat's tickets between two stops, and the free and blocked legs between them."""
        stop = first
        for ticket in tickets:
            yield Piece(self._unsold(seat_no, stop, ticket.from_stop))
            start, end = max(ticket.from_stop, first), min(ticket.to_stop, last)
            left, fill, right = "(~)" if ticket.status == "held" else "[ ]"
            left = left if ticket.from_stop >= first else "<"
            right = right if ticket.to_stop <= last else ">"
            mark = _CHECKED_IN if ticket.checked_in_at else _NO_SHOW if ticket.no_show_at else ""
            room = (end - start) * self._width - 2
            name = _fitted(ticket.name or ticket.reference, room - len(mark), fill) + mark
            yield Piece(left + name + right, self._parties[ticket.reference])
            stop = end
        yield Piece(self._unsold(seat_no, stop, last).rstrip())

    def _unsold(self, seat_no: int, start: int, end: int) -> str:
        """The legs of a seat between two stops, on which no ticket has it."""
        symbols = (_BLOCKED if (seat_no, leg) in self._blocked else _FREE for leg in range(start, end))
        return "".join(symbol * (self._width - 1) + " " for symbol in symbols)


def _listed(entries: Iterable[str], columns: int) -> Iterator[str]:
    """The entries, as many on a line as it has room for."""
    line = ""
    for entry in entries:
        if line and get_cwidth(f"{line}   {entry}") > columns:
            yield line
            line = ""
        line += f"   {entry}" if line else entry
    yield line


def _fitted(text: str, columns: int, fill: str = " ") -> str:
    """The text with a width of exactly `columns`: cut, or filled."""
    if get_cwidth(text) > columns:
        end = "…" if columns >= _ELLIPSIS_COLUMNS else ""
        while get_cwidth(text) > columns - len(end):
            text = text[:-1]
        text += end
    return text + fill * (columns - get_cwidth(text))
