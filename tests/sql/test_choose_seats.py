"""Any seats: which seats of a trip api.choose_seats takes for a party."""

from typing import Any

import pytest

from tests.conftest import Database
from tests.support.schema_api import SchemaApi


def seats_of(booking: dict[str, Any]) -> list[int]:
    return [ticket["seat_no"] for ticket in booking["tickets"]]


# Where a party sits ----------------------------------------------------------------------------
# A drawing is a layout before the booking: x is a taken seat, s a free one, and O a free one that the party
# gets. All gaps have the same length, so only the positions of the seats decide.

DRAWINGS = {
    "a party of one leaves pairs free": ("ss.xO", "ss.ss"),
    "a party of one takes a seat beside a taken one": ("xO.sx", "sx.ss"),
    "two are side by side": ("OO.ss", "ss.ss"),
    "two are not across the aisle while a pair is free": ("xs.OO", "ss.ss"),
    "two are not across the aisle while a pair is free in the next row": ("xs.sx", "OO.ss"),
    "two are across the aisle rather than one behind the other": ("xO.Ox", "xs.sx"),
    "two are one behind the other rather than beside a stranger": ("Ox.xs", "Ox.xs"),
    "two are one behind the other if no row has two free seats": ("Ox.xx", "Ox.xx"),
    "two are one behind the other rather than at opposite windows": ("xx.xs", "sx.xx", "xx.xO", "xx.xO"),
    "three have no stranger between them": ("OO.Os", "ss.xs", "ss.ss"),
    "three have no stranger between them in a row of seats only": ("sxss", "OOOs"),
    "three use the seats of one row": ("xO.OO", "ss.ss"),
    "three are not in two rows at opposite windows": ("xx.xs", "ss.xx", "xx.xx", "xO.OO"),
    "four are in one row": ("OO.OO", "ss.ss"),
    "four are in two rows of two rather than one in another row": ("OO.xs", "OO.xx", "xs.xs"),
    "four are in two rows of two on the right": ("xs.OO", "xs.OO"),
    "four are in two rows of two rather than beside a stranger": ("ss.sxs", "xx.xxx", "OO.xxx", "OO.xxx"),
    "six are in two rows": ("OO.OO", "OO.ss"),
    "one seat on each side: three are in two rows": ("O.O", "O.s"),
    "one seat on each side: two are one behind the other": ("O.x", "O.x", "x.s"),
    "one seat on the left: a pair on the right": ("s.OO", "s.ss"),
    "a large party has the fewest strangers in its rows": ("sxsss", "OOOOO", "OOOOO"),
    "two have one deck": ("lower:", "x.s", "upper:", "O.O"),
    "four have one deck": ("lower:", "xx.ss", "upper:", "ss.xx", "OO.OO"),
    "two are on two decks if no deck has two free seats": ("lower:", "x.O", "upper:", "O.x"),
    "a party that cannot be together is still sold": ("O", ".", "x", ".", "O"),
}


@pytest.mark.parametrize("drawing", DRAWINGS.values(), ids=DRAWINGS)
def test_party_gets_the_seats_of_the_drawing(
    api: SchemaApi, database: Database, drawing: tuple[str, ...]
) -> None:
    layout = [row if row.endswith(":") else row.translate({ord("x"): "s", ord("O"): "s"}) for row in drawing]
    seats = [cell for row in drawing if not row.endswith(":") for cell in row if cell != "."]
    expected = [n for n, cell in enumerate(seats, 1) if cell == "O"]
    database.query(
        "SELECT api.add_service(3, 'Drawn', 'KSRTC', %s, %s, max_seats => 20)",
        "\n".join(layout),
        "Chennai | - | 06:00 | 0 | 0\nMandya | 07:00 | - | 9 | 10",
    )
    trip = {"bus_id": 3, "origin": "Chennai", "destination": "Mandya"}
    if taken := [n for n, cell in enumerate(seats, 1) if cell == "x"]:
        api.book(*taken, **trip)
    assert seats_of(api.book(count=len(expected), **trip)) == expected


def test_promoted_party_has_no_stranger_between_its_seats(api: SchemaApi) -> None:
    api.book(1, 2, 3, 4)
    api.book(7)
    freed = [api.book(5, 6), api.book(8)]
    waiting = api.book(count=2, waitlist=True)
    api.cancel(freed[1])  # seat 8 alone is not enough
    api.cancel(freed[0])
    assert seats_of(api.show(waiting)) == [5, 6]


# Long gaps stay free for long journeys ----------------------------------------------------------
# The layout of service 1:  1 2 _ 3 4
#                           5 6 _ 7 8


def test_seat_with_the_shortest_gap_is_chosen(api: SchemaApi) -> None:
    api.book(6, from_stop=1, to_stop=2)
    api.book(6, from_stop=4, to_stop=5)  # seat 6 is free on [2,4)
    api.book(7, from_stop=4, to_stop=5)  # seat 7 is free on [1,4)
    assert seats_of(api.book(from_stop=2, to_stop=4)) == [6]
    assert seats_of(api.book(from_stop=2, to_stop=4)) == [7]
    assert seats_of(api.book(from_stop=2, to_stop=4)) == [5]  # its neighbour is taken: no pair is split


def test_short_gap_is_preferred_to_a_seat_without_free_neighbour(api: SchemaApi) -> None:
    api.book(1)  # seat 2 has no free neighbour on the whole route
    api.book(8, from_stop=2, to_stop=5)  # seat 8 has a gap that fits the first leg
    assert seats_of(api.book(from_stop=1, to_stop=2)) == [8]
