"""A seat map as pages show it: the decks as tables, and each seat with its name in words.

`view` is a pure function of the reply. A deck is a table, as the vehicle is laid out: a row of the layout is
a row, a symbol of it is a cell. A table has any number of columns without a style of its own for each, which
the Content-Security-Policy would forbid. A script (static/seat_map.js) keeps the map up to date.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from busware.server.conversation.drawing import drivers
from busware.server.languages import Language
from busware.server.pages.kinds import N_, Kind
from busware.server.protocol import Seat, Seats

_DECKS = {  # of the layouts that come with Busware; another name is shown as it is
    "lower": N_("Lower deck"),
    "upper": N_("Upper deck"),
    "ground": N_("Ground floor"),
    "first": N_("First floor"),
}
_SEATS = {"berth": N_("Berth"), "room": N_("Room")}  # another kind of seat has the noun of the service
_STATES = {
    "free": N_("free"),
    "held": N_("held by another traveller"),
    "taken": N_("taken"),
    "yours": N_("yours"),
    "blocked": N_("blocked"),
}
_STATES_FOR_OPERATORS = _STATES | {"held": N_("held")}
_RESERVED = {"women": N_("for women"), "accessible": N_("accessible")}
_WINDOW, _AISLE, _MIDDLE = N_("window"), N_("aisle"), N_("middle")
_NO_CLASS = N_("Standard")  # the seats that are in no class
_TEXTS = {  # of the script; the words of the states are added
    "chosen": N_("Chosen: %(seats)s"),
    "none": N_("Nothing is chosen yet."),
    "lost": N_("Another traveller has just taken %(seats)s. Choose another seat."),
    "taken_now": N_("Now taken: %(seats)s."),
    "free_again": N_("Free again: %(seats)s."),
    "free_count": N_("%(free)s of %(all)s free"),
    "away": N_("The connection is lost, so seats may be taken without your seeing it. Trying again."),
    "back": N_("The connection is back. The seats are up to date."),
}
_WIDE_COLUMNS = 12  # that fit beside the list of the chosen seats
LOST = ("seat_taken", "reserved_seat", "unknown_seat")  # reasons of refusals that name seats
_Place = tuple[int, int]  # row and column


@dataclass(frozen=True)
class Box:
    """A seat on the page.

    about: its name without its state, such as "Seat 7, window, ₹350". fare: is shown on it, if the fares of
    the seats differ. state: that of the reply, or `yours`, or `blocked`, which only operators see.
    """

    seat: Seat
    about: str
    state: str
    state_text: str
    fare: str
    can_be_chosen: bool
    chosen: bool

    @property
    def name(self) -> str:
        """The accessible name."""
        return f"{self.about}, {self.state_text}"


@dataclass(frozen=True)
class Cell:
    """A cell of a deck. Without a box it is the driver, or empty: an aisle, a door. rows: that it covers."""

    box: Box | None = None
    is_driver: bool = False
    rows: int = 1


@dataclass(frozen=True)
class Deck:
    """A deck. title: empty if the vehicle has no other. rows: from the front.

    is_wide: whether its seats are drawn small for a mouse, because a row has many of them.
    """

    title: str
    rows: list[list[Cell]]
    is_wide: bool


@dataclass(frozen=True)
class SeatMapView:
    """The seat map of a page.

    front: a word for what is in front, such as the stage. reserved, classes: what the legend explains, each
    with its text. texts: of the script. limit: of the seats in one booking. only_one: a radio button a seat.
    for_operator: as in Choice.
    """

    seats: Seats
    decks: list[Deck]
    front: str
    reserved: dict[str, str]
    classes: list[tuple[str, str]]
    texts: dict[str, str]
    limit: int
    limit_text: str
    only_one: bool
    for_operator: bool
    has_own: bool
    kept: list[int]
    lost: list[str]
    offered: list[int]


@dataclass(frozen=True)
class Choice:
    """What a traveller chooses on a map.

    chosen: the seats that are chosen already; those that are not free are lost. own: the seats that the
    traveller has. only_one: whether one seat can be chosen, in place of another. count: the number of seats
    that can be chosen, own ones too, if it is not that of a new booking. for_operator: an operator chooses
    seats to block, any number of them, and sees no fares.
    """

    chosen: Collection[int] = ()
    own: Collection[int] = ()
    only_one: bool = False
    count: int | None = None
    for_operator: bool = False


def view(seats: Seats, kind: Kind, language: Language, choice: Choice) -> SeatMapView:
    """The seat map for a page."""
    kept = [number for number in seats.free if number in choice.chosen]
    others = {*choice.chosen} - {*kept} - {*choice.own}
    lost = [seat for seat in seats.seats if seat.seat_no in others]
    most = len(seats.seats) if choice.for_operator else min(seats.max_seats, len(seats.seats))
    limit = 1 if choice.only_one else choice.count or most
    _ = language.gettext
    boxes = _Boxes(seats, kind, language, choice)
    present = {seat.reserved_for for seat in seats.seats}
    return SeatMapView(
        seats=seats,
        decks=list(_decks(seats, boxes, language)),
        front=_(kind.front) if kind.front and not any(drivers(seats.layout)) else "",
        reserved={name: _(text) for name, text in _RESERVED.items() if name in present},
        classes=[
            (one.name.capitalize() if one.name else _(_NO_CLASS), language.price(one.fare, seats.currency))
            for one in seats.classes or []
        ],
        texts={name: _(text) for name, text in (_TEXTS | boxes.states).items()},
        limit=limit,
        limit_text=language.ngettext(
            "One booking has at most %(limit)s seat.", "One booking has at most %(limit)s seats.", limit
        )
        % {"limit": language.number(limit)},
        only_one=choice.only_one,
        for_operator=choice.for_operator,
        has_own=bool(choice.own),
        kept=kept,
        lost=[boxes.noun(seat) for seat in lost],
        offered=nearest(seats, [seat.seat_no for seat in lost], kept),
    )


def nearest(seats: Seats, lost: Iterable[int], kept: Collection[int] = ()) -> list[int]:
    """A free seat in place of each lost one, if one of its class is free that everybody may have.

    kept: the other seats of the party, which are not offered again. A seat beside it is nearer than one in
    front of it.
    """
    by_number = {seat.seat_no: seat for seat in seats.seats}
    found: list[int] = []
    for was in [by_number[number] for number in lost if number in by_number]:
        others = [
            seat
            for seat in seats.seats
            if seat.state == "free"
            and seat.seat_no not in (*kept, *found)
            and seat.seat_class == was.seat_class
            and seat.reserved_for in (None, was.reserved_for)
        ]
        if others:
            found.append(min(others, key=lambda seat: _distance(seat, was)).seat_no)
    return sorted(found)


def _distance(seat: Seat, other: Seat) -> tuple[bool, bool, int, int]:
    """How far a seat is from another one: their kinds, decks, rows and columns."""
    rows, columns = abs(seat.row - other.row), abs(seat.column - other.column)
    return seat.kind != other.kind, seat.deck != other.deck, 2 * rows + columns, seat.seat_no


# Words -----------------------------------------------------------------------------------------


class _Boxes:
    """Makes the boxes of one map.

    states: their texts. fares_differ: whether the fare of a seat is shown on it.
    """

    def __init__(self, seats: Seats, kind: Kind, language: Language, choice: Choice) -> None:
        self._seats = seats
        self._kind = kind
        self._language = language
        self._choice = choice
        self.states = _STATES_FOR_OPERATORS if choice.for_operator else _STATES
        self.fares_differ = (
            not choice.for_operator and len({seat.fare or seats.fare for seat in seats.seats}) > 1
        )

    def box(self, seat: Seat, position: str) -> Box:
        """A seat on the page. position: in its row, such as beside a window."""
        _ = self._language.gettext
        fare = self._language.price(seat.fare or self._seats.fare, self._seats.currency)
        about = [
            self.noun(seat),
            seat.seat_class.capitalize() if seat.seat_class else "",
            _(position) if self._kind.has_windows else "",
            _(_RESERVED[seat.reserved_for]) if seat.reserved_for else "",
            "" if self._choice.for_operator else fare,
        ]
        state: str = "blocked" if seat.blocked and seat.state == "taken" else seat.state
        if seat.seat_no in self._choice.own:
            state = "yours"
        return Box(
            seat=seat,
            about=", ".join(filter(None, about)),
            state=state,
            state_text=_(self.states[state]),
            fare=fare if self.fares_differ else "",
            can_be_chosen=(can := state == "free" or (state == "yours" and self._choice.count is not None)),
            chosen=can and seat.seat_no in self._choice.chosen,
        )

    def noun(self, seat: Seat) -> str:
        """The first words of the name of a seat, such as "Seat 7"."""
        return f"{self._language.gettext(_SEATS.get(seat.kind, self._kind.seat))} {seat.seat_no}"


def deck_title(name: str, language: Language) -> str:
    """The title of a deck; empty if the vehicle has one without a name."""
    if name == "main":
        return ""
    return language.gettext(_DECKS[name]) if name in _DECKS else name.capitalize()


# The tables ------------------------------------------------------------------------------------


def _decks(seats: Seats, boxes: _Boxes, language: Language) -> Iterator[Deck]:
    for name in dict.fromkeys(seat.deck for seat in seats.seats):
        of_deck = {(seat.row, seat.column): seat for seat in seats.seats if seat.deck == name}
        drivers_at = {(row, column) for deck, row, column in drivers(seats.layout) if deck == name}
        rows = list(_rows(of_deck, drivers_at, boxes))
        is_wide = max(map(len, rows)) > _WIDE_COLUMNS and not boxes.fares_differ
        yield Deck(deck_title(name, language), rows, is_wide)


def _rows(seats_at: Mapping[_Place, Seat], drivers_at: Set[_Place], boxes: _Boxes) -> Iterator[list[Cell]]:
    """The rows of a deck, from the front. A cell that a longer berth covers is left out."""
    covered = set(_covered(seats_at))
    occupied = seats_at.keys() | covered
    width = max(column for _, column in occupied | drivers_at)
    rows = [row for row, _ in occupied | drivers_at]
    for row in range(min(rows), max(rows) + 1):
        cells = []
        for column in range(1, width + 1):
            seat = seats_at.get((row, column))
            box = boxes.box(seat, _position(seat, occupied, width)) if seat else None
            if (row, column) not in covered:
                cells.append(Cell(box, (row, column) in drivers_at, 1 + ((row + 1, column) in covered)))
        yield cells


def _covered(seats_at: Mapping[_Place, Seat]) -> Iterator[_Place]:
    """The empty places behind berths, on a deck with seats too: there a berth is as long as two rows."""
    kinds = {seat.kind for seat in seats_at.values()}
    last_row = max(row for row, _ in seats_at)
    for (row, column), seat in seats_at.items():
        if seat.kind == "berth" and "seat" in kinds and row < last_row and (row + 1, column) not in seats_at:
            yield row + 1, column


def _position(seat: Seat, occupied: Set[_Place], width: int) -> str:
    """Where a seat is in its row."""
    if seat.column in (1, width):
        return _WINDOW
    beside = {(seat.row, seat.column - 1), (seat.row, seat.column + 1)}
    return _MIDDLE if beside <= occupied else _AISLE
