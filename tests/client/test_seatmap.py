"""The seat map of the terminal client: its lines, its glyphs, its width."""

import textwrap
from collections.abc import Collection
from datetime import date

import pytest
from msgspec.structs import replace

from busware import seatmap
from busware.server.conversation.drawing import drivers
from busware.server.protocol import Seat, Seats
from busware.server.tcp import plain_replies

DAY = date(2026, 12, 5)
SEATER = "....D\nss.ss\nss.ss\nsssss"
SLEEPER = "lower:\n...D\nb.bb\nb.bb\nupper:\nb.bb\nb.bb"
SLEEPER_LEGEND = """\
nn free   ~~ held   ×× taken   [nn] yours   ═ berth   ◎ driver
10 of 12 free, 260.00 each
"""


def seats_of(layout: str, **states: set[int]) -> Seats:
    """The seat map of a layout, parsed as by api.layout_seats. states: seats that are not free, by state."""
    found: list[Seat] = []
    deck, row = "main", 0
    for line in layout.splitlines():
        if line.endswith(":"):
            deck, row = line[:-1].lower(), 0
            continue
        row += 1
        for column, symbol in enumerate(line, 1):
            if symbol not in ".D":
                seat_no = len(found) + 1
                state = next((state for state, seats in states.items() if seat_no in seats), "free")
                kind = {"s": "seat", "b": "berth", "r": "room"}[symbol]
                found.append(Seat(seat_no=seat_no, deck=deck, row=row, column=column, kind=kind, state=state))
    return Seats(
        currency="INR",
        bus_id=1, travel_date=DAY, boarding_date=DAY, from_stop=1, to_stop=5,
        layout=layout, fare="260.00", seats=found, max_seats=6,
    )  # fmt: skip


def drawn(seat_map: Seats, yours: Collection[int] = (), columns: int = 80) -> str:
    """The drawn map as text, without blanks at the ends of lines."""
    lines = seatmap.as_text(seatmap.draw(seat_map, yours, columns)).plain.splitlines()
    assert max(map(len, lines)) <= columns
    return "".join(f"{line.rstrip()}\n" for line in lines)


def test_reserved_seats_have_a_letter() -> None:
    seat_map = seats_of(SEATER, taken={2})
    reserved = {1: "women", 2: "women", 13: "accessible"}
    seats = [replace(seat, reserved_for=reserved.get(seat.seat_no)) for seat in seat_map.seats]
    assert drawn(replace(seat_map, seats=seats), {1}) == textwrap.dedent(
        """\
        ╭─────────────────────────╮
        │                      ◎  │
        │[ 1w] ××w         3    4 │
        │   5    6         7    8 │
        │   9   10   11   12  13a │
        ╰─────────────────────────╯
        nn free   ×× taken   [nn] yours   w for women   a accessible   ◎ driver
        12 of 13 free, 260.00 each
        """
    )
    assert plain_replies.seat_map(replace(seat_map, seats=seats), (1,)).splitlines() == [
        "main (seats)",
        "+------------- driver +",
        "|   *   x       3   4 |",
        "|   5   6       7   8 |",
        "|   9  10  11  12 13a |",
        "+---------------------+",
        "A number means free, x taken, * yours, w for women, a accessible.",
        "12 of 13 free.",
    ]


def test_seater_with_driver() -> None:
    assert drawn(seats_of(SEATER, held={3}, taken={6, 7}), {1, 9}) == textwrap.dedent(
        """\
        ╭────────────────────╮
        │                 ◎  │
        │[ 1]  2      ~~   4 │
        │  5  ××      ××   8 │
        │[ 9] 10  11  12  13 │
        ╰────────────────────╯
        nn free   ~~ held   ×× taken   [nn] yours   ◎ driver
        10 of 13 free, 260.00 each
        """
    )


def test_driver_is_on_the_deck_whose_name_is_written_in_another_form() -> None:
    deck, composed = "Fu\u0308r  Alle", "f\u00fcr alle"
    assert list(drivers(f"{deck} :\ns.D")) == [(composed, 1, 3)]


def test_decks_are_side_by_side_if_the_width_allows() -> None:
    beside = (
        textwrap.dedent(
            """\
            ╭ Lower ─────────────╮    ╭ Upper ─────────────╮
            │                 ◎  │    │  7═        8═ [ 9═]│
            │[ 1═]      ~~═   3═ │    │ 10═       11═  12═ │
            │  4═       ××═   6═ │    ╰────────────────────╯
            ╰────────────────────╯
            """
        )
        + SLEEPER_LEGEND
    )
    berths = seats_of(SLEEPER, held={2}, taken={5})
    assert drawn(berths, {1, 9}) == beside
    assert "╮    ╭" in drawn(berths, {1, 9}, 48)
    assert "╮    ╭" not in drawn(berths, {1, 9}, 47)


def test_decks_are_stacked_on_a_narrow_screen() -> None:
    assert drawn(seats_of(SLEEPER, held={2}, taken={5}), {1, 9}, 30) == textwrap.dedent(
        """\
        ╭ Lower ─────────────╮
        │                 ◎  │
        │[ 1═]      ~~═   3═ │
        │  4═       ××═   6═ │
        ╰────────────────────╯
        ╭ Upper ─────────────╮
        │  7═        8═ [ 9═]│
        │ 10═       11═  12═ │
        ╰────────────────────╯
        nn free   ~~ held
        ×× taken   [nn] yours
        ═ berth   ◎ driver
        10 of 12 free, 260.00 each
        """
    )


@pytest.mark.parametrize(
    ("seat_map", "yours", "legend"),
    [
        (seats_of("ss\nss"), set(), "nn free"),
        (seats_of("ss\nss", taken={1, 2, 3, 4}), set(), "×× taken"),
        (seats_of("ss\nss", held={1, 2, 3, 4}), set(), "~~ held"),
        (seats_of("ss\nss"), {1, 2, 3, 4}, "[nn] yours"),
        (seats_of("Deck:\nbb"), set(), "nn free   ═ berth"),
        (seats_of(".D\nss"), {2}, "nn free   [nn] yours   ◎ driver"),
    ],
)
def test_legend_explains_only_the_glyphs_in_the_map(seat_map: Seats, yours: set[int], legend: str) -> None:
    assert drawn(seat_map, yours).splitlines()[-2] == legend


def test_all_numbers_are_as_wide_as_the_largest() -> None:
    theatre = seats_of("s" * 10 + "\n" + "\n".join(["s" * 10] * 9), taken={100})
    first, *_, last = drawn(theatre, {1}).splitlines()[1:-3]
    assert first.startswith("│[  1]   2    3 ")
    assert last.endswith("  98   99   ×× │")


def test_prompt_toolkit_draws_the_same_text_as_rich() -> None:
    lines = seatmap.draw(seats_of(SLEEPER, held={2}, taken={5}), {1, 9})
    pieces = seatmap.as_prompt(lines)
    assert "".join(text for _, text in pieces) == seatmap.as_text(lines).plain + "\n"
    assert len({style for style, text in pieces if text.strip()}) == 5
