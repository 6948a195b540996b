"""The command `busware`: what it prints for people and for scripts, and its exit status."""

import io
import json
import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from rich.console import Console as RichConsole

from busware import __main__ as command
from busware import commands, render
from busware.server.protocol import METHODS, Booking, Seat, Seats
from tests.conftest import WAIT_SECONDS, Clock, Database, LineClient
from tests.support.pushing import Console

SEGMENT = ("1", "2026-12-05", "bengaluru", "mandya")
PHONE = ("--phone", "98450 12345")
DAY = date(2026, 12, 5)
TRIP_OF_SEATS: dict[str, Any] = {
    "bus_id": 1, "travel_date": DAY, "boarding_date": DAY, "from_stop": 1, "to_stop": 3,
}  # fmt: skip
NO_TRIP = "No trip goes from this origin to this destination on that date.\n"


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(server: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line against the server."""
    monkeypatch.setenv("BUSWARE_HOST", server.host)
    monkeypatch.setenv("BUSWARE_PORT", str(server.port))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        try:
            status = command.main(list(arguments))
        except SystemExit as left:
            status = int(str(left.code))
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def operate(run: Run, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line as an operator of all services."""
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    token = json.loads(run("register", "boss", "--json").out)["token"]
    database.query("UPDATE accounts SET role = 'admin'")
    return lambda *arguments: run(*arguments, "--token", token)


def book(run: Run, *more: str) -> dict[str, Any]:
    outcome = run("book", *SEGMENT, *PHONE, "--json", *more)
    assert outcome.status == 0, outcome
    return json.loads(outcome.out)


# For people ------------------------------------------------------------------------------------


def test_search_prints_the_arguments_of_book(run: Run) -> None:
    found = run("search", "Bangalore", "mysuru", "5 dec 2026")
    assert (found.status, found.err) == (0, "")
    assert found.out == (
        "Bus  Date        Departs  Arrives   Service                                  Fare  Free\n"
        "  1  2026-12-05  10:00    12:45     KSRTC Day Bus, non-AC seater           260.00     8\n"
        "  2  2026-12-05  22:00    00:50 +1  SRS Travels Night Sleeper, AC sleeper  500.00     4\n"
    )
    assert "Night" not in run("search", "BLRU", "MYSU", "2026-12-05", "--no-ac", "--free", "5").out
    assert run("search", "beng", "mys", "2026-12-05").out == found.out
    to_region = run("search", "bengaluru", "karnataka", "2026-12-05").out.splitlines()
    assert "Arrives   To             Service" in to_region[0]
    assert "10:00    10:50     Ramanagara     KSRTC Day Bus" in to_region[1]
    assert run("search", "ooty", "bengaluru", "2026-12-05").out == NO_TRIP


def test_places_from_an_origin(run: Run) -> None:
    assert run("places", "--from", "mys").out.split()[-3:] == ["Ooty", "Udhagamandalam", "bus"]
    assert run("places", "--from", "mys", "--kind", "flight").out == "No place was found.\n"
    unknown = run("places", "--from", "Atlantis")
    assert (unknown.status, unknown.out) == (1, "")
    assert unknown.err.startswith('No place is called "Atlantis"')


def test_a_date_is_the_date_at_the_stop_of_the_passenger(run: Run, database: Database) -> None:
    """Bus 2 leaves Bengaluru at 22:00, and Mysuru at 01:00 of the next day."""
    boarding = ("2", "6 dec 2026", "mysuru", "ooty")
    found = run("search", "mysuru", "ooty", "6 dec 2026").out.splitlines()
    assert found[1].startswith("  2  2026-12-06  01:00    05:30")
    assert "4 of 4 free" in run("seats", *boarding).out
    for verb, status in (("book", "Booked"), ("hold", "Held")):
        made = run(verb, *boarding, *PHONE, "--count", "1").out.splitlines()
        reference = made[0].split()[1].rstrip(",")
        assert made[:2] == [
            f"{status}: {reference}, SRS Travels Night Sleeper (2) of Sun 6 Dec 2026, "
            "travel date Sat 5 Dec 2026.",
            "Mysuru, Sun 6 Dec 2026 01:00, to Ooty, Sun 6 Dec 2026 05:30.",
        ]
        assert run("find", "2026-12-06", "mysuru", *PHONE).out.split()[-1]
    assert database.query("SELECT DISTINCT travel_date::text FROM passengers") == ["2026-12-05"]
    assert run("seats", "2", "2026-12-01", "mysuru", "ooty").err.startswith(
        "Night Sleeper (bus 2) has no trip from Mysuru on 2026-12-01. The nearest: 2026-12-02, "
    )


def test_seats_are_drawn_in_the_layout_of_the_bus(run: Run) -> None:
    book(run, "--seats", "3")
    run("hold", *SEGMENT, *PHONE, "--seats", "5,6")
    assert run("seats", "1", "2026-12-05", "bengaluru", "mysuru").out == (
        "╭────────────────────╮\n"
        "│             ◎      │\n"
        "│  1   2      ××   4 │\n"
        "│ ~~  ~~       7   8 │\n"
        "╰────────────────────╯\n"
        "nn free   ~~ held   ×× taken   ◎ driver   \n"
        "5 of 8 free, 260.00 each\n"
    )
    assert "│  1   2       3   4 │" in run("seats", "1", "2026-12-05", "mandya", "mysuru").out


@pytest.mark.parametrize(("columns", "beside"), [(80, True), (30, False)])
def test_decks_are_side_by_side_if_the_width_allows(columns: int, beside: bool) -> None:
    seats = [
        Seat(seat_no=10 + 3 * deck + column, deck=name, row=2, column=column, kind="berth", state="free")
        for deck, name in enumerate(("lower", "upper"))
        for column in (1, 3, 4)
    ]
    out = io.StringIO()
    drawing = "lower:\n...D\nb.bb\nupper:\nb.bb"
    RichConsole(file=out, width=columns).print(
        render.reply(
            Seats(currency="INR", layout=drawing, fare="1.00", seats=seats, max_seats=6, **TRIP_OF_SEATS),
            columns,
        )
    )
    first = out.getvalue().splitlines()[0]
    assert ("Lower" in first, "Upper" in first) == (True, beside)


@pytest.mark.parametrize(
    ("boarding_date", "dates"),
    [
        (date(2026, 12, 5), "Sat 5 Dec 2026"),
        (date(2026, 12, 6), "Sun 6 Dec 2026, travel date Sat 5 Dec 2026"),
        (date(2026, 12, 4), "Fri 4 Dec 2026, travel date Sat 5 Dec 2026"),
        (date(2027, 3, 5), "Fri 5 Mar 2027"),  # a night of a hotel, whose trip lasts for a year
    ],
)
def test_travel_date_of_a_booking_is_shown_if_it_is_near(boarding_date: date, dates: str) -> None:
    at = datetime.combine(boarding_date, datetime.min.time(), UTC)
    booking = Booking(
        reference="DTK7GHJ", status="booked", bus_id=901, kind="hotel", name="Hotel", operator="Hotel",
        travel_date=DAY, boarding_date=boarding_date, origin="Hotel", destination="Hotel", departs_at=at,
        arrives_at=at, from_stop=1, to_stop=2, fare="1.00", refund="0.00", tickets=[],
    )  # fmt: skip
    out = io.StringIO()
    RichConsole(file=out, width=200).print(render.reply(booking, 200))
    assert f" of {dates}.\n" in out.getvalue()


@pytest.fixture
def in_tokyo() -> Iterator[None]:
    """The traveller's time zone is that of Tokyo."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def test_a_fare_of_parts(run: Run, database: Database) -> None:
    database.query("""UPDATE bus_info SET
        seat_classes = '[{"name": "premium", "seats": [1], "percent": "20"}]',
        concessions = '[{"name": "child", "percent": "50"},
                        {"name": "baby", "percent": "100", "seat": false}]'
    WHERE bus_id = 1""")
    assert "premium 216.00 each, free: 1" in run("seats", *SEGMENT).out
    names = ("--name", "Ravi:child+Devi")
    booked = run("book", *SEGMENT, *PHONE, "--count", "1", "--class", "premium", *names)
    assert "Ticket 1: 180.00 + premium 36.00 - child 108.00 + baby 0.00, with Devi\n" in booked.out
    assert "Fare 108.00, refund 0.00." in booked.out
    refused = run("book", *SEGMENT, *PHONE, "--count", "1", "--promo", "dasara")
    assert refused.err.startswith('KSRTC has no promo code "dasara" for this bus.')


@pytest.mark.usefixtures("in_tokyo")
def test_a_booking_from_hold_to_refund(run: Run) -> None:
    held = run(
        "hold", *SEGMENT, *PHONE, "--seats", "3, 4", "--name", "Asha", "--name", "[Ravi]", "--seconds", "60"
    )
    reference = held.out.split()[1].rstrip(",")
    assert held.out == (
        f"Held: {reference}, KSRTC Day Bus (1) of Sat 5 Dec 2026.\n"
        "Bengaluru, Sat 5 Dec 2026 10:00, to Mandya, Sat 5 Dec 2026 11:45.\n"
        "Confirm it before 09:01:00 in Bengaluru.\n"
        "Ticket  Seat  Name    Status    Fare  Refund\n"
        "     1     3  Asha    held    180.00    0.00\n"
        "     2     4  [Ravi]  held    180.00    0.00\n"
        "Fare 360.00, refund 0.00.\n"
    )
    assert run("confirm", reference, *PHONE).out.startswith(f"Booked: {reference}, ")
    assert "     2     7  [Ravi]" in run("change", reference, "2", "7", *PHONE).out
    changed = run("change-seat", reference, "2", "8", *PHONE).out
    assert changed.startswith(f"Ticket 2 has seat 8 now.\nBooking {reference}, KSRTC Day Bus (1) of ")
    assert "     2     8  [Ravi]" in changed
    assert run("alight-quote", reference, "--tickets", "1", *PHONE).out == (
        "Stop  Place       Arrives               Refund\n   2  Ramanagara  Sat 5 Dec 2026 10:50    0.00\n"
    )
    alighted = run("alight", reference, "RAMANAGARA", "--tickets", "1", *PHONE).out
    assert alighted.startswith(
        "Ticket 1 ends at Ramanagara. Seat 3 is for sale again from there on. Nothing is refunded.\n"
    )
    assert "to Mandya" in alighted
    line = f"{reference} (bus 1, seats 3, 8) from Bengaluru to Mandya, Sat 5 Dec 2026 10:00, seat 3 to "
    assert run("find", "2026-12-05", "bangalore", *PHONE).out.startswith(line)
    assert run("find", "5 dec 2026", "bangalore", "98450", "12345").out.startswith(line)
    assert run("find", "5 dec 2026", "mysuru", *PHONE).out == "No booking was found.\n"
    found = run("find", "2026-12-05", "bangalore", *PHONE, "--json").out
    assert json.loads(found) == {"references": [reference]}
    assert run("quote", reference, "--tickets", "2", *PHONE).out == (
        "Refund 90.00, if cancelled before Sat 5 Dec 2026 10:00.\n"
    )
    cancelled = run("cancel", reference, "--tickets", "2", *PHONE).out
    assert cancelled.startswith(f"Ticket 2 is cancelled. 90.00 is refunded.\nBooking {reference}, ")
    assert "cancelled  180.00   90.00" in cancelled
    shown = run("booking", reference, *PHONE)
    assert shown.out.endswith("refund 90.00.\n")
    assert run("status", reference, *PHONE) == shown


def test_release_and_cancellation_say_what_they_have_done(run: Run) -> None:
    released, held = (
        json.loads(run("hold", *SEGMENT, *PHONE, "--seats", seats, "--json").out)["reference"]
        for seats in ("1", "2,3")
    )
    assert run("release", released, *PHONE).out.startswith(f"Released: {released}, ")
    assert run("cancel", held, *PHONE).out.startswith("Tickets 1 and 2 are cancelled. Nothing is refunded.\n")
    assert "already cancelled" in run("cancel", held, *PHONE).err
    booked = book(run, "--count", "3")["reference"]
    run("cancel", booked, "--tickets", "1", *PHONE)
    cancelled = run("cancel", booked, *PHONE).out
    assert cancelled.startswith("Tickets 2 and 3 are cancelled. 180.00 is refunded.\n")


def test_repeated_cancellation_gets_the_first_answer(run: Run) -> None:
    reference = book(run, "--count", "3")["reference"]
    cancelled = run("cancel", reference, *PHONE, "--key", "mine")
    assert cancelled.out.startswith(f"Cancelled: {reference}, ")
    assert run("cancel", reference, *PHONE, "--key", "mine") == cancelled


def test_amounts_have_a_comma_for_thousands(run: Run, database: Database) -> None:
    database.query("UPDATE route_table SET fare = fare * 10 WHERE bus_id = 1")
    assert "1,800.00     8" in run("search", *SEGMENT[2:], SEGMENT[1]).out
    booked = run("book", *SEGMENT, *PHONE, "--seats", "1,2").out
    assert booked.endswith("booked  1,800.00    0.00\nFare 3,600.00, refund 0.00.\n")
    assert run("quote", booked.split()[1].rstrip(","), *PHONE).out.startswith("Refund 1,800.00, if ")


def test_expired_hold_is_confirmed_at_its_new_fare(run: Run, database: Database, clock: Clock) -> None:
    held = json.loads(run("hold", *SEGMENT, *PHONE, "--seats", "3", "--seconds", "60", "--json").out)
    database.query("UPDATE route_table SET fare = 200 WHERE bus_id = 1 AND stop_no = 3")
    clock.advance(minutes=2)
    refused = run("confirm", held["reference"], *PHONE)
    assert (refused.status, "The fare is now 200.00." in refused.err) == (1, True)
    booked = run("confirm", held["reference"], *PHONE, "--fare", "200.00")
    assert booked.out.endswith("Fare 200.00, refund 0.00.\n")


def test_booking_joins_the_waitlist(run: Run) -> None:
    for seats in ("1,2,3,4,5,6", "7,8"):
        book(run, "--seats", seats)
    assert "--waitlist" in run("book", *SEGMENT, *PHONE, "--count", "2").err
    waiting = run("book", *SEGMENT, *PHONE, "--count", "2", "--waitlist").out
    assert waiting.startswith("Pending: ")
    assert "Position 1 on the waitlist." in waiting
    assert "     1     -        pending" in waiting


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("search", "bengaluru", "mysru", "2026-12-05"), "Did you mean Mysuru"),
        (("seats", *SEGMENT[:2], "mandya", "bengaluru"), "Its stops: Bengaluru – Ramanagara – Mandya"),
        (("book", *SEGMENT, *PHONE, "--seats", "7,8"), "Free seats on this segment: 1, 2, 3, 4, 5, 6, 8."),
        (("book", *SEGMENT, *PHONE, "--seats", "9"), "Free seats on this segment: 1, 2, 3, 4, 5, 6, 8."),
        (("book", *SEGMENT, *PHONE), "Use --seats 7,8, or --count 2 for any two seats."),
        (("book", *SEGMENT, "--seats", "1"), "Use --phone '98450 12345'."),
        (("book", *SEGMENT, *PHONE), "Neither seats nor count is given.\nUse --seats 7,8, or"),
        (("book", *SEGMENT, "--count", "1", "--phone", "12"), "a phone number, such as"),
        (("booking", "QQQQQQ"), "No booking has that reference"),
    ],
)
def test_refusal_says_what_to_do(run: Run, arguments: tuple[str, ...], hint: str) -> None:
    book(run, "--seats", "7")
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (1, "")
    assert hint in outcome.err


# For operators ---------------------------------------------------------------------------------


def test_notice_says_how_many_it_reaches(run: Run, operate: Run) -> None:
    trip = SEGMENT[:2]
    assert operate("notice", *trip, "We leave late.").out == (
        "The notice reaches no passenger. The trip has no bookings, or their journeys have ended.\n"
    )
    book(run, "--seats", "1")
    assert operate("notice", *trip, "We leave late.").out == (
        "Sent to the passengers of 1 booking (1 ticket).\n"
    )
    book(run, "--seats", "3,4")
    assert operate("notice", *trip, "We leave late.").out == (
        "Sent to the passengers of 2 bookings (3 tickets).\n"
    )
    assert json.loads(operate("notice", *trip, "Late.", "--json").out) == {"bookings": 2, "tickets": 3}


def test_empty_manifest_says_so(run: Run, operate: Run) -> None:
    trip = SEGMENT[:2]
    empty = "Day Bus (1), travel date Sat 5 Dec 2026\n8 seats: 0 booked, 0 held, 0 waiting.\n"
    assert operate("manifest", *trip).out == f"{empty}No passenger has a booked ticket.\n"
    held = json.loads(run("hold", *SEGMENT, *PHONE, "--seats", "1", "--json").out)["reference"]
    assert operate("manifest", *trip).out == (
        f"{empty.replace('0 held', '1 held')}No passenger has a booked ticket.\n"
    )
    run("release", held, *PHONE)
    reference = book(run, "--seats", "3")["reference"]
    assert operate("manifest", *trip).out == (
        "Day Bus (1), travel date Sat 5 Dec 2026\n"
        "8 seats: 1 booked, 0 held, 0 waiting.\n"
        "10:00  Bengaluru\n"
        f"  boards   seat 3: +919845012345, {reference}/1\n"
        "11:45–11:50  Mandya\n"
        f"  alights  seat 3: +919845012345, {reference}/1\n"
        "  free from here: 3\n"
    )


def test_opened_sales_are_counted(operate: Run) -> None:
    assert operate("open-sales", "1", "2026-12-20", "2026-12-22").out == "3 trips put on sale.\n"
    assert operate("open-sales", "1", "2026-12-20", "2026-12-22").out == "No new trip was put on sale.\n"


def test_cancelled_trip_says_what_was_refunded(run: Run, operate: Run, database: Database) -> None:
    database.query("UPDATE route_table SET fare = fare * 10 WHERE bus_id = 1")
    book(run, "--seats", "3,4")
    trip = SEGMENT[:2]
    assert operate("cancel-trip", *trip, "Landslide.", "--plan").out == (
        "The trip would be cancelled: 2 tickets, 3,600.00 refunded.\n"
    )
    assert "The trip is cancelled." not in operate("manifest", *trip).out
    assert operate("cancel-trip", *trip, "Landslide.").out == (
        "The trip is cancelled: 2 tickets, 3,600.00 refunded.\n"
    )
    assert "The trip is cancelled. Landslide.\n" in operate("manifest", *trip).out


def test_notice_with_a_key_is_sent_once(operate: Run, console: Console) -> None:
    for _ in range(2):
        operate("notice", *SEGMENT[:2], "We leave late.", "--key", "late")
    assert [message.body for message in console.messages()] == ["We leave late."]


def test_texts_need_no_quotes(run: Run, operate: Run, console: Console) -> None:
    assert run("say", "Where", "is", "my", "bus?").out == "Sent to the operator.\n"
    run("say", "Is it late?  Yes.")
    operate("notice", *SEGMENT[:2], "We", "leave", "late.")
    assert [message.body for message in console.messages()] == [
        "Where is my bus?",
        "Is it late?  Yes.",
        "We leave late.",
    ]
    reference = book(run, "--seats", "1")["reference"]
    operate("cancel-trip", *SEGMENT[:2], "The", "road", "is", "closed.")
    assert "The operator cancelled the trip. The road is closed." in run("booking", reference, *PHONE).out


# For scripts -----------------------------------------------------------------------------------


def test_json_is_the_reply_of_the_server(run: Run, client_socket: LineClient) -> None:
    search = {"origin": "bengaluru", "destination": "mysuru", "date": "2026-12-05"}
    out = run("search", *search.values(), "--json").out
    assert out.count("\n") == 1
    assert json.loads(out) == client_socket.call("search", **search)
    refused = run("--json", "search", "bengaluru", "mysru", "2026-12-05")
    assert (refused.status, refused.err) == (1, "")
    assert json.loads(refused.out) == {
        "error": client_socket.call("search", **search | {"destination": "mysru"})
    }


def test_same_key_books_once(run: Run, database: Database) -> None:
    assert book(run, "--count", "1", "--key", "mine") == book(run, "--count", "1", "--key", "mine")
    assert database.value("SELECT count(*)::int FROM passengers") == 1
    assert run("book", *SEGMENT, *PHONE, "--count", "2", "--key", "mine").status == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("serch",), "'serch' is not a command. Did you mean search?"),
        (("serch",), "scripts/client --help"),
        (("--json", "serch"), "client: 'serch' is not a command. Did you mean search? scripts/client --help"),
        (("cancel", "DTABMT9", "--phone", "98450", "12345"), "arguments: 12345. Put quotes around a number"),
        (("cancel", "DTABMT9", "--phone", "9845012345", "--ticket", "2"), "Did you mean --tickets?"),
        (("cancel", "DTABMT9", "9845012345"), "arguments: 9845012345. Did you mean --phone 9845012345?"),
        (("flight", "usa", "india", "sat"), "'flight' is a command of the terminal client: start"),
        (("--json", "show"), "'show' is a command of the terminal client"),
        (("search", *SEGMENT[2:], "5", "foo"), '"5" is not a date such as 2026-12-05'),
        (("book", *SEGMENT, "--seats", "9", "10"), "a comma between two numbers: --seats 9,10 scripts"),
        (("book", *SEGMENT, "--name=Asha", "Rao"), "with a space: --name 'Asha Rao'"),
        (("no", "such", "thing"), "'no' is not a command. scripts/client --help lists the commands."),
        (("localhost", "port"), "'port' is not a port; write a number from 1 to 65535"),
        (("search", "bengaluru"), "the following arguments are required: DESTINATION, DATE"),
        (("search", "bengaluru", "mysuru", "soon"), '"soon" is not a date such as 2026-12-05'),
        (("seats", "first", *SEGMENT[1:]), "'first' is not a number; write one such as 7"),
        (("seats", "9" * 20, *SEGMENT[1:]), f"'{'9' * 20}' is not a number; write one such as 7"),
        (("seats", *SEGMENT[:2], "9" * 20, "2"), f"'{'9' * 20}' is not a number; write one such as 7"),
        (("book", *SEGMENT, "--seats", "9" * 20), f"'{'9' * 20}' is not a list of numbers; write one such"),
        (("book", *SEGMENT, "--seats", "7-8"), "'7-8' is not a list of numbers; write one such as 7,8"),
        (("search", *SEGMENT[2:], "today", "--type", "bunk"), "invalid choice: 'BUNK'"),
        (("ping", "--timeout", "nan"), "'nan' is not a time; write a number of seconds, such as 30"),
    ],
)
def test_wrong_command_line_is_explained(run: Run, arguments: tuple[str, ...], message: str) -> None:
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in " ".join(outcome.err.split())
    assert outcome.err.startswith("usage: scripts/client ")


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        (("seats", "1", "--way", *SEGMENT[1:]), "seats [-h] BUS DATE ORIGIN DESTINATION"),
        (("seats", "1"), "seats [-h] BUS DATE ORIGIN DESTINATION"),
        (("ping", "now"), "ping [-h]"),
        (("find", "today", "mysuru"), "find [-h] [--phone PHONE] DATE PLACE [PHONE ...]"),
        (("find", "today", "mysuru", "98450", "12345", *PHONE), "find [-h] [--phone PHONE] DATE PLACE"),
    ],
)
def test_wrong_argument_shows_the_usage_of_its_command(
    run: Run, arguments: tuple[str, ...], usage: str
) -> None:
    outcome = run(*arguments)
    program = f"scripts/client {arguments[0]}"
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith(f"usage: scripts/client {usage}")
    assert outcome.err.endswith(f"\n{program} --help explains the arguments.\n")


def test_unreachable_server(run: Run, server: SimpleNamespace) -> None:
    server.tcp.drain()
    outcome = run("places")
    assert (outcome.status, outcome.out) == (3, "")
    assert f"No answer from {server.host}:{server.port}" in outcome.err
    assert "scripts/start" in outcome.err
    assert "Errno" not in outcome.err


def test_unknown_word_is_taken_for_a_host_name(run: Run) -> None:
    outcome = run("frobnicate")
    assert outcome.status == 3
    assert "No answer from frobnicate:" in outcome.out
    assert "Errno" not in outcome.out
    assert (
        "'frobnicate' is read as a host name, because it is not a command. scripts/client --help lists"
        in " ".join(outcome.out.split())
    )


def test_help_is_a_command_and_an_option(run: Run) -> None:
    assert run("help") == run("--help")
    assert run("help", "book").out == run("book", "--help").out


@pytest.mark.parametrize("arguments", [(), *((command,) for command in commands.COMMANDS)])
def test_help_fits_a_terminal_of_80_columns(run: Run, arguments: tuple[str, ...]) -> None:
    assert [line for line in run("help", *arguments).out.splitlines() if len(line) > 80] == []


def test_host_and_port_may_be_anywhere(
    run: Run, server: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (("--port", "1", "ping"), ("ping", "--port", "1"), ("127.0.0.1", "1")):
        assert run(*arguments).status == 3
    assert run("--port", "1", "ping", "--port", str(server.port)).out.startswith("busware ")
    monkeypatch.setattr("sys.stdin", io.StringIO("quit\n"))
    assert run(server.host, str(server.port)).out.startswith("Busware. Type bus, ")


def test_empty_variable_is_as_if_it_were_not_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUSWARE_TOKEN", "BUSWARE_AUTHORITY"):
        monkeypatch.setenv(name, "")
    assert run("ping").out.startswith("busware ")
    parsed = commands.command_line({"BUSWARE_HOST": "", "BUSWARE_PORT": ""}).parse_args(["ping"])
    assert (parsed.host, parsed.port) == ("127.0.0.1", 9999)


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        (["hotel"], "http://127.0.0.1:8001/hotel"),
        (["--host", "192.0.2.1", "hotel"], "http://192.0.2.1:8001/hotel"),
        (["--host", "https://busware.example/", "hotel"], "https://busware.example/hotel"),
        (["--host", "192.0.2.1", "hotel", "--url", "http://inn.example"], "http://inn.example"),
    ],
)
def test_url_of_the_hotel(arguments: list[str], url: str) -> None:
    parsed = commands.command_line({}).parse_args(arguments)
    assert commands.hotel_url(parsed, {"BUSWARE_HTTP_PORT": "8001"}) == url


def test_every_method_has_a_command() -> None:
    assert {request_type.method for request_type, _ in commands.COMMANDS.values()} == set(METHODS)


# As a process ----------------------------------------------------------------------------------


def client(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "client", *arguments]
    return subprocess.run(line, text=True, capture_output=True, timeout=WAIT_SECONDS, **more)


def test_help_imports_only_what_it_needs() -> None:
    code = "import sys; from client.__main__ import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=WAIT_SECONDS)
    for part in ("examples:", "exit status:", *commands.COMMANDS):
        assert part in shown.stdout
    assert not {"rich", "shtab", "psycopg", "asyncio"} & set(shown.stdout.split())


@pytest.mark.parametrize("shell", commands.SHELLS)
def test_completion_script_is_valid(shell: str) -> None:
    script = client("completion", shell).stdout
    assert "change-seat" in script
    if shutil.which(shell):
        check = subprocess.run(
            [shell, "-n"], input=script, text=True, capture_output=True, timeout=WAIT_SECONDS
        )
        assert (check.returncode, check.stderr) == (0, "")


def test_bash_completes_commands_and_options() -> None:
    script = client("completion", "bash").stdout
    ask = "COMP_WORDS=(scripts/client {}); COMP_CWORD={}; _shtab_client; echo ${{COMPREPLY[@]}}"
    for words, at, completed in (("cancel-", 1, "cancel-trip"), ("book --way --wai", 3, "--waitlist")):
        line = f"{script}\n{ask.format(words, at)}"
        shown = subprocess.run(["bash", "-c", line], text=True, capture_output=True, timeout=WAIT_SECONDS)
        assert shown.stdout.split() == [completed], shown


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_depends_on_the_terminal_and_no_color(
    server: SimpleNamespace, environment: dict[str, str], coloured: bool
) -> None:
    main, terminal = pty.openpty()
    seats = ("seats", *SEGMENT, "--host", server.host, "--port", str(server.port))
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "client", *seats],
        stdout=terminal,
        env=inherited | {"TERM": "xterm", "COLUMNS": "80"} | environment,
    )
    assert process.wait(WAIT_SECONDS) == 0
    os.close(terminal)
    shown = os.read(main, 10_000).decode()
    os.close(main)
    assert "driver" in shown
    assert ("\x1b[32m" in shown) is coloured


def test_closed_pipe_is_no_error(server: SimpleNamespace) -> None:
    ask = f"{sys.executable} -m client places --host {server.host} --port {server.port}"
    line = f"{ask} | true; echo ${{PIPESTATUS[0]}}"
    shown = subprocess.run(["bash", "-c", line], text=True, capture_output=True, timeout=WAIT_SECONDS)
    assert (shown.stdout, shown.stderr) == ("0\n", "")
