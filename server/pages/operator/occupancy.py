"""A trip's seat occupancy chart: a row for each seat, a column for each leg.

It is a table, which screen readers can read: a ticket is a cell that covers the legs of its journey. The
table has any number of columns without a style of its own for each, which the Content-Security-Policy would
forbid.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from busware.server.languages import Language
from busware.server.pages.seat_map import deck_title
from busware.server.protocol import BlockedSegment, OccupiedSeat, SeatTicket, TripOccupancy

_COLOURS = 8  # of the stylesheet, for different bookings


@dataclass(frozen=True)
class Run:
    """Adjacent legs of a seat. It has a ticket, or is blocked, or else is a leg that is free.

    colour: the same for all tickets of a booking.
    """

    legs: int
    ticket: SeatTicket | None = None
    colour: int = 0
    blocked: BlockedSegment | None = None

    @property
    def state(self) -> str:
        """The state of the ticket: held, booked, checked-in or no-show."""
        if self.ticket is None:
            return ""
        if self.ticket.checked_in_at:
            return "checked-in"
        return "no-show" if self.ticket.no_show_at else self.ticket.status


@dataclass(frozen=True)
class Row:
    """A seat with its runs, in the order of the route."""

    seat_no: int
    runs: list[Run]


@dataclass(frozen=True)
class Deck:
    """The rows of a deck. title: empty if the vehicle has no other."""

    title: str
    rows: list[Row]


def decks(trip: TripOccupancy, language: Language) -> list[Deck]:
    """The chart of a trip, deck by deck."""
    references = (ticket.reference for seat in trip.occupancy for ticket in seat.tickets)
    colours = {reference: n % _COLOURS for n, reference in enumerate(dict.fromkeys(references))}
    return [
        Deck(
            deck_title(name, language),
            [
                Row(seat.seat_no, list(_runs(trip, seat, colours)))
                for seat in trip.occupancy
                if seat.deck == name
            ],
        )
        for name in dict.fromkeys(seat.deck for seat in trip.occupancy)
    ]


def is_at_one_place(trip: TripOccupancy) -> bool:
    """Whether all stops are at one place, as the nights of a hotel are: the legs differ by their dates."""
    return len({place for leg in trip.legs for place in (leg.origin, leg.destination)}) == 1


def _runs(trip: TripOccupancy, seat: OccupiedSeat, colours: dict[str, int]) -> Iterator[Run]:
    blocks = [block for block in trip.blocked if block.seat_no == seat.seat_no]
    last = trip.legs[-1].to_stop
    covered = trip.legs[0].from_stop  # the first stop after the runs so far
    for leg in trip.legs:
        at = leg.from_stop
        if at < covered:
            continue
        ticket = next((one for one in seat.tickets if one.from_stop <= at < one.to_stop), None)
        block = next((one for one in blocks if one.from_stop <= at < (one.to_stop or last)), None)
        covered = ticket.to_stop if ticket else (block.to_stop or last) if block else leg.to_stop
        legs = sum(at <= one.from_stop < covered for one in trip.legs)
        yield Run(legs, ticket, colours[ticket.reference] if ticket else 0, None if ticket else block)
