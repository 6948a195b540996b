"""The drawing of a ticket: its size, and its code, which a barcode scanner reads."""

import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.console import Console
from rich.text import Text

from busware import ticket
from busware.server.conversation.words import hold_end
from busware.server.protocol import Booking, RefundTier, Ticket
from tests.client.test_commands import PHONE, Run, book, run  # noqa: F401 - run is a fixture

ZBARIMG = shutil.which("zbarimg")
COLUMNS = 80
REFERENCES = ["DT7VKKK", "7B8ZGUF", "ZZZZZZZZZZ"]
PIXELS_PER_MODULE = 4  # in width and in height
NAME = "Srinivasa Ramanujan Iyengar of Kumbakonam, Tamil Nadu, and his large family, too"


def make_booking(
    status: str = "booked", reference: str = "DT7VKKK", name: str = NAME, size: int = 6
) -> Booking:
    """A booking. name: of each passenger. size: the number of passengers."""
    return Booking(
        reference=reference, status=status, kind="bus", name="Airavat Club Class", operator="KSRTC",
        bus_id=101, travel_date=date(2026, 12, 5), boarding_date=date(2026, 12, 5), origin="Bengaluru",
        destination="Mysuru", from_stop=1, to_stop=5,
        departs_at=datetime.fromisoformat("2026-12-05T07:00+05:30"),
        arrives_at=datetime.fromisoformat("2026-12-05T10:05+05:30"), fare="1560.00", refund="0.00",
        tickets=[
            Ticket(ticket_no=n, seat_no=n, name=name, status=status, fare="260.00", refund="0.00")
            for n in range(1, size + 1)
        ],
    )  # fmt: skip


def test_ticket_that_ends_early_has_its_end() -> None:
    booking = make_booking(name="Asha", size=2)
    at = datetime.fromisoformat("2026-12-05T09:10+05:30")
    early = msgspec.structs.replace(booking.tickets[1], to_stop=3, destination="Mandya", arrives_at=at)
    booking = msgspec.structs.replace(booking, tickets=[booking.tickets[0], early])
    first, second = (next(line for line in draw(booking, 120) if f" {n}     {n}" in line) for n in (1, 2))
    assert "Asha  " in first
    assert "Asha (to Mandya, Sat 5 Dec 2026 09:10)" in second


def test_ticket_has_a_column_for_names_only_if_it_has_names() -> None:
    assert "Passenger" not in "\n".join(draw(make_booking(name="", size=2), 120))
    assert "Passenger" in "\n".join(draw(make_booking(name="Asha", size=2), 120))


def test_ticket_names_a_hotel_once() -> None:
    stay = msgspec.structs.replace(
        make_booking(name="", size=1), kind="hotel", name="Brindavan House", operator="Brindavan House",
        origin="Brindavan House", destination="Brindavan House",
    )  # fmt: skip
    assert "\n".join(draw(stay, 120)).count("Brindavan House") == 1


def test_ticket_says_until_when_a_cancellation_refunds() -> None:
    tiers = [
        RefundTier(until=datetime.fromisoformat(until), percent=percent)
        for until, percent in (("2026-12-03T07:00+05:30", "90"), ("2026-12-04T07:00+05:30", "50"))
    ]
    booking = msgspec.structs.replace(make_booking("held", size=1), refund_tiers=tiers, vehicle="KA09F1234")
    text = " ".join(" ".join(draw(booking, 120)).replace("│", "").split())
    assert "bus 101, KA09F1234" in text
    assert (
        "Cancel until Thu 3 Dec 2026 07:00: 90 % back; until Fri 4 Dec 2026 07:00: 50 %; later: nothing."
    ) in text
    booking = msgspec.structs.replace(booking, refund_tiers=[])
    assert "A cancellation refunds nothing." in "\n".join(draw(booking, 120))


def modules(code: Text, *, light: bool) -> list[list[int]]:
    """The modules of a code, 1 for dark, from its half blocks. light: the drawn blocks are light modules."""
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    lines = [[halves[glyph] for glyph in line] for line in code.plain.splitlines()]
    return [[pair[half] ^ light for pair in line] for line in lines for half in (0, 1)]


def scanned(rows: list[list[int]], file: Path) -> str:
    """The text that a scanner reads in a picture of these modules."""
    if ZBARIMG is None:
        pytest.skip("zbarimg is not installed: apt install zbar-tools")
    wide = [[str(module) for module in row for _ in range(PIXELS_PER_MODULE)] for row in rows]
    bits = "\n".join(" ".join(row) for row in wide for _ in range(PIXELS_PER_MODULE))
    file.write_text(f"P1\n{len(wide[0])} {len(wide) * PIXELS_PER_MODULE}\n{bits}\n")
    seen = subprocess.run(
        [ZBARIMG, "--quiet", "--raw", str(file)], capture_output=True, text=True, timeout=20
    )
    return seen.stdout.strip()


def draw(booking: Booking, columns: int = COLUMNS, **console: object) -> list[str]:
    """The lines of a booking on a terminal."""
    terminal = Console(width=columns, force_terminal=True, highlight=False, **console)
    with terminal.capture() as captured:
        terminal.print(ticket.draw(booking, columns, coloured=not terminal.no_color))
    return Text.from_ansi(captured.get()).plain.splitlines()


@pytest.mark.parametrize("coloured", [True, False])
@pytest.mark.parametrize("reference", REFERENCES)
def test_scanner_reads_the_reference(reference: str, coloured: bool, tmp_path: Path) -> None:
    rows = modules(ticket.code(reference, coloured=coloured), light=not coloured)
    assert scanned(rows, tmp_path / "code.pbm") == f"BUSWARE:{reference}"


@pytest.mark.parametrize("coloured", [True, False])
def test_code_has_a_light_border(coloured: bool) -> None:
    rows = modules(ticket.code("DT7VKKK", coloured=coloured), light=not coloured)
    assert {len(row) for row in rows} == {25}
    assert not any(map(any, [*rows[:2], *rows[-2:]]))
    assert not any(any(row[:2] + row[-2:]) for row in rows)


def test_code_is_dark_on_light_on_any_terminal() -> None:
    """Without colours, the light modules are drawn."""
    coloured, plain = (ticket.code("DT7VKKK", coloured=coloured) for coloured in (True, False))
    assert {str(span.style) for span in coloured.spans} == {"black on white"}
    assert sum(span.end - span.start for span in coloured.spans) == len(coloured.plain.replace("\n", ""))
    assert not plain.spans


@pytest.mark.parametrize("no_color", [False, True])
def test_scanner_reads_the_code_of_a_whole_ticket(no_color: bool, tmp_path: Path) -> None:
    """The names have the maximal length. On 80 columns the code is beside them."""
    lines = draw(make_booking(), no_color=no_color)
    assert {len(line) for line in lines} == {COLUMNS}
    codes = [line[-27:-2] for line in lines[1:14]]
    rows = modules(Text("\n".join(codes)), light=no_color)
    assert scanned(rows, tmp_path / "code.pbm") == "BUSWARE:DT7VKKK"


def test_scanner_reads_the_code_in_a_narrow_window(tmp_path: Path) -> None:
    """The code is below the text, and is not cut."""
    lines = draw(make_booking(), 40)
    assert {len(line) for line in lines} == {40}
    rows = modules(Text("\n".join(line[2:27] for line in lines[-14:-1])), light=False)
    assert scanned(rows, tmp_path / "code.pbm") == "BUSWARE:DT7VKKK"


@pytest.mark.parametrize("name", [NAME, "Wolfeschlegelsteinhausenbergerdorff" * 2 + "y Ramirez."])
def test_long_name_is_not_cut(name: str) -> None:
    lines = draw(make_booking(name=name))
    assert max(map(len, lines)) == COLUMNS
    (head,) = [number for number, line in enumerate(lines) if "Passenger" in line]
    start = lines[head].index("Passenger")
    end = start + lines[head][start:].index("Fare") - 2
    read = "".join(line[start:end].replace(" ", "") for line in lines[head + 1 : -3])
    assert read == name.replace(" ", "") * 6


def test_ticket_of_two_fits_24_lines() -> None:
    assert len(draw(make_booking(name="Asha", size=2))) < 24


def test_end_of_a_hold_is_local_time_of_the_origin_and_names_it_if_clocks_differ() -> None:
    end = datetime.now(UTC) + timedelta(minutes=10)
    booking = make_booking("held")
    for zone, addition in (("Asia/Kolkata", ""), ("America/New_York", f" in {booking.origin}")):
        departs_at = booking.departs_at.astimezone(ZoneInfo(zone))
        booking = msgspec.structs.replace(booking, expires_at=end, departs_at=departs_at)
        here, there = ZoneInfo("Asia/Kolkata"), end.astimezone(ZoneInfo(zone))
        assert hold_end(booking, end, here) == f"{there:%H:%M:%S}{addition}"
    drawn = " ".join(" ".join(draw(booking)).split())
    assert f"Confirm within 10 minutes, before {hold_end(booking, end, None)}" in drawn


@pytest.mark.parametrize("status", ["held", "pending", "cancelled", "expired"])
def test_only_a_booked_ticket_has_a_code(status: str) -> None:
    assert not set("▀▄█") & set("".join(draw(make_booking(status))))


def test_ticket_that_ends_early_is_listed_with_its_end(run: Run) -> None:  # noqa: F811
    reference = book(run, "--seats", "3,4")["reference"]
    shown = run("alight", reference, *PHONE, "Ramanagara", "--tickets", "2").out
    assert shown.endswith(
        "Ticket  Seat  Name  Status    Fare  Refund  Ends\n"
        "     1     3        booked  180.00    0.00\n"
        "     2     4        booked  180.00    0.00  to Ramanagara, Sat 5 Dec 2026 10:50\n"
        "Fare 360.00, refund 0.00.\n"
    )
