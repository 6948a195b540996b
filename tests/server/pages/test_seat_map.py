"""Seat maps as pages show them: from the reply to the tables, without a browser."""

from datetime import date
from typing import Any

import pytest

from busware.server.languages import language
from busware.server.pages import kinds, seat_map
from busware.server.pages.seat_map import Box, Choice, Deck, SeatMapView
from busware.server.protocol import Seat, SeatClass, Seats

KINDS = {"s": "seat", "b": "berth", "r": "room"}


def reply(layout: str, **changed: Any) -> Seats:
    """A reply with all seats of a layout free."""
    seats: list[Seat] = []
    deck, row = "main", 0
    for line in layout.splitlines():
        if line.endswith(":"):
            deck, row = line.rstrip(":"), 0
            continue
        row += 1
        for column, symbol in enumerate(line, 1):
            if symbol in KINDS:
                number = len(seats) + 1
                seats.append(
                    Seat(seat_no=number, deck=deck, row=row, column=column, kind=KINDS[symbol], state="free")
                )
    values: dict[str, Any] = {
        "bus_id": 1, "travel_date": date(2026, 12, 2), "boarding_date": date(2026, 12, 2), "from_stop": 1,
        "to_stop": 5, "layout": layout, "currency": "INR", "fare": "350.00", "seats": seats, "max_seats": 6,
    }  # fmt: skip
    return Seats(**values | changed)


def changed(seats: Seats, **by_number: dict[str, Any]) -> Seats:
    """The reply with some seats changed: changed(reply, s7={"state": "taken"})."""
    changes = {int(name[1:]): values for name, values in by_number.items()}
    fields = {name: getattr(seats, name) for name in seats.__struct_fields__}
    fields["seats"] = [
        Seat(**{name: getattr(seat, name) for name in seat.__struct_fields__} | changes.get(seat.seat_no, {}))
        for seat in seats.seats
    ]
    return Seats(**fields)


def view(seats: Seats, kind: str = "bus", code: str = "en", **options: Any) -> SeatMapView:
    return seat_map.view(seats, kinds.kind_of(kind), language(code), Choice(**options))


def drawn(deck: Deck) -> list[str]:
    """The deck as text: a number of a seat, D, or a dot for an empty cell."""
    return [
        " ".join(str(cell.box.seat.seat_no) if cell.box else "D" if cell.is_driver else "." for cell in row)
        for row in deck.rows
    ]


def boxes(seen: SeatMapView) -> dict[int, Box]:
    """The seats by number."""
    found = (cell.box for deck in seen.decks for row in deck.rows for cell in row if cell.box)
    return {box.seat.seat_no: box for box in found}


def names(seen: SeatMapView) -> list[str]:
    return [box.name for box in boxes(seen).values()]


def test_deck_is_drawn_as_the_vehicle_is_laid_out() -> None:
    (deck,) = view(reply("....D\n...ss\nss.ss\nsssss")).decks
    assert deck.title == ""
    assert drawn(deck) == [". . . . D", ". . . 1 2", "3 4 . 5 6", "7 8 9 10 11"]


def test_decks_have_titles() -> None:
    lower, upper, other = view(reply("lower:\n..D\nb.b\nupper:\nb.b\nroof:\nb.b")).decks
    assert [lower.title, upper.title, other.title] == ["Lower deck", "Upper deck", "Roof"]
    assert (drawn(lower), drawn(upper)) == ([". . D", "1 . 2"], ["3 . 4"])


def test_berth_beside_seats_covers_two_rows() -> None:
    (deck,) = view(reply("b.ss\n..ss\nb.ss\n..ss")).decks
    assert drawn(deck) == ["1 . 2 3", ". 4 5", "6 . 7 8", ". 9 10"]
    assert [row[0].rows for row in deck.rows] == [2, 1, 2, 1]


def test_berths_alone_cover_one_row() -> None:
    (deck,) = view(reply("b.bb\n..bb")).decks
    assert drawn(deck) == ["1 . 2 3", ". . 4 5"]
    assert {cell.rows for row in deck.rows for cell in row} == {1}


def test_name_says_position_fare_and_state() -> None:
    seats = changed(reply("....D\nss.sss"), s2={"state": "held"}, s5={"state": "taken"})
    assert names(view(seats)) == [
        "Seat 1, window, ₹350, free",
        "Seat 2, aisle, ₹350, held by another traveller",
        "Seat 3, aisle, ₹350, free",
        "Seat 4, middle, ₹350, free",
        "Seat 5, window, ₹350, taken",
    ]


def test_berth_beside_the_aisle_of_its_second_row() -> None:
    (deck,) = view(reply("bbss\n..ss\nb.ss\n..ss")).decks
    by_number = {cell.box.seat.seat_no: cell.box for row in deck.rows for cell in row if cell.box}
    assert by_number[5].about == "Seat 5, middle, ₹350"  # the berth 2 covers the cell on its left
    assert by_number[8].about == "Seat 8, aisle, ₹350"


@pytest.mark.parametrize(
    ("kind", "layout", "expected"),
    [
        ("show", "sss", "Seat 2, ₹350, free"),
        ("hotel", "ground:\nrrr", "Room 2, ₹350, free"),
        ("flight", "s.s", "Seat 2, window, ₹350, free"),
        ("bus", "b.b", "Berth 2, window, ₹350, free"),
    ],
)
def test_names_of_each_kind_of_service(kind: str, layout: str, expected: str) -> None:
    assert expected in names(view(reply(layout), kind))


def test_name_says_for_whom_a_seat_is_reserved_and_that_it_is_blocked() -> None:
    seats = changed(
        reply("ss.ss"),
        s1={"reserved_for": "women"},
        s2={"reserved_for": "accessible", "state": "taken", "blocked": True},
    )
    seen = view(seats)
    assert names(seen)[:2] == [
        "Seat 1, window, for women, ₹350, free",
        "Seat 2, aisle, accessible, ₹350, blocked",
    ]
    assert seen.reserved == {"women": "for women", "accessible": "accessible"}


def test_fares_are_shown_on_the_seats_only_where_they_differ() -> None:
    assert {box.fare for box in boxes(view(reply("ss.ss"))).values()} == {""}
    classes = [
        SeatClass(name=None, fare="350.00", seats_free=3),
        SeatClass(name="premium", fare="420.50", seats_free=1),
    ]
    seats = changed(reply("ss.ss", classes=classes), s1={"fare": "420.50", "seat_class": "premium"})
    seen = view(seats)
    assert [box.fare for box in boxes(seen).values()] == ["₹420.50", "₹350", "₹350", "₹350"]
    assert names(seen)[0] == "Seat 1, Premium, window, ₹420.50, free"
    assert seen.classes == [("Standard", "₹350"), ("Premium", "₹420.50")]


def test_limit_is_at_most_the_number_of_seats() -> None:
    assert view(reply("ss")).limit == 2
    assert view(reply("ssss\nssss")).limit_text == "One booking has at most 6 seats."
    assert view(reply("ssss\nssss"), only_one=True).limit == 1


def test_own_seats_are_no_lost_ones() -> None:
    seats = changed(reply("ss.ss"), s1={"state": "taken"})
    seen = view(seats, own=[1], chosen=[1])
    assert names(seen)[0] == "Seat 1, window, ₹350, yours"
    assert (seen.lost, seen.offered) == ([], [])


def test_lost_seats_are_replaced_by_the_nearest_ones() -> None:
    seats = changed(reply("ss.ss\nss.ss\nss.ss"), s6={"state": "taken"}, s2={"state": "held"})
    seen = view(seats, chosen=[5, 6])
    assert [number for number, box in boxes(seen).items() if box.chosen] == [5]
    assert (seen.kept, seen.lost) == ([5], ["Seat 6"])
    assert seen.offered == [7]  # in the same row; 5 is kept


def test_nearest_seats_are_of_the_same_class_and_deck() -> None:
    seats = changed(
        reply("lower:\nss.ss\nupper:\nss.ss"),
        s1={"seat_class": "premium", "state": "taken"},
        s4={"seat_class": "premium"},
        s5={"seat_class": "premium"},
    )
    assert seat_map.nearest(seats, [1]) == [4]
    assert seat_map.nearest(seats, [1], kept=[4]) == [5]


def test_every_lost_seat_gets_another_offer() -> None:
    seats = changed(reply("ss.ss"), s1={"state": "taken"}, s2={"state": "taken"}, s4={"state": "taken"})
    assert seat_map.nearest(seats, [1, 2, 4]) == [3]
    assert seat_map.nearest(seats, [99]) == []


def test_stage_is_drawn_where_no_driver_is() -> None:
    assert view(reply("sss"), "show").front == "Stage"
    assert view(reply("..D\nsss"), "bus").front == ""
    assert view(reply("rrr"), "hotel").front == ""


@pytest.mark.parametrize("code", ["hi", "kn"])
def test_names_are_translated(code: str) -> None:
    name = names(view(reply("..D\ns.s"), code=code))[0]
    assert "free" not in name
    assert "₹350" in name
