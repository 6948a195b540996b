"""The seat occupancy chart: what it draws, and that it fits the screen."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace
from prompt_toolkit.utils import get_cwidth

from busware.server.conversation.chart import chart_lines
from busware.server.protocol import BlockedSegment, Leg, OccupiedSeat, SeatTicket, TripOccupancy

BOARDING = ("checked_in_at", "no_show_at")
DEPARTS = datetime(2026, 12, 5, 10, tzinfo=UTC)


def ticket(
    from_stop: int, to_stop: int, name: str | None, reference: str = "DTK7GHJ", status: str = "booked"
) -> SeatTicket:
    return SeatTicket(
        from_stop=from_stop,
        to_stop=to_stop,
        reference=reference,
        ticket_no=1,
        name=name,
        status="held" if status == "held" else "booked",
    )


def trip(
    places: list[str], *seats: list[SeatTicket], decks: tuple[str, ...] = ("main",), hours: int = 1
) -> TripOccupancy:
    """A trip that leaves each place `hours` after the one before it. Seats alternate between decks."""
    times = [DEPARTS + timedelta(hours=hours) * n for n in range(len(places))]
    legs = [
        Leg(
            from_stop=n + 1, to_stop=n + 2, origin=places[n], destination=places[n + 1],
            departs_at=times[n], arrives_at=times[n + 1], held=0, free=0, pending=0,
            booked=sum(t.from_stop <= n + 1 < t.to_stop for seat in seats for t in seat),
        )
        for n in range(len(places) - 1)
    ]  # fmt: skip
    return TripOccupancy(
        bus_id=1, kind="bus", name="Day Bus", operator="KSRTC", travel_date=date(2026, 12, 5), state="open",
        origin=places[0], destination=places[-1], departs_at=times[0], arrives_at=times[-1], seats=len(seats),
        booked=0, held=0, pending=0, load=0, bookings=0, legs=legs,
        occupancy=[
            OccupiedSeat(seat_no=n + 1, deck=decks[n % len(decks)], tickets=tickets)
            for n, tickets in enumerate(seats)
        ],
    )  # fmt: skip


def drawn(shown: TripOccupancy, columns: int) -> list[str]:
    """The chart without its heading of two lines."""
    lines = ["".join(piece.text for piece in line) for line in chart_lines(shown, columns)]
    assert [line for line in lines if get_cwidth(line) > columns] == []
    return lines[2:]


def test_resold_seat_is_a_row_with_a_run_for_each_ticket() -> None:
    places = ["Bengaluru", "Mandya", "Mysuru", "Ooty"]
    shown = trip(
        places,
        [ticket(1, 2, "Asha Rao"), ticket(2, 4, None, "DTX3YGF", "held")],
        [],
        [ticket(1, 4, "Srinivasa Ramanujan Iyengar of Kumbakonam and his family")],
    )
    assert drawn(shown, 80) == [
        "",
        "       Bengaluru         Mandya            Mysuru            Ooty",
        "       10:00             11:00             12:00             13:00",
        "    1  [Asha Rao        ](DTX3YGF~~~~~~~~~~~~~~~~~~~~~~~~~~~)",
        "    2  ················· ················· ·················",
        "    3  [Srinivasa Ramanujan Iyengar of Kumbakonam and his f…]",
        "taken  2                 2                 2",
        "",
        "[name] booked   (name~) held   ··· free",
    ]


def test_blocked_legs_and_passengers_on_board_are_marked() -> None:
    shown = trip(["A", "B", "C"], [ticket(1, 2, "Asha")], [ticket(1, 3, "Ravi")], [])
    asha, ravi = (replace(shown.occupancy[n].tickets[0], **{at: DEPARTS}) for n, at in enumerate(BOARDING))
    seats = [replace(shown.occupancy[n], tickets=[one]) for n, one in enumerate((asha, ravi))]
    blocked = [
        BlockedSegment(seat_no=1, from_stop=2, to_stop=None, reason=None),
        BlockedSegment(seat_no=2, from_stop=1, to_stop=3, reason="sold before it was blocked"),
        BlockedSegment(seat_no=3, from_stop=1, to_stop=2, reason="belt"),
    ]
    shown = replace(shown, occupancy=[*seats, shown.occupancy[2]], blocked=blocked)
    lines = drawn(shown, 40)
    assert lines[3:6] == [
        "    1  [Asha    +]##########",
        "    2  [Ravi               !]",
        "    3  ########## ··········",
    ]
    assert lines[8:] == [
        "[name] booked   [name+] checked in",
        "[name!] no-show   (name~) held",
        "### blocked   ··· free",
    ]


def test_colour_of_a_ticket_is_that_of_its_booking() -> None:
    shown = trip(
        ["A", "B", "C"], [ticket(1, 2, "Asha"), ticket(2, 3, "Ravi", "DTX3YGF")], [ticket(1, 3, "Uma")]
    )
    parties = [piece.party for line in chart_lines(shown, 80) for piece in line if piece.party is not None]
    assert parties == [0, 1, 0]


def test_each_deck_has_a_heading() -> None:
    lines = drawn(trip(["A", "B"], [], [ticket(1, 2, "Asha")], [], decks=("lower", "upper")), 80)
    assert [line[:7].strip() for line in lines] == [
        "", "", "", "lower d", "1", "3", "upper d", "2", "taken", "", "[name]"
    ]  # fmt: skip


def test_narrow_columns_have_stop_numbers_and_a_list_of_stops() -> None:
    lines = drawn(
        trip([f"Stop {n}" for n in range(1, 12)], [ticket(2, 3, "Asha"), ticket(3, 12, "Ravi")]), 80
    )
    assert lines[1] == "       1     2     3     4     5     6     7     8     9     10    11"
    assert lines[3].startswith("    1  ····· [Asha][Ravi ")
    assert lines[6].startswith("1 Stop 1 10:00   2 Stop 2 11:00   3 Stop 3 12:00")


def test_long_route_is_drawn_in_blocks_and_empty_blocks_are_left_out() -> None:
    nights = trip(["Mysuru"] * 61, [ticket(18, 23, "Asha")], [], hours=24)
    lines = drawn(nights, 80)
    assert lines[1:] == [
        "Sat 5 Dec 2026 to Fri 25 Dec 2026",
        "       5  6  7  8  9  10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25",
        f"    1  {'·· ' * 17}[Asha   >",
        f"    2  {'·· ' * 20}".rstrip(),
        f"taken  {'0  ' * 17}1  1  1",
        "",
        "Fri 25 Dec 2026 to Thu 14 Jan 2027",
        "       25 26 27 28 29 30 31 1  2  3  4  5  6  7  8  9  10 11 12 13 14",
        f"    1  <Asha]{'·· ' * 18}".rstrip(),
        f"    2  {'·· ' * 20}".rstrip(),
        f"taken  1  1  {'0  ' * 18}".rstrip(),
        "",
        "Thu 14 Jan 2027 to Wed 3 Feb 2027",
        "no tickets",
        "",
        "[name] booked   (name~) held   ··· free",
    ]


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("stops", [2, 12, 70, 400])
@pytest.mark.parametrize("name", ["ಆಶಾ ರಾವ್", "王小明", None])
def test_chart_fits_the_screen(columns: int, stops: int, name: str | None) -> None:
    seats = [[ticket(1, stops, name)], [ticket(n, n + 1, name) for n in range(1, stops)]] * 50
    lines = drawn(trip([f"Thiruvananthapuram {n}" for n in range(stops)], *seats), columns)
    assert sum(line.startswith(("    1  [", "    1  <")) for line in lines) >= 1
