"""The keys on the seat map: how the cursor moves, and how the marks change the typed line."""

import re
from collections.abc import Iterable

import pytest

from busware import seatmap
from busware.seatkeys import ARROWS, SeatKeys, next_seat, typed_seats
from busware.server.protocol import Seats
from tests.client.test_seatmap import SEATER, SLEEPER, seats_of
from tests.support.project import PROJECT

LAYOUTS = {
    name: drawing
    for file in sorted((PROJECT / "sql").glob("9*.sql"))
    for name, drawing in re.findall(r"\('([\w+ ]+)', '([^']*)'\)", file.read_text())
    if re.fullmatch(r"(\w+:|[sbrD.]+|\n)+", drawing)
}


def keys_on(seat_map: Seats, *own: int, only_one: bool = False) -> SeatKeys:
    return SeatKeys(seat_map, own, only_one=only_one)


def press(keys: SeatKeys, arrows: Iterable[str], line: str = "", columns: int = 80) -> int | None:
    """Press arrow keys; return the seat under the cursor."""
    for arrow in arrows:
        keys.move(line, arrow, columns)
    return keys.cursor(line)


def plain(lines: list[seatmap.Line]) -> str:
    return "\n".join(seatmap.as_text(lines).plain.splitlines())


def test_map_for_another_seat_has_no_fare() -> None:
    seat_map = seats_of(SEATER)
    assert plain(keys_on(seat_map).draw("", 80)).endswith(" free, 260.00 each")
    assert plain(keys_on(seat_map, 1).draw("", 80)).endswith(" free")


def test_layouts_of_all_kinds_are_found() -> None:
    assert {"2+1 sleeper 36", "3+2 ordinary 54", "cabin 9", "hall 25", "house 10"} <= LAYOUTS.keys()


@pytest.mark.parametrize("columns", [20, 80])
@pytest.mark.parametrize("name", LAYOUTS)
def test_arrows_reach_every_seat(name: str, columns: int) -> None:
    drawing = seatmap.draw(seats_of(LAYOUTS[name]), (), columns)
    at = seatmap.positions(drawing)
    reached, ahead = {1}, [1]
    while ahead:
        seat = ahead.pop()
        found = {next_seat(at, seat, arrow) for arrow in ARROWS}
        ahead += found - reached
        reached |= found
    assert reached == at.keys() == set(range(1, len(at) + 1))


@pytest.mark.parametrize(
    ("layout", "columns", "start", "arrow", "end"),
    [
        (SEATER, 80, 1, "right", 2),
        (SEATER, 80, 2, "right", 3),  # over the aisle
        (SEATER, 80, 3, "left", 2),
        (SEATER, 80, 4, "right", 4),  # there is none
        (SEATER, 80, 1, "up", 1),
        (SEATER, 80, 4, "up", 4),  # not to the driver
        (SEATER, 80, 5, "down", 9),
        (SEATER, 80, 11, "up", 6),  # from the middle of the last row to the nearest seat
        ("s.s\n..s\ns.s", 80, 1, "down", 4),  # over an empty cell, in the same column
        ("s.s\n..s\ns.s", 80, 3, "left", 1),  # none on the line: to the nearest line
        (SLEEPER, 80, 3, "right", 10),  # to the other deck, which is beside
        (SLEEPER, 80, 7, "left", 3),  # beside it is the driver: to the nearest line
        (SLEEPER, 80, 10, "left", 3),
        (SLEEPER, 80, 4, "down", 4),
        (SLEEPER, 30, 4, "down", 7),  # to the other deck, which is below
        (SLEEPER, 30, 9, "up", 6),
    ],
)
def test_arrow_moves_to_the_next_seat(layout: str, columns: int, start: int, arrow: str, end: int) -> None:
    positions = seatmap.positions(seatmap.draw(seats_of(layout), (), columns))
    assert next_seat(positions, start, arrow) == end


def test_first_arrow_puts_the_cursor_on_the_first_free_seat() -> None:
    keys = keys_on(seats_of(SEATER, taken={1, 2}))
    assert keys.cursor("") is None
    assert keys.describe("") == ""
    assert press(keys, ["down"]) == 3
    assert press(keys, ["down"]) == 7


def test_first_arrow_puts_the_cursor_on_the_seat_typed_last() -> None:
    assert press(keys_on(seats_of(SEATER)), ["up"], "9 12 99") == 12


def test_space_marks_and_unmarks_in_the_typed_line() -> None:
    keys = keys_on(seats_of(SEATER))
    press(keys, ["down", "right"], "7-8, 4")
    assert keys.toggle("7-8, 4") == "7 8 "  # the cursor was on 4, the seat typed last
    press(keys, ["left"], "7 8 ")
    assert keys.toggle("7 8 ") == "7 8 3 "
    assert "[ 7]" in plain(keys.draw("7 8 3 ", 80))
    assert "> 3]" in plain(keys.draw("7 8 3 ", 80))
    assert keys.toggle("7 8 3 ") == "7 8 "


def test_space_replaces_an_answer_without_seat_numbers() -> None:
    keys = keys_on(seats_of(SEATER))
    press(keys, ["down"], "best 2")
    assert keys.toggle("best 2") == "1 "


def test_space_replaces_the_only_mark() -> None:
    keys = keys_on(seats_of(SEATER, taken={2}), 2, only_one=True)
    press(keys, ["down"], "7")
    assert keys.toggle("7") == ""
    assert keys.toggle("") == "7 "
    press(keys, ["right"], "7 ")
    assert keys.toggle("7 ") == "8 "


def test_toolbar_names_what_the_map_shows() -> None:
    assert keys_on(seats_of(SLEEPER)).noun == "berth"
    assert keys_on(seats_of(SEATER)).noun == "seat"
    assert keys_on(seats_of("rr\nrr")).noun == "room"
    assert keys_on(seats_of("sb\nsb")).noun == "seat"


@pytest.mark.parametrize("seat", [2, 3, 4])
def test_seat_that_is_not_free_is_not_marked(seat: int) -> None:
    keys = keys_on(seats_of(SEATER, taken={2, 3}, held={4}), 2)
    press(keys, ["down"] + ["right"] * (seat - 1))
    assert keys.cursor("") == seat
    assert keys.toggle("") is None
    texts = {2: "is yours already.", 3: "is taken.", 4: "is held by another traveller."}
    assert keys.describe("") == f"Seat {seat} {texts[seat]}"


def test_cursor_leaves_the_map_when_the_line_is_edited() -> None:
    keys = keys_on(seats_of(SEATER))
    press(keys, ["down"])
    assert "> 1<" in plain(keys.draw("", 80))
    assert keys.describe("") == "Seat 1 is free. Space marks it."
    assert keys.cursor("7") is None
    assert "> 1<" not in plain(keys.draw("7", 80))
    assert keys.toggle("7") is None


def test_cursor_does_not_come_back_when_the_line_is_as_before() -> None:
    keys = keys_on(seats_of(SEATER))
    press(keys, ["down", "down"])
    assert keys.cursor("") == 5
    keys.draw("7", 80)
    assert keys.cursor("") is None
    assert keys.toggle("") is None
    assert press(keys, ["down"]) == 1


def test_cursor_is_visible_without_colours_and_in_reverse_video() -> None:
    keys = keys_on(seats_of(SLEEPER, taken={2}))
    press(keys, ["down", "right"])
    drawing = keys.draw("", 80)
    assert ">××═<" in plain(drawing)
    assert [text for style, text in seatmap.as_prompt(drawing) if "reverse" in style] == [">××═<"]
    assert keys.describe("") == "Berth 2 is taken."


@pytest.mark.parametrize(
    ("typed", "seats"),
    [
        ("", []),
        ("3 7", [3, 7]),
        ("7 3 7", [7, 3]),
        ("3-5, 7", [3, 4, 5, 7]),
        ("3-", [3]),
        ("best 2", []),
        ("1-99999", [*range(1, 102)]),
    ],
)
def test_seats_in_a_partly_typed_answer(typed: str, seats: list[int]) -> None:
    assert typed_seats(typed) == seats


@pytest.mark.parametrize("rows", range(-1, 20))
@pytest.mark.parametrize("shown", range(12))
def test_cropped_map_shows_the_wanted_line(rows: int, shown: int) -> None:
    lines = [[seatmap.Piece("", f"line {n}")] for n in range(12)]
    cropped = seatmap.crop(lines, rows, shown)
    assert len(cropped) == max(0, min(rows, 12))
    if rows > 0:
        assert lines[shown] in cropped
    hidden = [int(text) for text in re.findall(r"… (\d+) more", plain(cropped))]
    assert sum(hidden) == (12 - (len(cropped) - len(hidden)) if 3 <= rows < 12 else 0)
